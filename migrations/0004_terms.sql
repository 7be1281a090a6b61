-- Functions that accept terms: what Git says, checked and recorded. All refusals are rows.

create function now() returns timestamptz language sql stable as $$
    select greatest(clock_timestamp() + ahead, floor) from ledger.clock
$$;

-- Raises the floor of ledger time; the leader calls it about once a second.
create function tick_v1() returns void language sql as $$
    update ledger.clock set floor = clock_timestamp() + ahead
        where clock_timestamp() + ahead > floor
$$;

-- Moves ledger time forward, in a database made for tests only (clock_moves_in_tests_only).
create function advance_clock(p_by interval) returns timestamptz language plpgsql as $$
begin
    if p_by < '0' then raise 'ledger time never goes back'; end if;
    update ledger.clock set ahead = ahead + p_by;
    return ledger.now();
end $$;

-- The next leader's epoch. Waits for money calls of the last leader that are in flight; every
-- later one of them is fenced.
create function begin_leadership_v1() returns bigint language plpgsql as $$
declare e bigint;
begin
    perform pg_advisory_xact_lock(hashtext('ledger leadership'));
    update ledger.leadership set epoch = epoch + 1 returning epoch into e;
    perform ledger.tick_v1();
    return e;
end $$;

create function current_epoch_v1() returns bigint language sql stable as $$
    select epoch from ledger.leadership
$$;

-- The hub that this database belongs to: the first that asks. Another one is refused until an
-- administrator lets it adopt the database, which also fences whoever acted before.
create function pin_hub_v1(p_hub text, out outcome text, out detail text) language plpgsql as $$
begin
    insert into hub (uid) values (p_hub) on conflict do nothing;
    select uid into detail from hub;
    outcome := case when detail = p_hub then 'Pinned' else 'HubChanged' end;
end $$;
-- Sovereigns that are the hub itself come along, and what was made there is known by its labels
-- until it is seen, or is made anew. A cluster that one was reached on by a kubeconfig, or that has
-- something of it, cannot become the hub: what is there would stand beside itself.
create function adopt_hub_v1(p_hub text, out outcome text, out detail text) language plpgsql as $$
declare known text;
begin
    -- Looked at before anybody's leadership ends, and again when nobody else changes it any more.
    for look in 1..2 loop
        select uid into known from hub;
        if known <> p_hub and (exists (select from sovereign where cluster = p_hub and not closed)
            or exists (select from inventory where cluster = p_hub))
        then
            outcome := 'ClusterTaken'; return;
        end if;
        if look = 1 then
            perform begin_leadership_v1();
            perform from hub for update;
        end if;
    end loop;
    insert into hub (uid) values (p_hub) on conflict (one) do update set uid = p_hub;
    if known <> p_hub then
        update sovereign set cluster = p_hub, xid = pg_current_xact_id()::text::bigint
            where cluster = known;
        update organization set cluster = p_hub where cluster = known;
        update inventory set cluster = p_hub, uid = null where cluster = known;
    end if;
    outcome := 'Pinned'; detail := p_hub;
end $$;

-- What the server does not keep through a crash, in the words of whom it concerns; null where all
-- that is answered as done is on the disc.
create function durability() returns text language sql stable as $$
    select case
        when pg_is_in_recovery() then
            'this server is a standby: point DATABASE_URL at the primary'
        when current_setting('fsync') = 'off' then
            'fsync is off, so a crash can lose or damage what was acknowledged: set fsync = on '
            || 'and restart PostgreSQL'
        when current_setting('full_page_writes') = 'off' then
            'full_page_writes is off, so a crash can damage pages: set full_page_writes = on'
        when current_setting('synchronous_commit') = 'off' then
            'synchronous_commit is off, so a crash can lose what was acknowledged: set '
            || 'synchronous_commit = on for the server, the database and the user'
    end
$$;

-- Whether a session accepts that, which only `--allow-unsafe-durability` makes it do.
create function unsafe_is_allowed() returns boolean language sql stable as $$
    select coalesce(current_setting('catalyst.allow_unsafe_durability', true), '') = 'on'
$$;

