//! How paid time stands and what falls due, as the ledger says it by its own clock.

use catalyst_operator::domain::facts::{Entitlement, Renewal, TenantFacts};

use crate::support::{Books, books};

const DAY: i64 = 24 * 60 * 60;
const BEGIN: &str = "2031-01-01T00:00:00Z";
const END: &str = "2031-02-01T00:00:00Z";
const OVER: &str = "2031-02-08T00:00:00Z";

/// Kestrel pays plan m from this much credit, and has the rest.
async fn with_credit(credit: &str) -> Books {
    let books = books().await;
    books.stand_at(BEGIN).await;
    books.organization("kestrel").await;
    assert_eq!(books.grant("kestrel", credit, "first").await, "Credited");
    books.paid("kestrel", "m").await;
    books
}

/// What the ledger tells a Tenant of kestrel that warns at these percentages.
async fn warned(books: &Books, plan: &str, warn: &[i32]) -> TenantFacts {
    let mut tenant = books.tenant("kestrel", &[]);
    plan.clone_into(&mut tenant.plan);
    tenant.warn = warn.to_vec();
    books.database.store.observe_tenant(&tenant).await.unwrap()
}

fn falls_due(amount: i64, available: i64, percent: Option<i32>) -> Renewal {
    let (due_at, until) = (END.parse().unwrap(), OVER.parse().unwrap());
    Renewal { due_at, until, amount, available, percent }
}

#[tokio::test]
async fn before_anything_is_paid_nothing_falls_due() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let facts = books.facts("kestrel").await;
    assert_eq!((facts.entitlement, facts.period, facts.renewal), (Entitlement::New, None, None));
}

#[tokio::test]
async fn credit_that_suffices_is_paid_then_due() {
    let books = with_credit("18.000 OMR").await;
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.entitlement, Entitlement::Paid);
    assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 9_000, None));
    books.stand_at("2031-01-31T23:59:59.999999Z").await;
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Paid);
    books.stand_at(END).await;
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Due);
}

#[tokio::test]
async fn credit_that_does_not_is_low_then_grace_then_exhausted_and_due_when_it_comes() {
    let books = with_credit("17.999 OMR").await;
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.entitlement, Entitlement::Low);
    assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 8_999, Some(100)));

    books.stand_at(END).await;
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.entitlement, Entitlement::Grace);
    assert!(facts.period.is_some(), "it goes on");
    books.stand_at("2031-02-07T23:59:59.999999Z").await;
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Grace);

    books.stand_at(OVER).await;
    let facts = books.facts("kestrel").await;
    assert_eq!((facts.entitlement, facts.period), (Entitlement::Exhausted, None));
    assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 8_999, Some(100)));

    assert_eq!(books.grant("kestrel", "0.001 OMR", "more").await, "Credited");
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Due);
    books.paid("kestrel", "m").await;
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Low);
    books.assert_sound().await;
}

#[tokio::test]
async fn credit_that_is_set_aside_for_the_next_period_is_not_missing() {
    let books = with_credit("18.000 OMR").await;
    books.stand_at(END).await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.entitlement, Entitlement::Due);
    assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 9_000, None));
    assert_eq!(facts.account.unwrap().spendable, 0);
    // The hold lapses after three days; its credit is then to be had as any other.
    books.stand_at("2031-02-05T00:00:00Z").await;
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 9_000, None));
}

#[tokio::test]
async fn credit_that_is_set_aside_for_a_dearer_plan_does_not_pay_for_the_next_period() {
    let books = with_credit("16.000 OMR").await;
    let order = books.ordered("kestrel", "l").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    let facts = warned(&books, "l", &[100]).await;
    assert_eq!(facts.renewal.unwrap(), falls_due(16_000, 0, Some(100)));
}

#[tokio::test]
async fn credit_that_expires_before_the_end_does_not_pay_for_the_next_period() {
    let books = books().await;
    books.stand_at(BEGIN).await;
    books.organization("kestrel").await;
    for (code, worth, days) in [("MAYFLY", "20.000 OMR", 31), ("OAK", "1.000 OMR", 32)] {
        books.voucher(code).worth(worth).credit_expires_after(days * DAY).issued().await;
        assert_eq!(books.redeem(code, "kestrel").await, "Redeemed");
    }
    books.paid("kestrel", "m").await;
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.account.unwrap().spendable, 12_000);
    assert_eq!(facts.entitlement, Entitlement::Low);
    assert_eq!(
        facts.renewal.unwrap(),
        falls_due(9_000, 1_000, Some(100)),
        "what expires at the end is gone"
    );
}

#[tokio::test]
async fn a_warning_names_the_least_percentage_that_is_missed() {
    let books = with_credit("22.500 OMR").await;
    let percents: [(&[i32], Option<i32>); 6] = [
        (&[100, 150], None),
        (&[151], Some(151)),
        (&[1000, 200, 151], Some(151)),
        (&[50], None),
        (&[], None),
        (&[1], None),
    ];
    for (warn, missed) in percents {
        let facts = warned(&books, "m", warn).await;
        let expected = if missed.is_some() { Entitlement::Low } else { Entitlement::Paid };
        assert_eq!(facts.entitlement, expected, "{warn:?}");
        assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 13_500, missed), "{warn:?}");
    }
}

#[tokio::test]
async fn what_falls_due_is_the_price_of_the_plan_that_is_wanted_then() {
    let books = with_credit("15.000 OMR").await;
    let cheaper = warned(&books, "s", &[100]).await;
    assert_eq!(cheaper.entitlement, Entitlement::Paid);
    assert_eq!(cheaper.renewal.unwrap(), falls_due(5_000, 6_000, None));
    let dearer = warned(&books, "l", &[100]).await;
    assert_eq!(dearer.renewal.unwrap(), falls_due(16_000, 6_000, Some(100)));
    let unknown = warned(&books, "xl", &[100]).await;
    assert_eq!(
        unknown.renewal.unwrap(),
        falls_due(9_000, 6_000, Some(100)),
        "it goes on with what it has"
    );
    let free = warned(&books, "free", &[1000]).await;
    assert_eq!(free.renewal.unwrap(), falls_due(0, 6_000, None));
}

#[tokio::test]
async fn the_largest_balance_can_be_told_against_the_largest_percentage() {
    let books = with_credit("9.000 OMR").await;
    for n in 0..100 {
        let key = format!("large/{n}");
        assert_eq!(books.grant("kestrel", "1000000000000.000 OMR", &key).await, "Credited");
    }
    let facts = warned(&books, "m", &[1000]).await;
    assert_eq!(facts.renewal.unwrap(), falls_due(9_000, 100_000_000_000_000_000, None));
    books.assert_sound().await;
}
