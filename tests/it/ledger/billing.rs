//! Orders, holds and periods: nothing is sold without an account, nothing is set aside that is
//! not there, and nothing is paid twice.

use catalyst_operator::{
    domain::tenant::Named,
    store::{Answer, Refusal},
};
use futures::future::join_all;
use serde_json::Value;
use sqlx::Executor as _;

use crate::support::{Books, books, plan, word};

#[tokio::test]
async fn without_an_account_there_is_neither_redemption_nor_order() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotEligible");
    assert_eq!(books.order("kestrel", "m").await, "NoOrganization");
    assert_eq!(books.hold("kestrel", 1, 1).await, "NoOrder");
    assert_eq!(books.capture(1).await, "NoOrder");
    assert_eq!(books.release(1).await, "NoOrder");
    assert_eq!(books.count("transfer").await, 0);
}

#[tokio::test]
async fn an_organization_orders_only_where_it_has_an_account() {
    let books = books().await;
    books.organization("kestrel").await;
    books.sell("salalah", "USD", "cluster-salalah").await;
    let answer = books.door.order("omantel", "kestrel", "salalah", "m").await.unwrap();
    assert_eq!(answer, Answer::Refused(Refusal::NoOrganization));
    assert_eq!(books.order("kestrel", "xl").await, "UnknownPlan");
}

#[tokio::test]
async fn an_order_does_not_act_on_an_account_that_was_made_after_it_looked() {
    let books = books().await;
    let admin = &books.database.admin;
    // Stops the order where it has locked the accounts that there are, which are none.
    let mut stop = admin.begin().await.unwrap();
    stop.execute("lock table period in access exclusive mode").await.unwrap();
    let caller = books.clone();
    let order = async move { caller.order("kestrel", "m").await };
    let mut order = tokio::spawn(order);
    books.database.await_waiting(1).await;
    // Meanwhile the account is made, and another caller has its lock and orders.
    books.organization("kestrel").await;
    let mut other = admin.begin().await.unwrap();
    let same = "insert into orders (franchise, organization, period, step, account, currency, \
                amount, sovereign, plan, revision, price, ordered_at) \
                select r.franchise, a.organization, 1, 0, a.account, r.currency, r.amount, \
                r.sovereign, r.plan, r.revision, r.amount, ledger.now() \
                from plan_revision r join account a using (franchise, currency) \
                where r.plan = 'm' and a.organization = 'kestrel' \
                and a.account = any (lock_accounts(a.franchise, a.organization))";
    assert_eq!(other.execute(same).await.unwrap().rows_affected(), 1);
    stop.rollback().await.unwrap();

    let answer = tokio::select! {
        answer = &mut order => answer,
        () = books.database.await_waiting(1) => {
            other.commit().await.unwrap();
            order.await
        }
    };

    assert_eq!(answer.unwrap(), "NoOrganization");
}

#[tokio::test]
async fn too_little_credit_is_short_and_what_was_redeemed_stays() {
    let books = books().await;
    books.voucher("SMALL").worth("3.500 OMR").issued().await;
    books.organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;

    let answer = books.redeem_and_hold("kestrel", (order, 1), &["SMALL"]).await.unwrap();

    // A refusal has no bytes at the door, so the row is asked what it says.
    assert_eq!(answer, Answer::Refused(Refusal::Short));
    let said: String = books.database.one(&format!(
        "select detail::text from redeem_and_hold_v1('omantel', null, 'kestrel', 'catalyst-zero', \
         'm', {order}, 1, '{{}}')"
    ))
    .await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["available"], &said["needed"]), (&3_500.into(), &9_000.into()));
    assert_eq!(books.credit("kestrel").await, 3_500);
    assert_eq!(books.count("hold").await, 0);
}

