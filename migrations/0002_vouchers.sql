-- Vouchers: a lineage per code, immutable revisions of its terms, and the gate that every
-- redemption must pass.

-- The code that a text stands for, or null: `domain::code::normalise` is its twin. White space is
-- Unicode's, as in the rules of the schema; upper() under "C" changes ASCII letters alone.
create function normalise(code text) returns text language sql immutable as $$
    select c.code
    from (select upper(btrim(code, E' \t\n\x0b\f\r\u0085\u00a0\u1680\u2028\u2029\u202f\u205f'
        '\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u3000')
        collate "C")) as c (code)
    where length(c.code) <= 63 and c.code ~ '^[A-Z0-9](-?[A-Z0-9]){2,62}$'
$$;

-- The lineage of a code. Its value never changes; `holder` is the Voucher object that speaks for
-- it, and null means that the code is retired; `last_holder` is the last that did, so that those
-- who named it find their redemption. The digest is SHA-256 of the normalised code; the
-- hint is what may be shown of it: all of a code that is written in a spec, and a few characters of
-- one that is kept in a Secret, so that whoever has this table cannot redeem it.
create table voucher (
    franchise int not null references franchise,
    voucher bigint generated always as identity,
    digest bytea not null constraint voucher_digest_length check (octet_length(digest) = 32),
    hint text not null,
    secret boolean not null,
    sovereign text collate "C" not null,
    currency text collate "C" not null,
    amount bigint not null constraint voucher_amount check (amount between 1 and 1000000000000000),
    source bigint not null,
    holder text collate "C",
    last_holder text collate "C",
    holder_uid text not null,
    holder_generation bigint not null,
    constraint voucher_pk primary key (franchise, voucher),
    constraint voucher_hint check (case when secret then length(hint) <= 5
        else digest is not distinct from sha256(convert_to(normalise(hint), 'UTF8')) end),
    constraint voucher_code_once unique (franchise, digest),
    constraint voucher_value unique (franchise, voucher, currency, amount, source),
    constraint voucher_sovereign foreign key (franchise, sovereign, currency)
        references sovereign (franchise, sovereign, currency),
    constraint voucher_source foreign key (franchise, source, currency)
        references account (franchise, account, currency)
);
create unique index voucher_holder on voucher (franchise, holder) where holder is not null;
create index voucher_last_holder on voucher (franchise, last_holder);

-- Terms as they were accepted, one row per accepted edit.
create table voucher_revision (
    franchise int not null,
    voucher bigint not null,
    revision int not null constraint voucher_revision_number check (revision >= 1),
    currency text collate "C" not null,
    amount bigint not null,
    source bigint not null,
    cap bigint constraint voucher_revision_cap check (cap >= 1),
    budget bigint constraint voucher_revision_budget check (budget between 1 and 1000000000000000),
    valid_from timestamptz not null default '-infinity',
    expires_at timestamptz not null default 'infinity',
    credit_expires_after interval constraint voucher_revision_credit check (
        credit_expires_after > '0' and credit_expires_after <= '100000 days'),
    plans text[] collate "C",
    new_accounts_only boolean not null default false,
    state text not null
        constraint voucher_revision_state
            check (state in ('Active', 'Paused', 'Revoked', 'Retired')),
    accepted_at timestamptz not null,
    epoch bigint,
    xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint voucher_revision_pk primary key (franchise, voucher, revision),
    constraint voucher_revision_value unique
        (franchise, voucher, revision, currency, amount, source),
    constraint voucher_value_never_changes foreign key
        (franchise, voucher, currency, amount, source)
        references voucher (franchise, voucher, currency, amount, source)
);
create index voucher_revision_xid on voucher_revision (xid);
create trigger voucher_revision_append_only before update or delete on voucher_revision
    for each row execute function append_only();
create trigger voucher_revision_no_truncate before truncate on voucher_revision
    execute function append_only();

-- The gate. Narrow and alone, because a popular code updates it once per redemption. What is in
-- force is copied here in the transaction that accepts it, so that a pause waits for redemptions
-- in flight and none passes after it.
create table voucher_counter (
    franchise int not null,
    voucher bigint not null,
    revision int not null,
    open boolean not null,
    cap bigint,
    used bigint not null default 0,
    budget bigint,
    spent bigint not null default 0,
    constraint voucher_counter_pk primary key (franchise, voucher),
    constraint voucher_counter_revision foreign key (franchise, voucher, revision)
        references voucher_revision,
    constraint voucher_cap check (used >= 0 and (cap is null or used <= cap)),
    constraint voucher_budget check (spent >= 0 and (budget is null or spent <= budget))
) with (fillfactor = 20);

-- What a person did to an account: more credit, an entry taken back, an account closed. It is its
-- own idempotency record: `input` is what was asked for under the key.
create table correction (
    franchise int not null references franchise,
    correction bigint generated always as identity,
    kind text not null constraint correction_kind check (kind in ('credit', 'reverse', 'close')),
    account bigint not null,
    currency text collate "C" not null,
    reverses bigint,
    key text collate "C" not null constraint correction_key_length
        check (octet_length(key) between 1 and 150),
    input jsonb not null,
    reason text not null constraint correction_reason check (length(reason) between 1 and 500),
    actor text not null constraint correction_actor check (length(actor) between 1 and 200),
    at timestamptz not null,
    xid bigint not null default pg_current_xact_id()::text::bigint,
    response text not null,
    constraint correction_pk primary key (franchise, correction),
    constraint correction_key unique (franchise, key),
    constraint correction_reverses_once unique (franchise, reverses),
    constraint correction_reverses_an_entry check ((kind = 'reverse') = (reverses is not null)),
    constraint correction_account foreign key (franchise, account, currency)
        references account (franchise, account, currency)
);
create index correction_xid on correction (xid);
create trigger correction_append_only before update or delete on correction
    for each row execute function append_only();
