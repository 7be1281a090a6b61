//! What comes after a paid period: the next one, from credit, by the calendar, once.

use std::sync::Arc;

use catalyst_operator::domain::facts::Entitlement;
use futures::future::join_all;
use tokio::sync::Barrier;

use crate::support::{Books, GRACE, books, plan, word};

/// Kestrel has paid plan m since midnight of the last of January 2031, and has 91 rial left.
async fn since_january() -> Books {
    let books = books().await;
    books.stand_at("2031-01-31T00:00:00Z").await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    books
}

/// First and last day of every period of kestrel, in order.
async fn periods(books: &Books) -> String {
    let days = "select string_agg(concat((starts_at at time zone 'UTC')::date, ' / ', \
                (ends_at at time zone 'UTC')::date), ', ' order by period) from period";
    books.database.one(days).await
}

#[tokio::test]
async fn months_are_counted_from_the_day_on_which_the_first_began() {
    for (first, ends) in [
        ("2031-01-31", ["02-28", "03-31", "04-30", "05-31", "06-30"]),
        ("2032-01-31", ["02-29", "03-31", "04-30", "05-31", "06-30"]),
        ("2032-02-29", ["03-29", "04-29", "05-29", "06-29", "07-29"]),
        ("2031-11-30", ["12-30", "01-30", "02-29", "03-30", "04-30"]),
    ] {
        let books = books().await;
        books.organization("kestrel").await;
        books.stand_at(&format!("{first}T00:00:00Z")).await;
        for end in ends {
            books.paid("kestrel", "free").await;
            let ends_at = books.facts("kestrel").await.period.unwrap().ends_at.to_string();
            assert_eq!(&ends_at[4..], format!("-{end}T00:00:00Z"), "from {first}");
            books.stand_at(&ends_at).await;
        }
    }
}

#[tokio::test]
async fn a_leap_day_comes_again_after_four_years() {
    let books = books().await;
    books.organization("kestrel").await;
    books.stand_at("2032-02-29T00:00:00Z").await;
    for month in 1..=48 {
        books.paid("kestrel", "free").await;
        let ends_at = books.facts("kestrel").await.period.unwrap().ends_at.to_string();
        match month {
            12 | 24 | 36 => assert!(ends_at.contains("-02-28T"), "{ends_at}"),
            48 => assert_eq!(ends_at, "2036-02-29T00:00:00Z"),
            _ => assert!(ends_at.contains("-29T"), "{ends_at}"),
        }
        books.stand_at(&ends_at).await;
    }
    books.assert_sound().await;
}

#[tokio::test]
async fn a_renewal_within_grace_begins_where_the_last_period_ended() {
    let books = since_january().await;
    books.stand_at("2031-03-06T23:59:59.999999Z").await;
    books.paid("kestrel", "m").await;
    assert_eq!(periods(&books).await, "2031-01-31 / 2031-02-28, 2031-02-28 / 2031-03-31");
    books.assert_sound().await;
}

#[tokio::test]
async fn after_grace_a_period_begins_when_it_is_paid_and_the_gap_is_not_billed() {
    let books = since_january().await;
    books.stand_at("2031-03-07T00:00:00Z").await;
    books.paid("kestrel", "m").await;
    assert_eq!(periods(&books).await, "2031-01-31 / 2031-02-28, 2031-03-07 / 2031-04-07");
    assert_eq!(books.credit("kestrel").await, 82_000);
    books.stand_at("2031-04-07T00:00:00Z").await;
    books.paid("kestrel", "m").await;
    assert!(
        periods(&books).await.ends_with(", 2031-04-07 / 2031-05-07"),
        "a new day to count from"
    );
    books.assert_sound().await;
}

#[tokio::test]
async fn what_was_held_in_grace_and_is_captured_after_it_pays_from_the_capture_on() {
    let books = since_january().await;
    books.stand_at("2031-03-06T00:00:00Z").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    books.stand_at("2031-03-08T00:00:00Z").await;
    assert_eq!(books.capture(order).await, "Captured");
    assert!(periods(&books).await.ends_with(", 2031-03-08 / 2031-04-08"));
}

#[tokio::test]
async fn a_grace_of_more_than_a_month_is_paid_for_month_by_month() {
    let books = since_january().await;
    let grace = ("catalyst-zero", 60 * 24 * 60 * 60);
    books.door.claim("omantel", "kestrel", "kestrel", grace).await.unwrap();
    books.stand_at("2031-04-10T00:00:00Z").await;
    books.paid("kestrel", "m").await;
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Due);
    books.paid("kestrel", "m").await;
    let three = "2031-01-31 / 2031-02-28, 2031-02-28 / 2031-03-31, 2031-03-31 / 2031-04-30";
    assert_eq!(periods(&books).await, three);
    assert_eq!(books.order("kestrel", "m").await, "Paid");
    assert_eq!(books.credit("kestrel").await, 73_000);
}

#[tokio::test]
async fn an_organization_that_slept_over_the_end_begins_anew_when_it_pays() {
    for (slept, came_back) in [("2031-02-10", "2031-03-02"), ("2031-03-01", "2031-03-02")] {
        let books = since_january().await;
        books.stand_at(&format!("{slept}T00:00:00Z")).await;
        assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
        books.stand_at(&format!("{came_back}T00:00:00Z")).await;
        books.organization("kestrel").await;
        let facts = books.facts("kestrel").await;
        assert_eq!((facts.entitlement, facts.period), (Entitlement::New, None));
        assert_eq!(facts.renewal, None, "nothing falls due that nobody had");
        books.paid("kestrel", "m").await;
        assert!(periods(&books).await.ends_with(", 2031-03-02 / 2031-04-02"), "slept {slept}");
        books.assert_sound().await;
    }
}

