//! Dearer, equal and cheaper plans inside a paid period: the price by the second, and what is
//! owed to whom changes his mind.

use std::sync::Arc;

use catalyst_operator::{
    domain::{
        facts::{Quote, TenantFacts},
        money::Money,
    },
    store::Answer,
};
use futures::future::join_all;
use jiff::ToSpan as _;
use tokio::sync::Barrier;

use crate::support::{Books, GRACE, books, plan, why, word};

const BEGIN: &str = "2031-01-01T00:00:00Z";
/// The seconds of that January.
const WHOLE: i128 = 31 * 24 * 60 * 60;

/// Kestrel has paid plan m since the first of January 2031, and has 91 rial left.
async fn since_january() -> Books {
    let books = books().await;
    books.stand_at(BEGIN).await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    books
}

/// This much of January is over.
async fn after(books: &Books, seconds: i64) {
    let begin: jiff::Timestamp = BEGIN.parse().unwrap();
    books.stand_at(&(begin + seconds.seconds()).to_string()).await;
}

/// What the ledger tells a Tenant of kestrel on this plan.
async fn wanting(books: &Books, plan: &str) -> TenantFacts {
    let mut tenant = books.tenant("kestrel", &[]);
    plan.clone_into(&mut tenant.plan);
    books.database.store.observe_tenant(&tenant).await.unwrap()
}

/// The difference of two prices over the rest of the period, rounded half up.
fn prorated(old: i64, new: i64, over: i64) -> i64 {
    let rest = WHOLE - i128::from(over);
    let twice = 2 * (i128::from(new) - i128::from(old)) * rest + WHOLE;
    i64::try_from(twice.div_euclid(2 * WHOLE)).unwrap()
}

/// The lines of the newest order, which add up to its amount.
async fn lines(books: &Books) -> Vec<(String, i64)> {
    let lines = "select what, amount from order_line where ord = (select max(ord) from orders) \
                 order by line";
    sqlx::query_as(lines).fetch_all(&books.database.admin).await.unwrap()
}

#[tokio::test]
async fn a_dearer_plan_costs_the_difference_by_the_second_in_every_currency() {
    const MIDDLE: i64 = 1_339_200;
    for (currency, credit) in
        [("JPY", "100000 JPY"), ("OMR", "100.000 OMR"), ("CLF", "10.0000 CLF")]
    {
        for over in [0, 1, 1_000, MIDDLE, MIDDLE + 1, 2_678_399] {
            let books = books().await;
            books.sell("salalah", currency, "cluster-salalah").await;
            books.stand_at(BEGIN).await;
            buy(&books, ("salalah", "s"), credit).await;
            after(&books, over).await;
            let cost = buy(&books, ("salalah", "l"), credit).await;
            assert_eq!(cost, prorated(5_000, 16_000, over), "{currency} after {over} seconds");
            let lines = lines(&books).await;
            let sum: i64 = lines.iter().map(|(_, amount)| amount).sum();
            assert_eq!((sum, lines.len()), (cost, 2), "{lines:?}");
            assert!(lines[0].1 >= 0 && lines[1].1 <= 0, "{lines:?}");
            books.assert_sound().await;
        }
    }
}

/// Kestrel buys a plan on a Sovereign; gives what the last capture cost.
async fn buy(books: &Books, (sovereign, plan): (&str, &str), credit: &str) -> i64 {
    let (door, customer) = (&books.door, ("kestrel", sovereign, plan));
    let claimed = door.claim("omantel", "kestrel", "kestrel", (sovereign, GRACE)).await.unwrap();
    assert_eq!(word(&claimed), "Claimed");
    let money = Money::parse(credit).unwrap();
    let account = ("omantel", "kestrel");
    let credited = door.credit(account, &money, None, &why("credit")).await.unwrap();
    assert_eq!(word(&credited), "Credited");
    let ordered = door.order("omantel", "kestrel", sovereign, plan).await.unwrap();
    assert_eq!(word(&ordered), "Ordered");
    let order: i64 = books.database.one("select max(ord) from orders").await;
    let held = door.redeem_and_hold("omantel", customer, (order, 1), &[]).await.unwrap();
    assert_eq!(word(&held), "Held");
    assert_eq!(books.capture(order).await, "Captured");
    books.database.one(&format!("select amount from orders where ord = {order}")).await
}

