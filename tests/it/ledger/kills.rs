//! A backend that is killed while an operation waits at any of its locks, or right after it
//! committed: the same call again finds the one true outcome, once.

use std::time::Duration;

use catalyst_operator::{
    domain::money::Money,
    store::{Answer, Error, VoucherTerms, Why},
};
use futures::future::{BoxFuture, join_all};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Books, Database, books, word};

/// What an operation stands on is there already.
struct Scene {
    books: Books,
    /// Of kestrel, which is held.
    order: i64,
    /// The newest entry that grants credit.
    entry: i64,
}

type Call = for<'a> fn(&'a Scene) -> BoxFuture<'a, Result<Answer, Error>>;

/// Each operation, the word for what it does, and the tables at whose rows it can wait.
const OPERATIONS: [(&str, Call, &str, &[&str]); 10] = [
    ("redeem", redeem, "Redeemed", &["account", "voucher_counter"]),
    ("hold", hold, "Held", &["account", "voucher_counter"]),
    ("order", order, "Ordered", &["account"]),
    ("capture", capture, "Captured", &["account", "hold", "lot_use"]),
    ("release", release, "Released", &["account", "hold", "orders", "lot_use"]),
    ("credit", credit, "Credited", &["account"]),
    ("reverse", reverse, "Reversed", &["account"]),
    ("close", close, "Closed", &["account"]),
    ("accept", accept, "Accepted", &["voucher", "voucher_counter"]),
    ("retire", retire, "Retired", &["voucher", "voucher_counter"]),
];

fn why(key: &str) -> Why {
    Why { key: key.to_owned(), reason: "goodwill".to_owned(), actor: "noor".to_owned() }
}

fn redeem(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(on.books.redeem_under("key", "LAUNCH", "kestrel"))
}

fn hold(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(on.books.redeem_and_hold("kestrel", (on.order, 1), &["LAUNCH"]))
}

fn order(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(on.books.door.order(&on.books.namespace, "falcon", "catalyst-zero", "m"))
}

fn capture(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(on.books.door.capture(&on.books.namespace, on.order))
}

fn release(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(on.books.door.release(&on.books.namespace, on.order))
}

fn credit(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(async {
        let amount = Money::parse("5.000 OMR").unwrap();
        on.books.door.credit((&on.books.namespace, "kestrel"), &amount, None, &why("credit")).await
    })
}

fn reverse(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(async { on.books.door.reverse(&on.books.namespace, on.entry, &why("reverse")).await })
}

fn close(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(async {
        on.books.door.close((&on.books.namespace, "falcon"), "OMR", &why("close")).await
    })
}

fn accept(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(async {
        let issue = on.books.voucher("LAUNCH").cap(7).generation(2);
        let code = issue.voucher.code.code().unwrap();
        on.books.door.accept_voucher(VoucherTerms(&issue.voucher, code)).await
    })
}

fn retire(on: &Scene) -> BoxFuture<'_, Result<Answer, Error>> {
    Box::pin(on.books.door.retire(&on.books.namespace, "launch"))
}

/// A franchise of its own in one ledger, since a database for each would take long to make.
async fn scene(ledger: &Books, operation: &str) -> Scene {
    let number = ledger.count("franchise").await;
    let books = Books { namespace: format!("franchise-{number}"), ..ledger.clone() };
    books.sell("catalyst-zero", "OMR", &format!("cluster-{number}")).await;
    books.rich_organization("kestrel").await;
    books.voucher("LAUNCH").issued().await;
    books.organization("falcon").await;
    if operation == "close" {
        assert_eq!(books.redeem("WELCOME", "falcon").await, "Redeemed");
        assert_eq!(books.leave("falcon", "falcon").await, "Left");
    }
    let order = books.ordered("kestrel", "m").await;
    let mut scene = Scene { books, order, entry: 0 };
    if operation != "hold" {
        assert_eq!(scene.books.hold("kestrel", order, 1).await, "Held");
    }
    let six = Money::parse("6.000 OMR").unwrap();
    let namespace = scene.books.namespace.clone();
    let kestrel = (namespace.as_str(), "kestrel");
    scene.books.door.credit(kestrel, &six, None, &why("earlier")).await.unwrap();
    scene.entry = scene.books.database.one("select max(transfer) from transfer").await;
    scene
}

