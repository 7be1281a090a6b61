-- Functions that move money, each one round trip. Lock order everywhere: the accounts of one
-- organization, the claim (the insert itself), the gates of vouchers last and in their order, each
-- by an update that is guarded with everything that must hold. Refusals are rows; SQLSTATE 40001
-- means that somebody else was first and the call may be made again with the same key.

-- Whoever voids, holds, captures or releases an order has the customer's accounts first, and reads
-- the order after that: what it finds then stays so until it commits.
create function lock_accounts(p_franchise int, p_organization text) returns void language sql as $$
    select from ledger.account a where a.franchise = p_franchise and a.kind = 'customer'
        and a.organization = p_organization order by a.account for no key update
$$;
create function lock_accounts_of(p_franchise int, p_ord bigint) returns void language sql as $$
    select ledger.lock_accounts(p_franchise, o.organization) from ledger.orders o
        where o.franchise = p_franchise and o.ord = p_ord
$$;

-- One redemption, judged in the fixed order NotFound, NotActive, NotStarted, Expired, NotEligible,
-- LimitReached, BudgetExhausted, AlreadyRedeemed. A key that already has an effect answers with
-- that effect's bytes.
create function redeem_one(p_franchise int, p_epoch bigint, p_key text, p_digest bytea,
    p_organization text, p_sovereign text, p_plan text, out outcome text, out detail text)
language plpgsql as $$
declare v record; a record; e record; t timestamptz; id bigint;
begin
    -- A key that begins with the name of another kind of transfer is the ledger's own.
    if octet_length(p_key) not between 1 and 200
        or p_key ~ '^(capture|correction|expire)/' then
        outcome := 'KeyInvalid'; return;
    end if;
    for attempt in 1..3 loop
        select greatest(clock_timestamp() + ahead, floor) into t from clock;
        select c.voucher, c.revision, c.open, c.cap, c.used, c.budget, c.spent, r.currency,
            r.amount, r.source, r.valid_from, r.expires_at, r.credit_expires_after, r.plans,
            r.new_accounts_only, r.state, w.sovereign into v
            from voucher w
            join voucher_counter c on c.franchise = w.franchise and c.voucher = w.voucher
            join voucher_revision r on r.franchise = w.franchise and r.voucher = w.voucher
                and r.revision = c.revision
            where w.franchise = p_franchise and w.digest = p_digest;
        select x.account, x.suspended into a from account x
            where x.franchise = p_franchise and x.kind = 'customer'
            and x.organization = p_organization and x.currency = v.currency;
        select x.voucher, x.credit, x.response into e from transfer x
            where x.franchise = p_franchise and x.key = p_key;
        if found then
            outcome := case when e.voucher = v.voucher and e.credit = a.account
                then 'Redeemed' else 'KeyReused' end;
            detail := case outcome when 'Redeemed' then e.response end;
            return;
        end if;
        -- Under the account's lock, so that two offers to new accounts cannot both find it new.
        if v.new_accounts_only then
            perform from account x where x.franchise = p_franchise and x.account = a.account
                for no key update;
        end if;
        detail := case when v.sovereign <> p_sovereign then 'sovereign'
            when a.account is null then 'account' when a.suspended then 'suspended'
            when not p_plan = any (v.plans) then 'plan'
            when v.new_accounts_only and exists (select from transfer x
                where x.franchise = p_franchise and x.credit = a.account
                and x.voucher is distinct from v.voucher) then 'new' end;
        outcome := case
            when v.voucher is null or v.state in ('Revoked', 'Retired') then 'NotFound'
            when not v.open then 'NotActive'
            when t < v.valid_from then 'NotStarted'
            when t >= v.expires_at then 'Expired'
            when detail is not null then 'NotEligible'
            when v.used >= v.cap then 'LimitReached'
            when v.spent + v.amount > v.budget then 'BudgetExhausted'
            -- A twin under the same key that came meanwhile is found by the next attempt.
            when exists (select from transfer x where x.franchise = p_franchise
                and x.voucher = v.voucher and x.credit = a.account and x.key <> p_key)
                then 'AlreadyRedeemed'
        end;
        if outcome is not null then
            -- Only who is not eligible is told more; to all others a code that is gone and one
            -- that never was are the same.
            if outcome <> 'NotEligible' then detail := null; end if;
            return;
        end if;

        perform from account x where x.franchise = p_franchise and x.account = a.account
            for no key update;
        detail := concat('{"api":"v1","outcome":"Redeemed","organization":"', p_organization,
            '","amount":', v.amount, ',"currency":"', v.currency, '"}');
        insert into transfer (franchise, kind, debit, credit, currency, amount, at, epoch, key,
            response, voucher, revision, priority, expires_at)
        values (p_franchise, 'redeem', v.source, a.account, v.currency, v.amount, t, p_epoch,
            p_key, detail, v.voucher, v.revision, 10,
            coalesce(t + v.credit_expires_after, 'infinity'))
        on conflict do nothing returning transfer into id;
        if id is not null then
            update account x set posted = x.posted + v.amount
                where x.franchise = p_franchise and x.account = a.account and not x.suspended;
            if not found then raise 'the account was suspended meanwhile' using errcode = '40001';
            end if;
            update voucher_counter c set used = c.used + 1, spent = c.spent + v.amount
                where c.franchise = p_franchise and c.voucher = v.voucher and c.open
                and c.revision = v.revision and (c.cap is null or c.used < c.cap)
                and (c.budget is null or c.spent + v.amount <= c.budget);
            if not found then raise 'the gate moved meanwhile' using errcode = '40001'; end if;
            outcome := 'Redeemed';
            return;
        end if;
    end loop;
    raise 'a twin holds this claim' using errcode = '40001';
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

-- Several redemptions in one commit, each judged as if it came alone, in the order of their
-- vouchers. The accounts of all come first, in order, so that no batch waits for another with a
-- gate in its hands. If a gate moves meanwhile all of it rolls back (40001) and the caller makes
-- the calls one by one.
create function redeem_batch_v1(p_namespace text, p_epoch bigint, p_keys text[],
    p_digests bytea[], p_organizations text[], p_sovereigns text[], p_plans text[])
returns table (n int, outcome text, detail text) language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then
        return query select g, f.refusal, null::text from generate_subscripts(p_keys, 1) as g;
        return;
    end if;
    perform from account a where a.franchise = f.franchise and a.kind = 'customer'
        and a.organization = any (p_organizations) order by a.account for no key update;
    return query
    select o.n, r.outcome, r.detail
    from (select u.n::int as n, u.key, u.digest, u.organization, u.sovereign, u.plan
        from unnest(p_keys, p_digests, p_organizations, p_sovereigns, p_plans) with ordinality
            as u (key, digest, organization, sovereign, plan, n)
        left join voucher v on v.franchise = f.franchise and v.digest = u.digest
        order by v.voucher, u.n) as o,
        lateral redeem_one(f.franchise, p_epoch, o.key, o.digest, o.organization, o.sovereign,
            o.plan) as r;
end $$;
