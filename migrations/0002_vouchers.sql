-- Vouchers: a lineage per code, immutable revisions of its terms, and the gate that every
-- redemption must pass.

-- The lineage of a code. Its value never changes; `holder` is the Voucher object that speaks for
-- it, and null means that the code is retired; `last_holder` is the last that did, so that those
-- who named it find their redemption. The digest is SHA-256 of the normalised code; the
-- hint is what may be shown of it.
create table voucher (
    franchise int not null references franchise,
    voucher bigint generated always as identity,
    digest bytea not null constraint voucher_digest_length check (octet_length(digest) = 32),
    hint text not null,
    sovereign text collate "C" not null,
    currency text collate "C" not null,
    amount bigint not null constraint voucher_amount check (amount between 1 and 1000000000000000),
    source bigint not null,
    holder text collate "C",
    last_holder text collate "C",
    holder_uid text not null,
    holder_generation bigint not null,
    constraint voucher_pk primary key (franchise, voucher),
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
    valid_from timestamptz not null default '-infinity',
    expires_at timestamptz not null default 'infinity',
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
    constraint voucher_counter_pk primary key (franchise, voucher),
    constraint voucher_counter_revision foreign key (franchise, voucher, revision)
        references voucher_revision,
    constraint voucher_cap check (used >= 0 and (cap is null or used <= cap))
) with (fillfactor = 20);

-- Double entry by row shape: a transfer has a debit and a credit account of one franchise and one
-- currency. One row is entry, redemption, claim, idempotency record, lot and outbox entry.
create table transfer (
    franchise int not null,
    transfer bigint generated always as identity,
    kind text not null constraint transfer_kind check (kind in ('redeem', 'capture')),
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
    constraint transfer_pk primary key (franchise, transfer),
    constraint transfer_two_sides check (debit <> credit),
    constraint transfer_names_its_voucher check (
        (kind = 'redeem') = (voucher is not null and revision is not null
            and priority is not null and expires_at is not null)),
    constraint transfer_debit foreign key (franchise, debit, currency)
        references account (franchise, account, currency),
    constraint transfer_credit foreign key (franchise, credit, currency)
        references account (franchise, account, currency),
    constraint transfer_terms foreign key
        (franchise, voucher, revision, currency, amount, debit)
        references voucher_revision (franchise, voucher, revision, currency, amount, source)
);
create unique index transfer_key on transfer (franchise, key);
-- Credit first, so that the claims of an account are its lots and most of its statement, too; what
-- else an account receives or spends is in the two after it, at no cost to a redemption.
create unique index transfer_claim on transfer (franchise, credit, voucher)
    where voucher is not null;
create index transfer_received on transfer (franchise, credit, transfer) where voucher is null;
create index transfer_spent on transfer (franchise, debit, transfer) where voucher is null;
create index transfer_xid on transfer using brin (xid)
    with (pages_per_range = 16, autosummarize = on);
create trigger transfer_append_only before update or delete on transfer
    for each row execute function append_only();
create trigger transfer_no_truncate before truncate on transfer
    execute function append_only();
