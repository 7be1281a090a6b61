-- Functions that move money, each one round trip. Lock order everywhere: the organization, its
-- accounts, the claim (the insert itself), the gates of vouchers last and in their order, each by
-- an update that is guarded with everything that must hold. Refusals are rows; SQLSTATE 40001 means
-- that somebody else was first and the call may be made again with the same key.

-- Whoever makes, voids, holds, captures or releases an order has the customer's accounts first, and
-- reads the order after that: what it finds then stays so until it commits. It is told which they
-- are, and acts on no other: one that is made meanwhile has a lock that it does not hold.
create function lock_accounts(p_franchise int, p_organization text) returns bigint[]
language sql as $$
    select array_agg(x.account) from (select a.account from ledger.account a
        where a.franchise = p_franchise and a.kind = 'customer'
        and a.organization = p_organization order by a.account for no key update) as x
$$;
create function lock_accounts_of(p_franchise int, p_ord bigint) returns bigint[] language sql as $$
    select ledger.lock_accounts(p_franchise, o.organization) from ledger.orders o
        where o.franchise = p_franchise and o.ord = p_ord
$$;

-- What calls to redeem come to if each comes alone at this instant, in the fixed order NotFound,
-- NotActive, NotStarted, Expired, NotEligible, LimitReached, BudgetExhausted, AlreadyRedeemed. A
-- key that already has an effect answers with that effect's bytes. No outcome means that nothing
-- stands against it: then the detail is the answer to be, and room what cap and budget leave. It
-- reads and locks nothing, so that whoever acts on it guards what it was judged by; that an account
-- is new is judged well only by who has its lock.
create function judge(p_franchise int, p_keys text[], p_digests bytea[], p_organizations text[],
    p_sovereigns text[], p_plans text[])
returns table (outcome text, detail text, n bigint, key text, account bigint, voucher bigint,
    revision int, currency text, amount bigint, source bigint, room bigint, at timestamptz,
    ends_at timestamptz, new_accounts_only boolean)
language sql stable as $$
    select case
            -- Other kinds of transfers have keys of their own.
            when octet_length(q.key) not between 1 and 200
                or q.key ~ '^(capture|correction|expire)/' then 'KeyInvalid'
            when e.voucher = v.voucher and e.credit = a.account then 'Redeemed'
            when e.key is not null then 'KeyReused'
            when v.voucher is null or r.state in ('Revoked', 'Retired') then 'NotFound'
            when not c.open then 'NotActive'
            when t.now < r.valid_from then 'NotStarted'
            when t.now >= r.expires_at then 'Expired'
            when i.why is not null then 'NotEligible'
            when c.used >= c.cap then 'LimitReached'
            when c.spent + v.amount > b.most then 'BudgetExhausted'
            when x.credit is not null then 'AlreadyRedeemed'
        end as outcome,
        case
            when e.voucher = v.voucher and e.credit = a.account then e.response
            -- Only who is not eligible is told more; to all others a code that is gone and one that
            -- never was are the same.
            when e.key is not null or v.voucher is null or r.state in ('Revoked', 'Retired')
                or not c.open or t.now < r.valid_from or t.now >= r.expires_at then null
            when i.why is not null then i.why
            when c.used >= c.cap or c.spent + v.amount > b.most or x.credit is not null then null
            else concat('{"api":"v1","outcome":"Redeemed","organization":"', q.organization,
                '","amount":', v.amount, ',"currency":"', v.currency, '"}')
        end,
        q.n, q.key, a.account, v.voucher, c.revision, v.currency, v.amount, v.source,
        least(c.cap - c.used, (b.most - c.spent) / v.amount), t.now,
        coalesce(t.now + r.credit_expires_after, 'infinity'), r.new_accounts_only
    from unnest(p_keys, p_digests, p_organizations, p_sovereigns, p_plans) with ordinality
        as q (key, digest, organization, sovereign, plan, n)
    cross join (select greatest(clock_timestamp() + ahead, floor) as now from ledger.clock) as t
    left join ledger.voucher v on v.franchise = p_franchise and v.digest = q.digest
    left join ledger.voucher_counter c on c.franchise = p_franchise and c.voucher = v.voucher
    -- What sums can hold is the budget of a voucher that has none.
    cross join lateral (select least(c.budget, 1000000000000000000) as most) as b
    left join ledger.voucher_revision r on r.franchise = p_franchise and r.voucher = v.voucher
        and r.revision = c.revision
    left join ledger.account a on a.franchise = p_franchise and a.kind = 'customer'
        and a.organization = q.organization and a.currency = v.currency
    -- The limits keep the planner from reading all that a franchise ever redeemed, once for all
    -- calls, where it believes that there is little of it.
    left join lateral (select y.key, y.voucher, y.credit, y.response from ledger.transfer y
        where y.franchise = p_franchise and y.key = q.key limit 1) as e on true
    left join lateral (select y.credit from ledger.transfer y where y.franchise = p_franchise
        and y.credit = a.account and y.voucher = v.voucher limit 1) as x on true
    cross join lateral (select case
        when v.sovereign <> q.sovereign then 'sovereign'
        when a.account is null then 'account'
        when a.suspended then 'suspended'
        when not q.plan = any (r.plans) then 'plan'
        when r.new_accounts_only and exists (select from ledger.lot l
            where l.franchise = p_franchise and l.credit = a.account
            and l.voucher is distinct from v.voucher) then 'new'
        when a.posted > 1000000000000000000 - v.amount then 'full' end as why) as i
$$;

