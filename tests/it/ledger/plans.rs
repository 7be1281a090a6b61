//! No call reads a table that grows with customers or with time from end to end.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::{Books, books};

/// Twenty thousand customers, each with ten redemptions of one of two thousand vouchers and a
/// period that is over and paid.
const HISTORY: &str = "
    set session_replication_role = replica;
    insert into organization (franchise, organization, tenant, sovereign, cluster, awake_since)
        select 1, 'past-' || n, 'past-' || n, 'catalyst-zero', 'cluster-zero', now()
        from generate_series(1, 20000) as n;
    insert into account (franchise, kind, organization, currency, posted)
        select 1, 'customer', organization, 'OMR', 991000 from organization
        where organization like 'past-%';
    create temporary table past as
        select account, organization, row_number() over () as n,
            (select s.account from account s where s.kind = 'promotion') as source,
            (select r.account from account r where r.kind = 'revenue') as revenue
        from account where organization like 'past-%';
    insert into voucher (franchise, digest, hint, secret, sovereign, currency, amount, source,
        holder, last_holder, holder_uid, holder_generation)
    select 1, sha256(('PAST-' || n)::bytea), 'PAST-' || n, false, 'catalyst-zero', 'OMR', 100000,
        source, 'past-' || n, 'past-' || n, 'uid', 1 from past where n <= 2000;
    insert into voucher_revision (franchise, voucher, revision, currency, amount, source, state,
        accepted_at)
    select franchise, voucher, 1, currency, amount, source, 'Active', now() from voucher
        where hint like 'PAST-%';
    insert into voucher_counter (franchise, voucher, revision, open, used)
        select franchise, voucher, 1, true, 100 from voucher where hint like 'PAST-%';
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response,
        voucher, revision, priority, expires_at)
    select 1, 'redeem', p.source, p.account, 'OMR', 100000, now(), 'past/' || n || '/' || g, '{}',
        v.voucher, 1, 10, 'infinity'
    from generate_series(0, 9) as g cross join past p
    join voucher v on v.hint = 'PAST-' || (1 + (n * 10 + g) % 2000);
    insert into orders (franchise, organization, period, step, account, currency, amount, price,
        sovereign, plan, revision, ordered_at)
    select 1, organization, 1, 0, account, 'OMR', 9000, 9000, 'catalyst-zero', 'm', 1, now()
        from past;
    insert into order_line select 1, ord, 1, 'plan m', 9000 from orders;
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response)
    select 1, 'capture', account, revenue, 'OMR', 9000, now(), 'capture/past-' || n, '{}' from past;
    insert into hold (franchise, ord, attempt, account, currency, amount, state, held_at, lapses_at,
        capture)
    select 1, o.ord, 1, o.account, 'OMR', 9000, 'captured', now(), now(), x.transfer
    from orders o join transfer x on x.kind = 'capture' and x.debit = o.account;
    insert into period (franchise, organization, period, anchor, months, starts_at, ends_at, ord,
        response)
    select 1, organization, 1, t.at, 1, t.at, t.at + interval '1 month', ord, '{}'
    from orders, (values (timestamptz '2026-01-01 00:00+00')) as t (at);
    insert into inventory select 1, organization, 'cluster-zero', kind, 'ns', organization, 'uid'
    from past, unnest(array['a', 'b']) as kind;
    insert into lot_use (franchise, lot, granted, used)
        select 1, transfer, amount, 0 from transfer where voucher is not null;
    insert into hold_line select h.franchise, h.ord, 1, x.transfer, 1
        from hold h join transfer x on x.credit = h.account;
    insert into deletion select 1, 'past-' || n, 'Tenant', now() - interval '40 minutes',
        n % 2 = 0, null, null, now() - interval '40 minutes' from generate_series(1, 20000) as n;
    set session_replication_role = origin;
    select brin_summarize_new_values('transfer_xid');
    analyze";
const GROWING: &str = "'account', 'deletion', 'hold', 'hold_line', 'inventory', 'lot_use', \
                       'orders', 'organization', 'period', 'transfer', 'voucher', \
                       'voucher_counter', 'voucher_revision'";