/// Everything that an operation could have done, but for times and the numbers of rows.
async fn state(books: &Books) -> String {
    let rows = [
        ("account", "kind, organization, posted, '/', held, suspended", "kind, organization"),
        ("transfer", "kind, amount, split_part(key, '/', 1)", "amount, kind"),
        ("voucher_counter", "open, revision, cap, used, spent", "voucher"),
        ("orders", "organization, period, step, plan, voided", "organization, voided"),
        ("hold", "attempt, state", "ord"),
        ("period", "organization, period", "period"),
        ("voucher_revision", "revision, state", "voucher, revision"),
        ("correction", "kind, key", "key"),
    ];
    let of = "franchise = (select franchise from franchise where namespace =";
    let parts = rows.map(|(table, columns, order)| {
        let namespace = &books.namespace;
        format!(
            "(select string_agg(concat({columns}), ',' order by {order}) from {table} \
             where {of} '{namespace}'))"
        )
    });
    books.database.one(&format!("select concat_ws('; ', {})", parts.join(", "))).await
}

/// What the operation comes to when nobody disturbs it: its answer, and the ledger after it.
async fn undisturbed(ledger: &Books, operation: &str, call: Call, done: &str) -> String {
    let scene = scene(ledger, operation).await;
    let answer = call(&scene).await.unwrap();
    assert_eq!(word(&answer), done, "{operation}");
    state(&scene.books).await
}

/// What the ledger comes to after an operation that was disturbed, and is asked for once more.
async fn settled(scene: Scene, operation: &str, call: Call, answer: Answer) -> String {
    let again = call(&scene).await.unwrap();
    assert_eq!(word(&again), word(&answer), "{operation}");
    // A hold says what there is to spend now, and not what there was.
    assert!(again == answer || operation == "hold", "{operation}: {answer:?}, then {again:?}");
    scene.books.assert_sound().await;
    state(&scene.books).await
}

/// Kills the backends of the program that this condition finds, and says how many there were.
async fn kill(database: &Database, which: &str) -> i64 {
    let kill = format!(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity \
         where datname = current_database() and application_name = 'catalyst-operator' and {which}"
    );
    database.one(&kill).await
}

/// Runs the operation into a lock that somebody else has on this table, and kills it there. The
/// door makes the call again by itself, as its caller would.
async fn killed_at(ledger: &Books, table: &str, operation: &str, call: Call) -> String {
    let scene = scene(ledger, operation).await;
    let database = &scene.books.database;
    let mut other = database.admin.begin().await.unwrap();
    let park = format!("select from {table} for update");
    other.execute(AssertSqlSafe(park)).await.unwrap();
    let disturb = async {
        database.await_waiting(1).await;
        assert_eq!(kill(database, "wait_event_type = 'Lock'").await, 1, "{operation} at {table}");
        // The call that replaces it waits at the same lock, and then does not.
        database.await_waiting(1).await;
        other.rollback().await.unwrap();
    };
    let (answer, ()) = tokio::join!(call(&scene), disturb);
    settled(scene, operation, call, answer.unwrap()).await
}

/// Kills the backend between its commit and its answer: there it waits for a standby that is not,
/// since the server is told to (`World::shared`) and this database does not say otherwise.
async fn killed_after_the_commit(ledger: &Books, operation: &str, call: Call) -> String {
    let mut scene = scene(ledger, operation).await;
    let database = scene.books.database.clone();
    let before = state(&scene.books).await;
    let waits = |word: &str| {
        format!(
            "do $$ begin execute format('alter database %I {word}', current_database()); end $$"
        )
    };
    database.mutate(&waits("set synchronous_commit = on")).await;
    // One connection, so that the call is made again on one that waits for nobody.
    scene.books.door = database.another_store(1).door();
    let disturb = async {
        let committed = "pg_stat_activity where datname = current_database() \
                         and wait_event = 'SyncRep'";
        let wait = async {
            while scene.books.count(committed).await == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(9), wait).await.expect("it commits");
        database.mutate(&waits("reset synchronous_commit")).await;
        assert_eq!(kill(&database, "wait_event = 'SyncRep'").await, 1, "{operation}");
    };
    let (answer, ()) = tokio::join!(call(&scene), disturb);
    assert_ne!(state(&scene.books).await, before, "{operation}");
    settled(scene, operation, call, answer.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_is_killed_at_a_lock_or_after_its_commit_happens_once() {
    let proofs = OPERATIONS.map(async |(operation, call, done, tables)| {
        let ledger = books().await;
        let wanted = undisturbed(&ledger, operation, call, done).await;
        for table in tables {
            let found = killed_at(&ledger, table, operation, call).await;
            assert_eq!(found, wanted, "{operation} at {table}");
        }
        let found = killed_after_the_commit(&ledger, operation, call).await;
        assert_eq!(found, wanted, "{operation} after its commit");
    });
    join_all(proofs).await;
}
