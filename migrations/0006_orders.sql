-- What a period or a dearer plan costs, and the order for it.

-- What an organization has paid for last: its newest period, at the plan of its newest step.
create function last_paid(p_franchise int, p_organization text) returns setof paid
language sql stable as $$
    select * from ledger.paid x
    where x.franchise = p_franchise and x.organization = p_organization
    order by x.period desc, x.step desc limit 1
$$;

-- The last period of an organization, if it has ended and the organization, which has been awake
-- since and is where it was, may go on for a while.
create function in_grace(p_franchise int, p_organization text, p_at timestamptz)
returns setof paid language sql stable as $$
    select l.* from ledger.last_paid(p_franchise, p_organization) l
    join ledger.organization o on o.franchise = l.franchise and o.organization = l.organization
    where l.ends_at <= p_at and p_at < l.ends_at + o.grace and o.awake_since <= l.ends_at
    and o.sovereign = l.sovereign
$$;

-- The stretch of time that an organization's next period is: the month after its last one while it
-- goes on without a break, so that grace is paid for by the period that follows it; else a month
-- from now.
create function next_month(p_franchise int, p_organization text, p_at timestamptz,
    out anchor timestamptz, out months int, out starts_at timestamptz, out ends_at timestamptz)
language sql stable as $$
    select x.anchor, x.months,
        (x.anchor at time zone 'UTC' + make_interval(months => x.months - 1)) at time zone 'UTC',
        (x.anchor at time zone 'UTC' + make_interval(months => x.months)) at time zone 'UTC'
    from (select coalesce(l.anchor, p_at) as anchor, coalesce(l.months, 0) + 1 as months
        from (values (true)) as always (one)
        left join ledger.in_grace(p_franchise, p_organization, p_at) l on true) as x
$$;

-- The orders of an organization that count and are not paid: there is at most one.
create function open_orders(p_franchise int, p_organization text) returns setof orders
language sql stable as $$
    select * from ledger.orders o
    where o.franchise = p_franchise and o.organization = p_organization and not o.voided
    and not exists (select from ledger.period p
        where p.franchise = o.franchise and p.organization = o.organization and p.ord = o.ord)
    and not exists (select from ledger.upgrade u
        where u.franchise = o.franchise and u.ord = o.ord)
$$;

-- What an organization may order: a plan on sale, or the one that it has, which stays in force for
-- its holder when it is withdrawn.
create function offer(p_franchise int, p_organization text, p_sovereign text, p_plan text)
returns setof plan_revision language sql stable as $$
    select r.* from ledger.plan q
    join ledger.plan_revision r using (franchise, sovereign, plan, revision)
    where q.franchise = p_franchise and q.sovereign = p_sovereign and q.plan = p_plan
    and (q.offered or (q.sovereign, q.plan) = (
        select x.sovereign, x.plan from ledger.last_paid(p_franchise, p_organization) x))
$$;

-- Whole units that add up to a total and are next to exact shares of it, p_parts of p_of each:
-- rounded down, and the units that this leaves over go to the largest remainders. Nothing is
-- divided before it divides without a rest: a quotient of numerics is rounded.
create function allocate(p_total bigint, p_parts numeric[], p_of numeric) returns bigint[]
language sql immutable as $$
    select array_agg((x.floor + (x.rank <= p_total - x.floors)::int)::bigint order by x.n)
    from (select r.n, (r.part - r.rest) / p_of as floor,
            sum((r.part - r.rest) / p_of) over () as floors,
            row_number() over (order by r.rest desc, r.n) as rank
        from (select e.n, e.part, mod(mod(e.part, p_of) + p_of, p_of) as rest
            from unnest(p_parts) with ordinality as e (part, n)) as r) as x
$$;