/// Rows of one table that a call may read: less than any of them has, more than the outbox reads to
/// see what is new (sixteen pages).
const ROWS_MAX: u32 = 1500;
/// In an order in which each finds something to do.
const CALLS: &[&str] = &[
    "redeem_v1('omantel', null, 'k-1', sha256('PAST-5'), 'past-7', 'catalyst-zero', 'm')",
    "redeem_batch_v1('omantel', null, array['k-2', 'k-3', 'past/9/1'], \
        array[sha256('PAST-5'), sha256('PAST-6'), sha256('PAST-7')], \
        array['past-8', 'past-9', 'past-9'], \
        array['catalyst-zero', 'catalyst-zero', 'catalyst-zero'], array['m', 'm', 'm'])",
    "order_v1('omantel', null, 'past-7', 'catalyst-zero', 'm')",
    "redeem_and_hold_v1('omantel', null, 'past-7', 'catalyst-zero', 'm', \
        LAST_ORDER, 1, array[sha256('PAST-9')])",
    "capture_v1('omantel', null, LAST_ORDER)",
    "release_v1('omantel', null, LAST_ORDER)",
    "observe_tenant_v1('omantel', 'past-7', 'past-7', 'catalyst-zero', 'm', '7 days', \
        array[100], array[sha256('PAST-5')], array['past-5'])",
    "observe_voucher_v1('omantel', 'catalyst-zero', 'past-5', sha256('PAST-5'))",
    "claim_v1('omantel', null, 'past-11', 'past-11', 'catalyst-zero', '7 days')",
    "claim_v1('omantel', null, 'newcomer', 'newcomer', 'catalyst-zero', '7 days')",
    "leave_v1('omantel', null, 'past-12', 'past-12')",
    "journal_v1('omantel', null, 'past-13', 'cluster-zero', \
        '[{\"kind\": \"c\", \"namespace\": \"n\", \"name\": \"x\", \"uid\": \"u\"}]')",
    "forget_v1('omantel', null, 'past-13', 'cluster-zero', \
        '[{\"kind\": \"c\", \"namespace\": \"n\", \"name\": \"x\", \"uid\": \"u\"}]')",
    "accept_voucher_v1('omantel', null, 'past-5', 'uid', 2, sha256('PAST-5'), 'PAST-5', \
        false, 'catalyst-zero', 'OMR', 100000, 5000, null, '-infinity', 'infinity', null, null, \
        false, 'Paused')",
    "retire_v1('omantel', null, 'past-6')",
    "credit_v1('omantel', 'c', 'why', 'who', 'past-14', 'OMR', 5, null)",
    "reverse_v1('omantel', 'r', 'why', 'who', 21)",
    "close_v1('omantel', 'x', 'why', 'who', 'past-12', 'OMR')",
    "statement_v1('omantel', 'past-7', null)",
    "observe_deletions_v1('omantel', 'past-7', now())",
    "judge_deletion_v1('omantel', null, 'Tenant', 'new', now(), false, null)",
    "judge_deletion_v1('omantel', null, 'Tenant', 'past-7', now(), false, null)",
    "answer_deletion_v1('omantel', null, 'past-8', 'keep')",
    "forget_word_v1('omantel', null)",
    "changes_v1(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)",
];

#[tokio::test]
async fn no_call_reads_through_a_table_that_grows() {
    let books = books().await;
    let mut admin = PgConnection::connect(&books.database.url).await.unwrap();
    admin.execute("set search_path = ledger").await.unwrap();
    admin.execute(sqlx::raw_sql(HISTORY)).await.unwrap();
    // What began before it ended, anywhere on the server, makes the outbox look at it again.
    let passed = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint > \
                  (select max(xid) from ledger.transfer)";
    while !books.database.one::<bool>(passed).await {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for call in CALLS {
        let read = tables_read_through(&books, call).await;
        assert!(read.is_empty(), "{call} reads too much of {read:?}");
    }
}

#[tokio::test]
async fn a_lookup_without_its_index_is_noticed() {
    let books = books().await;
    let mut admin = PgConnection::connect(&books.database.url).await.unwrap();
    admin.execute("set search_path = ledger").await.unwrap();
    admin.execute(sqlx::raw_sql(HISTORY)).await.unwrap();
    books.database.mutate("drop index transfer_spent").await;
    let read = tables_read_through(&books, "statement_v1('omantel', 'past-7', null)").await;
    assert_eq!(read, ["transfer"]);
}

/// The growing tables of which a call reads more than it should, in a session as the program has
/// it. What the call did stands afterwards.
async fn tables_read_through(books: &Books, call: &str) -> Vec<String> {
    let mut app = PgConnection::connect(&books.database.url).await.unwrap();
    let order: i64 = books.database.one("select max(ord) from orders").await;
    let call = call.replace("LAST_ORDER", &order.to_string());
    app.execute("set role catalyst_app").await.unwrap();
    let mut transaction = app.begin().await.unwrap();
    let call = AssertSqlSafe(format!("select * from ledger.{call}"));
    transaction.execute(call).await.unwrap();
    let query = format!(
        "select relname::text from pg_stat_xact_user_tables \
         where seq_tup_read + coalesce(idx_tup_fetch, 0) > {ROWS_MAX} \
         and relname in ({GROWING}) order by 1"
    );
    let read = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    read
}
