-- Orders, holds and periods: what a stretch of time costs, the credit set aside for it, and the
-- time once it is paid.

-- Priced once. While an order has neither a live nor a captured hold it may be voided and priced
-- anew; there is one that counts per organization and period.
create table orders (
    franchise int not null,
    ord bigint generated always as identity,
    organization text collate "C" not null,
    period int not null constraint order_period_number check (period >= 1),
    account bigint not null,
    currency text collate "C" not null,
    amount bigint not null,
    sovereign text collate "C" not null,
    plan text collate "C" not null,
    revision int not null,
    voided boolean not null default false,
    ordered_at timestamptz not null,
    constraint orders_pk primary key (franchise, ord),
    constraint orders_amount unique (franchise, ord, account, currency, amount),
    constraint orders_period unique (franchise, ord, organization, period),
    constraint orders_account foreign key (franchise, account, currency)
        references account (franchise, account, currency),
    constraint orders_price foreign key (franchise, sovereign, plan, revision, currency, amount)
        references plan_revision (franchise, sovereign, plan, revision, currency, amount)
);
create unique index orders_one_counts on orders (franchise, organization, period)
    where not voided;

-- How much of a lot (a redemption) is used or set aside; made at the first hold, so that a
-- redemption writes no row for it.
create table lot_use (
    franchise int not null,
    lot bigint not null,
    granted bigint not null,
    used bigint not null default 0,
    held bigint not null default 0,
    constraint lot_use_pk primary key (franchise, lot),
    constraint lot_not_overspent check (used >= 0 and held >= 0 and used + held <= granted),
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

-- A paid stretch of time, written when its order is captured. Months are counted in UTC.
create table period (
    franchise int not null,
    organization text collate "C" not null,
    period int not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    ord bigint not null,
    response text not null,
    constraint period_pk primary key (franchise, organization, period),
    constraint period_of_an_order unique (franchise, ord),
    constraint period_length check (ends_at > starts_at),
    constraint period_order foreign key (franchise, ord, organization, period)
        references orders (franchise, ord, organization, period),
    constraint period_no_overlap exclude using gist
        (franchise with =, organization with =, tstzrange(starts_at, ends_at) with &&)
);
create trigger period_append_only before update or delete on period
    for each row execute function append_only();
create trigger period_no_truncate before truncate on period
    execute function append_only();
