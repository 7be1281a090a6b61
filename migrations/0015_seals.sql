-- Tamper evidence: every committed ledger row is sealed in a block of its franchise, each block
-- names the hash of the one before it, and the last hash is anchored outside of this database.

-- On which server rows were written. Their transaction ids count on that server alone: a restored
-- dump begins to count anew, so what is there by then belongs to the incarnation before.
create table incarnation (
    incarnation int constraint incarnation_pk primary key
        constraint incarnation_number check (incarnation >= 1),
    server text not null,
    after_transfer bigint not null,
    began_at timestamptz not null
);

-- A block seals rows whose transactions had all ended: from_xid <= xid < to_xid. It keeps 24 bytes
-- of each, its number and half of its SHA-256 (a uuid is a short name for 16 bytes), so that a row
-- that is edited, deleted or inserted later is named, and not only its block.
create table block (
    franchise int not null references franchise,
    block int not null constraint block_number check (block >= 1),
    incarnation int not null references incarnation,
    from_xid bigint not null,
    to_xid bigint not null,
    entries bigint not null,
    transfers bigint[] not null,
    leaves uuid[] not null,
    sealed_at timestamptz not null,
    before int,
    prev bytea not null,
    hash bytea not null,
    constraint block_pk primary key (franchise, block),
    constraint block_once unique (franchise, block, hash),
    constraint block_range check (from_xid < to_xid),
    constraint block_lengths check (octet_length(prev) = 32 and octet_length(hash) = 32),
    constraint block_entries check (cardinality(transfers) between 1 and entries
        and cardinality(leaves) = cardinality(transfers)),
    constraint block_before check (before is not distinct from nullif(block - 1, 0)),
    constraint block_chain foreign key (franchise, before, prev)
        references block (franchise, block, hash)
);
-- Half of a hash cannot be compressed.
alter table block alter column leaves set storage external;
create index block_sealed_to on block (incarnation, to_xid);

-- Who let money move again after a franchise was frozen, why, and what the ledger was then.
create table decision (
    franchise int not null references franchise,
    decision bigint generated always as identity,
    frozen text not null,
    reason text not null constraint decision_reason check (reason ~ '\S'),
    actor text not null constraint decision_actor check (actor ~ '\S'),
    decided_at timestamptz not null,
    block int,
    hash bytea,
    constraint decision_pk primary key (franchise, decision)
);