#[tokio::test]
async fn the_shares_of_any_two_prices_add_up_to_the_rounded_difference() {
    let books = books().await;
    let wrong: i64 = books
        .count(
            "(select p_old, p_new, rest, prorate(p_old, p_new, '2031-01-01Z', '2031-02-01Z', \
             '2031-02-01Z'::timestamptz - make_interval(secs => rest)) as shares \
             from (values (0::bigint), (1), (2), (9999), (333333), (999999999999999)) a (p_old), \
             (values (0::bigint), (1), (3), (10000), (1000000000000000)) b (p_new), \
             (values (0), (1), (86399), (892800), (1339199), (1339200), (2678399), (2678400)) \
             c (rest)) as all_of \
             where (select sum(s) from unnest(shares) s) \
             <> floor(((p_new - p_old)::numeric * rest * 2 + 2678400) / (2 * 2678400)) \
             or abs(shares[1] - p_new::numeric * rest / 2678400) >= 1 \
             or abs(shares[2] + p_old::numeric * rest / 2678400) >= 1",
        )
        .await;
    assert_eq!(wrong, 0);
}

#[tokio::test]
async fn an_upgrade_gives_the_new_plan_at_once_and_its_price_at_the_renewal() {
    let books = since_january().await;
    after(&books, 1_339_200).await;
    let quote = wanting(&books, "l").await.quote.unwrap();
    let expected = Quote { period: 1, step: 1, plan: "l".to_owned(), revision: 1, amount: 3_500 };
    assert_eq!(quote, expected);
    books.paid("kestrel", "l").await;
    assert_eq!(books.credit("kestrel").await, 91_000 - 3_500);
    let facts = wanting(&books, "l").await;
    let period = facts.period.unwrap();
    assert_eq!((period.plan.as_str(), period.price), ("l", 16_000));
    assert_eq!(period.ends_at.to_string(), "2031-02-01T00:00:00Z", "it ends when it did");
    assert_eq!((facts.renewal.unwrap().amount, facts.quote), (16_000, None));
    assert_eq!(books.order("kestrel", "l").await, "Paid");

    books.stand_at("2031-02-01T00:00:00Z").await;
    books.paid("kestrel", "l").await;
    assert_eq!(books.credit("kestrel").await, 91_000 - 3_500 - 16_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn two_upgrades_in_one_period_are_each_from_the_plan_before() {
    let books = books().await;
    books.stand_at(BEGIN).await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "s").await;
    after(&books, 669_600).await;
    books.paid("kestrel", "m").await;
    after(&books, 1_339_200).await;
    books.paid("kestrel", "l").await;
    assert_eq!(books.credit("kestrel").await, 100_000 - 5_000 - 3_000 - 3_500);
    assert_eq!((books.count("period").await, books.count("upgrade").await), (1, 2));
    books.assert_sound().await;
}

#[tokio::test]
async fn a_plan_of_the_same_price_begins_at_once_for_nothing() {
    let books = since_january().await;
    let plans = [plan("m", 9_000), plan("twin", 9_000)];
    books.accept_sovereign("catalyst-zero", ("OMR", "cluster-zero"), &plans).await;
    after(&books, 77_777).await;
    let order = books.ordered("kestrel", "twin").await;
    assert_eq!(books.capture(order).await, "Captured");
    let facts = wanting(&books, "twin").await;
    assert_eq!((facts.period.unwrap().plan.as_str(), facts.order), ("twin", None));
    assert_eq!(books.credit("kestrel").await, 91_000);
    assert_eq!(books.count("hold").await, 1);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_cheaper_plan_begins_with_the_next_period() {
    let books = since_january().await;
    after(&books, 1_000).await;
    let facts = wanting(&books, "s").await;
    assert_eq!((facts.quote, facts.period.unwrap().plan.as_str()), (None, "m"));
    assert_eq!(facts.renewal.unwrap().amount, 5_000);
    assert_eq!(books.order("kestrel", "s").await, "Paid");
    books.stand_at("2031-02-01T00:00:00Z").await;
    books.paid("kestrel", "s").await;
    assert_eq!(wanting(&books, "s").await.period.unwrap().plan, "s");
    assert_eq!(books.credit("kestrel").await, 86_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn the_price_of_the_rest_stands_for_five_minutes_and_then_falls() {
    let books = since_january().await;
    let first = books.ordered("kestrel", "l").await;
    after(&books, 299).await;
    assert_eq!(books.ordered("kestrel", "l").await, first);
    assert!(wanting(&books, "l").await.order.unwrap().stands);
    after(&books, 300).await;
    assert!(!wanting(&books, "l").await.order.unwrap().stands);
    let second = books.ordered("kestrel", "l").await;
    assert_ne!(second, first);
    assert_eq!(books.hold("kestrel", first, 1).await, "NoOrder");
    assert_eq!(wanting(&books, "l").await.order.unwrap().amount, prorated(9_000, 16_000, 300));
    // Once it is held it stands as long as the hold.
    assert_eq!(books.hold("kestrel", second, 1).await, "Held");
    after(&books, 200_000).await;
    assert!(wanting(&books, "l").await.order.unwrap().stands);
    assert_eq!(books.ordered("kestrel", "l").await, second);
    assert_eq!(books.capture(second).await, "Captured");
    books.assert_sound().await;
}

#[tokio::test]
async fn an_upgrade_that_is_still_held_when_the_period_ends_is_given_back() {
    let books = since_january().await;
    after(&books, 2_678_000).await;
    let upgrade = books.ordered("kestrel", "l").await;
    assert_eq!(books.hold("kestrel", upgrade, 1).await, "Held");
    books.stand_at("2031-02-01T00:00:00Z").await;
    assert_eq!(books.capture(upgrade).await, "PeriodEnded");
    assert_eq!(books.order("kestrel", "l").await, "OrderHeld");
    assert_eq!(books.release(upgrade).await, "Released");
    books.paid("kestrel", "l").await;
    assert_eq!(books.credit("kestrel").await, 91_000 - 16_000);
    assert_eq!(books.count("upgrade").await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn whoever_goes_back_before_the_capture_pays_nothing() {
    let books = since_january().await;
    let upgrade = books.ordered("kestrel", "l").await;
    assert_eq!(books.hold("kestrel", upgrade, 1).await, "Held");
    let facts = wanting(&books, "m").await;
    assert_eq!((facts.quote, facts.order.map(|order| order.order)), (None, Some(upgrade)));
    assert_eq!(books.release(upgrade).await, "Released");
    let facts = wanting(&books, "m").await;
    assert_eq!((facts.order, facts.account.unwrap().spendable), (None, 91_000));
    books.assert_sound().await;
}

#[tokio::test]
async fn an_upgrade_beyond_the_credit_is_short_and_changes_nothing() {
    let books = books().await;
    books.stand_at(BEGIN).await;
    books.organization("kestrel").await;
    assert_eq!(books.grant("kestrel", "9.001 OMR", "first").await, "Credited");
    books.paid("kestrel", "m").await;
    let order = books.ordered("kestrel", "l").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Short");
    assert_eq!(books.capture(order).await, "NoHold");
    let facts = wanting(&books, "l").await;
    assert_eq!(facts.period.unwrap().plan, "m");
    assert_eq!(facts.account.unwrap().spendable, 1);
}

#[tokio::test]
async fn a_plan_of_another_sovereign_is_no_upgrade() {
    let books = since_january().await;
    books.sell("nizwa", "OMR", "cluster-nizwa").await;
    let answer = books.door.order("omantel", "kestrel", "nizwa", "l").await.unwrap();
    assert!(matches!(&answer, Answer::Done(done) if done.outcome == "Paid"), "{answer:?}");
    assert_eq!(books.count("orders").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_callers_of_two_processes_upgrade_once() {
    let books = since_january().await;
    after(&books, 1_339_200).await;
    let stores = [books.database.another_store(8), books.database.another_store(8)];
    books.database.open_all(&[(&stores[0], 8), (&stores[1], 8)]).await;
    let barrier = Arc::new(Barrier::new(16));
    let callers = (0..16).map(|caller| {
        let books = Books { door: stores[caller % 2].door(), ..books.clone() };
        let barrier = barrier.clone();
        tokio::spawn(async move {
            barrier.wait().await;
            let ordered = books.order("kestrel", "l").await;
            let order = books.database.one("select max(ord) from orders").await;
            let held = books.hold("kestrel", order, i32::try_from(caller).unwrap() + 1).await;
            [ordered, held, books.capture(order).await]
        })
    });
    for said in join_all(callers).await {
        let said = said.unwrap();
        assert!(["Ordered", "Paid"].contains(&said[0].as_str()), "{said:?}");
        assert!(["Held", "Captured"].contains(&said[1].as_str()), "{said:?}");
        assert_eq!(said[2], "Captured", "{said:?}");
    }
    assert_eq!(books.credit("kestrel").await, 91_000 - 3_500);
    assert_eq!((books.count("upgrade").await, books.count("hold").await), (1, 2));
    books.assert_sound().await;
}
