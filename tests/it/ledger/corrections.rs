//! What a person does to an account without a voucher: credit, an entry taken back, an account
//! closed. Each happens once, and no balance is ever below zero.

use std::sync::Arc;

use catalyst_operator::{
    domain::money::Money,
    store::{Answer, Error, Why},
};
use futures::future::join_all;
use serde_json::Value;
use tokio::sync::Barrier;

use crate::support::{Books, books, why, word};

async fn reverse(books: &Books, entry: i64, key: &str) -> String {
    word(&books.door.reverse("omantel", entry, &why(key)).await.unwrap()).to_owned()
}

async fn close(books: &Books, key: &str) -> String {
    let account = ("omantel", "kestrel");
    word(&books.door.close(account, "OMR", &why(key)).await.unwrap()).to_owned()
}

/// What an answer says, as it is stored.
fn response(answer: Result<Answer, Error>) -> Value {
    match answer.unwrap() {
        Answer::Done(done) => serde_json::from_str(&done.response.unwrap()).unwrap(),
        Answer::Refused(refusal) => panic!("{}", refusal.name()),
    }
}

/// Kestrel redeemed 100 rial, as entry 1, and paid 9 of them.
async fn spent() -> Books {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    books
}

async fn owed(books: &Books) -> i64 {
    let statement = books.database.store.statement("omantel", "kestrel", None).await.unwrap();
    statement.accounts[0].owed
}

#[tokio::test]
async fn credit_is_given_once_per_key_and_answers_with_the_same_bytes() {
    let books = books().await;
    books.organization("kestrel").await;
    let (account, money) = (("omantel", "kestrel"), Money::parse("10.000 OMR").unwrap());
    let first = books.door.credit(account, &money, None, &why("4711")).await.unwrap();
    let again = books.door.credit(account, &money, None, &why("4711")).await.unwrap();
    assert_eq!((word(&first), &first), ("Credited", &again));
    assert_eq!(books.credit("kestrel").await, 10_000);

    let other = Money::parse("10.001 OMR").unwrap();
    let reason = Why { reason: "a gift".to_owned(), ..why("4711") };
    for (money, expires, why) in [
        (&other, None, why("4711")),
        (&money, Some(60), why("4711")),
        (&money, None, reason),
        (&money, None, Why { actor: "eve".to_owned(), ..why("4711") }),
    ] {
        let answer = books.door.credit(account, money, expires, &why).await.unwrap();
        assert_eq!(word(&answer), "KeyReused");
    }
    assert_eq!(reverse(&books, 1, "4711").await, "KeyReused", "a key is for one act of any kind");
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    assert_eq!(close(&books, "4711").await, "KeyReused");
    books.assert_sound().await;
}

#[tokio::test]
async fn a_key_is_of_one_franchise() {
    let omantel = books().await;
    let batelco = omantel.franchise("batelco").await;
    for books in [&omantel, &batelco] {
        books.organization(&format!("kestrel-{}", books.namespace)).await;
        let organization = format!("kestrel-{}", books.namespace);
        assert_eq!(books.grant(&organization, "1.000 OMR", "one").await, "Credited");
    }
    omantel.assert_sound().await;
}

