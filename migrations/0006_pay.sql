-- Functions that order periods, set credit aside for them, and spend it.

-- What an organization may order: a plan on sale, or the one that it has, which stays in force for
-- its holder when it is withdrawn.
create function offer(p_franchise int, p_organization text, p_sovereign text, p_plan text)
returns setof plan_revision language sql stable as $$
    select r.* from ledger.plan q
    join ledger.plan_revision r using (franchise, sovereign, plan, revision)
    where q.franchise = p_franchise and q.sovereign = p_sovereign and q.plan = p_plan
    and (q.offered or (q.sovereign, q.plan) = (
        select o.sovereign, o.plan from ledger.period p join ledger.orders o using (franchise, ord)
        where p.franchise = p_franchise and p.organization = p_organization
        order by p.period desc limit 1))
$$;

-- The order for the next period of an organization: the one that counts, or a new one at the
-- price in force. An order is voided and priced anew while nothing is held for it.
create function order_v1(p_namespace text, p_epoch bigint, p_organization text, p_sovereign text,
    p_plan text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; o record; p record; a bigint; n int; t timestamptz;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform lock_accounts(f.franchise, p_organization);
    t := ledger.now();
    if exists (select from period x where x.franchise = f.franchise
        and x.organization = p_organization and x.starts_at <= t and t < x.ends_at) then
        outcome := 'Paid'; return;
    end if;
    select * into p from offer(f.franchise, p_organization, p_sovereign, p_plan);
    if not found then outcome := 'UnknownPlan'; return; end if;
    select coalesce(max(x.period), 0) + 1 into n from period x
        where x.franchise = f.franchise and x.organization = p_organization;
    select x.account into a from account x where x.franchise = f.franchise
        and x.kind = 'customer' and x.organization = p_organization and x.currency = p.currency;
    if not found then outcome := 'NoOrganization'; return; end if;
    select * into o from orders x where x.franchise = f.franchise
        and x.organization = p_organization and x.period = n and not x.voided;
    if (o.sovereign, o.plan, o.revision) = (p_sovereign, p_plan, p.revision) then
        outcome := 'Ordered'; return;
    end if;
    perform lapse(f.franchise, o.account, t);
    if exists (select from hold h where h.franchise = f.franchise and h.ord = o.ord
        and h.state in ('held', 'captured')) then
        outcome := 'OrderHeld'; return;
    end if;
    update orders set voided = true where franchise = f.franchise and ord = o.ord;
    insert into orders (franchise, organization, period, account, currency, amount, sovereign,
        plan, revision, ordered_at)
    values (f.franchise, p_organization, n, a, p.currency, p.amount, p_sovereign, p_plan,
        p.revision, t);
    outcome := 'Ordered';
end $$;

-- What an account can spend at t: what is left of every lot that has not expired. A hold that has
-- lapsed holds nothing, whether or not anybody has ended it yet.
create function spendable(p_franchise int, p_account bigint, p_at timestamptz) returns bigint
language sql stable as $$
    select (coalesce(sum(l.amount - coalesce(u.used + u.held, 0)), 0)
        + coalesce((select sum(h.amount) from ledger.hold h where h.franchise = p_franchise
            and h.account = p_account and h.state = 'held' and h.lapses_at <= p_at), 0))::bigint
    from ledger.transfer l
    left join ledger.lot_use u on u.franchise = l.franchise and u.lot = l.transfer
    where l.franchise = p_franchise and l.credit = p_account and l.voucher is not null
    and l.expires_at > p_at
$$;

-- Ends a hold without spending it; its lots get their credit back with the expiry they had.
-- The caller holds the account's row.
create function unhold(p_franchise int, p_ord bigint, p_attempt int, p_state text) returns void
language plpgsql as $$
declare h record;
begin
    update hold set state = p_state where franchise = p_franchise and ord = p_ord
        and attempt = p_attempt and state = 'held' returning * into h;
    if h.ord is null then return; end if;
    update lot_use u set held = u.held - l.amount from hold_line l
        where l.franchise = p_franchise and l.ord = p_ord and l.attempt = p_attempt
        and u.franchise = p_franchise and u.lot = l.lot;
    update account set held = held - h.amount
        where franchise = p_franchise and account = h.account;
end $$;

-- Ends the holds of an account that have lapsed. The caller holds the account's row.
create function lapse(p_franchise int, p_account bigint, p_at timestamptz) returns void
language plpgsql as $$
declare h record;
begin
    for h in select x.ord, x.attempt from hold x where x.franchise = p_franchise
        and x.account = p_account and x.state = 'held' and x.lapses_at <= p_at order by x.ord loop
        perform unhold(p_franchise, h.ord, h.attempt, 'lapsed');
    end loop;
end $$;

-- Gives back what is held for an order and voids it. The caller holds the account's row.
create function void(p_franchise int, p_ord bigint) returns void language plpgsql as $$
declare h record;
begin
    for h in select attempt from hold
        where franchise = p_franchise and ord = p_ord and state = 'held' loop
        perform unhold(p_franchise, p_ord, h.attempt, 'released');
    end loop;
    update orders set voided = true where franchise = p_franchise and ord = p_ord and not voided;
end $$;

-- Sets aside what an order costs, from lots by priority, then first-expiring-first.
create function place_hold(p_franchise int, p_epoch bigint, p_ord bigint, p_attempt int,
    out outcome text, out available bigint, out needed bigint)
language plpgsql as $$
declare o record; x record; rest bigint; take bigint; t timestamptz;
begin
    perform lock_accounts_of(p_franchise, p_ord);
    select * into o from orders where franchise = p_franchise and ord = p_ord and not voided;
    if not found then outcome := 'NoOrder'; return; end if;
    if exists (select from account where franchise = p_franchise and account = o.account
        and suspended) then
        outcome := 'NotEligible'; return;
    end if;
    t := ledger.now();
    perform lapse(p_franchise, o.account, t);
    available := spendable(p_franchise, o.account, t);
    needed := o.amount;
    select h.state into x from hold h where h.franchise = p_franchise and h.ord = p_ord
        and (h.attempt = p_attempt or h.state in ('held', 'captured'))
        order by h.attempt desc limit 1;
    if found then
        outcome := case x.state
            when 'held' then 'Held' when 'captured' then 'Captured' else 'HoldLapsed' end;
        return;
    end if;
    if available < needed then outcome := 'Short'; return; end if;
    insert into hold (franchise, ord, attempt, account, currency, amount, state, held_at,
        lapses_at, epoch)
    values (p_franchise, p_ord, p_attempt, o.account, o.currency, needed, 'held', t,
        t + interval '72 hours', p_epoch);
    rest := needed;
    for x in
        select l.transfer as lot, l.amount, l.amount - coalesce(u.used + u.held, 0) as free
        from transfer l left join lot_use u on u.franchise = l.franchise and u.lot = l.transfer
        where l.franchise = p_franchise and l.credit = o.account and l.voucher is not null
        and l.expires_at > t
        order by l.priority, l.expires_at, l.transfer
    loop
        exit when rest = 0;
        take := least(rest, x.free);
        continue when take = 0;
        insert into lot_use as u (franchise, lot, granted, held)
            values (p_franchise, x.lot, x.amount, take)
            on conflict (franchise, lot) do update set held = u.held + excluded.held;
        insert into hold_line values (p_franchise, p_ord, p_attempt, x.lot, take);
        rest := rest - take;
    end loop;
    update account set held = held + needed
        where franchise = p_franchise and account = o.account;
    outcome := 'Held';
end $$;

-- Redeems what is named and not yet redeemed, which is kept whatever follows, then tries to hold
-- what the order costs: Held, or Short with what there is and what is needed.
create function redeem_and_hold_v1(p_namespace text, p_epoch bigint, p_organization text,
    p_sovereign text, p_ord bigint, p_attempt int, p_digests bytea[],
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; r jsonb; h record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform lock_accounts(f.franchise, p_organization);
    select jsonb_agg(q.outcome) into r from (
        select w.voucher, d.digest from unnest(p_digests) as d (digest)
        left join voucher w on w.franchise = f.franchise and w.digest = d.digest
        order by w.voucher) as o,
        lateral redeem_one(f.franchise, p_epoch,
            concat('redeem/', p_organization, '/', encode(o.digest, 'hex')), o.digest,
            p_organization, p_sovereign) as q;
    select * into h from place_hold(f.franchise, p_epoch, p_ord, p_attempt);
    outcome := h.outcome;
    detail := jsonb_build_object('available', h.available, 'needed', h.needed, 'redeemed', r);
end $$;

-- Spends what is held for an order and starts the period that it pays for. An order that costs
-- nothing starts its period without a transfer.
create function capture_v1(p_namespace text, p_epoch bigint, p_ord bigint,
    out outcome text, out detail text)
language plpgsql as $$
declare f record; o record; h record; e record; t timestamptz; id bigint; until timestamptz;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform lock_accounts_of(f.franchise, p_ord);
    select * into o from orders where franchise = f.franchise and ord = p_ord and not voided;
    if not found then outcome := 'NoOrder'; return; end if;
    select response into e from period where franchise = f.franchise and ord = p_ord;
    if found then outcome := 'Captured'; detail := e.response; return; end if;
    t := ledger.now();
    until := (t at time zone 'UTC' + interval '1 month') at time zone 'UTC';
    detail := jsonb_build_object('api', 'v1', 'outcome', 'Captured', 'period', o.period,
        'starts_at', t, 'ends_at', until, 'amount', o.amount, 'currency', o.currency)::text;
    if o.amount > 0 then
        select * into h from hold where franchise = f.franchise and ord = p_ord
            and state = 'held' for update;
        if not found then outcome := 'NoHold'; detail := null; return; end if;
        if h.lapses_at <= t then outcome := 'HoldLapsed'; detail := null; return; end if;
        insert into transfer (franchise, kind, debit, credit, currency, amount, at, epoch, key,
            response)
        select f.franchise, 'capture', o.account, r.account, o.currency, o.amount, t, p_epoch,
            concat('capture/', p_ord), detail
        from account r where r.franchise = f.franchise and r.kind = 'revenue'
            and r.currency = o.currency
        returning transfer into id;
        update lot_use u set held = u.held - l.amount, used = u.used + l.amount from hold_line l
            where l.franchise = f.franchise and l.ord = p_ord and l.attempt = h.attempt
            and u.franchise = f.franchise and u.lot = l.lot;
        update account set posted = posted - o.amount, held = held - o.amount
            where franchise = f.franchise and account = o.account;
        update hold set state = 'captured', capture = id
            where franchise = f.franchise and ord = p_ord and attempt = h.attempt;
    end if;
    insert into period values (f.franchise, o.organization, o.period, t, until, p_ord, detail);
    outcome := 'Captured';
end $$;

-- Gives back what is held for an order and voids it. After its capture nothing is given back.
create function release_v1(p_namespace text, p_epoch bigint, p_ord bigint,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform lock_accounts_of(f.franchise, p_ord);
    perform from orders where franchise = f.franchise and ord = p_ord;
    if not found then outcome := 'NoOrder'; return; end if;
    if exists (select from period where franchise = f.franchise and ord = p_ord) then
        outcome := 'Captured'; return;
    end if;
    perform void(f.franchise, p_ord);
    outcome := 'Released';
end $$;
