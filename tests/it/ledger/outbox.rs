//! Followers learn of every commit, whatever becomes of the messages.

use std::time::Duration;

use catalyst_operator::{
    domain::code::Code,
    store::{Change, Followed, Follower},
};

use crate::support::{Books, books};

/// A follower that has looked once.
async fn follower(books: &Books) -> Follower {
    let mut follower = books.database.store.follow().await.unwrap();
    assert_eq!(follower.next().await.unwrap(), Followed::Anything);
    follower
}

/// Follows until the change is told.
async fn await_change(follower: &mut Follower, wanted: &Change) {
    let told = async {
        loop {
            if let Followed::Changes(changes) = follower.next().await.unwrap()
                && changes.contains(wanted)
            {
                return;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(15), told).await;
    told.unwrap_or_else(|_late| panic!("{wanted:?} was never told"));
}

fn of(books: &Books, change: fn(String, String) -> Change, name: &str) -> Change {
    change(books.namespace.clone(), name.to_owned())
}

#[tokio::test]
async fn a_redemption_concerns_its_voucher_and_its_tenant() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    assert_eq!(books.claim("kestrel", "kestrel-rx").await, "Claimed");
    let mut follower = follower(&books).await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
    // Delivery is at least once, so that one answer may hold both and another only one.
    let mut second = self::follower(&books).await;
    await_change(&mut follower, &of(&books, Change::Voucher, "launch")).await;
    books.organization("falcon").await;
    assert_eq!(books.redeem("LAUNCH", "falcon").await, "Redeemed");
    await_change(&mut second, &of(&books, Change::Tenant, "falcon")).await;
}

#[tokio::test]
async fn accepted_terms_concern_their_object_and_whoever_named_the_code() {
    let books = books().await;
    let mut follower = follower(&books).await;
    books.voucher("LAUNCH").issued().await;
    await_change(&mut follower, &of(&books, Change::Terms, "launch")).await;

    books.retire("launch").await;
    let digest = Code::parse("LAUNCH").unwrap().digest();
    await_change(&mut follower, &Change::Code("omantel".to_owned(), digest)).await;

    books.sell("salalah", "OMR", "cluster-salalah").await;
    await_change(&mut follower, &of(&books, Change::Sovereign, "salalah")).await;
}

#[tokio::test]
async fn a_freed_organization_concerns_whoever_waits_for_it() {
    let books = books().await;
    books.organization("kestrel").await;
    let mut follower = follower(&books).await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    await_change(&mut follower, &Change::Organization("kestrel".to_owned())).await;
}

#[tokio::test]
async fn a_change_is_told_when_its_notification_is_lost() {
    let books = books().await;
    let mut follower = follower(&books).await;
    // The Door would notify; a statement of an administrator does not.
    let accept = "select accept_voucher_v1('omantel', null, 'launch', 'uid', 1, sha256('LAUNCH'), \
                  'LAUNCH', false, 'catalyst-zero', 'OMR', 1, null, null, '-infinity', 'infinity', \
                  null, null, false, 'Active')";
    books.database.mutate(accept).await;
    await_change(&mut follower, &of(&books, Change::Terms, "launch")).await;
}

#[tokio::test]
async fn a_follower_that_lost_its_connection_goes_on_where_it_was() {
    let books = books().await;
    let mut follower = follower(&books).await;
    books.voucher("LAUNCH").issued().await;
    books
        .database
        .mutate(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and query ilike 'listen%'",
        )
        .await;
    await_change(&mut follower, &of(&books, Change::Terms, "launch")).await;
}

#[tokio::test]
async fn a_change_by_a_slow_transaction_is_not_missed() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    let mut follower = follower(&books).await;
    let mut slow = books.database.admin.begin().await.unwrap();
    let claim = "select claim_v1('omantel', null, 'osprey', 'osprey', 'catalyst-zero', '7 days')";
    sqlx::query(claim).execute(&mut *slow).await.unwrap();
    let redeem = "select redeem_v1('omantel', null, 'slow', sha256('LAUNCH'), 'osprey', \
                  'catalyst-zero', 'm')";
    sqlx::query(redeem).execute(&mut *slow).await.unwrap();

    // Others begin later, commit earlier and are told: the follower's point moves on.
    for turn in 0..3 {
        let code = format!("OTHER-{turn}");
        books.voucher(&code).issued().await;
        let other = of(&books, Change::Terms, &code.to_lowercase());
        await_change(&mut follower, &other).await;
    }
    slow.commit().await.unwrap();
    books.voucher("LAST").issued().await;
    await_change(&mut follower, &of(&books, Change::Tenant, "osprey")).await;
}
