//! A process that no longer leads does nothing.

use catalyst_operator::{
    domain::code::Digest,
    store::{Answer, Door, Error, VoucherTerms},
};

use crate::support::{Books, books, word};

/// Every call of a Door, with what it answered.
async fn all_calls(books: &Books, door: &Door) -> Vec<(&'static str, Result<Answer, Error>)> {
    let (n, code) = ("omantel", Digest([7; 32]));
    let voucher = books.voucher("LAUNCH").voucher;
    let terms = VoucherTerms(&voucher, voucher.code.code().unwrap());
    let place = ("OMR", "cluster-zero");
    let account = ("kestrel", "catalyst-zero", "m");
    vec![
        ("accept a Sovereign", door.accept_sovereign(("new", "uid"), "zero", place, &[]).await),
        ("accept a Voucher", door.accept_voucher(terms).await),
        ("claim", door.claim(n, "falcon", "falcon", ("catalyst-zero", 60)).await),
        ("order", door.order(n, "kestrel", "catalyst-zero", "m").await),
        ("redeem", door.redeem(n, "key", code, account).await),
        ("hold", door.redeem_and_hold(n, account, (1, 1), &[code]).await),
        ("capture", door.capture(n, 1).await),
        ("release", door.release(n, 1).await),
        ("journal", door.journal(n, "kestrel", "cluster-zero", &[]).await),
        ("forget", door.forget(n, "kestrel", "cluster-zero", &[]).await),
        ("retire", door.retire(n, "launch").await),
        ("leave", door.leave(n, "kestrel", "kestrel").await),
        ("close", door.close_sovereign(n, "catalyst-zero").await),
        ("reach", door.reach_sovereign(n, "catalyst-zero", false).await),
        ("accept a cluster", door.accept_cluster(n, "catalyst-zero", "another").await),
        ("abandon", door.abandon(n, "kestrel", "kestrel").await),
        ("condemn", door.condemn(n, "catalyst-zero").await),
    ]
}

/// Everything that a call could have changed.
async fn rows(books: &Books) -> String {
    books
        .database
        .one(
            "select concat_ws(' ', (select string_agg(f::text, ',') from franchise f), \
             (select string_agg(s::text, ',') from sovereign s), \
             (select string_agg(o::text, ',') from organization o), \
             (select string_agg(v::text, ',') from voucher v), \
             (select count(*) from voucher_revision), (select count(*) from orders), \
             (select count(*) from transfer), (select count(*) from account))",
        )
        .await
}

#[tokio::test]
async fn a_call_under_an_earlier_epoch_is_fenced_and_changes_nothing() {
    let books = books().await;
    books.organization("kestrel").await;
    let first = books.door.begin_leadership().await.unwrap();
    let second = books.door.begin_leadership().await.unwrap();
    assert_eq!((second, books.door.current_epoch().await.unwrap()), (first + 1, first + 1));
    let before = rows(&books).await;

    for (call, answer) in all_calls(&books, &books.door.under(first)).await {
        assert!(matches!(answer, Err(Error::Fenced)), "{call}: {answer:?}");
    }

    assert_eq!(rows(&books).await, before);
    for (call, answer) in all_calls(&books, &books.door.under(second)).await {
        assert!(answer.is_ok(), "{call}: {answer:?}");
    }
}

#[tokio::test]
async fn a_new_leader_waits_for_what_the_last_one_has_in_flight() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    let old = books.door.begin_leadership().await.unwrap();
    let mut slow = books.database.admin.begin().await.unwrap();
    let redeem = "select outcome from redeem_v1('omantel', $1, 'key', sha256('LAUNCH'), \
                  'kestrel', 'catalyst-zero', 'm')";
    let outcome: String = sqlx::query_scalar(redeem).bind(old).fetch_one(&mut *slow).await.unwrap();
    assert_eq!(outcome, "Redeemed");

    let door = books.door.clone();
    let next = tokio::spawn(async move { door.begin_leadership().await.unwrap() });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!next.is_finished(), "a redemption of the last leader is not committed yet");
    slow.commit().await.unwrap();
    assert_eq!(next.await.unwrap(), old + 1);
}

#[tokio::test]
async fn a_caller_that_does_not_lead_names_no_epoch_and_is_served() {
    let books = books().await;
    books.door.begin_leadership().await.unwrap();
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    let answer = books.redeem_under("key", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(word(&answer), "Redeemed");
}
