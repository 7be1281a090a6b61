-- Functions that set credit aside for an order, spend it, and give it back.

-- The lots of an account with what is free of each, in the order in which they are spent: by
-- priority, then first-expiring-first. A hold that has lapsed by `p_at` holds nothing, whether or
-- not anybody has ended it yet.
create function lots(p_franchise int, p_account bigint, p_at timestamptz)
returns table (lot bigint, kind text, source bigint, granted bigint, used bigint, held bigint,
    gone bigint, free bigint, priority smallint, expires_at timestamptz, voucher bigint,
    at timestamptz)
language sql stable as $$
    select l.transfer, l.kind, l.debit, l.amount, coalesce(u.used, 0),
        coalesce(u.held, 0) - coalesce(x.amount, 0), coalesce(u.gone, 0),
        l.amount - coalesce(u.used + u.held + u.gone, 0) + coalesce(x.amount, 0), l.priority,
        l.expires_at, l.voucher, l.at
    from ledger.lot l
    left join ledger.lot_use u on u.franchise = l.franchise and u.lot = l.transfer
    left join (select k.lot, sum(k.amount)::bigint as amount from ledger.hold h
        join ledger.hold_line k using (franchise, ord, attempt)
        where h.franchise = p_franchise and h.account = p_account and h.state = 'held'
        and h.lapses_at <= p_at group by k.lot) as x on x.lot = l.transfer
    where l.franchise = p_franchise and l.credit = p_account
    order by l.priority, l.expires_at, l.transfer
$$;

-- What an account can spend at `p_at` of what has not expired by `p_until`.
create function spendable(p_franchise int, p_account bigint, p_at timestamptz,
    p_until timestamptz) returns bigint language sql stable as $$
    select coalesce(sum(l.free), 0)::bigint from ledger.lots(p_franchise, p_account, p_at) l
    where l.expires_at > p_until
$$;

-- Takes what is free of a lot out of its account, as an expiry or a correction. The caller holds
-- the account's row.
create function take_lot(p_franchise int, p_epoch bigint, p_kind text, p_lot bigint,
    p_key text, p_correction bigint, p_at timestamptz) returns bigint
language plpgsql as $$
declare l record; taken bigint; target bigint;
begin
    select x.*, x.amount - coalesce(u.used + u.held + u.gone, 0) as free into l
        from transfer x left join lot_use u on u.franchise = x.franchise and u.lot = x.transfer
        where x.franchise = p_franchise and x.transfer = p_lot;
    taken := l.free;
    if taken = 0 then return 0; end if;
    target := case when p_kind = 'expire' then (select account from account
        where franchise = p_franchise and kind = 'expired' and currency = l.currency)
        else l.debit end;
    insert into lot_use as u (franchise, lot, granted, gone)
        values (p_franchise, p_lot, l.amount, taken)
        on conflict (franchise, lot) do update set gone = u.gone + excluded.gone;
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, epoch, key,
        response, lot, correction)
    values (p_franchise, p_kind, l.credit, target, l.currency, taken, p_at, p_epoch, p_key, '',
        p_lot, p_correction);
    update account set posted = posted - taken
        where franchise = p_franchise and account = l.credit;
    return taken;
end $$;

-- Books what has expired of an account. Nothing waits for it: what can be spent is judged by the
-- clock. The caller holds the account's row.
create function expire(p_franchise int, p_epoch bigint, p_account bigint, p_at timestamptz)
returns void language plpgsql as $$
declare l record;
begin
    for l in select x.lot, x.gone from lots(p_franchise, p_account, p_at) x
        where x.expires_at <= p_at and x.free > 0 loop
        perform take_lot(p_franchise, p_epoch, 'expire', l.lot,
            concat('expire/', l.lot, '/', l.gone), null, p_at);
    end loop;
end $$;

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

-- Sets aside what an order costs, from its account's lots in their order.
create function place_hold(p_franchise int, p_epoch bigint, p_ord bigint, p_attempt int,
    out outcome text, out available bigint, out needed bigint)
