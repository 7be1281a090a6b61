//! What the ledger accepts of a Sovereign's and a Voucher's terms, and what stays as it was.

use catalyst_operator::{
    domain::voucher::State,
    store::{Answer, Refusal},
};

use crate::support::{Books, books, plan};

/// Redeems the code for this many new organizations.
async fn redeemed(books: &Books, code: &str, times: usize) {
    for time in 0..times {
        let organization = format!("early-{time}");
        books.organization(&organization).await;
        assert_eq!(books.redeem(code, &organization).await, "Redeemed");
    }
}

#[tokio::test]
async fn a_cap_below_what_is_redeemed_becomes_that_and_the_rest_of_the_edit_takes_effect() {
    let books = books().await;
    books.voucher("LAUNCH").cap(5).issued().await;
    redeemed(&books, "LAUNCH", 3).await;

    books.voucher("LAUNCH").cap(2).paused().generation(2).issued().await;

    let terms = books.lineage("LAUNCH").await.unwrap().terms;
    assert_eq!((terms.cap, terms.state), (Some(3), State::Paused));
    books.voucher("LAUNCH").cap(3).generation(3).issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.cap, Some(3));
    books.organization("late").await;
    assert_eq!(books.redeem("LAUNCH", "late").await, "LimitReached");
}

#[tokio::test]
async fn a_first_cap_below_what_is_redeemed_becomes_what_is_redeemed() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    redeemed(&books, "LAUNCH", 3).await;
    books.voucher("LAUNCH").cap(2).generation(2).issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.cap, Some(3));
}

#[tokio::test]
async fn a_cap_never_vanishes_not_even_by_delete_and_apply() {
    let books = books().await;
    books.voucher("LAUNCH").cap(1).issued().await;
    redeemed(&books, "LAUNCH", 1).await;
    books.voucher("LAUNCH").generation(2).issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.cap, Some(1));

    books.retire("launch").await;
    books.voucher("LAUNCH").object("relaunch").issued().await;

    let lineage = books.lineage("LAUNCH").await.unwrap();
    assert_eq!((lineage.terms.cap, lineage.used), (Some(1), 1));
    books.organization("late").await;
    assert_eq!(books.redeem("LAUNCH", "late").await, "LimitReached");
    books.voucher("LAUNCH").object("relaunch").cap(2).generation(2).issued().await;
    assert_eq!(books.redeem("LAUNCH", "late").await, "Redeemed");
    books.assert_sound().await;
}

#[tokio::test]
async fn a_revoked_code_stays_revoked_for_ever() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").revoked().issued().await;
    books.voucher("LAUNCH").generation(2).issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotFound");
    books.retire("launch").await;
    books.voucher("LAUNCH").object("relaunch").issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.state, State::Revoked);
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotFound");
}

#[tokio::test]
async fn the_first_holder_of_a_code_keeps_it_until_it_goes() {
    let books = books().await;
    books.voucher("LAUNCH").object("first").issued().await;
    assert_eq!(books.voucher("LAUNCH").object("second").accept().await, "CodeTaken");
    books.retire("first").await;
    assert_eq!(books.voucher("LAUNCH").object("second").accept().await, "Accepted");
    assert_eq!(books.lineage("LAUNCH").await.unwrap().holder.as_deref(), Some("second"));
}

#[tokio::test]
async fn a_code_comes_back_only_with_the_value_that_it_had() {
    let books = books().await;
    books.sell("salalah", "OMR", "cluster-salalah").await;
    books.sell("duqm", "USD", "cluster-duqm").await;
    books.voucher("LAUNCH").issued().await;
    books.retire("launch").await;

    let again = || books.voucher("LAUNCH");
    assert_eq!(again().worth("99.999 OMR").accept().await, "CodeRetired");
    assert_eq!(again().sovereign("salalah").accept().await, "CodeRetired");
    let dollars = again().sovereign("duqm").worth("1000.00 USD");
    assert_eq!(dollars.accept().await, "CodeRetired");
    assert_eq!(again().accept().await, "Accepted");
}

#[tokio::test]
async fn an_object_that_takes_another_code_retires_its_former_one() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").object("offer").issued().await;
    books.voucher("SPRING").object("offer").generation(2).issued().await;
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.state, State::Retired);
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotFound");
    assert_eq!(books.redeem("SPRING", "kestrel").await, "Redeemed");
}

