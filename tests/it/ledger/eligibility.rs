//! Terms beyond cap and window: a budget, whom a code is for, and how long its credit lasts.

use std::sync::Arc;

use futures::future::join_all;
use jiff::ToSpan as _;
use tokio::sync::Barrier;

use crate::support::{Books, books};

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn a_budget_is_granted_as_far_as_it_goes() {
    let books = books().await;
    for organization in ["kestrel", "falcon", "osprey"] {
        books.organization(organization).await;
    }
    books.voucher("LAUNCH").budget("250.000 OMR").issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
    assert_eq!(books.redeem("LAUNCH", "falcon").await, "Redeemed");
    assert_eq!(books.redeem("LAUNCH", "osprey").await, "BudgetExhausted", "50 are left of 250");
    assert_eq!(books.lineage("LAUNCH").await.unwrap().spent, 200_000);

    books.voucher("LAUNCH").budget("300.000 OMR").generation(2).issued().await;
    assert_eq!(books.redeem("LAUNCH", "osprey").await, "Redeemed");
    books.assert_sound().await;
}

#[tokio::test]
async fn a_budget_below_what_is_granted_becomes_that_and_never_vanishes() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").budget("500.000 OMR").issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
    books.voucher("LAUNCH").budget("1.000 OMR").generation(2).issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.budget, Some(100_000));
    books.voucher("LAUNCH").generation(3).issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.budget, Some(100_000));
    books.assert_sound().await;
}

#[tokio::test]
async fn a_code_for_some_plans_is_not_for_others() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LARGE").plans(&["l", "xl"]).issued().await;
    assert_eq!(books.redeem("LARGE", "kestrel").await, "NotEligible", "kestrel is on plan m");
    books.voucher("LARGE").plans(&["l", "m"]).generation(2).issued().await;
    assert_eq!(books.redeem("LARGE", "kestrel").await, "Redeemed");
}

#[tokio::test]
async fn a_code_for_new_accounts_is_for_those_without_any_credit_yet() {
    let books = books().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    books.voucher("FIRST").new_accounts_only().issued().await;
    books.voucher("ANY").issued().await;
    assert_eq!(books.redeem("ANY", "falcon").await, "Redeemed");
    assert_eq!(books.redeem("FIRST", "falcon").await, "NotEligible");
    assert_eq!(books.redeem("FIRST", "kestrel").await, "Redeemed");
    assert_eq!(books.redeem("FIRST", "kestrel").await, "Redeemed", "the same redemption");
}

#[tokio::test]
async fn an_offer_to_new_accounts_is_taken_before_the_others_that_are_named_with_it() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("ANY").issued().await;
    books.voucher("FIRST").new_accounts_only().issued().await;
    let order = books.ordered("kestrel", "m").await;
    books.redeem_and_hold("kestrel", (order, 1), &["ANY", "FIRST"]).await.unwrap();
    assert_eq!(books.count("transfer where kind = 'redeem'").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_offers_to_new_accounts_at_once_one_is_granted() {
    let books = books().await;
    assert_eq!(offers_granted(&books).await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_accounts_lock_both_offers_are_granted() {
    let books = books().await;
    let lock = "if j.outcome is null and j.new_accounts_only then";
    books.database.mutate_function("redeem_one", lock, "if false then").await;
    assert!(offers_granted(&books).await > 20);
}

/// How many redemptions twenty new accounts get that try two offers at the same moment, each.
async fn offers_granted(books: &Books) -> i64 {
    const ACCOUNTS: usize = 20;
    books.voucher("FIRST").new_accounts_only().issued().await;
    books.voucher("HELLO").new_accounts_only().issued().await;
    let stores = [books.database.another_store(8), books.database.another_store(8)];
    books.database.open_all(&[(&stores[0], 8), (&stores[1], 8)]).await;
    for n in 0..ACCOUNTS {
        books.organization(&format!("caller-{n}")).await;
    }
    let barrier = Arc::new(Barrier::new(2 * ACCOUNTS));
    let calls = (0..2 * ACCOUNTS).map(|n| {
        let books = Books { door: stores[n % 2].door(), ..books.clone() };
        let barrier = barrier.clone();
        tokio::spawn(async move {
            let code = ["FIRST", "HELLO"][n % 2];
            barrier.wait().await;
            books.redeem(code, &format!("caller-{}", n / 2)).await
        })
    });
    join_all(calls).await;
    books.count("transfer where kind = 'redeem'").await
}

#[tokio::test]
async fn credit_expires_when_it_was_promised_to_and_no_sweeper_is_needed() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("MAYFLY").credit_expires_after(30 * DAY).issued().await;
    books.voucher("SMALL").worth("4.000 OMR").issued().await;
    assert_eq!(books.redeem("MAYFLY", "kestrel").await, "Redeemed");
    assert_eq!(books.redeem("SMALL", "kestrel").await, "Redeemed");
    books.advance("29 days 23 hours").await;
    assert_eq!(books.credit("kestrel").await, 104_000);

    books.advance("1 hour").await;

    assert_eq!(books.credit("kestrel").await, 4_000);
    assert_eq!(books.count("transfer where kind = 'expire'").await, 0, "nobody booked it");
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Short");
    assert_eq!(books.count("transfer where kind = 'expire' and amount = 100000").await, 1);
    assert_eq!(books.credit("kestrel").await, 4_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn credit_that_expires_first_is_spent_first() {
    let books = books().await;
    books.organization("kestrel").await;
    for (code, days) in [("LATE", 90), ("SOON", 10), ("NEXT", 30)] {
        let voucher = books.voucher(code).worth("4.000 OMR");
        voucher.credit_expires_after(days * DAY).issued().await;
        assert_eq!(books.redeem(code, "kestrel").await, "Redeemed");
    }
    books.paid("kestrel", "m").await;
    let left: String = books
        .database
        .one(
            "select string_agg(concat(v.hint, ' ', u.used), ', ' order by v.hint) from lot_use u \
             join transfer t on t.transfer = u.lot join voucher v using (voucher)",
        )
        .await;
    assert_eq!(left, "LATE 1000, NEXT 4000, SOON 4000");
    books.assert_sound().await;
}

#[tokio::test]
async fn credit_that_comes_back_from_a_hold_keeps_the_end_that_it_had() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("MAYFLY").worth("9.000 OMR").credit_expires_after(DAY).issued().await;
    assert_eq!(books.redeem("MAYFLY", "kestrel").await, "Redeemed");
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    books.advance("25 hours").await;
    assert!(books.facts("kestrel").await.order.unwrap().held, "what is set aside does not expire");
    assert_eq!(books.release(order).await, "Released");
    assert_eq!(books.credit("kestrel").await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn later_terms_are_for_later_redemptions() {
    let books = books().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    let until = books.now().await + 365.hours();
    books.voucher("LAUNCH").issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
    books.voucher("LAUNCH").credit_expires_after(60).expires_at(until).generation(2).issued().await;
    assert_eq!(books.redeem("LAUNCH", "falcon").await, "Redeemed");
    books.advance("2 minutes").await;
    assert_eq!((books.credit("kestrel").await, books.credit("falcon").await), (100_000, 0));
    assert_eq!(books.count("(select distinct revision from transfer) as revisions").await, 2);
}