language plpgsql as $$
declare o record; x record; rest bigint; take bigint; t timestamptz;
begin
    if lock_accounts_of(p_franchise, p_ord) is null then outcome := 'NoOrder'; return; end if;
    select * into o from orders where franchise = p_franchise and ord = p_ord and not voided;
    if not found then outcome := 'NoOrder'; return; end if;
    if exists (select from account where franchise = p_franchise and account = o.account
        and suspended) then
        outcome := 'NotEligible'; return;
    end if;
    t := ledger.now();
    perform lapse(p_franchise, o.account, t);
    perform expire(p_franchise, p_epoch, o.account, t);
    available := spendable(p_franchise, o.account, t, t);
    needed := o.amount;
    select h.state into x from hold h where h.franchise = p_franchise and h.ord = p_ord
        and (h.attempt = p_attempt or h.state in ('held', 'captured'))
        order by h.attempt desc limit 1;
    if found then
        outcome := case x.state
            when 'held' then 'Held' when 'captured' then 'Captured' else 'HoldLapsed' end;
        return;
    end if;
    if needed = 0 then outcome := 'Held'; return; end if;
    if available < needed then outcome := 'Short'; return; end if;
    insert into hold (franchise, ord, attempt, account, currency, amount, state, held_at,
        lapses_at, epoch)
    values (p_franchise, p_ord, p_attempt, o.account, o.currency, needed, 'held', t,
        t + interval '72 hours', p_epoch);
    rest := needed;
    for x in select * from lots(p_franchise, o.account, t) l
        where l.expires_at > t and l.free > 0 loop
        exit when rest = 0;
        take := least(rest, x.free);
        insert into lot_use as u (franchise, lot, granted, held)
            values (p_franchise, x.lot, x.granted, take)
            on conflict (franchise, lot) do update set held = u.held + excluded.held;
        insert into hold_line values (p_franchise, p_ord, p_attempt, x.lot, take);
        rest := rest - take;
    end loop;
    if rest > 0 then raise 'the lots of account % are short', o.account; end if;
    update account set held = held + needed
        where franchise = p_franchise and account = o.account;
    outcome := 'Held';
end $$;

-- Redeems what is named and not yet redeemed, which is kept whatever follows, then tries to hold
-- what the order costs: Held, or Short with what there is and what is needed. Offers to new
-- accounts come first, as any other would make the account an old one.
create function redeem_and_hold_v1(p_namespace text, p_epoch bigint, p_organization text,
    p_sovereign text, p_plan text, p_ord bigint, p_attempt int, p_digests bytea[],
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
        left join voucher_counter c on c.franchise = w.franchise and c.voucher = w.voucher
        left join voucher_revision v on v.franchise = c.franchise and v.voucher = c.voucher
            and v.revision = c.revision
        order by v.new_accounts_only desc nulls last, w.voucher) as o,
        lateral redeem_one(f.franchise, p_epoch,
            concat('redeem/', p_organization, '/', encode(o.digest, 'hex')), o.digest,
            p_organization, p_sovereign, p_plan) as q;
    if not exists (select from orders where franchise = f.franchise and ord = p_ord
        and organization = p_organization) then
        outcome := 'NoOrder'; return;
    end if;
    select * into h from place_hold(f.franchise, p_epoch, p_ord, p_attempt);
    outcome := h.outcome;
    detail := jsonb_build_object('available', h.available, 'needed', h.needed, 'redeemed', r);
end $$;

-- Spends what is held for an order. For a period it starts the time that it pays for, for a dearer
-- plan it puts that in force. An order that costs nothing needs neither hold nor transfer.
create function capture_v1(p_namespace text, p_epoch bigint, p_ord bigint,
    out outcome text, out detail text)
language plpgsql as $$
declare f record; o record; h record; e record; m record; t timestamptz; id bigint;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    if lock_accounts_of(f.franchise, p_ord) is null then outcome := 'NoOrder'; return; end if;
    select * into o from orders where franchise = f.franchise and ord = p_ord and not voided;
    if not found then outcome := 'NoOrder'; return; end if;
    select response into e from paid where franchise = f.franchise and ord = p_ord
        and organization = o.organization;
    if found then outcome := 'Captured'; detail := e.response; return; end if;
    t := ledger.now();
    if o.step = 0 then
        select * into m from next_month(f.franchise, o.organization, t);
    else
        select p.starts_at, p.ends_at into m from period p where p.franchise = f.franchise
            and p.organization = o.organization and p.period = o.period;
        if m.ends_at <= t then outcome := 'PeriodEnded'; return; end if;
    end if;
    if o.amount > 0 then
        select * into h from hold where franchise = f.franchise and ord = p_ord
            and state = 'held' for update;
        if not found then outcome := 'NoHold'; return; end if;
        if h.lapses_at <= t then outcome := 'HoldLapsed'; return; end if;
    end if;
    detail := jsonb_build_object('api', 'v1', 'outcome', 'Captured', 'period', o.period,
        'step', o.step, 'plan', o.plan, 'starts_at', m.starts_at, 'ends_at', m.ends_at,
        'amount', o.amount, 'currency', o.currency)::text;
    if o.amount > 0 then
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
    if o.step = 0 then
        insert into period (franchise, organization, period, anchor, months, starts_at, ends_at,
            ord, response)
        values (f.franchise, o.organization, o.period, m.anchor, m.months, m.starts_at, m.ends_at,
            p_ord, detail);
    else
        insert into upgrade (franchise, organization, period, step, at, ord, response)
        values (f.franchise, o.organization, o.period, o.step, t, p_ord, detail);
    end if;
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
    if lock_accounts_of(f.franchise, p_ord) is null then outcome := 'NoOrder'; return; end if;
    if exists (select from paid where franchise = f.franchise and ord = p_ord) then
        outcome := 'Captured'; return;
    end if;
    perform void(f.franchise, p_ord);
    outcome := 'Released';
end $$;