#[tokio::test]
async fn older_terms_of_the_same_object_are_stale_and_the_same_terms_are_not() {
    let books = books().await;
    books.voucher("LAUNCH").cap(5).generation(7).issued().await;
    assert_eq!(books.voucher("LAUNCH").cap(9).generation(6).accept().await, "StaleSpec");
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.cap, Some(5));
    assert_eq!(books.voucher("LAUNCH").cap(5).generation(6).accept().await, "Accepted");

    let mut rebuilt = books.voucher("LAUNCH").cap(9).generation(1);
    rebuilt.voucher.uid = "uid-of-a-rebuilt-hub".to_owned();
    assert_eq!(rebuilt.accept().await, "Accepted");
    assert_eq!(books.lineage("LAUNCH").await.unwrap().terms.cap, Some(9));
}

#[tokio::test]
async fn what_an_object_said_earlier_does_not_take_its_present_code_away() {
    let books = books().await;
    books.voucher("LAUNCH").object("offer").generation(1).issued().await;
    books.voucher("SPRING").object("offer").generation(2).issued().await;
    for code in ["LAUNCH", "NEVER"] {
        let stale = books.voucher(code).object("offer").generation(1);
        assert_eq!(stale.accept().await, "StaleSpec", "{code}");
    }
    assert_eq!(books.lineage("SPRING").await.unwrap().terms.state, State::Active);
    assert!(books.lineage("NEVER").await.is_none());
    // What changes nothing is accepted, and does not make the object any younger.
    books.voucher("SPRING").object("offer").generation(1).issued().await;
    assert_eq!(books.lineage("SPRING").await.unwrap().generation, 2);
}

#[tokio::test]
async fn terms_that_did_not_change_make_no_revision() {
    let books = books().await;
    for generation in 1..4 {
        books.voucher("LAUNCH").cap(5).generation(generation).issued().await;
    }
    assert_eq!(books.count("voucher_revision").await, 1);
    books.sell("catalyst-zero", "OMR", "cluster-zero").await;
    assert_eq!(books.count("plan_revision").await, 4);
}

#[tokio::test]
async fn credit_is_in_the_currency_of_its_sovereign() {
    let books = books().await;
    assert_eq!(books.voucher("LAUNCH").worth("100.00 USD").accept().await, "CurrencyMismatch");
    let elsewhere = books.voucher("LAUNCH").sovereign("nowhere");
    assert_eq!(elsewhere.accept().await, "SovereignNotFound");
    assert!(books.lineage("LAUNCH").await.is_none());
}

#[tokio::test]
async fn a_sovereign_keeps_its_currency() {
    let books = books().await;
    let place = |currency| (currency, "cluster-zero");
    let changed = books.accept_sovereign("catalyst-zero", place("USD"), &[]).await;
    assert_eq!(changed, "CurrencyChanged");
    assert_eq!(books.accept_sovereign("other", place("XXX"), &[]).await, "UnknownCurrency");
}

#[tokio::test]
async fn a_sovereign_with_tenants_does_not_close() {
    let books = books().await;
    books.organization("kestrel").await;
    let close = || books.door.close_sovereign("omantel", "catalyst-zero");
    assert_eq!(close().await.unwrap(), Answer::Refused(Refusal::TenantsRemain));
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    assert!(matches!(close().await.unwrap(), Answer::Done(_)));
    assert_eq!(books.claim("kestrel", "kestrel").await, "SovereignNotFound");
    assert_eq!(books.voucher("LAUNCH").accept().await, "SovereignNotFound");

    books.sell("catalyst-zero", "OMR", "cluster-zero").await;
    assert_eq!(books.claim("kestrel", "kestrel").await, "Claimed");
}

#[tokio::test]
async fn plans_get_a_revision_when_they_change_and_stay_for_their_holders() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    let place = ("OMR", "cluster-zero");
    let plans = [plan("s", 6_000)];
    assert_eq!(books.accept_sovereign("catalyst-zero", place, &plans).await, "Accepted");

    let known =
        books.database.store.observe_sovereign("omantel", "catalyst-zero", None).await.unwrap();
    assert_eq!(known.plans, plans);
    assert_eq!(known.tenants, ["kestrel"]);
    assert_eq!(books.facts("kestrel").await.period.unwrap().plan, "m");
    books.assert_sound().await;
}
