//! Redemptions that found the gate of their voucher open and then wait for it, in line behind
//! something that closes it.

use catalyst_operator::store::Store;
use futures::future::join_all;
use jiff::ToSpan as _;
use sqlx::Executor as _;

use crate::support::{Books, books};

const WAITING: u32 = 6;

/// Lets redemptions judge the voucher LAUNCH, each in a process of its own, and wait behind what
/// happens first. Gives what they are told.
async fn told_behind(books: &Books, first: impl Future<Output = ()>, firsts: u32) -> Vec<String> {
    let organizations: Vec<_> = (0..WAITING).map(|n| format!("waiting-{n}")).collect();
    for organization in &organizations {
        books.organization(organization).await;
    }
    let stores: Vec<Store> = (0..WAITING).map(|_| books.database.another_store(1)).collect();
    let mut gate = books.database.admin.begin().await.unwrap();
    gate.execute("select from voucher_counter for update").await.unwrap();
    let redeem = async {
        books.database.await_waiting(firsts).await;
        let each = stores.iter().zip(&organizations).map(async |(store, organization)| {
            let books = Books { door: store.door(), ..books.clone() };
            books.redeem("LAUNCH", organization).await
        });
        join_all(each).await
    };
    let open = async {
        books.database.await_waiting(firsts + WAITING).await;
        gate.rollback().await.unwrap();
    };
    let ((), told, ()) = tokio::join!(first, redeem, open);
    told
}

fn said(told: &[String], word: &str) -> usize {
    told.iter().filter(|it| *it == word).count()
}

#[tokio::test]
async fn redemptions_that_wait_behind_a_retirement_do_not_pass_it() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    let told = told_behind(&books, books.retire("launch"), 1).await;
    assert_eq!(said(&told, "NotFound"), 6, "{told:?}");
    assert_eq!(books.count("transfer").await, 0);
}

#[tokio::test]
async fn redemptions_that_wait_behind_an_end_do_not_pass_it() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    let past = books.now().await - 1.hour();
    let end = books.voucher("LAUNCH").expires_at(past).generation(2).issued();
    let told = told_behind(&books, end, 1).await;
    assert_eq!(said(&told, "Expired"), 6, "{told:?}");
    assert_eq!(books.count("transfer").await, 0);
}

#[tokio::test]
async fn redemptions_that_wait_together_for_the_last_of_a_budget_do_not_share_it() {
    let books = books().await;
    books.voucher("LAUNCH").budget("250.000 OMR").issued().await;
    let told = told_behind(&books, async {}, 0).await;
    assert_eq!((said(&told, "Redeemed"), said(&told, "BudgetExhausted")), (2, 4), "{told:?}");
    assert_eq!(books.lineage("LAUNCH").await.unwrap().spent, 200_000);
    books.assert_sound().await;
}