-- One redemption. What was judged is not locked, so that each row that moves is guarded with what
-- it was judged by.
create function redeem_one(p_franchise int, p_epoch bigint, p_key text, p_digest bytea,
    p_organization text, p_sovereign text, p_plan text, out outcome text, out detail text)
language plpgsql as $$
declare j record;
begin
    select * into j from judge(p_franchise, array[p_key], array[p_digest], array[p_organization],
        array[p_sovereign], array[p_plan]);
    if j.outcome is null and j.new_accounts_only then
        -- Under its lock, so that of two offers to one new account only one finds it new.
        perform from account a where a.franchise = p_franchise and a.account = j.account
            for no key update;
        select * into j from judge(p_franchise, array[p_key], array[p_digest],
            array[p_organization], array[p_sovereign], array[p_plan]);
    end if;
    outcome := j.outcome;
    detail := j.detail;
    if outcome is not null then return; end if;
    -- Each takes place because of the one before: the account, the claim, the gate.
    with credited as (
        update account a set posted = a.posted + j.amount
        where a.franchise = p_franchise and a.account = j.account and not a.suspended
        returning a.account),
    entered as (
        insert into transfer (franchise, kind, debit, credit, currency, amount, at, epoch, key,
            response, voucher, revision, priority, expires_at)
        select p_franchise, 'redeem', j.source, a.account, j.currency, j.amount, j.at, p_epoch,
            j.key, j.detail, j.voucher, j.revision, 10, j.ends_at
        from credited a
        on conflict do nothing returning transfer.voucher, transfer.amount)
    update voucher_counter c set used = c.used + 1, spent = c.spent + e.amount from entered e
        where c.franchise = p_franchise and c.voucher = e.voucher and c.open
        and c.revision = j.revision and (c.cap is null or c.used < c.cap)
        and (c.budget is null or c.spent + e.amount <= c.budget);
    if not found then
        raise 'a twin was first, or the gate moved meanwhile' using errcode = '40001';
    end if;
    outcome := 'Redeemed';
end $$;

create function redeem_v1(p_namespace text, p_epoch bigint, p_key text, p_digest bytea,
    p_organization text, p_sovereign text, p_plan text, out outcome text, out detail text)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    select r.outcome, r.detail into outcome, detail from redeem_one(f.franchise, p_epoch, p_key,
        p_digest, p_organization, p_sovereign, p_plan) r;
end $$;

-- Several redemptions in one commit; the answers stand in the order of the calls. The accounts of
-- all come first, in order, so that what is judged of them stays so. What is clear is redeemed as
-- one set; a twin within the batch, an offer to new accounts, and what is beyond the room that a
-- gate has, get no outcome and are for the caller to redeem alone. If fewer rows are hit than were
-- meant, a gate moved meanwhile (40001); if a key was taken meanwhile, it is there twice (23505):
-- all of it rolls back, and the caller makes the calls one by one.
create function redeem_batch_v1(p_namespace text, p_epoch bigint, p_keys text[],
    p_digests bytea[], p_organizations text[], p_sovereigns text[], p_plans text[],
    out outcomes text[], out details text[])
language plpgsql as $$
declare f record; meant bigint[]; hit bigint[];
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then
        outcomes := array_fill(f.refusal, array[cardinality(p_keys)]);
        details := array_fill(null::text, array[cardinality(p_keys)]);
        return;
    end if;
    perform from account a where a.franchise = f.franchise and a.kind = 'customer'
        and a.organization = any (p_organizations) order by a.account for no key update;
    with judged as materialized (
        select j.*, j.outcome is null and not j.new_accounts_only
            and row_number() over (partition by j.key order by j.n) = 1
            and row_number() over (partition by j.voucher, j.account order by j.n) = 1
            and (j.room is null
                or row_number() over (partition by j.voucher order by j.n) <= j.room) as clear
        from judge(f.franchise, p_keys, p_digests, p_organizations, p_sovereigns, p_plans) as j),
    entered as (
        insert into transfer (franchise, kind, debit, credit, currency, amount, at, epoch, key,
            response, voucher, revision, priority, expires_at)
        select f.franchise, 'redeem', j.source, j.account, j.currency, j.amount, j.at, p_epoch,
            j.key, j.detail, j.voucher, j.revision, 10, j.ends_at
        from judged j where j.clear order by j.voucher, j.account
        returning transfer.voucher, transfer.revision, transfer.credit, transfer.amount),
    credited as (
        update account a set posted = a.posted + e.amount
        from (select credit, sum(amount)::bigint as amount from entered group by 1) as e
        where a.franchise = f.franchise and a.account = e.credit and not a.suspended
        returning a.account),
    counted as (
        update voucher_counter c set used = c.used + e.n, spent = c.spent + e.amount
        from (select voucher, revision, count(*) as n, sum(amount)::bigint as amount
            from entered group by 1, 2 order by 1) as e
        where c.franchise = f.franchise and c.voucher = e.voucher and c.open
        and c.revision = e.revision and (c.cap is null or c.used + e.n <= c.cap)
        and (c.budget is null or c.spent + e.amount <= c.budget)
        returning e.n)
    select array_agg(case when j.clear then 'Redeemed' else j.outcome end order by j.n),
        array_agg(case when j.clear or j.outcome is not null then j.detail end order by j.n),
        array[count(*) filter (where j.clear),
            count(distinct j.account) filter (where j.clear)],
        array[(select coalesce(sum(c.n), 0) from counted c), (select count(*) from credited)]
        into outcomes, details, meant, hit
        from judged j;
    if hit <> meant then
        raise 'a gate moved meanwhile: redeem one by one' using errcode = '40001';
    end if;
end $$;