#[tokio::test]
async fn an_organization_that_came_back_before_the_end_goes_on() {
    let books = since_january().await;
    books.stand_at("2031-02-10T00:00:00Z").await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    books.stand_at("2031-02-27T00:00:00Z").await;
    books.organization("kestrel").await;
    assert_eq!(books.facts("kestrel").await.entitlement, Entitlement::Paid);
    books.stand_at("2031-03-02T00:00:00Z").await;
    books.paid("kestrel", "m").await;
    assert!(periods(&books).await.ends_with(", 2031-02-28 / 2031-03-31"));
}

#[tokio::test]
async fn what_was_paid_on_another_sovereign_gives_no_grace_and_is_no_gap_to_bill() {
    let books = since_january().await;
    books.sell("nizwa", "OMR", "cluster-nizwa").await;
    // The object was removed by force, and applied again on another Sovereign.
    let (here, door) = (("nizwa", GRACE), &books.door);
    assert_eq!(word(&door.claim("omantel", "kestrel", "kestrel", here).await.unwrap()), "Claimed");
    books.stand_at("2031-03-02T00:00:00Z").await;
    let mut tenant = books.tenant("kestrel", &[]);
    "nizwa".clone_into(&mut tenant.sovereign);
    let facts = books.database.store.observe_tenant(&tenant).await.unwrap();
    assert_eq!((facts.entitlement, facts.period), (Entitlement::New, None));
    let ordered = door.order("omantel", "kestrel", "nizwa", "m").await.unwrap();
    assert_eq!(word(&ordered), "Ordered");
    let order = books.facts("kestrel").await.order.unwrap().order;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    assert_eq!(books.capture(order).await, "Captured");
    assert!(periods(&books).await.ends_with(", 2031-03-02 / 2031-04-02"));
    books.assert_sound().await;
}

#[tokio::test]
async fn a_price_that_changes_counts_from_the_next_period_on() {
    let books = since_january().await;
    let plans = [plan("m", 10_500), plan("s", 5_000)];
    books.accept_sovereign("catalyst-zero", ("OMR", "cluster-zero"), &plans).await;
    let facts = books.facts("kestrel").await;
    let (offer, period) = (facts.offer.unwrap(), facts.period.unwrap());
    assert_eq!((offer.amount, period.price), (10_500, 9_000));
    assert_eq!(facts.renewal.unwrap().amount, 10_500, "what falls due is the new price");
    assert_eq!((facts.quote, books.order("kestrel", "m").await.as_str()), (None, "Paid"));
    assert_eq!(books.credit("kestrel").await, 91_000);

    books.stand_at("2031-02-28T00:00:00Z").await;
    books.paid("kestrel", "m").await;

    assert_eq!(books.credit("kestrel").await, 80_500);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_renewal_at_a_price_that_changed_before_the_hold_costs_the_new_one() {
    let books = since_january().await;
    books.stand_at("2031-02-28T00:00:00Z").await;
    let old = books.ordered("kestrel", "m").await;
    let plans = [plan("m", 10_500)];
    books.accept_sovereign("catalyst-zero", ("OMR", "cluster-zero"), &plans).await;
    let new = books.ordered("kestrel", "m").await;
    assert_ne!(new, old);
    assert_eq!(books.hold("kestrel", old, 1).await, "NoOrder");
    assert_eq!(books.hold("kestrel", new, 1).await, "Held");
    assert_eq!(books.capture(new).await, "Captured");
    assert_eq!(books.credit("kestrel").await, 80_500);
}

/// Sixteen callers of two processes order, hold and capture the renewal of kestrel, each step at
/// the same moment; gives what those were told who did not fail.
async fn renewed_at_once(books: &Books) -> Vec<[String; 3]> {
    books.stand_at("2031-02-28T00:00:00Z").await;
    let stores = [books.database.another_store(8), books.database.another_store(8)];
    books.database.open_all(&[(&stores[0], 8), (&stores[1], 8)]).await;
    let barrier = Arc::new(Barrier::new(16));
    let callers = (0..16).map(|caller| {
        let books = Books { door: stores[caller % 2].door(), ..books.clone() };
        let barrier = barrier.clone();
        let attempt = i32::try_from(caller).unwrap() + 1;
        tokio::spawn(async move {
            barrier.wait().await;
            let ordered = books.door.order("omantel", "kestrel", "catalyst-zero", "m").await;
            let order = books.database.one("select max(ord) from orders").await;
            barrier.wait().await;
            let held = books.redeem_and_hold("kestrel", (order, attempt), &[]).await;
            barrier.wait().await;
            let captured = books.door.capture("omantel", order).await;
            [ordered, held, captured]
                .map(|answer| answer.map_or_else(|why| why.to_string(), |a| word(&a).to_owned()))
        })
    });
    join_all(callers).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_callers_of_two_processes_renew_once() {
    let books = since_january().await;
    let said = renewed_at_once(&books).await;
    assert!(said.iter().all(|said| *said == ["Ordered", "Held", "Captured"]), "{said:?}");
    assert_eq!(books.count("transfer where kind = 'capture'").await, 2);
    assert_eq!(books.count("hold").await, 2);
    assert_eq!(books.credit("kestrel").await, 82_000);
    assert_eq!(periods(&books).await, "2031-01-31 / 2031-02-28, 2031-02-28 / 2031-03-31");
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_accounts_lock_the_callers_meet_constraints_and_still_pay_once() {
    let books = since_january().await;
    books.database.mutate_function("lock_accounts", "for no key update", "").await;
    let said = renewed_at_once(&books).await;
    assert!(said.iter().any(|said| *said != ["Ordered", "Held", "Captured"]), "{said:?}");
    assert!(books.count("transfer where kind = 'capture'").await <= 2);
    books.assert_sound().await;
}