-- Whether a call may move money or terms now: the franchise, or why not. A caller that is no
-- controller names no epoch.
create function admit(p_namespace text, p_epoch bigint, out franchise int, out refusal text)
language plpgsql as $$
declare frozen text;
begin
    if durability() is not null and not unsafe_is_allowed() then
        refusal := 'Frozen:' || durability(); return;
    end if;
    if p_epoch is not null then
        perform pg_advisory_xact_lock_shared(hashtext('ledger leadership'));
        perform from ledger.leadership l where l.epoch = p_epoch;
        if not found then refusal := 'Fenced'; return; end if;
    end if;
    select f.franchise, f.frozen into franchise, frozen
        from ledger.franchise f where f.namespace = p_namespace;
    if franchise is null then refusal := 'NoFranchise'; return; end if;
    if frozen is not null then refusal := 'Frozen:' || frozen; end if;
end $$;

-- Accepts a Sovereign and what it sells: founds the franchise at first sight, opens its system
-- accounts, adds a revision for every plan whose price or content changed, and withdraws plans
-- that are gone. p_plans: [{name, amount, terms}]. p_secret is null for the hub itself.
create function accept_sovereign_v1(p_namespace text, p_namespace_uid text, p_epoch bigint,
    p_sovereign text, p_currency text, p_cluster text, p_plans jsonb, p_secret text,
    p_abandon_after text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; s record; x record; t timestamptz := ledger.now();
begin
    if not exists (select from currency where code = p_currency) then
        outcome := 'UnknownCurrency'; return;
    end if;
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal = 'NoFranchise' then
        insert into franchise (namespace, namespace_uid) values (p_namespace, p_namespace_uid)
            on conflict do nothing;
        select * into f from admit(p_namespace, p_epoch);
    end if;
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform from franchise where franchise = f.franchise and namespace_uid = p_namespace_uid
        for no key update;
    if not found then outcome := 'FranchiseIdentityChanged'; return; end if;
    if p_secret is not null
        and taken_by(f.franchise, p_sovereign, p_cluster) is not null then
        outcome := 'ClusterTaken'; return;
    end if;
    insert into sovereign (franchise, sovereign, currency, cluster, secret, reached_at)
        values (f.franchise, p_sovereign, p_currency, p_cluster, p_secret, t)
        on conflict do nothing;
    select * into s from sovereign
        where franchise = f.franchise and sovereign = p_sovereign for update;
    if s.currency <> p_currency then
        outcome := 'CurrencyChanged'; detail := jsonb_build_object('currency', s.currency); return;
    end if;
    if s.cluster <> p_cluster then
        outcome := 'ClusterIdentityChanged';
        detail := jsonb_build_object('cluster', s.cluster);
        return;
    end if;
    update sovereign set closed = false, secret = p_secret,
            reached_at = case when closed then t else reached_at end,
            abandon_after = p_abandon_after::interval, xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and sovereign = p_sovereign
        and (closed, secret, abandon_after)
            is distinct from (false, p_secret, p_abandon_after::interval);
    insert into account (franchise, kind, currency)
        select f.franchise, kind, p_currency
        from unnest(array['promotion', 'external', 'revenue', 'expired']) as kind
        on conflict do nothing;
    for x in
        select w.name, w.amount, w.terms, coalesce(p.revision, 0) as revision,
            r.amount is not distinct from w.amount and r.terms is not distinct from w.terms as same
        from jsonb_to_recordset(p_plans) as w (name text, amount bigint, terms jsonb)
        left join plan p on p.franchise = f.franchise and p.sovereign = p_sovereign
            and p.plan = w.name
        left join plan_revision r on (r.franchise, r.sovereign, r.plan, r.revision)
            = (p.franchise, p.sovereign, p.plan, p.revision)
        order by w.name
    loop
        if not x.same then
            x.revision := x.revision + 1;
            insert into plan_revision (franchise, sovereign, plan, revision, currency, amount,
                terms, accepted_at)
            values (f.franchise, p_sovereign, x.name, x.revision, p_currency, x.amount, x.terms, t);
        end if;
        insert into plan (franchise, sovereign, plan, revision, offered)
            values (f.franchise, p_sovereign, x.name, x.revision, true)
            on conflict (franchise, sovereign, plan) do update
            set revision = excluded.revision, offered = true, xid = excluded.xid
            where (plan.revision, plan.offered) is distinct from (excluded.revision, true);
    end loop;
    update plan set offered = false, xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and sovereign = p_sovereign and offered
        and plan not in (select name from jsonb_to_recordset(p_plans) as w (name text));
    outcome := 'Accepted';
end $$;

-- Another Sovereign of the franchise that reaches the same cluster by a kubeconfig.
create function taken_by(p_franchise int, p_sovereign text, p_cluster text) returns text
language sql stable as $$
    select sovereign from sovereign where franchise = p_franchise and cluster = p_cluster
        and sovereign <> p_sovereign and secret is not null and not closed limit 1
$$;

-- Accepts that the namespace of a franchise was made anew: its money moves again.
create function accept_franchise_v1(p_namespace text, p_epoch bigint, p_namespace_uid text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    update franchise set namespace_uid = p_namespace_uid, expects_successor = false
        where franchise = f.franchise;
    -- Wakes all that waits with its Sovereigns.
    update sovereign set xid = pg_current_xact_id()::text::bigint where franchise = f.franchise;
    outcome := 'Accepted';
end $$;

-- Closes a Sovereign that is leaving. Refused while organizations are awake on it.
create function close_sovereign_v1(p_namespace text, p_epoch bigint, p_sovereign text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; names jsonb;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform from sovereign where franchise = f.franchise and sovereign = p_sovereign for update;
    select jsonb_agg(tenant order by tenant) into names from organization
        where franchise = f.franchise and sovereign = p_sovereign and tenant is not null;
    if names is not null then
        outcome := 'TenantsRemain'; detail := jsonb_build_object('tenants', names); return;
    end if;
    -- Its cluster is free for another one.
    update sovereign set closed = true, xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and sovereign = p_sovereign and not closed;
    outcome := 'Closed';
end $$;

-- Gives an organization to the Tenant object that asks first, opens its account, and notes how long
-- it wants to go on after a paid period. Money knows the name per franchise, objects know it per
-- cluster.
create function claim_v1(p_namespace text, p_epoch bigint, p_organization text, p_tenant text,
    p_sovereign text, p_grace text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; s record; o record; t timestamptz := ledger.now();
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    select currency, cluster into s from sovereign
        where franchise = f.franchise and sovereign = p_sovereign and not closed for key share;
    if not found then outcome := 'SovereignNotFound'; return; end if;
    -- A Tenant speaks for one organization: one that it left when it was removed by force sleeps.
    update organization set tenant = null, xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and tenant = p_tenant and organization <> p_organization;
    insert into organization (franchise, organization, tenant, sovereign, cluster, awake_since,
            grace)
        values (f.franchise, p_organization, p_tenant, p_sovereign, s.cluster, t,
            p_grace::interval)
        on conflict do nothing;
    select * into o from organization
        where franchise = f.franchise and organization = p_organization for no key update;
    -- Asleep, or left on another Sovereign when its object was removed by force.
    if (o.tenant is null or (o.tenant = p_tenant and o.sovereign <> p_sovereign))
        and not exists (select from organization x where x.cluster = s.cluster
            and x.organization = p_organization and x.tenant is not null
            and x.franchise <> f.franchise)
    then
        begin
            update organization set tenant = p_tenant, sovereign = p_sovereign,
                cluster = s.cluster,
                awake_since = case when o.tenant is null then t else awake_since end,
                xid = pg_current_xact_id()::text::bigint
                where franchise = f.franchise and organization = p_organization;
            if not found then raise unique_violation; end if;
        exception when unique_violation then
            raise 'another claim of the name was first' using errcode = '40001';
        end;
        o.tenant := p_tenant;
    end if;
    if o.tenant is distinct from p_tenant then
        outcome := 'OrganizationTaken';
        return;
    end if;
    -- What it gave up there is its own again, unless that is being taken away.
    update inventory set abandoned_at = null where franchise = f.franchise
        and organization = p_organization and cluster = s.cluster and not condemned
        and abandoned_at is not null;
    update organization set grace = p_grace::interval
        where franchise = f.franchise and organization = p_organization
        and grace <> p_grace::interval;
    -- An insert beside an account that is there would wait for whoever moves its money.
    insert into account (franchise, kind, organization, currency)
        select f.franchise, 'customer', p_organization, s.currency
        where not exists (select from account where franchise = f.franchise and kind = 'customer'
            and organization = p_organization and currency = s.currency)
        on conflict do nothing;
    outcome := 'Claimed';
end $$;

-- Puts an organization to sleep when nothing of it stands any more; its money and history stay,
-- and what was set aside for a period that it will not have is given back.
create function leave_v1(p_namespace text, p_epoch bigint, p_organization text, p_tenant text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; o record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform from organization where franchise = f.franchise
        and organization = p_organization and tenant = p_tenant for no key update;
    if not found then outcome := 'Left'; return; end if;
    perform lock_accounts(f.franchise, p_organization);
    for o in select * from open_orders(f.franchise, p_organization) loop
        perform void(f.franchise, o.ord);
    end loop;
    if exists (select from inventory where franchise = f.franchise
        and organization = p_organization and abandoned_at is null) then
        outcome := 'ObjectsRemain'; return;
    end if;
    update organization set tenant = null, xid = pg_current_xact_id()::text::bigint
        where franchise = f.franchise and organization = p_organization and tenant = p_tenant;
    outcome := 'Left';
end $$;

-- One call at a time speaks for an object that holds a code, so that of what it says the latest
-- counts. It comes before the rows of any voucher.
create function lock_holder(p_franchise int, p_holder text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended(
        concat('ledger holder/', p_franchise, '/', p_holder), 0))
$$;

-- Accepts the terms of a Voucher, as a new revision if they differ from those in force. What the
-- ledger refuses of an edit stays as it was, and what narrows takes effect: a cap or a budget below
-- what is redeemed becomes what is redeemed, and one that vanishes stays.
create function accept_voucher_v1(p_namespace text, p_epoch bigint, p_holder text, p_uid text,
    p_generation bigint, p_digest bytea, p_hint text, p_secret boolean, p_sovereign text,
    p_currency text, p_amount bigint, p_cap bigint, p_budget bigint, p_valid_from timestamptz,
    p_expires_at timestamptz, p_credit_expires_after text, p_plans text[],
    p_new_accounts_only boolean, p_state text, out outcome text, out detail jsonb)
language plpgsql as $$
declare f record; s record; v record; w record; t timestamptz := ledger.now();
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform lock_holder(f.franchise, p_holder);
    select currency into s from sovereign
        where franchise = f.franchise and sovereign = p_sovereign and not closed;
    if not found then outcome := 'SovereignNotFound'; return; end if;
    if s.currency <> p_currency then
        outcome := 'CurrencyMismatch'; detail := jsonb_build_object('currency', s.currency); return;
    end if;
    -- An object speaks for one code: what it said earlier does not take its present one away.
    if exists (select from voucher x where x.franchise = f.franchise and x.last_holder = p_holder
        and x.holder_uid = p_uid and x.holder_generation > p_generation
        and x.digest <> p_digest) then
        outcome := 'StaleSpec'; return;
    end if;
    -- Whatever its Secret says later, an object speaks for the first code that was accepted of it.
    if p_secret and exists (select from voucher x where x.franchise = f.franchise
        and x.holder = p_holder and x.holder_uid = p_uid and x.digest <> p_digest) then
        outcome := 'CodeChanged'; return;
    end if;
    insert into voucher (franchise, digest, hint, secret, sovereign, currency, amount, source,
        holder_uid, holder_generation)
    select f.franchise, p_digest, p_hint, p_secret, p_sovereign, p_currency, p_amount, a.account,
        p_uid, p_generation
    from account a
    where a.franchise = f.franchise and a.kind = 'promotion' and a.currency = p_currency
    on conflict do nothing;
    select * into v from voucher
        where franchise = f.franchise and digest = p_digest for no key update;
    if v.holder is not null and v.holder <> p_holder then
        outcome := 'CodeTaken'; detail := jsonb_build_object('holder', v.holder); return;
    end if;
    if (v.sovereign, v.currency, v.amount) <> (p_sovereign, p_currency, p_amount) then
        outcome := 'CodeRetired';
        detail := jsonb_build_object('sovereign', v.sovereign, 'currency', v.currency,
            'amount', v.amount);
        return;
    end if;
    perform retire_lineage(f.franchise, x.voucher, p_epoch) from voucher x
        where x.franchise = f.franchise and x.holder = p_holder and x.voucher <> v.voucher;
    select c.revision, c.cap, c.used, c.budget, c.spent, r.valid_from, r.expires_at,
            r.credit_expires_after, r.plans, r.new_accounts_only, r.state into w
        from voucher_counter c join voucher_revision r using (franchise, voucher, revision)
        where c.franchise = f.franchise and c.voucher = v.voucher for no key update of c;
    p_cap := coalesce(p_cap, w.cap);
    if p_cap < w.used then p_cap := w.used; end if;
    p_budget := coalesce(p_budget, w.budget);
    if p_budget < w.spent then p_budget := w.spent; end if;
    if exists (select from voucher_revision where franchise = f.franchise
        and voucher = v.voucher and state = 'Revoked') then p_state := 'Revoked'; end if;
    if w.revision is null
        or (w.cap, w.budget, w.valid_from, w.expires_at, w.credit_expires_after, w.plans,
                w.new_accounts_only, w.state)
            is distinct from (p_cap, p_budget, p_valid_from, p_expires_at,
                p_credit_expires_after::interval, p_plans, p_new_accounts_only, p_state) then
        if v.holder_uid = p_uid and p_generation < v.holder_generation then
            outcome := 'StaleSpec'; return;
        end if;
        w.revision := coalesce(w.revision, 0) + 1;
        insert into voucher_revision (franchise, voucher, revision, currency, amount, source, cap,
            budget, valid_from, expires_at, credit_expires_after, plans, new_accounts_only, state,
            accepted_at, epoch)
        values (f.franchise, v.voucher, w.revision, p_currency, p_amount, v.source, p_cap,
            p_budget, p_valid_from, p_expires_at, p_credit_expires_after::interval, p_plans,
            p_new_accounts_only, p_state, t, p_epoch);
        insert into voucher_counter as c (franchise, voucher, revision, open, cap, budget)
            values (f.franchise, v.voucher, w.revision, p_state = 'Active', p_cap, p_budget)
            on conflict (franchise, voucher) do update set revision = excluded.revision,
                open = excluded.open, cap = excluded.cap, budget = excluded.budget;
    end if;
    if v.holder_uid = p_uid then
        p_generation := greatest(p_generation, v.holder_generation);
    end if;
    update voucher set holder = p_holder, last_holder = p_holder, holder_uid = p_uid,
            holder_generation = p_generation
        where franchise = f.franchise and voucher = v.voucher
        and (holder, holder_uid, holder_generation)
            is distinct from (p_holder, p_uid, p_generation);
    outcome := 'Accepted';
    detail := jsonb_build_object('revision', w.revision);
end $$;

-- Closes the gate of a lineage for good measure of its holder: in-flight redemptions finish first,
-- and none passes afterwards. Counter, revisions and redemptions stay where they are.
create function retire_lineage(p_franchise int, p_voucher bigint, p_epoch bigint) returns void
language plpgsql as $$
declare w record;
begin
    perform from voucher where franchise = p_franchise and voucher = p_voucher for no key update;
    select r.* into w from voucher_counter c join voucher_revision r
        using (franchise, voucher, revision)
        where c.franchise = p_franchise and c.voucher = p_voucher for no key update of c;
    if w.state <> 'Retired' then
        insert into voucher_revision (franchise, voucher, revision, currency, amount, source, cap,
            budget, valid_from, expires_at, credit_expires_after, plans, new_accounts_only, state,
            accepted_at, epoch)
        values (w.franchise, w.voucher, w.revision + 1, w.currency, w.amount, w.source, w.cap,
            w.budget, w.valid_from, w.expires_at, w.credit_expires_after, w.plans,
            w.new_accounts_only, 'Retired', ledger.now(), p_epoch);
        update voucher_counter set revision = w.revision + 1, open = false
            where franchise = p_franchise and voucher = p_voucher;
    end if;
    update voucher set holder = null where franchise = p_franchise and voucher = p_voucher;
end $$;

-- What deleting a Voucher does to its code.
create function retire_v1(p_namespace text, p_epoch bigint, p_holder text,
    out outcome text, out detail jsonb)
language plpgsql as $$
declare f record;
begin
    select * into f from admit(p_namespace, p_epoch);
    if f.refusal is not null then outcome := f.refusal; return; end if;
    perform lock_holder(f.franchise, p_holder);
    perform retire_lineage(f.franchise, voucher, p_epoch) from voucher
        where franchise = f.franchise and holder = p_holder;
    outcome := 'Retired';
end $$;

-- The least program that may serve this schema, and what a crash of the server could lose.
create function level_v1() returns table (least_program int, durability text)
language sql stable as $$
    select p.least_program, ledger.durability() from ledger.program p
$$;