create trigger correction_no_truncate before truncate on correction
    execute function append_only();

-- Double entry by row shape: a transfer has a debit and a credit account of one franchise and one
-- currency. One row is entry, redemption, claim, idempotency record, lot and outbox entry.
--   redeem   promotion to customer, by a voucher; a lot     credit   external to customer; a lot
--   capture  customer to revenue, from a hold's lots   expire   what is left of a lot, too late
--   reverse  what is left of a lot, back to its source      close    the same, as an account closes
--   owe      what was spent of a lot that is reversed: receivable to the lot's source
create table transfer (
    franchise int not null,
    transfer bigint generated always as identity,
    kind text not null constraint transfer_kind check (kind in ('redeem', 'credit', 'capture',
        'expire', 'reverse', 'owe', 'close')),
    debit bigint not null,
    credit bigint not null,
    currency text collate "C" not null,
    amount bigint not null constraint transfer_amount check (amount between 1 and 1000000000000000),
    at timestamptz not null,
    epoch bigint,
    xid bigint not null default pg_current_xact_id()::text::bigint,
    key text collate "C" not null constraint transfer_key_length
        check (octet_length(key) between 1 and 200),
    response text not null,
    voucher bigint,
    revision int,
    priority smallint,
    expires_at timestamptz,
    lot bigint,
    correction bigint,
    constraint transfer_pk primary key (franchise, transfer),
    constraint transfer_two_sides check (debit <> credit),
    constraint transfer_names_its_voucher check (
        (kind = 'redeem') = (voucher is not null and revision is not null)),
    constraint transfer_is_a_lot check (
        (kind in ('redeem', 'credit')) = (priority is not null and expires_at is not null)),
    constraint transfer_names_its_lot check (
        (kind in ('expire', 'reverse', 'owe', 'close')) = (lot is not null)),
    constraint transfer_names_its_correction check (
        (kind in ('credit', 'reverse', 'owe', 'close')) = (correction is not null))
);
create unique index transfer_key on transfer (franchise, key);
-- Credit first, so that the claims of an account are its lots and most of its statement, too; what
-- else an account receives or spends is in the two after it, at no cost to a redemption.
create unique index transfer_claim on transfer (franchise, credit, voucher)
    where voucher is not null;
create index transfer_received on transfer (franchise, credit, transfer)
    where voucher is null and priority is not null;
create index transfer_spent on transfer (franchise, debit, transfer) where priority is null;
create index transfer_xid on transfer using brin (xid)
    with (pages_per_range = 16, autosummarize = on);
create trigger transfer_append_only before update or delete on transfer
    for each row execute function append_only();
create trigger transfer_no_truncate before truncate on transfer
    execute function append_only();

-- What a transfer names is there: both accounts in its franchise and currency, the revision whose
-- promise it keeps, its lot, its correction. One check per statement stands for five foreign keys,
-- which cost a third of a redemption; none of these parents can be deleted or take another key.
create function transfer_parents() returns trigger language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off as $$
declare x record;
begin
    select t.transfer, case when d.account is null then 'debit' when c.account is null then 'credit'
            when t.voucher is not null and r.voucher is null then 'terms'
            when t.lot is not null and l.transfer is null then 'lot'
            else 'correction' end as missing into x
    from added t
    left join ledger.account d on d.franchise = t.franchise and d.account = t.debit
        and d.currency = t.currency
    left join ledger.account c on c.franchise = t.franchise and c.account = t.credit
        and c.currency = t.currency
    left join ledger.voucher_revision r on r.franchise = t.franchise and r.voucher = t.voucher
        and r.revision = t.revision and r.currency = t.currency and r.amount = t.amount
        and r.source = t.debit
    left join ledger.transfer l on l.franchise = t.franchise and l.transfer = t.lot
    left join ledger.correction m on m.franchise = t.franchise and m.correction = t.correction
    where d.account is null or c.account is null
        or (t.voucher is not null and r.voucher is null)
        or (t.lot is not null and l.transfer is null)
        or (t.correction is not null and m.correction is null)
    limit 1;
    if found then
        raise 'transfer % names a % that is not there', x.transfer, x.missing
            using errcode = '23503', constraint = 'transfer_parents', table = 'transfer',
                schema = 'ledger';
    end if;
    return null;
end $$;
create trigger transfer_parents after insert on transfer referencing new table as added
    for each statement execute function transfer_parents();
create trigger account_stays_what_it_is
    before delete or update of franchise, account, kind, organization, currency on account
    for each row execute function append_only();
create trigger account_no_truncate before truncate on account execute function append_only();
-- Credit as something to spend, in two parts, each of which has its index.
create view lot as
    select * from transfer where voucher is not null
    union all select * from transfer where voucher is null and priority is not null;
alter table correction add constraint correction_entry foreign key (franchise, reverses)
    references transfer (franchise, transfer);
