-- What we made on clusters, and the outbox.

-- Notes what an organization has on its cluster. Of a cluster that it has left nothing is written:
-- nobody would come back to it.
create function journal_v1(p_namespace text, p_epoch bigint, p_organization text,
    p_cluster text, p_objects jsonb, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform from organization where franchise = f.franchise and organization = p_organization
        and cluster = p_cluster for share;
    if not found then outcome := 'ClusterIdentityChanged'; return; end if;
    insert into inventory as i (franchise, organization, cluster, kind, namespace, name, uid)
    select f.franchise, p_organization, p_cluster, o.kind, o.namespace, o.name, o.uid
    from jsonb_to_recordset(p_objects) as o (kind text, namespace text, name text, uid text)
    order by o.kind, o.namespace, o.name
    on conflict (franchise, cluster, kind, namespace, name) do update
        set uid = excluded.uid, abandoned_at = null
        where i.organization = p_organization and not i.condemned
        and (i.uid, i.abandoned_at) is distinct from (excluded.uid, null);
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
            where x.xid >= p_since and x.voucher is not null),
    moved as (
        select r.franchise, r.credit as account from redeemed r
        union select x.franchise, x.account from correction x where x.xid >= p_since)
    select next, c.kind, f.namespace, c.name from (
        select 'Voucher' as kind, v.franchise, v.holder as name
            from redeemed r join voucher v using (franchise, voucher)
        union select 'Tenant', o.franchise, o.tenant
            from moved m join account a on a.franchise = m.franchise and a.account = m.account
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
