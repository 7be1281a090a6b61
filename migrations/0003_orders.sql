-- Orders, holds and periods: what a stretch of time costs, the credit set aside for it, and the
-- time once it is paid.

-- Priced once. Step 0 is the period itself; the steps after it are what dearer plans cost for the
-- rest of it. While an order has neither a live nor a captured hold it may be voided and priced
-- anew; there is one that counts per organization, period and step.
create table orders (
    franchise int not null,
    ord bigint generated always as identity,
    organization text collate "C" not null,
    period int not null constraint order_period_number check (period >= 1),
    step int not null constraint order_step_number check (step >= 0),
    account bigint not null,
    currency text collate "C" not null,
    amount bigint not null constraint orders_charge check (amount between 0 and price),
    sovereign text collate "C" not null,
    plan text collate "C" not null,
    revision int not null,
    price bigint not null,
    voided boolean not null default false,
    ordered_at timestamptz not null,
    constraint orders_pk primary key (franchise, ord),
    constraint orders_whole_period check (step > 0 or amount = price),
    constraint orders_amount unique (franchise, ord, account, currency, amount),
    constraint orders_period unique (franchise, ord, organization, period, step),
    constraint orders_account foreign key (franchise, account, currency)
        references account (franchise, account, currency),
    constraint orders_price foreign key (franchise, sovereign, plan, revision, currency, price)
        references plan_revision (franchise, sovereign, plan, revision, currency, amount)
);
create unique index orders_one_counts on orders (franchise, organization, period, step)
    where not voided;

-- What an order is made of: the lines add up to its amount (the largest remainders get the units
-- that rounding down leaves over).
create table order_line (
    franchise int not null,
    ord bigint not null,
    line int not null,
    what text not null,
    amount bigint not null,
    constraint order_line_pk primary key (franchise, ord, line),
    constraint order_line_order foreign key (franchise, ord) references orders
);
create trigger order_line_append_only before update or delete on order_line
    for each row execute function append_only();
create trigger order_line_no_truncate before truncate on order_line
    execute function append_only();

-- How much of a lot is used, set aside, or gone (expired, reversed, closed); made when the first of
-- it moves, so that a redemption writes no row for it.
create table lot_use (
    franchise int not null,
    lot bigint not null,
    granted bigint not null,
    used bigint not null default 0,
    held bigint not null default 0,
    gone bigint not null default 0,
    constraint lot_use_pk primary key (franchise, lot),
    constraint lot_not_overspent check (used >= 0 and held >= 0 and gone >= 0
        and used + held + gone <= granted),
    constraint lot_is_a_transfer foreign key (franchise, lot)
        references transfer (franchise, transfer)
) with (fillfactor = 70);

create table hold (
    franchise int not null,
    ord bigint not null,
    attempt int not null constraint hold_attempt check (attempt >= 1),
    account bigint not null,
    currency text collate "C" not null,
    amount bigint not null constraint hold_amount check (amount >= 1),
    state text not null
        constraint hold_state check (state in ('held', 'captured', 'released', 'lapsed')),
    held_at timestamptz not null,
    lapses_at timestamptz not null,
    capture bigint,
    epoch bigint,
    xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint hold_pk primary key (franchise, ord, attempt),
    constraint hold_order foreign key (franchise, ord, account, currency, amount)
        references orders (franchise, ord, account, currency, amount),
    constraint hold_captured_once unique (franchise, capture),
    constraint hold_capture foreign key (franchise, capture)
        references transfer (franchise, transfer),
    constraint hold_captured_by_a_transfer check ((state = 'captured') = (capture is not null))
);
create unique index hold_one_live on hold (franchise, ord) where state in ('held', 'captured');
create index hold_of_account on hold (franchise, account) where state = 'held';

create table hold_line (
    franchise int not null,
    ord bigint not null,
    attempt int not null,
    lot bigint not null,
    amount bigint not null constraint hold_line_amount check (amount >= 1),
    constraint hold_line_pk primary key (franchise, ord, attempt, lot),
    constraint hold_line_hold foreign key (franchise, ord, attempt) references hold,
    constraint hold_line_lot foreign key (franchise, lot) references lot_use
);

-- A paid stretch of time, written when its order is captured. Months are counted in UTC from an
-- anchor, so that one that began on the 31st ends on the 28th and the next on the 31st again.
create table period (
    franchise int not null,
    organization text collate "C" not null,
    period int not null,
    step int not null default 0 constraint period_step check (step = 0),
    anchor timestamptz not null,
    months int not null constraint period_months check (months >= 1),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    ord bigint not null,
    response text not null,
    constraint period_pk primary key (franchise, organization, period),
    constraint period_of_an_order unique (franchise, ord),
    constraint period_length check (ends_at > starts_at),
    constraint period_is_a_month check (
        starts_at = (anchor at time zone 'UTC' + make_interval(months => months - 1))
            at time zone 'UTC'
        and ends_at = (anchor at time zone 'UTC' + make_interval(months => months))
            at time zone 'UTC'),
    constraint period_order foreign key (franchise, ord, organization, period, step)
        references orders (franchise, ord, organization, period, step),
    constraint period_no_overlap exclude using gist
        (franchise with =, organization with =, tstzrange(starts_at, ends_at) with &&)
);
create trigger period_append_only before update or delete on period
    for each row execute function append_only();
create trigger period_no_truncate before truncate on period
    execute function append_only();

-- A dearer plan for the rest of a paid period, written when its order is captured.
create table upgrade (
    franchise int not null,
    organization text collate "C" not null,
    period int not null,
    step int not null constraint upgrade_step check (step >= 1),
    at timestamptz not null,
    ord bigint not null,
    response text not null,
    constraint upgrade_pk primary key (franchise, organization, period, step),
    constraint upgrade_once unique (franchise, ord),
    constraint upgrade_period foreign key (franchise, organization, period) references period,
    constraint upgrade_order foreign key (franchise, ord, organization, period, step)
        references orders (franchise, ord, organization, period, step)
);
create trigger upgrade_append_only before update or delete on upgrade
    for each row execute function append_only();
create trigger upgrade_no_truncate before truncate on upgrade
    execute function append_only();

-- What each order paid for: the order, with the period that it is of and since when it counts.
create view paid as
    select o.*, p.starts_at, p.ends_at, p.anchor, p.months, p.response, p.starts_at as since
        from orders o join period p on p.franchise = o.franchise and p.ord = o.ord
            and p.organization = o.organization
        where not o.voided
    union all
    select o.*, p.starts_at, p.ends_at, p.anchor, p.months, u.response, u.at
        from orders o join upgrade u on u.franchise = o.franchise and u.ord = o.ord
            and u.organization = o.organization
        join period p on p.franchise = u.franchise and p.organization = u.organization
            and p.period = u.period
        where not o.voided;