#[tokio::test]
async fn credit_is_spent_after_what_vouchers_granted_and_expires_if_it_was_told_to() {
    let books = books().await;
    books.organization("kestrel").await;
    let money = Money::parse("10.000 OMR").unwrap();
    let account = ("omantel", "kestrel");
    books.door.credit(account, &money, Some(3_600), &why("soon")).await.unwrap();
    books.voucher("SMALL").worth("9.000 OMR").issued().await;
    assert_eq!(books.redeem("SMALL", "kestrel").await, "Redeemed");
    books.paid("kestrel", "m").await;
    assert_eq!(books.credit("kestrel").await, 10_000, "the voucher was spent and not the credit");
    books.advance("1 hour").await;
    assert_eq!(books.credit("kestrel").await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn credit_that_cannot_be_is_refused() {
    let books = books().await;
    books.organization("kestrel").await;
    for (organization, amount, key, word) in [
        ("falcon", "1.000 OMR", "key", "NoOrganization"),
        ("kestrel", "1.00 USD", "key", "NoOrganization"),
        ("kestrel", "0.000 OMR", "key", "AmountInvalid"),
        ("kestrel", "1.000 OMR", "", "KeyInvalid"),
        ("kestrel", "1.000 OMR", &"k".repeat(151), "KeyInvalid"),
    ] {
        assert_eq!(
            books.grant(organization, amount, key).await,
            word,
            "{amount} to {organization}"
        );
    }
    assert_eq!(books.grant("kestrel", "1.000 OMR", &"k".repeat(150)).await, "Credited");
    let (long, money) = ("ö".repeat(501), Money::parse("1.000 OMR").unwrap());
    for (reason, actor) in [("", "amal"), (long.as_str(), "amal"), ("why", ""), ("why", &long)] {
        let [reason, actor] = [reason, actor].map(str::to_owned);
        let why = Why { reason, actor, ..why("words") };
        let answer = books.door.credit(("omantel", "kestrel"), &money, None, &why).await.unwrap();
        assert_eq!(word(&answer), "ReasonNeeded");
    }
    let stranger = books.door.credit(("nowhere", "kestrel"), &money, None, &why("x")).await;
    assert_eq!(word(&stranger.unwrap()), "NoFranchise");
    assert_eq!(books.credit("kestrel").await, 1_000);
}

#[tokio::test]
async fn a_balance_has_a_bound_that_credit_does_not_cross() {
    let books = books().await;
    books.organization("kestrel").await;
    // As if 999 of the largest credits had come.
    books
        .database
        .mutate("update account set posted = 999000000000000000 where kind = 'customer'")
        .await;
    let largest = "1000000000000.000 OMR";
    assert_eq!(books.grant("kestrel", largest, "last").await, "Credited");
    assert_eq!(books.grant("kestrel", "0.001 OMR", "beyond").await, "AmountInvalid");
}

#[tokio::test]
async fn an_entry_that_is_taken_back_gives_what_is_left_and_owes_what_was_spent() {
    let books = spent().await;
    let said = response(books.door.reverse("omantel", 1, &why("fraud")).await);
    assert_eq!((&said["taken_back"], &said["owed"]), (&91_000.into(), &9_000.into()));
    assert_eq!((books.credit("kestrel").await, owed(&books).await), (0, 9_000));
    assert_eq!(response(books.door.reverse("omantel", 1, &why("fraud")).await), said);
    assert_eq!(reverse(&books, 1, "again").await, "AlreadyReversed");
    assert_eq!(books.redeem("WELCOME", "kestrel").await, "Redeemed", "which is the one of before");
    assert_eq!((books.credit("kestrel").await, owed(&books).await), (0, 9_000));
    assert_eq!(books.lineage("WELCOME").await.unwrap().used, 1, "it stays counted");
    books.assert_sound().await;
}

#[tokio::test]
async fn an_entry_that_was_not_touched_is_taken_back_whole_and_nothing_is_owed() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    assert_eq!(reverse(&books, 1, "one").await, "Reversed");
    assert_eq!((books.credit("kestrel").await, owed(&books).await), (0, 0));
    assert_eq!(books.count("account where kind = 'receivable'").await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_entry_that_was_spent_whole_is_owed_whole() {
    let books = books().await;
    books.organization("kestrel").await;
    assert_eq!(books.grant("kestrel", "9.000 OMR", "one").await, "Credited");
    assert_eq!(books.grant("kestrel", "1.000 OMR", "two").await, "Credited");
    books.paid("kestrel", "m").await;
    assert_eq!(reverse(&books, 1, "back").await, "Reversed");
    assert_eq!((books.credit("kestrel").await, owed(&books).await), (1_000, 9_000));
    books.assert_sound().await;
}

#[tokio::test]
async fn what_of_an_entry_has_expired_is_neither_taken_back_nor_owed() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("MAYFLY").credit_expires_after(3_600).issued().await;
    assert_eq!(books.redeem("MAYFLY", "kestrel").await, "Redeemed");
    books.paid("kestrel", "m").await;
    books.advance("1 hour").await;
    let said = response(books.door.reverse("omantel", 1, &why("late")).await);
    assert_eq!((&said["taken_back"], &said["owed"]), (&0.into(), &9_000.into()));
    assert_eq!(owed(&books).await, 9_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_refused() {
    let books = spent().await;
    assert_eq!(reverse(&books, 99, "a").await, "NoEntry");
    assert_eq!(reverse(&books, 2, "b").await, "NotReversible", "a capture grants nothing");
    let batelco = books.franchise("batelco").await;
    let stranger = batelco.door.reverse("batelco", 1, &why("c")).await.unwrap();
    assert_eq!(word(&stranger), "NoEntry", "of another franchise");
    books.advance("32 days").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    assert_eq!(reverse(&books, 1, "d").await, "CreditHeld");
    books.advance("73 hours").await;
    assert_eq!(reverse(&books, 1, "d").await, "Reversed", "what lapsed is not set aside");
    assert_eq!(reverse(&books, 1, "e").await, "AlreadyReversed");
    assert_eq!((books.credit("kestrel").await, owed(&books).await), (0, 9_000));
    books.assert_sound().await;
}

#[tokio::test]
async fn an_account_is_closed_when_its_organization_sleeps_and_stays_closed() {
    let books = spent().await;
    assert_eq!(close(&books, "bye").await, "TenantsRemain");
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    let said = response(books.door.close(("omantel", "kestrel"), "OMR", &why("bye")).await);
    assert_eq!(said["taken_back"], 91_000);
    let again = books.door.close(("omantel", "kestrel"), "OMR", &why("bye")).await;
    assert_eq!(response(again), said);
    assert_eq!(close(&books, "bye-bye").await, "Closed", "of nothing");
    assert_eq!(books.grant("kestrel", "1.000 OMR", "late").await, "NotEligible");
    books.organization("kestrel").await;
    books.voucher("LATER").issued().await;
    assert_eq!(books.redeem("LATER", "kestrel").await, "NotEligible");
    books.advance("32 days").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "NotEligible");
    let account = books.facts("kestrel").await.account.unwrap();
    assert_eq!((account.suspended, account.spendable), (true, 0));
    let statement = books.database.store.statement("omantel", "kestrel", None).await.unwrap();
    assert!(statement.accounts[0].closed);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_account_that_never_was_cannot_be_closed() {
    let books = spent().await;
    let answer = books.door.close(("omantel", "kestrel"), "USD", &why("bye")).await.unwrap();
    assert_eq!(word(&answer), "NoOrganization");
}

#[tokio::test]
async fn an_entry_of_a_closed_account_is_owed_as_far_as_it_was_spent() {
    let books = spent().await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    assert_eq!(close(&books, "bye").await, "Closed");
    let said = response(books.door.reverse("omantel", 1, &why("fraud")).await);
    assert_eq!((&said["taken_back"], &said["owed"]), (&0.into(), &9_000.into()));
    assert_eq!(owed(&books).await, 9_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_hold_that_lapsed_does_not_keep_an_account_open() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    // The object was removed by force, and one of its name speaks for another organization.
    assert_eq!(books.claim("falcon", "kestrel").await, "Claimed");
    assert_eq!(close(&books, "bye").await, "CreditHeld");
    books.advance("73 hours").await;
    assert_eq!(close(&books, "bye").await, "Closed");
    books.assert_sound().await;
}

/// Makes these calls at the same moment, by two processes, and gives what each was told.
async fn at_once<F>(books: &Books, call: impl Fn(Books, usize) -> F) -> Vec<String>
where
    F: Future<Output = String> + Send + 'static,
{
    const CALLERS: usize = 16;
    let stores = [books.database.another_store(8), books.database.another_store(8)];
    books.database.open_all(&[(&stores[0], 8), (&stores[1], 8)]).await;
    let barrier = Arc::new(Barrier::new(CALLERS));
    let calls = (0..CALLERS).map(|caller| {
        let books = Books { door: stores[caller % 2].door(), ..books.clone() };
        let (barrier, call) = (barrier.clone(), call(books, caller));
        tokio::spawn(async move {
            barrier.wait().await;
            call.await
        })
    });
    join_all(calls).await.into_iter().map(|said| said.unwrap()).collect()
}

fn how_many(said: &[String], word: &str) -> usize {
    said.iter().filter(|said| *said == word).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_under_one_key_by_many_at_once_is_given_once() {
    let books = books().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    let said = at_once(&books, |books, caller| async move {
        // Half of them mean another organization, whose account is another lock.
        books.grant(["kestrel", "falcon"][caller / 8], "1.000 OMR", "one").await
    })
    .await;
    assert_eq!((how_many(&said, "Credited"), how_many(&said, "KeyReused")), (8, 8), "{said:?}");
    assert_eq!(books.credit("kestrel").await + books.credit("falcon").await, 1_000);
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_reversals_at_once_one_takes_back() {
    let books = spent().await;
    let said = at_once(&books, |books, caller| async move {
        reverse(&books, 1, &format!("key/{caller}")).await
    })
    .await;
    assert_eq!(how_many(&said, "Reversed"), 1, "{said:?}");
    assert_eq!(how_many(&said, "AlreadyReversed"), 15, "{said:?}");
    assert_eq!((books.credit("kestrel").await, owed(&books).await), (0, 9_000));
    books.assert_sound().await;
}

async fn reversed_and_held_at_once(books: &Books, order: i64) -> Vec<String> {
    at_once(books, move |books, caller| async move {
        let answer = if caller % 2 == 0 {
            books.door.reverse("omantel", 1, &why("back")).await
        } else {
            let attempt = (order, i32::try_from(caller).unwrap());
            books.redeem_and_hold("kestrel", attempt, &[]).await
        };
        answer.map_or_else(|why| why.to_string(), |answer| word(&answer).to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_accounts_lock_a_hold_takes_what_a_reversal_has_counted() {
    for (locked, sound) in [(true, true), (false, false)] {
        let books = books().await;
        books.rich_organization("kestrel").await;
        let order = books.ordered("kestrel", "m").await;
        let counted = "if l.held > 0 then";
        let slow = format!("perform pg_sleep(0.5); {counted}");
        books.database.mutate_function("reverse_v1", counted, &slow).await;
        if !locked {
            books.database.mutate_function("lock_accounts", "for no key update", "").await;
        }
        let because = why("back");
        let reverse = books.door.reverse("omantel", 1, &because);
        let hold = async {
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
            books.redeem_and_hold("kestrel", (order, 1), &[]).await
        };
        let (_reversed, _held) = tokio::join!(reverse, hold);
        let broken = books.database.store.verify().await.unwrap();
        assert_eq!(broken.is_empty(), sound, "locked {locked}: {broken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_and_a_hold_at_once_never_share_a_unit() {
    for _round in 0..4 {
        let books = books().await;
        books.rich_organization("kestrel").await;
        let order = books.ordered("kestrel", "m").await;
        let said = reversed_and_held_at_once(&books, order).await;
        let held = how_many(&said, "Held");
        let first = if held > 0 { [0, 8, 8, 0] } else { [8, 0, 0, 8] };
        let words = ["Reversed", "CreditHeld", "Held", "Short"].map(|word| how_many(&said, word));
        assert_eq!(words, first, "{said:?}");
        books.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_redeemed_into_an_account_that_closes_meanwhile() {
    for _round in 0..4 {
        let books = books().await;
        books.voucher("LATE").worth("1.000 OMR").issued().await;
        books.organization("kestrel").await;
        assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
        let said = at_once(&books, |books, caller| async move {
            if caller % 4 == 0 {
                close(&books, "bye").await
            } else {
                books.redeem("LATE", "kestrel").await
            }
        })
        .await;
        assert_eq!(how_many(&said, "Closed"), 4, "{said:?}");
        assert_eq!(how_many(&said, "Redeemed") + how_many(&said, "NotEligible"), 12, "{said:?}");
        assert_eq!(books.credit("kestrel").await, 0, "{said:?}");
        books.assert_sound().await;
    }
}
