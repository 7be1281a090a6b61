//! Sealed blocks: what is committed is sealed, no slow transaction slips behind a seal, and whoever
//! edits, deletes or inserts a row is found.
//!
//! They have a `PostgreSQL` of their own: an open transaction of any database holds seals back.

use std::{sync::OnceLock, time::Duration};

use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Books, World, books_on, database, word};

async fn books() -> Books {
    static ALONE: OnceLock<World> = OnceLock::new();
    let world = ALONE.get_or_init(|| World::private(&["--no-cluster"]));
    books_on(database(world).await).await
}

/// For tests that hold a transaction open, or need that nobody does.
async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}

/// Books with a voucher, and a customer for each redemption of it that is to come.
async fn with_customers(customers: usize) -> Books {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.voucher("SLOW").issued().await;
    for number in 0..customers {
        books.organization(&format!("customer-{number}")).await;
    }
    books
}

impl Books {
    async fn redeem_as(&self, number: usize) {
        assert_eq!(self.redeem("LAUNCH", &format!("customer-{number}")).await, "Redeemed");
    }

    /// Seals until so many entries are sealed: other tests have open transactions for a while.
    async fn seal_all(&self, wanted: i64) {
        let sealed = async {
            while self.sealed().await < wanted {
                self.door.seal().await.expect("the ledger serves");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let sealed_in_time = tokio::time::timeout(Duration::from_secs(30), sealed).await;
        assert!(sealed_in_time.is_ok(), "{} of {wanted} are sealed", self.sealed().await);
    }

    async fn sealed(&self) -> i64 {
        self.database
            .one("select coalesce(sum(cardinality(transfers)), 0)::bigint from block")
            .await
    }

    /// What the seals say against the ledger.
    async fn unsound(&self) -> Vec<(String, String)> {
        let violations = self.database.store.verify_sealed().await.expect("the ledger serves");
        violations.into_iter().map(|violation| (violation.invariant, violation.what)).collect()
    }
}

#[tokio::test]
async fn what_is_committed_is_sealed_once_in_a_chain_per_franchise() {
    let books = with_customers(3).await;
    let other = books.franchise("muscat").await;
    other.rich_organization("kestrel").await;
    books.redeem_as(0).await;
    books.seal_all(2).await;
    books.redeem_as(1).await;
    books.redeem_as(2).await;
    books.seal_all(4).await;
    assert_eq!(books.door.seal().await.unwrap(), 0, "nothing is left to seal");

    let seals = books.database.store.seals(&[("omantel", 1)]).await.unwrap();
    assert_eq!(seals.sealed_on.as_ref(), Some(&seals.server));
    let [muscat, omantel] = &seals.franchises[..] else { panic!("{seals:?}") };
    assert_eq!(omantel.head.as_ref().unwrap().entries, 3);
    assert_eq!(muscat.head.as_ref().unwrap().entries, 1);
    assert_ne!(omantel.anchored.as_ref(), Some(&omantel.head.as_ref().unwrap().hash));
    assert_eq!(muscat.anchored, None);
    assert_eq!(books.unsound().await, []);
    let chained = "block b join block p on p.franchise = b.franchise and p.hash = b.prev \
                   where b.block = p.block + 1";
    assert!(books.count(chained).await >= 1);
}

#[tokio::test]
async fn a_slow_transaction_holds_the_seals_back_and_never_slips_behind_them() {
    let _turn = turn().await;
    let books = with_customers(3).await;
    books.redeem_as(0).await;
    books.seal_all(1).await;
    let mut slow = slow_redemption(&books).await;
    books.redeem_as(2).await;
    assert_eq!(books.door.seal().await.unwrap(), 0, "one waits that may come before the other");
    slow.execute("commit").await.unwrap();
    books.seal_all(3).await;
    assert_eq!(books.unsound().await, []);
}

/// A connection on which a redemption is made and not committed.
async fn slow_redemption(books: &Books) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
    let mut slow = books.database.admin.acquire().await.unwrap();
    slow.execute("begin").await.unwrap();
    let redeem = "select redeem_v1('omantel', null, 'slow', sha256('SLOW'), 'customer-1', \
                  'catalyst-zero', 'm')::text";
    let said: String = sqlx::query_scalar(redeem).fetch_one(&mut *slow).await.unwrap();
    assert!(said.contains("Redeemed"), "{said}");
    slow
}

/// The mutants of the bound: one seals what has ended and forgets what has not, and one goes by
/// numbers, as if they were given in the order of commits.
#[tokio::test]
async fn a_seal_that_does_not_wait_for_the_slow_is_found_out() {
    let _turn = turn().await;
    let xmin = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
    let range = "x.xid >= p_from and x.xid < p_to and x.transfer > p_after";
    let last = "x.transfer > (select coalesce(max(t), 0) from block h, unnest(h.transfers) t \
                where h.franchise = x.franchise)";
    let ended = ("seal_v1", xmin, "pg_snapshot_xmax(pg_current_snapshot())::text::bigint");
    for mutants in [vec![ended], vec![ended, ("seal_range", range, last)]] {
        let books = with_customers(3).await;
        for (function, part, by) in mutants {
            books.database.mutate_function(function, part, by).await;
        }
        books.redeem_as(0).await;
        books.seal_all(1).await;
        let mut slow = slow_redemption(&books).await;
        books.redeem_as(2).await;
        books.seal_all(2).await;
        slow.execute("commit").await.unwrap();
        assert_eq!(books.door.seal().await.unwrap(), 0);
        assert_eq!(books.sealed().await, 2, "the slow one slipped behind the seals");
        let found = books.unsound().await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.contains("inserted behind the seals"), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sealers_at_once_make_one_chain() {
    let _turn = turn().await;
    let books = with_customers(40).await;
    let done = std::sync::atomic::AtomicBool::new(false);
    let seal = async || {
        let store = books.database.another_store(1);
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            store.door().seal().await.unwrap();
        }
    };
    let redeem = async {
        for number in 0..40 {
            books.redeem_as(number).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    tokio::join!(seal(), seal(), redeem);
    books.seal_all(40).await;
    assert!(books.count("block").await > 2);
    assert_eq!(books.unsound().await, []);
    assert_eq!(books.sealed().await, 40);
}

/// Damage that only a superuser can do, and what must be said of it. Blocks 1 to 3 seal the
/// transfers 1 to 3.
const DAMAGE: &[(&str, &str, &str)] = &[
    (
        "update transfer set amount = 1 where transfer = 2",
        "a sealed entry is as it was",
        "transfer 2 of block 2 was edited",
    ),
    (
        "update transfer set xid = 1 where transfer = 2",
        "a sealed entry is as it was",
        "transfer 2 of block 2 was edited",
    ),
    (
        "delete from transfer where transfer = 3",
        "a sealed entry is as it was",
        "transfer 3 of block 3 was deleted",
    ),
    (
        "drop index transfer_claim; insert into transfer overriding system value \
         select franchise, 100, kind, debit, credit, currency, amount, at, epoch, xid, \
         'forged', response, voucher, revision, priority, expires_at \
         from transfer where transfer = 2",
        "a sealed entry is as it was",
        "transfer 100 was inserted behind the seals",
    ),
    (
        "update block set sealed_at = sealed_at - interval '1 s' where block = 2",
        "a block is as it was sealed",
        "block 2 was edited",
    ),
    (
        "update block set leaves = array[gen_random_uuid()] where block = 3",
        "a block is as it was sealed",
        "block 3 was edited",
    ),
    (
        "update block b set to_xid = 9999, \
         hash = sealed(jsonb_populate_record(b, '{\"to_xid\": 9999}')) where block = 2",
        "a block follows the one before it",
        "block 3 continues another block 2",
    ),
    ("delete from block where block = 2", "a block follows the one before it", "block 2 is gone"),
    ("delete from block where block = 1", "a block follows the one before it", "block 1 is gone"),
    (
        "alter table block drop constraint block_chain, drop constraint block_pk, \
         drop constraint block_once; \
         insert into block select * from block where block = 2",
        "a chain does not fork",
        "block 2 is there twice",
    ),
    (
        "update block set entries = 99 where block = 3",
        "a block follows the one before it",
        "block 3 continues another block 2",
    ),
];

#[tokio::test]
async fn every_row_that_does_not_agree_with_its_seal_is_named() {
    let books = with_three_blocks().await;
    assert_eq!(books.unsound().await, []);
    let mut unnoticed = vec![];
    for (damage, invariant, row) in DAMAGE {
        let found = found_after(&books, damage).await;
        if !found.iter().any(|(found, what)| found == invariant && what.contains(row)) {
            unnoticed.push(format!("{damage}: {found:?}"));
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    assert_eq!(books.unsound().await, []);
}

async fn with_three_blocks() -> Books {
    let books = with_customers(3).await;
    for number in 0..3 {
        books.redeem_as(number).await;
        books.seal_all(i64::try_from(number).unwrap() + 1).await;
    }
    books
}

/// Does the damage with triggers and foreign keys off, looks, and takes it back.
async fn found_after(books: &Books, damage: &str) -> Vec<(String, String)> {
    let mut transaction = books.database.admin.begin().await.unwrap();
    transaction.execute("set local session_replication_role = replica").await.unwrap();
    let done = transaction.execute(AssertSqlSafe(damage)).await;
    assert!(done.is_ok(), "{damage}: {done:?}");
    let audit = "select invariant, what from verify_sealed_v1()";
    let found = sqlx::query_as(audit).fetch_all(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    found
}

#[tokio::test]
async fn no_column_of_an_entry_or_a_block_can_be_changed_unnoticed() {
    let books = with_three_blocks().await;
    for (table, hash, own) in [("transfer", "leaf", ""), ("block", "sealed", "before hash")] {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select attname::text, format_type(atttypid, null) from pg_attribute \
             where attrelid = $1::regclass and attnum > 0 and not attisdropped",
        )
        .bind(table)
        .fetch_all(&books.database.admin)
        .await
        .unwrap();
        assert!(columns.len() > 10, "{columns:?}");
        for (column, kind) in columns {
            let other = match kind.as_str() {
                "text" => "\"other\"",
                "timestamp with time zone" => "\"2001-01-01T00:00:00Z\"",
                "bytea" => "\"\\\\x0f\"",
                "bigint[]" => "[77]",
                "uuid[]" => "[\"7a0c1d1e-0000-4000-8000-000000000000\"]",
                _ => "77",
            };
            // Its place in the chain and its own hash are held by constraints.
            if own.split(' ').any(|own| own == column) {
                continue;
            }
            let edited = format!("jsonb_populate_record(x, '{{\"{column}\": {other}}}')");
            let same = format!("select {hash}(x) = {hash}({edited}) from {table} x limit 1");
            assert!(!books.database.one::<bool>(&same).await, "{table}.{column} is not sealed");
        }
    }
}

#[tokio::test]
async fn the_hash_of_an_entry_does_not_depend_on_the_session() {
    let books = with_three_blocks().await;
    let mut session = books.database.admin.acquire().await.unwrap();
    session
        .execute(
            "set timezone = 'Asia/Muscat'; set datestyle = 'German'; set extra_float_digits = 0",
        )
        .await
        .unwrap();
    let audit = "select invariant, what from verify_sealed_v1()";
    let found: Vec<(String, String)> =
        sqlx::query_as(audit).fetch_all(&mut *session).await.unwrap();
    assert_eq!(found, []);
}

#[tokio::test]
async fn many_entries_are_sealed_in_blocks_of_a_bounded_size() {
    let books = with_customers(1).await;
    books.redeem_as(0).await;
    // One redemption, copied as if 2500 customers had made it in transactions of 100.
    let copy = "set session_replication_role = replica; drop index transfer_claim; \
                insert into transfer overriding system value select franchise, n + 1, kind, debit, \
                credit, currency, amount, at, epoch, xid - 30 + n / 100, 'copy/' || n, response, \
                voucher, revision, priority, expires_at \
                from transfer, generate_series(1, 2499) as n; reset session_replication_role";
    books.database.mutate(copy).await;
    let sealed = async || {
        let sealed =
            books.database.one::<String>("select (seal_v1(1000)).detail ->> 'entries'").await;
        sealed.parse::<i64>().unwrap()
    };
    let begun = std::time::Instant::now();
    let (mut total, mut blocks) = (0, 0);
    while total < 2500 {
        let entries = sealed().await;
        assert!(entries <= 1100, "{entries}");
        (total, blocks) = (total + entries, blocks + i64::from(entries > 0));
        assert!(begun.elapsed() < Duration::from_secs(30), "{total} entries are sealed");
    }
    assert!(blocks >= 3, "{blocks}");
    assert_eq!(books.unsound().await, []);
}

/// A dump that was restored on another server: the rows are the same and transaction ids begin
/// anew, so that those of new rows are lower than those that are sealed.
#[tokio::test]
async fn on_another_server_nothing_is_sealed_until_a_person_decides_and_then_goes_on() {
    let books = with_three_blocks().await;
    books.organization("later").await;
    let restored = "set session_replication_role = replica; \
                    update incarnation set server = 'another'; \
                    update transfer set xid = xid + 1000000 where transfer > 1; \
                    delete from block where block > 1; reset session_replication_role";
    books.database.mutate(restored).await;
    assert_eq!(books.door.seal().await.unwrap(), 0);
    let seals = books.database.store.seals(&[]).await.unwrap();
    let why = seals.distrust("omantel", None).expect("it moved");
    assert!(why.contains("database server another"), "{why}");
    assert!(books.door.freeze(("omantel", None), &why).await.unwrap());
    assert_eq!(word(&books.door.thaw("omantel", "moved", "amal").await.unwrap()), "Thawed");

    // What came with the dump is sealed by the decision, and what comes is sealed by its own count.
    assert_eq!(books.sealed().await, 3);
    assert_eq!(books.redeem("LAUNCH", "later").await, "Redeemed");
    books.seal_all(4).await;
    assert_eq!(books.unsound().await, []);
    let forged = "update transfer set amount = 1 where transfer = 3";
    assert_eq!(found_after(&books, forged).await[0].1, "transfer 3 of block 2 was edited");
    let late = "insert into transfer overriding system value select franchise, 0, kind, debit, \
                credit, currency, amount, at, epoch, xid, 'late', response, voucher, revision, \
                priority, expires_at from transfer where transfer = 4";
    let late = format!("drop index transfer_claim; {late}");
    assert_eq!(found_after(&books, &late).await.len(), 1);
}
