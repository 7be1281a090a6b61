-- Functions that read. Each answers a whole question in one round trip, at one ledger time.

create function utc(t timestamptz) returns text language sql immutable as $$
    select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') where isfinite(t)
$$;

-- What every observation begins with.
create function standing_v1(p_namespace text) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'now', utc(ledger.now()),
        'least_program', p.least_program,
        'schema_version', p.schema_version,
        'unsafe', durability(),
        'unsafe_is_allowed', unsafe_is_allowed(),
        'franchise', (select jsonb_build_object('uid', f.namespace_uid,
                'expects_successor', f.expects_successor, 'frozen', f.frozen)
            from franchise f where f.namespace = p_namespace))
    from program p
$$;

-- A Sovereign as it was accepted.
create function accepted(s sovereign) returns jsonb language sql stable as $$
    select jsonb_build_object('currency', s.currency, 'cluster', s.cluster, 'secret', s.secret,
        'abandon_after', extract(epoch from s.abandon_after)::bigint,
        'dark_since', utc(s.dark_since), 'closed', s.closed)
$$;

-- p_cluster is the one that answers for it now, null where none does.
create function observe_sovereign_v1(p_namespace text, p_sovereign text, p_cluster text)
returns jsonb language sql stable as $$
    select standing_v1(p_namespace) || jsonb_build_object(
        'sovereign', (select accepted(s) from sovereign s join franchise f using (franchise)
            where f.namespace = p_namespace and s.sovereign = p_sovereign),
        'taken_by', (select taken_by(f.franchise, p_sovereign, p_cluster) from franchise f
            where f.namespace = p_namespace),
        'kept', (select coalesce(jsonb_agg(k.plan order by k.plan), '[]') from franchise f,
            kept_plans(f.franchise, p_sovereign) k where f.namespace = p_namespace),
        'tombstones', (select coalesce(jsonb_agg(jsonb_build_object('organization',
                b.organization, 'cluster', b.cluster, 'kind', b.kind, 'namespace', b.namespace,
                'name', b.name, 'uid', b.uid, 'condemned', b.condemned)
                order by b.organization, b.kind, b.namespace, b.name), '[]')
            from franchise f, tombstones(f.franchise, p_sovereign) b
            where f.namespace = p_namespace),
        'sweep_at', (select utc(s.reached_at + sweep_after())
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
        'budget', c.budget, 'spent', c.spent,
        'valid_from', utc(r.valid_from), 'expires_at', utc(r.expires_at),
        'credit_expires_after', extract(epoch from r.credit_expires_after)::bigint,
        'plans', r.plans, 'new_accounts_only', r.new_accounts_only,
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

-- How the paid time of an organization stands, and what comes next: the period that is paid for or
-- that it goes on after, and the renewal that falls due when it ends.
--   New        nothing is paid yet, or not since it woke up, or not here
--   Paid, Low  a period runs; the credit that will be there at its end does or does not pay for
--              `p_warn` percent of the next one, the least of those that it misses
--   Due        it has ended, and there is credit for the next
--   Grace      it has ended, there is too little, and it goes on for a while
--   Exhausted  so it was, and the while is over
create function entitlement(p_franchise int, p_organization text, p_sovereign text, p_plan text,
    p_account bigint, p_warn int[], p_at timestamptz) returns jsonb language plpgsql stable as $$
declare l record; o record; price bigint; available bigint; percent int; state text;
    ends timestamptz;
begin
    select awake_since, grace into o from organization
        where franchise = p_franchise and organization = p_organization;
    select x.*, r.terms into l from last_paid(p_franchise, p_organization) x
        join plan_revision r using (franchise, sovereign, plan, revision);
    if l.ord is null or l.ends_at <= p_at
        and (o.awake_since > l.ends_at or l.sovereign <> p_sovereign) then
        return jsonb_build_object('period', null, 'renewal', null, 'entitlement', 'New');
    end if;
    select coalesce(
        (select r.amount from offer(p_franchise, p_organization, p_sovereign, p_plan) r),
        (select r.amount from offer(p_franchise, p_organization, l.sovereign, l.plan) r), l.price)
        into price;
    -- What is set aside for the next period is there for it; what is set aside for a dearer plan in
    -- this one is not.
    available := spendable(p_franchise, p_account, p_at, greatest(l.ends_at, p_at)) + coalesce((
        select h.amount from open_orders(p_franchise, p_organization) x
        join hold h on h.franchise = x.franchise and h.ord = x.ord and h.state = 'held'
        where x.step = 0 and x.account = p_account and h.lapses_at > p_at), 0);
    select min(w) into percent from unnest(p_warn) as w
        where available::numeric * 100 < price::numeric * w;
    ends := l.ends_at + o.grace;
    state := case when l.ends_at > p_at and percent is null then 'Paid'
        when l.ends_at > p_at then 'Low' when available >= price then 'Due'
        when p_at < ends then 'Grace' else 'Exhausted' end;
    return jsonb_build_object('entitlement', state,
        'period', (select jsonb_build_object('number', l.period, 'starts_at', utc(l.starts_at),
                'ends_at', utc(l.ends_at), 'sovereign', l.sovereign, 'plan', l.plan,
                'revision', l.revision, 'price', l.price, 'terms', l.terms)
            where p_at < ends),
        'renewal', jsonb_build_object('due_at', utc(l.ends_at), 'until', utc(ends),
            'amount', price, 'available', available, 'percent', percent));
end $$;

-- Everything that decides about a Tenant. p_digests and p_holders name its vouchers, by code and
-- by Voucher object; the answers stand in the same order.
create function observe_tenant_v1(p_namespace text, p_tenant text, p_organization text,
    p_sovereign text, p_plan text, p_grace text, p_warn int[], p_digests bytea[], p_holders text[])
returns jsonb language plpgsql stable as $$
declare f int; s sovereign; a record; t timestamptz := ledger.now();
    answer jsonb := standing_v1(p_namespace);
begin
    select franchise into f from franchise where namespace = p_namespace;
    select * into s from sovereign
        where franchise = f and sovereign = p_sovereign and not closed;
    select account, posted, held, suspended into a from account where franchise = f
        and kind = 'customer' and organization = p_organization and currency = s.currency;
    return answer
        || entitlement(f, p_organization, p_sovereign, p_plan, a.account, p_warn, t)
        || jsonb_build_object(
        'sovereign', (select accepted(s) where s.currency is not null),
        'condemned', exists (select from inventory i where i.franchise = f
            and i.organization = p_organization and i.cluster = s.cluster and i.condemned),
        'offers', (select coalesce(jsonb_agg(p.plan order by p.plan), '[]') from plan p
            where p.franchise = f and p.sovereign = p_sovereign and p.offered),
        'offer', (select jsonb_build_object('plan', r.plan, 'revision', r.revision,
                'amount', r.amount)
            from offer(f, p_organization, p_sovereign, p_plan) r),
        'quote', (select jsonb_build_object('period', q.period, 'step', q.step,
                'plan', p_plan, 'revision', q.revision, 'amount', q.amount)
            from quote(f, p_organization, p_sovereign, p_plan, t) q),
        'claimed', exists (select from organization o where o.franchise = f
            and o.organization = p_organization and o.tenant = p_tenant
            and o.sovereign = p_sovereign and o.grace = p_grace::interval)
            and a.account is not null,
        -- Who it is in another franchise is not this one's to know.
        'taken_by', (select case when o.franchise = f then 'Tenant ' || o.tenant
                else 'a Tenant of another franchise' end
            from organization o
            where o.organization = p_organization and o.tenant is not null
            and (o.franchise = f or o.cluster = s.cluster)
            and not (o.franchise = f and o.tenant = p_tenant) limit 1),
        'account', (select jsonb_build_object('posted', a.posted, 'held', a.held,
                'spendable', spendable(f, a.account, t, t), 'suspended', a.suspended,
                'expires_at', (select utc(min(l.expires_at)) from lots(f, a.account, t) l
                    where l.free > 0 and l.expires_at > t))
            where a.account is not null),
        'order', (select jsonb_build_object('order', o.ord, 'period', o.period, 'step', o.step,
                'sovereign', o.sovereign, 'plan', o.plan,
                'revision', o.revision, 'amount', o.amount, 'terms', r.terms,
                'stands', h.lapses_at is not null or o.step = 0
                    or t < o.ordered_at + quote_lasts(),
                'attempts', (select count(*) from hold h where h.franchise = f and h.ord = o.ord),
                'held', h.lapses_at is not null, 'lapses_at', utc(h.lapses_at))
            from open_orders(f, p_organization) o
            join plan_revision r using (franchise, sovereign, plan, revision)
            left join hold h on h.franchise = f and h.ord = o.ord and h.state = 'held'
                and h.lapses_at > t),
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
        'is_new', not exists (select from lot x
            where x.franchise = f and x.credit = a.account),
        'inventory', (select coalesce(jsonb_agg(jsonb_build_object('cluster', i.cluster,
                'kind', i.kind, 'namespace', i.namespace, 'name', i.name, 'uid', i.uid)
                order by i.kind, i.namespace, i.name), '[]')
            from inventory i where i.franchise = f and i.organization = p_organization
            and i.abandoned_at is null));
end $$;

-- A lineage as one account sees it: with the time of its own redemption.
create function named(p_franchise int, p_voucher bigint, p_account bigint) returns jsonb
language sql stable as $$
    select lineage(p_franchise, p_voucher) || jsonb_build_object('redeemed_at',
        (select utc(x.at) from transfer x where x.franchise = p_franchise
            and x.voucher = p_voucher and x.credit = p_account))
$$;
