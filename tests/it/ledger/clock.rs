//! Time for money: the ledger's own clock, which only a test may move.

use catalyst_operator::domain::facts::{Entitlement, Period};
use jiff::{Timestamp, ToSpan as _, civil, tz::TimeZone};

use crate::support::{Books, books};

#[tokio::test]
async fn a_hold_lapses_after_three_days_and_a_new_one_can_be_made() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    books.advance("71 hours 59 minutes").await;
    assert!(books.facts("kestrel").await.order.unwrap().held);

    books.advance("61 minutes").await;

    let known = books.facts("kestrel").await.order.unwrap();
    assert_eq!((known.held, known.attempts), (false, 1));
    assert_eq!(books.capture(order).await, "HoldLapsed");
    assert_eq!(books.hold("kestrel", order, 2).await, "Held");
    let account = books.facts("kestrel").await.account.unwrap();
    assert_eq!((account.spendable, account.held), (91_000, 9_000));
    assert_eq!(books.capture(order).await, "Captured");
    books.assert_sound().await;
}

#[tokio::test]
async fn credit_of_a_lapsed_hold_can_be_spent_before_anybody_ends_the_hold() {
    let books = books().await;
    books.voucher("SMALL").worth("10.000 OMR").issued().await;
    books.organization("kestrel").await;
    books.redeem("SMALL", "kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    books.advance("73 hours").await;
    assert_eq!(books.facts("kestrel").await.account.unwrap().spendable, 10_000);
    assert_eq!(books.order("kestrel", "s").await, "Ordered", "what lapsed keeps no price");
    books.paid("kestrel", "s").await;
    assert_eq!(books.credit("kestrel").await, 5_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_organization_that_leaves_gets_back_what_was_set_aside() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    assert_eq!(books.leave("kestrel", "stranger").await, "Left");
    assert!(books.facts("kestrel").await.order.unwrap().held, "a stranger gives nothing back");
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    let facts = books.facts("kestrel").await;
    assert_eq!((facts.account.unwrap().held, facts.order), (0, None));
    books.assert_sound().await;
}

#[tokio::test]
async fn an_attempt_that_lapsed_is_not_made_again() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    books.advance("73 hours").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "HoldLapsed");
    assert_eq!(books.hold("kestrel", order, 2).await, "Held");
    books.assert_sound().await;
}

#[tokio::test]
async fn a_month_that_begins_on_the_31st_of_january_ends_with_february() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.organization("falcon").await;
    let year = 1 + books.now().await.to_zoned(TimeZone::UTC).year();
    let leap = (year..year + 9).find(|year| civil::date(*year, 1, 1).in_leap_year()).unwrap();
    let common = if leap == year { year + 1 } else { year };
    let mut years = [(common, "kestrel"), (leap, "falcon")];
    years.sort_unstable();
    for (year, organization) in years {
        // In Muscat it is February already; periods are months in UTC.
        set_clock(&books, civil::date(year, 1, 31).at(23, 30, 0, 0)).await;
        let order = books.ordered(organization, "free").await;
        assert_eq!(books.capture(order).await, "Captured");
        let february = civil::date(year, 2, 1).last_of_month();
        let end = books.facts(organization).await.period.unwrap().ends_at.to_zoned(TimeZone::UTC);
        assert_eq!((end.date(), end.hour()), (february, 23));
    }
}

#[tokio::test]
async fn the_next_period_can_be_ordered_when_the_first_has_ended() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    let first: Period = books.facts("kestrel").await.period.unwrap();
    assert_eq!(books.order("kestrel", "m").await, "Paid");

    books.advance("32 days").await;

    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Due);
    books.paid("kestrel", "m").await;
    assert!(books.facts("kestrel").await.period.unwrap().ends_at > first.ends_at);
    assert_eq!(books.credit("kestrel").await, 82_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_window_opens_and_closes_by_the_ledgers_clock() {
    let books = books().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    let now = books.now().await;
    let (from, until) = (now + 1.hour(), now + 2.hours());
    books.voucher("LAUNCH").valid_from(from).expires_at(until).issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotStarted");
    books.advance("90 minutes").await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
    books.advance("30 minutes").await;
    assert_eq!(books.redeem("LAUNCH", "falcon").await, "Expired");
}

#[tokio::test]
async fn ledger_time_never_falls_below_its_floor() {
    let books = books().await;
    books.database.mutate("update clock set floor = clock_timestamp() + interval '1 day'").await;
    let raised = books.now().await;
    books.door.tick().await.unwrap();
    let later = books.now().await;
    assert_eq!(later, raised, "the floor stands above the clock, and a tick does not lower it");
}

#[tokio::test]
async fn only_a_database_made_for_tests_moves_its_clock() {
    let books = books().await;
    books.database.mutate("update clock set test = false").await;
    let moved = sqlx::query("select advance_clock('1 hour')").execute(&books.database.admin).await;
    let why = moved.unwrap_err().to_string();
    assert!(why.contains("clock_moves_in_tests_only"), "{why}");
}

async fn set_clock(books: &Books, at: civil::DateTime) {
    let at: Timestamp = at.to_zoned(TimeZone::UTC).unwrap().timestamp();
    let ahead = at.as_second() - books.now().await.as_second();
    books.advance(&format!("{ahead} seconds")).await;
}
