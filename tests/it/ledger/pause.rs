//! After a pause is acknowledged, not one more redemption commits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use sqlx::Executor as _;

use crate::support::{Books, books};

const WRITERS: usize = 12;
/// Processes through which six redemptions go each alone, or all together.
const SIX: u32 = 6;
const ONE: u32 = 1;

/// Redemptions at the moment of the acknowledgement, and when all writers had ended.
#[derive(Debug, PartialEq, Eq)]
struct Pause {
    acknowledged_at: i64,
    in_the_end: i64,
}

#[tokio::test]
async fn a_paused_code_is_not_active_until_the_pause_ends() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").issued().await;
    books.voucher("LAUNCH").paused().generation(2).issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotActive");
    books.voucher("LAUNCH").generation(3).issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_redemption_commits_after_a_pause_is_acknowledged() {
    let books = books().await;
    let pause = pause(&books).await;
    assert!(pause.acknowledged_at > 0, "the writers had begun: {pause:?}");
    assert_eq!(pause.in_the_end, pause.acknowledged_at);
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_leaves_the_gate_open_lets_redemptions_through() {
    let books = books().await;
    let gate = "set revision = excluded.revision,\n                open = excluded.open, cap";
    books.database.mutate_function("accept_voucher_v1", gate, "set cap").await;
    let pause = pause(&books).await;
    assert!(pause.in_the_end > pause.acknowledged_at, "{pause:?}");
}

#[tokio::test]
async fn redemptions_that_wait_behind_a_pause_do_not_pass_it() {
    for processes in [SIX, ONE] {
        let books = books().await;
        assert_eq!(redemptions_behind_a_pause(&books, processes).await, 0);
        books.assert_sound().await;
    }
}

#[tokio::test]
async fn a_redemption_that_does_not_look_at_the_gate_again_passes_it() {
    for (function, judged, processes) in
        [("redeem_one", "j.revision", SIX), ("redeem_batch_v1", "e.revision", ONE)]
    {
        let books = books().await;
        books.database.mutate_function(function, "and c.open\n", "\n").await;
        let revision = format!("and c.revision = {judged} and");
        books.database.mutate_function(function, &revision, "and").await;
        assert_eq!(redemptions_behind_a_pause(&books, processes).await, 6, "{function}");
    }
}

/// Lets six redemptions find an open gate and then wait for it, in line behind a pause: each alone,
/// through a process of its own, or all in one batch. Gives how many of them commit after the
/// pause.
async fn redemptions_behind_a_pause(books: &Books, processes: u32) -> i64 {
    books.voucher("LAUNCH").issued().await;
    let organizations: Vec<_> = (0..6).map(|n| format!("waiting-{n}")).collect();
    for organization in &organizations {
        books.organization(organization).await;
    }
    let processes: Vec<Books> = (0..processes)
        .map(|_| Books { door: books.database.another_store(1).door(), ..books.clone() })
        .collect();
    let waiting = 1 + u32::try_from(processes.len()).unwrap();
    let mut gate = books.database.admin.begin().await.unwrap();
    gate.execute("select from voucher_counter for update").await.unwrap();
    let pause = async { books.voucher("LAUNCH").paused().generation(2).issued().await };
    let redeem = async {
        books.database.await_waiting(1).await;
        let each = processes.iter().cycle().zip(&organizations);
        join_all(each.map(|(books, organization)| books.redeem("LAUNCH", organization))).await
    };
    let release = async {
        books.database.await_waiting(waiting).await;
        gate.rollback().await.unwrap();
    };
    tokio::join!(pause, redeem, release);
    books.count("transfer").await
}

/// Pauses a voucher while writers redeem it in a loop, each time for another organization.
async fn pause(books: &Books) -> Pause {
    books.voucher("LAUNCH").issued().await;
    let acknowledged = Arc::new(AtomicBool::new(false));
    let store = books.database.another_store(24);
    books.database.open_all(&[(&store, 24)]).await;
    let writers = (0..WRITERS).map(|writer| {
        let books = Books { door: store.door(), ..books.clone() };
        tokio::spawn(write(books, writer, acknowledged.clone()))
    });
    let writers: Vec<_> = writers.collect();
    while books.count("transfer").await < 60 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    books.voucher("LAUNCH").paused().generation(2).issued().await;
    let acknowledged_at = books.count("transfer").await;
    acknowledged.store(true, Ordering::Relaxed);
    for ended in join_all(writers).await {
        ended.unwrap();
    }
    Pause { acknowledged_at, in_the_end: books.count("transfer").await }
}

/// Redeems until the pause has been acknowledged for a while.
async fn write(books: Books, writer: usize, acknowledged: Arc<AtomicBool>) {
    let mut left = 20;
    for turn in 0.. {
        let organization = format!("writer-{writer}-{turn}");
        books.organization(&organization).await;
        books.redeem("LAUNCH", &organization).await;
        left -= u32::from(acknowledged.load(Ordering::Relaxed));
        if left == 0 {
            return;
        }
    }
}
