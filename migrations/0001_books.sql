-- The books: who keeps money, in what currency, under which clock and which leader.
-- Runs as catalyst_owner with search_path = ledger. Every key begins with the franchise.

-- One row. A program serves this schema if it is at least as new as least_program says.
create table program (
    one boolean default true constraint program_pk primary key
        constraint program_one check (one),
    schema_version int not null,
    least_program int not null
);
insert into program values (true, 1, 1);

-- One row. Time for money is the database clock plus an offset, never below the floor. The offset
-- moves only where `test` is set, which only `migrate --test-clock` does.
create table clock (
    one boolean default true constraint clock_pk primary key
        constraint clock_one check (one),
    ahead interval not null default '0',
    floor timestamptz not null default '-infinity',
    test boolean not null default false,
    constraint clock_moves_in_tests_only check (test or ahead = '0')
);
insert into clock default values;

-- One row. The epoch of the leader in charge; a money call that names another one is fenced.
create table leadership (
    one boolean default true constraint leadership_pk primary key
        constraint leadership_one check (one),
    epoch bigint not null default 0
);
insert into leadership default values;

create table currency (
    code text collate "C" constraint currency_pk primary key,
    decimals smallint not null constraint currency_decimals check (decimals between 0 and 4)
);
insert into currency (code, decimals)
select unnest(string_to_array(codes, ' ')), decimals
from (values
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
    (2, 'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD '
     || 'CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD '
     || 'GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL '
     || 'MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN '
     || 'PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP '
     || 'SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (4, 'CLF UYW')
) as by_decimals (decimals, codes);

-- At most one row: the hub that this database belongs to, by the UID of its kube-system namespace.
create table hub (
    one boolean default true constraint hub_pk primary key constraint hub_one check (one),
    uid text not null
);

-- A hub namespace that keeps money, pinned to the UID that it had when it was founded, or that an
-- administrator accepted since. While `frozen` says why, none of its money moves.
create table franchise (
    franchise int generated always as identity constraint franchise_pk primary key,
    namespace text collate "C" not null constraint franchise_namespace unique,
    namespace_uid text not null,
    -- The next namespace of this name is the same franchise.
    expects_successor boolean not null default false,
    frozen text
);

create table sovereign (
    franchise int not null references franchise,
    sovereign text collate "C" not null,
    currency text collate "C" not null references currency,
    cluster text not null,
    -- The Secret with the way to its cluster; null where that is the hub itself.
    secret text collate "C",
    -- How long it must not have answered before a Tenant may leave without it; null for never.
    abandon_after interval constraint sovereign_abandon_after check (abandon_after >= '1 hour'),
    -- Since when its cluster does not answer, and since when it does.
    dark_since timestamptz,
    reached_at timestamptz not null default '-infinity',
    closed boolean not null default false,
    xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint sovereign_pk primary key (franchise, sovereign),
    constraint sovereign_currency unique (franchise, sovereign, currency)
);

-- One way per franchise and cluster: two would undo each other's work.
create unique index sovereign_alone_on_its_cluster on sovereign (franchise, cluster)
    where secret is not null and not closed;

-- What a plan cost and contained when it was accepted. Immutable: orders name the revision.
create table plan_revision (
    franchise int not null,
    sovereign text collate "C" not null,
    plan text collate "C" not null,
    revision int not null constraint plan_revision_number check (revision >= 1),
    currency text collate "C" not null,
    amount bigint not null constraint plan_price check (amount between 0 and 1000000000000000),
    terms jsonb not null,
    accepted_at timestamptz not null,
    constraint plan_revision_pk primary key (franchise, sovereign, plan, revision),
    constraint plan_revision_price unique (franchise, sovereign, plan, revision, currency, amount),
    constraint plan_revision_sovereign foreign key (franchise, sovereign, currency)
        references sovereign (franchise, sovereign, currency)
);

-- Which revision of a plan is sold now. Withdrawn plans stay, for their holders.
create table plan (
    franchise int not null,
    sovereign text collate "C" not null,
    plan text collate "C" not null,
    revision int not null,
    offered boolean not null,
    xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint plan_pk primary key (franchise, sovereign, plan),
    constraint plan_in_force foreign key (franchise, sovereign, plan, revision)
        references plan_revision
);

create index plan_xid on plan (xid);
create index sovereign_xid on sovereign (xid);

-- The customer. Its name, account and history stay for ever; `tenant` is the object that speaks
-- for it now, and null means that it sleeps. `grace` is how long it goes on after a paid period.
create table organization (
    franchise int not null references franchise,
    organization text collate "C" not null,
    tenant text collate "C",
    sovereign text collate "C" not null,
    cluster text not null,
    awake_since timestamptz not null,
    grace interval not null default '7 days'
        constraint organization_grace check (grace > '0' and grace <= '100000 days'),
    xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint organization_pk primary key (franchise, organization),
    constraint organization_name check (organization ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'
        and length(organization) between 3 and 31),
    constraint organization_sovereign foreign key (franchise, sovereign)
        references sovereign (franchise, sovereign)
);
-- First committed row wins a name, for money and for objects.
create unique index organization_of_tenant on organization (franchise, tenant)
    where tenant is not null;
create unique index organization_on_cluster on organization (cluster, organization)
    where tenant is not null;
create index organization_xid on organization (xid);

-- Balances are kept for customers alone: one hot system row would serialise every redemption.
-- `external` is where money comes from that is no promotion, `expired` where credit goes that
-- nobody spent in time, `receivable` what an organization owes after a correction.
create table account (
    franchise int not null references franchise,
    account bigint generated always as identity,
    kind text not null constraint account_kind check (kind in ('customer', 'receivable',
        'promotion', 'external', 'revenue', 'expired')),
    organization text collate "C",
    currency text collate "C" not null references currency,
    posted bigint not null default 0,
    held bigint not null default 0,
    suspended boolean not null default false,
    constraint account_pk primary key (franchise, account),
    constraint account_currency unique (franchise, account, currency),
    constraint account_once unique nulls not distinct (franchise, kind, organization, currency),
    constraint account_is_a_customers check (
        (kind in ('customer', 'receivable')) = (organization is not null)),
    constraint account_organization foreign key (franchise, organization) references organization,
    constraint account_no_overdraft check (posted >= 0 and held between 0 and posted)
) with (fillfactor = 70);

-- What we made on a cluster, written before it is made; the UID follows when it is known. What was
-- given up while the cluster did not answer is a tombstone: it waits to be taken away, or for its
-- organization to come back. Once it is `condemned`, it is too late for that.
create table inventory (
    franchise int not null,
    organization text collate "C" not null,
    cluster text not null,
    kind text not null,
    namespace text not null,
    name text not null,
    uid text,
    abandoned_at timestamptz,
    condemned boolean not null default false,
    constraint inventory_condemned check (not condemned or abandoned_at is not null),
    constraint inventory_pk primary key (franchise, cluster, kind, namespace, name),
    constraint inventory_organization foreign key (franchise, organization) references organization
);
create index inventory_of on inventory (franchise, organization);
create index inventory_tombstones on inventory (franchise, cluster) where abandoned_at is not null;

create function append_only() returns trigger language plpgsql as $$
begin
    raise 'rows of ledger.% are never changed or deleted; correct money by a new transfer',
        tg_table_name using errcode = 'CA001';
end $$;
create trigger plan_revision_append_only before update or delete on plan_revision
    for each row execute function append_only();
create trigger plan_revision_no_truncate before truncate on plan_revision
    execute function append_only();
