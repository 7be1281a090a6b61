-- Functions that read. Each answers a whole question in one round trip, at one ledger time.

create function finite(t timestamptz) returns timestamptz language sql immutable as $$
    select case when isfinite(t) then t end
$$;

create function utc(t timestamptz) returns text language sql immutable as $$
    select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') where isfinite(t)
$$;

-- What every observation begins with.
create function standing_v1(p_namespace text) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'now', utc(ledger.now()),
        'least_program', p.least_program,
        'schema_version', p.schema_version,
        'franchise', (select jsonb_build_object('uid', f.namespace_uid, 'frozen', f.frozen)
            from franchise f where f.namespace = p_namespace))
    from program p
$$;

create function observe_sovereign_v1(p_namespace text, p_sovereign text) returns jsonb
language sql stable as $$
    select standing_v1(p_namespace) || jsonb_build_object(
        'sovereign', (select jsonb_build_object('currency', s.currency, 'cluster', s.cluster,
                'closed', s.closed)
            from sovereign s join franchise f using (franchise)
            where f.namespace = p_namespace and s.sovereign = p_sovereign),
        'plans', (select coalesce(jsonb_agg(jsonb_build_object('name', p.plan,
                'amount', r.amount, 'terms', r.terms) order by p.plan), '[]')
            from plan p join plan_revision r using (franchise, sovereign, plan, revision)
            join franchise f using (franchise)
            where f.namespace = p_namespace and p.sovereign = p_sovereign and p.offered),
        'tenants', (select coalesce(jsonb_agg(o.tenant order by o.tenant), '[]')
            from organization o join franchise f using (franchise)
            where f.namespace = p_namespace and o.sovereign = p_sovereign
            and o.tenant is not null))
$$;