#[tokio::test]
async fn enough_credit_is_held_and_the_rest_can_be_spent() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;

    let answer = books.redeem_and_hold("kestrel", (order, 1), &["LAUNCH"]).await.unwrap();

    assert_eq!(word(&answer), "Held");
    let account = books.facts("kestrel").await.account.unwrap();
    assert_eq!((account.spendable, account.held), (91_000, 9_000));
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    assert_eq!(books.hold("kestrel", order, 2).await, "Held");
    assert_eq!(books.count("hold").await, 1);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_hold_is_made_of_several_lots_where_one_is_too_small() {
    let books = books().await;
    books.organization("kestrel").await;
    for (code, worth) in [("ONE", "4.000 OMR"), ("TWO", "4.000 OMR"), ("THREE", "4.000 OMR")] {
        books.voucher(code).worth(worth).issued().await;
    }
    let order = books.ordered("kestrel", "m").await;
    let codes = ["ONE", "TWO", "THREE", "ONE"];
    let answer = books.redeem_and_hold("kestrel", (order, 1), &codes).await.unwrap();
    assert_eq!(word(&answer), "Held");
    let lots: String = books
        .database
        .one("select string_agg(amount::text, ' ' order by lot) from hold_line")
        .await;
    assert_eq!(lots, "4000 4000 1000");
    assert_eq!(books.capture(order).await, "Captured");
    assert_eq!(books.credit("kestrel").await, 3_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_hold_is_captured_once_and_says_the_same_bytes_again() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");

    let first = books.door.capture("omantel", order).await.unwrap();
    let second = books.door.capture("omantel", order).await.unwrap();

    assert_eq!(word(&first), "Captured");
    assert_eq!(second, first);
    assert_eq!(books.release(order).await, "Captured");
    assert_eq!(books.hold("kestrel", order, 2).await, "Captured");
    assert_paid_once(&books, 91_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_at_once_spend_once() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    let callers = (0..16).map(|_| books.door.capture("omantel", order));
    let answers: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_paid_once(&books, 91_000).await;
}

#[tokio::test]
async fn nothing_is_captured_that_is_not_held() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.capture(order).await, "NoHold");
    assert_eq!(books.credit("kestrel").await, 100_000);
    assert_eq!(books.count("period").await, 0);
}

#[tokio::test]
async fn a_release_gives_back_what_was_held_and_a_new_order_can_be_held() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");

    assert_eq!(books.release(order).await, "Released");
    assert_eq!(books.release(order).await, "Released");

    assert_eq!(books.credit("kestrel").await, 100_000);
    assert_eq!(books.capture(order).await, "NoOrder");
    assert_eq!(books.hold("kestrel", order, 2).await, "NoOrder");
    let next = books.ordered("kestrel", "l").await;
    assert_ne!(next, order);
    assert_eq!(books.hold("kestrel", next, 1).await, "Held");
    assert_eq!(books.capture(next).await, "Captured");
    assert_paid_once(&books, 84_000).await;
}

#[tokio::test]
async fn a_tenant_that_is_deleted_and_applied_again_inside_a_paid_period_pays_once() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;

    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    assert_eq!(books.claim("kestrel", "kestrel-again").await, "Claimed");
    assert_eq!(books.order("kestrel", "m").await, "Paid");
    assert_eq!(books.order("kestrel", "s").await, "Paid", "cheaper: with the next period");
    assert_eq!(books.redeem("WELCOME", "kestrel").await, "Redeemed", "which is the earlier one");

    assert_paid_once(&books, 91_000).await;
}

#[tokio::test]
async fn an_order_is_priced_anew_until_credit_is_held_for_it() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let first = books.ordered("kestrel", "m").await;
    assert_eq!(books.ordered("kestrel", "m").await, first, "the same order counts");

    let dearer = [plan("l", 16_000), plan("m", 10_000)];
    let place = ("OMR", "cluster-zero");
    assert_eq!(books.accept_sovereign("catalyst-zero", place, &dearer).await, "Accepted");
    let second = books.ordered("kestrel", "m").await;
    assert_ne!(second, first);
    assert_eq!(books.hold("kestrel", first, 1).await, "NoOrder");
    assert_eq!(books.hold("kestrel", second, 1).await, "Held");
    assert_eq!(books.order("kestrel", "l").await, "OrderHeld");
    assert_eq!(books.order("kestrel", "s").await, "UnknownPlan", "it was withdrawn");
    assert_eq!(books.capture(second).await, "Captured");
    assert_paid_once(&books, 90_000).await;
}