do $$
declare t text;
begin
    foreach t in array array['incarnation', 'block', 'decision'] loop
        execute format('create trigger %1$s_append_only before update or delete on %1$s
            for each row execute function append_only()', t);
        execute format('create trigger %1$s_no_truncate before truncate on %1$s
            execute function append_only()', t);
    end loop;
end $$;

-- The server that this database is on; a copy by files, such as a standby, has the same.
create function server() returns text language sql stable as $$
    select system_identifier::text from pg_control_system()
$$;

-- What of an entry is sealed: all of it. An array of texts cannot be read in two ways, and none of
-- them depends on a setting of the session.
create function leaf(x transfer) returns uuid language sql stable as $$
    select encode(substring(sha256(convert_to(jsonb_build_array(x.franchise::text,
        x.transfer::text, x.kind, x.debit::text, x.credit::text, x.currency, x.amount::text,
        extract(epoch from x.at)::text, x.epoch::text, x.xid::text, x.key, x.response,
        x.voucher::text, x.revision::text, x.priority::text,
        extract(epoch from x.expires_at)::text, x.lot::text, x.correction::text)::text,
        'UTF8')) for 16), 'hex')::uuid
$$;

-- The hash of a block: of everything in it but itself.
create function sealed(b block) returns bytea language sql stable as $$
    select sha256(convert_to(jsonb_build_array(b.franchise::text, b.block::text,
        b.incarnation::text, b.from_xid::text, b.to_xid::text, b.entries::text,
        b.transfers::text, b.leaves::text, extract(epoch from b.sealed_at)::text,
        encode(b.prev, 'hex'))::text, 'UTF8'))
$$;

-- Seals the rows of an incarnation in a range of transaction ids, a block per franchise; gives how
-- many. The caller has the lock, and knows that no row of that range is still to come.
create function seal_range(p_incarnation int, p_after bigint, p_from bigint, p_to bigint)
returns bigint language plpgsql as $$
declare b block; n bigint := 0;
begin
    for b in
        select r.franchise, coalesce(h.block, 0) + 1, p_incarnation, p_from, p_to,
            coalesce(h.entries, 0) + cardinality(r.transfers), r.transfers, r.leaves,
            ledger.now(), h.block, coalesce(h.hash, decode(repeat('00', 32), 'hex')), null::bytea
        from (select x.franchise, array_agg(x.transfer order by x.xid, x.transfer) as transfers,
                array_agg(leaf(x) order by x.xid, x.transfer) as leaves
            from transfer x where x.xid >= p_from and x.xid < p_to and x.transfer > p_after
            group by x.franchise) as r
        left join lateral (select * from block h where h.franchise = r.franchise
            order by h.block desc limit 1) as h on true
        order by r.franchise
    loop
        b.hash := sealed(b);
        insert into block values (b.*);
        n := n + cardinality(b.transfers);
    end loop;
    return n;
end $$;

-- The xid up to which an incarnation is sealed, in all franchises.
create function sealed_to(p_incarnation int) returns bigint language sql stable as $$
    select coalesce(max(to_xid), 0) from block where incarnation = p_incarnation
$$;

-- Seals about so many rows of all franchises, if there are any. A row whose transaction is at or
-- above the oldest one that runs waits, so that a slow transaction is never passed: all below that
-- has ended for ever. It moves no money and follows from what is committed, so it names no epoch.
create function seal_v1(p_max int, out outcome text, out detail jsonb) language plpgsql as $$
declare i incarnation; point bigint; bound bigint;
begin
    perform pg_advisory_xact_lock(hashtext('ledger seal'));
    select * into i from incarnation order by incarnation desc limit 1;
    if i is null and exists (select from transfer) then
        -- Below every number, so that no forged one is of no incarnation.
        insert into incarnation values (1, server(), '-9223372036854775808', ledger.now())
            returning * into i;
    end if;
    if i.server <> server() then outcome := 'OtherServer'; return; end if;
    point := sealed_to(i.incarnation);
    bound := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    bound := coalesce((select x.xid + 1 from transfer x
        where x.xid >= point and x.xid < bound and x.transfer > i.after_transfer
        order by x.xid offset p_max - 1 limit 1), bound);
    outcome := 'Sealed';
    detail := jsonb_build_object('entries',
        seal_range(i.incarnation, i.after_transfer, point, bound));
end $$;

-- What everyone must know who trusts this ledger: on which server it was sealed and where it is,
-- and of every franchise the last block, and the hash of the block that was anchored of it.
create function seals_v1(p_namespaces text[], p_blocks int[]) returns jsonb
language sql stable as $$
    select jsonb_build_object('server', server(),
        'sealed_on', (select i.server from incarnation i order by i.incarnation desc limit 1),
        'franchises', coalesce(jsonb_agg(jsonb_build_object('namespace', f.namespace,
            'frozen', f.frozen,
            'head', (select jsonb_build_object('block', b.block, 'hash', encode(b.hash, 'hex'),
                    'entries', b.entries, 'sealed_at', utc(b.sealed_at))
                from block b where b.franchise = f.franchise order by b.block desc limit 1),
            'anchored', (select encode(b.hash, 'hex') from block b
                where b.franchise = f.franchise and b.block = a.block))
            order by f.namespace), '[]'))
    from franchise f
    left join unnest(p_namespaces, p_blocks) as a (namespace, block) using (namespace)
$$;

-- Stops the money of a franchise until a person decides; one that is not there is founded, so that
-- nobody takes an empty database for the ledger. What a person accepted does not stop it again.
create function freeze_v1(p_namespace text, p_namespace_uid text, p_epoch bigint, p_why text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal = 'NoFranchise' and p_namespace_uid is not null then
        insert into franchise (namespace, namespace_uid) values (p_namespace, p_namespace_uid)
            on conflict do nothing;
    end if;
    -- Whoever else freezes it or lets it go decides first or last.
    perform from franchise where namespace = p_namespace for no key update;
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    if exists (select from decision d where d.franchise = f.franchise and d.frozen = p_why) then
        outcome := 'Accepted'; return;
    end if;
    update franchise set frozen = p_why where franchise = f.franchise;
    outcome := 'Frozen:' || p_why;
end $$;

-- A person lets the money of a franchise move again and accepts the ledger as it is. On another
-- server this begins an incarnation: what is there was written before it.
create function thaw_v1(p_namespace text, p_reason text, p_actor text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f franchise; i incarnation; b record;
begin
    perform pg_advisory_xact_lock(hashtext('ledger seal'));
    select * into f from franchise where namespace = p_namespace for no key update;
    if not found then outcome := 'NoFranchise'; return; end if;
    if f.frozen is null then outcome := 'NotFrozen'; return; end if;
    select * into i from incarnation order by incarnation desc limit 1;
    if i.server <> server() then
        lock table transfer in share row exclusive mode;
        perform seal_range(i.incarnation, i.after_transfer, sealed_to(i.incarnation),
            9223372036854775807);
        insert into incarnation select i.incarnation + 1, server(),
            (select coalesce(max(x.transfer), 0) from transfer x), ledger.now();
    end if;
    select h.block, h.hash into b from block h where h.franchise = f.franchise
        order by h.block desc limit 1;
    insert into decision (franchise, frozen, reason, actor, decided_at, block, hash)
        values (f.franchise, f.frozen, p_reason, p_actor, ledger.now(), b.block, b.hash);
    update franchise set frozen = null where franchise = f.franchise;
    outcome := 'Thawed';
    detail := jsonb_build_object('was', f.frozen, 'block', b.block,
        'hash', encode(b.hash, 'hex'));
end $$;

-- Everything that does not agree with the seals: each row is a violation. Blocks are checked
-- against themselves and the one before, and entries against what their block keeps of them.
create function verify_sealed_v1() returns table (invariant text, namespace text, what text)
language sql stable as $$
    with sealed_entry as (
        select b.franchise, b.block, e.transfer, e.leaf
        from block b, unnest(b.transfers, b.leaves) as e (transfer, leaf)),
    -- Each incarnation with the rows that are of it and how far they are sealed.
    reach as (
        select i.after_transfer, sealed_to(i.incarnation) as to_xid,
            lead(i.after_transfer, 1, 9223372036854775807)
                over (order by i.incarnation) as last_transfer
        from incarnation i),
    violations as (
        select 'a block follows the one before it' as invariant, b.franchise, case
                when p.block is null then 'block ' || b.block - 1 || ' is gone'
                else 'block ' || b.block || ' continues another block ' || p.block end as what
        from block b left join block p on p.franchise = b.franchise and p.block = b.block - 1
        where b.block > 1 and (p.hash, p.entries + cardinality(b.transfers))
            is distinct from (b.prev, b.entries)
        union all
        select 'a block is as it was sealed', b.franchise, 'block ' || b.block || ' was edited'
        from block b where b.hash <> sealed(b)
        union all
        select 'a chain does not fork', b.franchise, 'block ' || b.block || ' is there twice'
        from block b group by b.franchise, b.block having count(*) > 1
        union all
        select 'a sealed entry is as it was', coalesce(x.franchise, e.franchise), case
            when x.transfer is null
                then 'transfer ' || e.transfer || ' of block ' || e.block || ' was deleted'
            when e.transfer is null
                then 'transfer ' || x.transfer || ' was inserted behind the seals'
            else 'transfer ' || e.transfer || ' of block ' || e.block || ' was edited' end
        from transfer x full join sealed_entry e
            on e.franchise = x.franchise and e.transfer = x.transfer
        where x.transfer is null or e.leaf <> leaf(x)
        or (e.transfer is null and exists (select from reach r where x.xid < r.to_xid
            and x.transfer > r.after_transfer and x.transfer <= r.last_transfer)))
    select v.invariant, f.namespace, v.what from violations v join franchise f using (franchise)
$$;
