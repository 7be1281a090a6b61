-- Clusters that are not ours: when they do not answer, when they are others, and what is left on
-- them.

-- How long a cluster must have answered before what was abandoned there is taken away.
create function sweep_after() returns interval language sql immutable as $$
    select '1 hour'::interval
$$;

-- Notes that the cluster of a Sovereign does not answer, or does again, which wakes its Tenants.
create function reach_sovereign_v1(p_namespace text, p_epoch bigint, p_sovereign text,
    p_reached text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; t timestamptz := ledger.now();
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    update sovereign set dark_since = case when not p_reached::boolean then t end,
            reached_at = case when p_reached::boolean then t else reached_at end,
            xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and sovereign = p_sovereign
        and (dark_since is null) <> p_reached::boolean;
    outcome := case when p_reached::boolean then 'Reached' else 'Darkened' end;
end $$;

-- Accepts that a Sovereign lives on another cluster from now on. What was made on the last one is
-- known there by its labels until it is seen, or is made anew; what was abandoned stays behind.
create function accept_cluster_v1(p_namespace text, p_epoch bigint, p_sovereign text,
    p_cluster text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; s record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform from franchise where franchise = f.franchise for no key update;
    select * into s from sovereign
        where franchise = f.franchise and sovereign = p_sovereign for update;
    if not found then outcome := 'SovereignNotFound'; return; end if;
    if s.cluster = p_cluster then outcome := 'Accepted'; return; end if;
    -- Who condemns or claims what one of them has there comes first or last.
    perform from organization where franchise = f.franchise and sovereign = p_sovereign
        order by organization for no key update;
    if taken_by(f.franchise, p_sovereign, p_cluster) is not null then
        outcome := 'ClusterTaken'; return;
    end if;
    if exists (select from organization o join organization x on x.cluster = p_cluster
            and x.organization = o.organization and x.tenant is not null
            and x.franchise <> o.franchise
        where o.franchise = f.franchise and o.sovereign = p_sovereign and o.tenant is not null)
    then
        outcome := 'OrganizationTaken'; return;
    end if;
    -- What one of them abandoned there is its own again, as when it comes back to a cluster, and
    -- known by its labels. What is being taken away there is gone whole before anything is made.
    delete from inventory i using organization x where x.franchise = f.franchise
        and x.sovereign = p_sovereign and i.franchise = f.franchise
        and i.organization = x.organization and i.cluster = s.cluster and i.abandoned_at is null
        and exists (select from inventory c where c.franchise = f.franchise
            and c.organization = i.organization and c.cluster = p_cluster
            and (c.condemned or (c.kind, c.namespace, c.name) = (i.kind, i.namespace, i.name)));
    update inventory i set abandoned_at = null
        from organization x where x.franchise = f.franchise and x.sovereign = p_sovereign
        and x.tenant is not null and i.franchise = f.franchise
        and i.organization = x.organization and i.cluster = p_cluster and not i.condemned;
    update inventory i set cluster = p_cluster, uid = null
        from organization o where o.franchise = f.franchise and o.sovereign = p_sovereign
        and i.franchise = o.franchise and i.organization = o.organization
        and i.cluster = s.cluster and i.abandoned_at is null;
    begin
        update organization set cluster = p_cluster
            where franchise = f.franchise and sovereign = p_sovereign;
    exception when unique_violation then
        raise 'another franchise was first with a name' using errcode = '40001';
    end;
    update sovereign set cluster = p_cluster, reached_at = ledger.now(),
            xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and sovereign = p_sovereign;
    outcome := 'Accepted';
end $$;

-- Puts an organization to sleep whose cluster does not answer: what stands there becomes a
-- tombstone. Its money and history stay, and what was set aside is given back.
create function abandon_v1(p_namespace text, p_epoch bigint, p_organization text, p_tenant text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; x record; t timestamptz := ledger.now();
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform from organization where franchise = f.franchise
        and organization = p_organization and tenant = p_tenant for no key update;
    if not found then outcome := 'Abandoned'; return; end if;
    perform lock_accounts(f.franchise, p_organization);
    perform from organization o join sovereign s using (franchise, sovereign)
        where o.franchise = f.franchise and o.organization = p_organization
        and s.dark_since is not null;
    if not found then outcome := 'SovereignAnswers'; return; end if;
    for x in select * from open_orders(f.franchise, p_organization) loop
        perform void(f.franchise, x.ord);
    end loop;
    update inventory set abandoned_at = t where franchise = f.franchise
        and organization = p_organization and abandoned_at is null;
    update organization set tenant = null, xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and organization = p_organization and tenant = p_tenant;
    outcome := 'Abandoned';
end $$;

-- What was abandoned on the cluster of a Sovereign and is not there for anybody any more: only what
-- is positively known to be deleted. An organization that is awake there has its things back.
create function tombstones(p_franchise int, p_sovereign text) returns setof inventory
language sql stable as $$
    select i.* from inventory i
    join sovereign s on s.franchise = i.franchise and s.cluster = i.cluster
    join organization o on o.franchise = i.franchise and o.organization = i.organization
    where s.franchise = p_franchise and s.sovereign = p_sovereign and i.abandoned_at is not null
    and (o.tenant is null or o.cluster <> i.cluster or i.condemned)
    order by i.organization, i.kind, i.namespace, i.name limit 500
$$;

-- Condemns what may be taken away now: from then on its organization does not get it back.
create function condemn_v1(p_namespace text, p_epoch bigint, p_sovereign text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; s record; names text[];
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    select * into s from sovereign
        where franchise = f.franchise and sovereign = p_sovereign for no key update;
    if not found then outcome := 'SovereignNotFound'; return; end if;
    if s.dark_since is not null or s.reached_at + sweep_after() > ledger.now() then
        outcome := 'TooEarly'; return;
    end if;
    names := array(select distinct organization from tombstones(f.franchise, p_sovereign));
    -- Who comes back meanwhile has the row of its organization, and comes first or last.
    perform from organization where franchise = f.franchise and organization = any(names)
        order by organization for no key update;
    -- Of each of them all, however many are looked at in one go.
    update inventory i set condemned = true from organization o where o.franchise = f.franchise
        and o.organization = any(names) and (o.tenant is null or o.cluster <> s.cluster)
        and i.franchise = o.franchise and i.organization = o.organization
        and i.cluster = s.cluster and i.abandoned_at is not null;
    outcome := 'Condemned';
end $$;

-- Plans that are sold no more and stay in force for who has them.
create function kept_plans(p_franchise int, p_sovereign text) returns table (plan text)
language sql stable as $$
    select distinct p.plan from plan p
    join organization o on o.franchise = p.franchise and o.sovereign = p.sovereign
        and o.tenant is not null
    cross join lateral last_paid(o.franchise, o.organization) l
    where p.franchise = p_franchise and p.sovereign = p_sovereign and not p.offered
    and l.plan = p.plan and l.ends_at + o.grace > ledger.now()
$$;
