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
        'holds', (select lineage(v.franchise, v.voucher)
            from voucher v join franchise f using (franchise)
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
