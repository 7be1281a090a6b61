//! A voucher is never redeemed more often than its cap says, however many try at once.

use std::sync::Arc;

use catalyst_operator::store::Store;
use futures::{StreamExt as _, future::join_all, stream};
use tokio::sync::Barrier;

use crate::support::{Books, books, word};

const CALLERS: usize = 200;
const CAP: i64 = 50;
/// Connections of each Store, two for the two lanes of its door.
const CONNECTIONS: u32 = 2;
/// Processes whose calls share commits, many to each.
const TWO: usize = 2;
/// Processes enough to break a rule that does not hold.
const MANY: usize = 40;

/// What keeps the cap, where one redeems and where many do.
const GUARDS: [(&str, &str); 2] = [
    ("redeem_one", "and (c.cap is null or c.used < c.cap)"),
    ("redeem_batch_v1", "and (c.cap is null or c.used + e.n <= c.cap)"),
];

/// What a race came to.
#[derive(Debug, PartialEq, Eq)]
struct Race {
    redeemed: usize,
    limit_reached: usize,
    counted: i64,
    rows: i64,
    violations: usize,
}

const WON_BY_FIFTY: Race =
    Race { redeemed: 50, limit_reached: 150, counted: 50, rows: 50, violations: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_of_two_processes_redeem_a_cap_of_fifty_exactly() {
    let books = books().await;
    assert_eq!(race(&books, TWO).await, WON_BY_FIFTY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_of_forty_processes_redeem_a_cap_of_fifty_exactly() {
    let books = books().await;
    assert_eq!(race(&books, MANY).await, WON_BY_FIFTY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_guard_the_same_race_goes_beyond_the_cap() {
    for (function, guard) in GUARDS {
        let books = books().await;
        books.database.mutate("alter table voucher_counter drop constraint voucher_cap").await;
        books.database.mutate_function(function, guard, "").await;
        let race = race(&books, MANY).await;
        assert!(race.redeemed > 50 && race.violations > 0, "{function}: {race:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_guard_the_constraint_still_keeps_the_cap() {
    for (function, guard) in GUARDS {
        let books = books().await;
        books.database.mutate_function(function, guard, "").await;
        let race = race(&books, MANY).await;
        let came_to = (race.redeemed, race.counted, race.violations);
        assert_eq!(came_to, (50, 50, 0), "{function}: {race:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_does_not_compare_what_it_hit_drifts_from_its_counter() {
    let books = books().await;
    books
        .database
        .mutate_function("redeem_batch_v1", "if hit <> meant then", "if false then")
        .await;
    let race = race(&books, MANY).await;
    assert!(race.rows > race.counted && race.violations > 0, "{race:?}");
}

/// Releases all callers at once, each for an account of its own, spread over the Stores of so many
/// processes.
async fn race(books: &Books, processes: usize) -> Race {
    books.voucher("LAUNCH").cap(CAP).issued().await;
    stream::iter(0..CALLERS)
        .for_each_concurrent(8, |caller| async move {
            books.organization(&format!("caller-{caller}")).await;
        })
        .await;
    let stores: Vec<Store> =
        (0..processes).map(|_| books.database.another_store(CONNECTIONS)).collect();
    let each: Vec<_> = stores.iter().map(|store| (store, CONNECTIONS)).collect();
    books.database.open_all(&each).await;
    let doors: Vec<_> = stores.iter().map(Store::door).collect();
    let barrier = Arc::new(Barrier::new(CALLERS));
    let callers = (0..CALLERS).map(|caller| {
        let books = Books { door: doors[caller % processes].clone(), ..books.clone() };
        let barrier = barrier.clone();
        tokio::spawn(async move {
            let organization = format!("caller-{caller}");
            barrier.wait().await;
            books.redeem_under(&organization, "LAUNCH", &organization).await
        })
    });
    let answers = join_all(callers).await;
    let said = |wanted: &str| {
        let said = |it: &Result<_, _>| it.as_ref().is_ok_and(|it| word(it) == wanted);
        answers.iter().filter(|it| said(it.as_ref().unwrap())).count()
    };
    Race {
        redeemed: said("Redeemed"),
        limit_reached: said("LimitReached"),
        counted: books.lineage("LAUNCH").await.unwrap().used,
        rows: books.count("transfer where kind = 'redeem'").await,
        violations: books.database.store.verify().await.unwrap().len(),
    }
}