#[tokio::test]
async fn a_free_plan_needs_no_hold() {
    let books = books().await;
    books.organization("kestrel").await;
    let order = books.ordered("kestrel", "free").await;
    assert!(books.facts("kestrel").await.order.unwrap().is_covered());
    assert_eq!(books.capture(order).await, "Captured");
    assert_eq!(books.facts("kestrel").await.period.unwrap().plan, "free");
    assert_eq!((books.count("transfer").await, books.count("period").await), (0, 1));
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_orders_at_once_never_hold_more_than_there_is() {
    let books = books().await;
    books.voucher("TEN").worth("10.000 OMR").issued().await;
    for organization in ["kestrel", "falcon"] {
        books.organization(organization).await;
        let order = books.ordered(organization, "m").await;
        let callers = (1..=8).map(|attempt| {
            let books = books.clone();
            async move { books.redeem_and_hold(organization, (order, attempt), &["TEN"]).await }
        });
        for answer in join_all(callers).await {
            assert_eq!(word(&answer.unwrap()), "Held");
        }
        let account = books.facts(organization).await.account.unwrap();
        assert_eq!((account.spendable, account.held), (1_000, 9_000));
    }
    books.assert_sound().await;
}

/// Runs two calls that both wait for the account, the first of them in front.
async fn in_line(
    books: &Books,
    first: impl Future<Output = String>,
    then: &str,
    order: i64,
) -> [String; 2] {
    let mut account = books.database.admin.begin().await.unwrap();
    account.execute("select from account where kind = 'customer' for update").await.unwrap();
    let second = async {
        books.database.await_waiting(1).await;
        if then == "capture" {
            books.capture(order).await
        } else {
            books.hold("kestrel", order, 1).await
        }
    };
    let release = async {
        books.database.await_waiting(2).await;
        account.rollback().await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    [first, second]
}

#[tokio::test]
async fn an_order_that_is_released_meanwhile_is_not_captured() {
    let books = books().await;
    books.organization("kestrel").await;
    let order = books.ordered("kestrel", "free").await;
    let said = in_line(&books, books.release(order), "capture", order).await;
    assert_eq!(said, ["Released", "NoOrder"]);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_order_that_is_priced_anew_meanwhile_is_not_held() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    let said = in_line(&books, books.order("kestrel", "l"), "hold", order).await;
    assert_eq!(said, ["Ordered", "NoOrder"]);
    assert_eq!(books.count("hold").await, 0);
}

async fn assert_paid_once(books: &Books, left: i64) {
    assert_eq!(books.credit("kestrel").await, left);
    assert_eq!(books.facts("kestrel").await.account.unwrap().held, 0);
    assert_eq!(books.count("transfer where kind = 'capture'").await, 1);
    assert_eq!(books.count("period").await, 1);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_plan_that_is_withdrawn_stays_in_force_for_its_holder_alone() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.organization("falcon").await;
    books.paid("kestrel", "m").await;
    let plans = [plan("s", 5_000)];
    books.accept_sovereign("catalyst-zero", ("OMR", "cluster-zero"), &plans).await;
    assert_eq!(books.order("falcon", "m").await, "UnknownPlan");

    books.advance("32 days").await;

    assert!(books.facts("kestrel").await.offer.is_some());
    books.paid("kestrel", "m").await;
    assert_eq!(books.credit("kestrel").await, 82_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_voucher_that_was_named_by_its_object_stays_redeemed_when_the_object_changes_its_code() {
    let books = books().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    books.voucher("TYPO").object("launch").issued().await;
    let named = |organization: &str| {
        let mut tenant = books.tenant(organization, &[]);
        tenant.vouchers = vec![Named::Holder("launch".to_owned())];
        tenant
    };
    assert_eq!(books.redeem("TYPO", "kestrel").await, "Redeemed");
    books.retire("launch").await;
    let store = &books.database.store;
    let seen = store.observe_tenant(&named("kestrel")).await.unwrap().by_holder;
    assert!(seen[0].as_ref().unwrap().redeemed_at.is_some(), "the credit was granted");
    let seen = store.observe_tenant(&named("falcon")).await.unwrap().by_holder;
    assert_eq!(seen, [None], "others find nothing under that name");

    books.voucher("CORRECT").object("launch").issued().await;

    let seen = store.observe_tenant(&named("kestrel")).await.unwrap().by_holder;
    assert_eq!(seen[0].as_ref().unwrap().hint, "TYPO", "and not a second grant");
    let seen = store.observe_tenant(&named("falcon")).await.unwrap().by_holder;
    assert_eq!(seen[0].as_ref().unwrap().hint, "CORRECT");
}