-- A lineage with its terms in force, for those who may know it.
create function lineage(p_franchise int, p_voucher bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('digest', encode(v.digest, 'hex'), 'hint', v.hint,
        'holder', v.holder, 'sovereign', v.sovereign, 'currency', v.currency,
        'amount', v.amount, 'state', r.state, 'cap', c.cap, 'used', c.used,
        'valid_from', utc(r.valid_from), 'expires_at', utc(r.expires_at),
        'generation', v.holder_generation, 'uid', v.holder_uid)
    from voucher v join voucher_counter c using (franchise, voucher)
    join voucher_revision r using (franchise, voucher, revision)
    where v.franchise = p_franchise and v.voucher = p_voucher
$$;

create function observe_voucher_v1(p_namespace text, p_sovereign text, p_holder text,
    p_digest bytea) returns jsonb language sql stable as $$
    select standing_v1(p_namespace) || jsonb_build_object(
        'currency', (select s.currency from sovereign s join franchise f using (franchise)
            where f.namespace = p_namespace and s.sovereign = p_sovereign and not s.closed),
        'lineage', (select lineage(v.franchise, v.voucher)
            from voucher v join franchise f using (franchise)
            where f.namespace = p_namespace and v.digest = p_digest),
        'held', exists (select from voucher v join franchise f using (franchise)
            where f.namespace = p_namespace and v.holder = p_holder))
$$;

-- Everything that decides about a Tenant. p_digests and p_holders name its vouchers, by code and
-- by Voucher object; the answers stand in the same order.
create function observe_tenant_v1(p_namespace text, p_tenant text, p_organization text,
    p_sovereign text, p_plan text, p_digests bytea[], p_holders text[]) returns jsonb
language plpgsql stable as $$
declare f int; s record; a record; t timestamptz := ledger.now(); running record;
    answer jsonb := standing_v1(p_namespace);
begin
    select franchise into f from franchise where namespace = p_namespace;
    select currency, cluster into s from sovereign
        where franchise = f and sovereign = p_sovereign and not closed;
    select account, posted, held, suspended into a from account where franchise = f
        and kind = 'customer' and organization = p_organization and currency = s.currency;
    select p.period, p.starts_at, p.ends_at, o.sovereign, o.plan, r.terms into running
        from period p join orders o using (franchise, ord)
        join plan_revision r using (franchise, sovereign, plan, revision)
        where p.franchise = f and p.organization = p_organization
        and p.starts_at <= t and t < p.ends_at;
    return answer || jsonb_build_object(
        'sovereign', (select jsonb_build_object('currency', s.currency, 'cluster', s.cluster)
            where s.currency is not null),
        'offers', (select coalesce(jsonb_agg(p.plan order by p.plan), '[]') from plan p
            where p.franchise = f and p.sovereign = p_sovereign and p.offered),
        'offer', (select jsonb_build_object('plan', r.plan, 'revision', r.revision,
                'amount', r.amount)
            from offer(f, p_organization, p_sovereign, p_plan) r),
        'claimed', exists (select from organization o where o.franchise = f
            and o.organization = p_organization and o.tenant = p_tenant
            and o.sovereign = p_sovereign) and a.account is not null,
        -- Who it is in another franchise is not this one's to know.
        'taken_by', (select case when o.franchise = f then 'Tenant ' || o.tenant
                else 'a Tenant of another franchise' end
            from organization o
            where o.organization = p_organization and o.tenant is not null
            and (o.franchise = f or o.cluster = s.cluster)
            and not (o.franchise = f and o.tenant = p_tenant) limit 1),
        'account', (select jsonb_build_object('posted', a.posted, 'held', a.held,
                'spendable', spendable(f, a.account, t), 'suspended', a.suspended)
            where a.account is not null),
        'period', (select jsonb_build_object('number', running.period,
                'starts_at', utc(running.starts_at), 'ends_at', utc(running.ends_at),
                'sovereign', running.sovereign, 'plan', running.plan, 'terms', running.terms)
            where running.period is not null),
        'order', (select jsonb_build_object('order', o.ord, 'sovereign', o.sovereign,
                'plan', o.plan,
                'revision', o.revision, 'amount', o.amount, 'terms', r.terms,
                'attempts', (select count(*) from hold h where h.franchise = f and h.ord = o.ord),
                'held', exists (select from hold h where h.franchise = f and h.ord = o.ord
                    and h.state = 'held' and h.lapses_at > t),
                'lapses_at', (select utc(h.lapses_at) from hold h where h.franchise = f
                    and h.ord = o.ord and h.state = 'held' and h.lapses_at > t))
            from orders o join plan_revision r using (franchise, sovereign, plan, revision)
            where o.franchise = f and o.organization = p_organization and not o.voided
            and running.period is null and not exists (select from period p
                where p.franchise = f and p.ord = o.ord)),
        'by_code', (select coalesce(jsonb_agg(named(f, v.voucher, a.account) order by d.n), '[]')
            from unnest(p_digests) with ordinality as d (digest, n)
            left join voucher v on v.franchise = f and v.digest = d.digest),
        'by_holder', (select coalesce(jsonb_agg(named(f, v.voucher, a.account) order by d.n), '[]')
            from unnest(p_holders) with ordinality as d (holder, n)
            left join lateral (
                -- What this account redeemed under that name comes before what the name means now.
                select v.voucher from voucher v left join transfer x on x.franchise = f
                    and x.voucher = v.voucher and x.credit = a.account
                where v.franchise = f and v.last_holder = d.holder
                and (x.transfer is not null or v.holder = d.holder)
                order by x.transfer limit 1) as v on true),
        'inventory', (select coalesce(jsonb_agg(jsonb_build_object('cluster', i.cluster,
                'kind', i.kind, 'namespace', i.namespace, 'name', i.name, 'uid', i.uid)
                order by i.kind, i.namespace, i.name), '[]')
            from inventory i where i.franchise = f and i.organization = p_organization));
end $$;

-- A lineage as one account sees it: with the time of its own redemption.
create function named(p_franchise int, p_voucher bigint, p_account bigint) returns jsonb
language sql stable as $$
    select lineage(p_franchise, p_voucher) || jsonb_build_object('redeemed_at',
        (select utc(x.at) from transfer x where x.franchise = p_franchise
            and x.voucher = p_voucher and x.credit = p_account))
$$;

create function journal_v1(p_namespace text, p_epoch bigint, p_organization text,
    p_cluster text, p_objects jsonb, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    insert into inventory as i (franchise, organization, cluster, kind, namespace, name, uid)
    select f.franchise, p_organization, p_cluster, o.kind, o.namespace, o.name, o.uid
    from jsonb_to_recordset(p_objects) as o (kind text, namespace text, name text, uid text)
    order by o.kind, o.namespace, o.name
    on conflict (franchise, cluster, kind, namespace, name) do update
        set uid = excluded.uid
        where i.organization = p_organization and i.uid is distinct from excluded.uid;
    outcome := 'Journaled';
end $$;

create function forget_v1(p_namespace text, p_epoch bigint, p_organization text,
    p_cluster text, p_objects jsonb, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    delete from inventory i
    using jsonb_to_recordset(p_objects) as o (kind text, namespace text, name text)
    where i.franchise = f.franchise and i.organization = p_organization
    and i.cluster = p_cluster and (i.kind, i.namespace, i.name) = (o.kind, o.namespace, o.name);
    outcome := 'Forgotten';
end $$;

-- The outbox: who is concerned by what was committed since a point that an earlier call returned.
-- Effect rows are their own entries. Nothing is missed: a row that was not visible to the earlier
-- call has an xid at or above its snapshot's xmin; some are told twice.
create function changes_v1(p_since bigint)
returns table (point bigint, kind text, namespace text, name text) language plpgsql stable as $$
declare next bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
begin
    return query select next, null::text, null::text, null::text;
    if p_since is null then return; end if;
    return query
    with redeemed as (
        select distinct x.franchise, x.voucher, x.credit from transfer x
            where x.xid >= p_since and x.voucher is not null)
    select next, c.kind, f.namespace, c.name from (
        select 'Voucher' as kind, v.franchise, v.holder as name
            from redeemed r join voucher v using (franchise, voucher)
        union select 'Tenant', o.franchise, o.tenant
            from redeemed r join account a on a.franchise = r.franchise and a.account = r.credit
            join organization o on o.franchise = a.franchise and o.organization = a.organization
        union select 'Terms', v.franchise, v.last_holder
            from voucher_revision r join voucher v using (franchise, voucher)
            where r.xid >= p_since
        union select 'Code', v.franchise, encode(v.digest, 'hex')
            from voucher_revision r join voucher v using (franchise, voucher)
            where r.xid >= p_since
        union select 'Sovereign', p.franchise, p.sovereign
            from plan p where p.xid >= p_since
        union select 'Sovereign', s.franchise, s.sovereign
            from sovereign s where s.xid >= p_since
        union select 'Organization', null, o.organization
            from organization o where o.xid >= p_since and o.tenant is null
        union select 'Hosted', o.franchise, o.sovereign
            from organization o where o.xid >= p_since
    ) as c (kind, franchise, name) left join franchise f using (franchise)
    where c.name is not null;
end $$;

-- The account of an organization as its customer would read it.
create function statement_v1(p_namespace text, p_organization text) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'franchise', p_namespace, 'organization', p_organization, 'as_of', utc(ledger.now()),
        'accounts', coalesce(jsonb_agg(jsonb_build_object(
            'currency', a.currency, 'decimals', c.decimals, 'posted', a.posted, 'held', a.held,
            'spendable', spendable(a.franchise, a.account, ledger.now()),
            'lines', (select coalesce(jsonb_agg(jsonb_build_object('at', utc(x.at),
                    'kind', x.kind, 'entry', x.transfer,
                    'amount', case when x.credit = a.account then x.amount else -x.amount end,
                    'cause', coalesce('voucher ' || v.hint,
                        'plan ' || o.plan || ', period ' || o.period))
                    order by x.transfer), '[]')
                from (select * from transfer c where c.franchise = a.franchise
                        and c.credit = a.account
                    union all select * from transfer d where d.franchise = a.franchise
                        and d.debit = a.account and d.voucher is null) as x
                left join voucher v on v.franchise = x.franchise and v.voucher = x.voucher
                left join hold h on h.franchise = x.franchise and h.capture = x.transfer
                left join orders o on o.franchise = h.franchise and o.ord = h.ord),
            'paid_until', (select utc(max(p.ends_at)) from period p
                where p.franchise = a.franchise and p.organization = a.organization))
            order by a.currency), '[]'))
    from account a join franchise f using (franchise) join currency c on c.code = a.currency
    where f.namespace = p_namespace and a.organization = p_organization
$$;

-- The invariants that no honest ledger breaks: each row is a violation, so there must be none.
-- Aggregated once per query; correlated sums per account do not finish on a large ledger.
create function verify_v1() returns table (invariant text, namespace text, what text)
language sql stable as $$
    with moved as (
        select franchise, account, sum(amount) as amount from (
            select franchise, credit as account, amount from transfer
            union all select franchise, debit, -amount from transfer) as x
        group by franchise, account),
    violations as (
        select 'a customer''s balance is the sum of its transfers' as invariant, a.franchise,
            'account ' || a.account || ': ' || a.posted || ' <> ' || coalesce(m.amount, 0) as what
        from account a left join moved m using (franchise, account)
        where a.kind = 'customer' and a.posted <> coalesce(m.amount, 0)
        union all
        select 'debits equal credits in every currency', franchise, 'off by ' || sum(m.amount)
        from moved m join account a using (franchise, account)
        group by franchise, a.currency having sum(m.amount) <> 0
        union all
        select 'what is held is the sum of live holds', a.franchise,
            'account ' || a.account || ': ' || a.held || ' <> ' || coalesce(h.amount, 0)
        from account a left join (select franchise, account, sum(amount) as amount from hold
            where state = 'held' group by 1, 2) as h using (franchise, account)
        where a.held <> coalesce(h.amount, 0)
        union all
        select 'no balance is below zero and none held beyond it', franchise, 'account ' || account
        from account where posted < 0 or held < 0 or held > posted
        union all
        select 'a counter counts its redemptions', c.franchise,
            'voucher ' || c.voucher || ': ' || c.used || ' <> ' || coalesce(x.n, 0)
        from voucher_counter c left join (select franchise, voucher, count(*) as n from transfer
            where voucher is not null group by 1, 2) as x using (franchise, voucher)
        where c.used <> coalesce(x.n, 0)
        union all
        select 'no voucher is redeemed above its cap', franchise,
            'voucher ' || voucher || ': ' || used || ' > ' || cap
        from voucher_counter where used > cap
        union all
        select 'an account redeems a voucher once', franchise,
            'voucher ' || voucher || ', account ' || credit
        from transfer where voucher is not null group by franchise, voucher, credit
        having count(*) > 1
        union all
        select 'a redemption grants what its revision promised', x.franchise,
            'transfer ' || x.transfer
        from transfer x left join voucher_revision r using (franchise, voucher, revision)
        where x.voucher is not null
        and (x.amount, x.currency) is distinct from (r.amount, r.currency)
        union all
        select 'the gate has the terms of its revision', c.franchise, 'voucher ' || c.voucher
        from voucher_counter c join voucher_revision r using (franchise, voucher, revision)
        where c.cap is distinct from r.cap or c.open <> (r.state = 'Active')
        union all
        select 'both sides of a transfer share franchise and currency', x.franchise,
            'transfer ' || x.transfer
        from transfer x
        left join account d on d.franchise = x.franchise and d.account = x.debit
        left join account c on c.franchise = x.franchise and c.account = x.credit
        where (x.currency, x.currency) is distinct from (d.currency, c.currency)
        union all
        select 'a lot is used and held as its holds say', u.franchise, 'lot ' || u.lot
        from lot_use u left join (
            select l.franchise, l.lot,
                coalesce(sum(l.amount) filter (where h.state = 'held'), 0) as held,
                coalesce(sum(l.amount) filter (where h.state = 'captured'), 0) as used
            from hold_line l join hold h using (franchise, ord, attempt) group by 1, 2) as x
            using (franchise, lot)
        where (u.held, u.used) is distinct from (coalesce(x.held, 0), coalesce(x.used, 0))
        union all
        select 'a hold is the sum of its lines', h.franchise, 'order ' || h.ord
        from hold h left join hold_line l using (franchise, ord, attempt)
        group by h.franchise, h.ord, h.attempt, h.amount
        having h.amount <> coalesce(sum(l.amount), 0)
        union all
        select 'a paid period has its capture, once', o.franchise, 'order ' || o.ord
        from orders o left join period p using (franchise, ord)
        left join hold h on h.franchise = o.franchise and h.ord = o.ord and h.state = 'captured'
        where ((p.ord is not null) <> (h.ord is not null) and o.amount > 0)
        or (p.ord is not null and o.voided)
        union all
        select 'a capture moved what was held', h.franchise, 'order ' || h.ord
        from hold h left join transfer x on x.franchise = h.franchise and x.transfer = h.capture
        where h.state = 'captured'
        and (x.kind, x.debit, x.amount) is distinct from ('capture', h.account, h.amount)
        union all
        select 'periods of an organization do not overlap', p.franchise,
            p.organization || ', periods ' || p.period || ' and ' || q.period
        from period p join period q on q.franchise = p.franchise
            and q.organization = p.organization and q.period > p.period
        where q.starts_at < p.ends_at
        union all
        select 'nothing is held for an order that is void', o.franchise, 'order ' || o.ord
        from orders o join hold h using (franchise, ord)
        where o.voided and h.state in ('held', 'captured')
        union all
        select 'one order of an organization is open', o.franchise,
            o.organization || ': ' || count(*) || ' orders'
        from orders o left join period p using (franchise, ord)
        where not o.voided and p.ord is null
        group by o.franchise, o.organization having count(*) > 1
        union all
        select 'an order is priced as its plan was', o.franchise, 'order ' || o.ord
        from orders o left join plan_revision r using (franchise, sovereign, plan, revision)
        where (o.amount, o.currency) is distinct from (r.amount, r.currency))
    select v.invariant, f.namespace, v.what from violations v join franchise f using (franchise)
$$;