-- What another plan costs from `p_at` to the end of a paid period, by the second: the shares of the
-- new price and, negative, of the old one. Their sum is rounded half up, once.
create function prorate(p_old bigint, p_new bigint, p_starts_at timestamptz,
    p_ends_at timestamptz, p_at timestamptz) returns bigint[] language sql immutable as $$
    -- div() rounds towards zero; less the remainder of a floor it is exact.
    select ledger.allocate(div(d.twice - mod(mod(d.twice, d.by) + d.by, d.by), d.by)::bigint,
        array[p_new * r.rest, -p_old * r.rest], r.whole)
    from (select floor(extract(epoch from p_ends_at - p_at)) as rest,
        extract(epoch from p_ends_at - p_starts_at) as whole) as r,
        lateral (select 2 * (p_new - p_old) * r.rest + r.whole as twice, 2 * r.whole as by) as d
$$;

-- What an organization would pay for a plan now: for a period, or for the rest of the one that
-- runs if the plan is at least as dear as the one it has. No row where the plan is not to be had,
-- or begins with the next period.
create function quote(p_franchise int, p_organization text, p_sovereign text, p_plan text,
    p_at timestamptz)
returns table (period int, step int, revision int, currency text, price bigint, amount bigint,
    whats text[], lines bigint[]) language plpgsql stable as $$
declare p record; l record;
begin
    select * into p from offer(p_franchise, p_organization, p_sovereign, p_plan);
    if not found then return; end if;
    select * into l from last_paid(p_franchise, p_organization);
    revision := p.revision; currency := p.currency; price := p.amount;
    if l.ord is null or l.ends_at <= p_at then
        period := coalesce(l.period, 0) + 1; step := 0;
        amount := p.amount; whats := array['plan ' || p_plan]; lines := array[p.amount];
        return next;
    elsif l.sovereign = p_sovereign and l.plan <> p_plan and p.amount >= l.price then
        period := l.period; step := l.step + 1;
        lines := prorate(l.price, p.amount, l.starts_at, l.ends_at, p_at);
        amount := lines[1] + lines[2];
        whats := array['plan ' || p_plan || ' for the rest of the period',
            'plan ' || l.plan || ', which is left unused'];
        return next;
    end if;
end $$;

-- How long the price of the rest of a period stands while nothing is held for it.
create function quote_lasts() returns interval language sql immutable as $$
    select interval '5 minutes'
$$;

-- The order that an organization needs for a plan: the one that counts, or a new one at the price
-- in force. An order is voided and priced anew while nothing is held for it. `Paid` where the plan
-- is in force or begins with the next period.
create function order_v1(p_namespace text, p_epoch bigint, p_organization text, p_sovereign text,
    p_plan text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; o record; q record; mine bigint[]; a bigint; id bigint; t timestamptz;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    mine := lock_accounts(f.franchise, p_organization);
    t := ledger.now();
    select * into q from quote(f.franchise, p_organization, p_sovereign, p_plan, t);
    if not found then
        outcome := case when exists (select from last_paid(f.franchise, p_organization) l
            where l.ends_at > t) then 'Paid' else 'UnknownPlan' end;
        return;
    end if;
    select x.account into a from account x where x.franchise = f.franchise
        and x.account = any (mine) and x.currency = q.currency;
    if not found then outcome := 'NoOrganization'; return; end if;
    perform lapse(f.franchise, x, t) from unnest(mine) as x;
    select x.*, exists (select from hold h where h.franchise = f.franchise and h.ord = x.ord
        and h.state = 'held') as held into o from open_orders(f.franchise, p_organization) x;
    if (o.period, o.step, o.sovereign, o.plan, o.revision)
            = (q.period, q.step, p_sovereign, p_plan, q.revision)
        and (o.step = 0 or o.held or t < o.ordered_at + quote_lasts()) then
        outcome := 'Ordered'; return;
    end if;
    if o.held then outcome := 'OrderHeld'; return; end if;
    update orders set voided = true where franchise = f.franchise and ord = o.ord;
    insert into orders (franchise, organization, period, step, account, currency, amount,
        sovereign, plan, revision, price, ordered_at)
    values (f.franchise, p_organization, q.period, q.step, a, q.currency, q.amount, p_sovereign,
        p_plan, q.revision, q.price, t)
    returning ord into id;
    insert into order_line select f.franchise, id, l.n, l.what, l.amount
        from unnest(q.whats, q.lines) with ordinality as l (what, amount, n);
    outcome := 'Ordered';
end $$;
