//! Whatever a caller sends, the answer is a refusal by name; nothing is written, nothing is told.

use catalyst_operator::{
    domain::{
        code::{Code, Digest},
        money::{Currency, Money},
    },
    store::{Answer, Error, Why},
};

use crate::support::{Books, books, word};

const MOST: i64 = 1_000_000_000_000_000;
/// What no text of ours should do anything with, and a secret that no answer may repeat.
const SECRET: &str = "SECRET-8F3A";

fn hostile() -> Vec<String> {
    vec![
        String::new(),
        format!("{SECRET}\0"),
        format!("{SECRET}' or '1'='1"),
        format!("{SECRET}'); drop table ledger.transfer; --"),
        format!("\u{202e}{SECRET}\u{202c}"),
        format!("{SECRET}\u{200b}"),
        format!("{SECRET}{}", "x".repeat(10 * 1024)),
        format!("{SECRET}{}", "x".repeat(1024 * 1024)),
        "%s%n{}$1".to_owned(),
    ]
}

fn why(key: &str) -> Why {
    Why { key: key.to_owned(), reason: "goodwill".to_owned(), actor: "noor".to_owned() }
}

/// How many rows every table has.
async fn rows(books: &Books) -> String {
    books
        .database
        .one(
            "select string_agg(concat(relname, (xpath('/row/n/text()', query_to_xml(format( \
             'select count(*) as n from ledger.%I', relname), false, true, '')))[1]), ' ' \
             order by relname) from pg_class where relnamespace = 'ledger'::regnamespace \
             and relkind = 'r'",
        )
        .await
}

/// Asserts that this is an answer by name, and that it says nothing of what was sent.
fn refused(what: &str, answer: &Result<Answer, Error>) {
    match answer {
        Ok(Answer::Refused(_)) | Err(Error::TextInvalid { .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
    assert!(!format!("{answer:?}").contains(SECRET), "{what}");
}

#[tokio::test]
async fn a_hostile_text_is_refused_by_name_wherever_it_is_sent() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").issued().await;
    let before = rows(&books).await;
    let digest = Code::parse("LAUNCH").unwrap().digest();
    let five = Money::parse("5.000 OMR").unwrap();
    let (door, n, zero) = (&books.door, "omantel", "catalyst-zero");
    for text in hostile() {
        let shown: String = text.chars().take(30).collect();
        assert!(Code::parse(&text).is_err(), "{shown}");
        assert!(Money::parse(&text).is_err(), "{shown}");
        assert!(Currency::parse(&text).is_err(), "{shown}");
        let named: [(&str, Result<Answer, Error>); 9] = [
            ("namespace", door.redeem(&text, "key", digest, ("kestrel", zero, "m")).await),
            ("organization", door.redeem(n, "key", digest, (&text, zero, "m")).await),
            ("sovereign", door.redeem(n, "key", digest, ("kestrel", &text, "m")).await),
            ("order", door.order(n, "kestrel", zero, &text).await),
            ("who orders", door.order(n, &text, zero, "m").await),
            ("credit", door.credit((n, &text), &five, None, &why("key")).await),
            ("close", door.close((n, &text), "OMR", &why("key")).await),
            ("currency", door.close((n, "kestrel"), &text, &why("key")).await),
            ("claim", door.claim(n, "falcon", "falcon", (&text, 60)).await),
        ];
        for (what, answer) in named {
            refused(&format!("{what}: {shown:?}"), &answer);
        }
    }
    assert_eq!(rows(&books).await, before);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_refused_by_name() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").issued().await;
    let before = rows(&books).await;
    let five = Money::parse("5.000 OMR").unwrap();
    let ours = ["capture/1", "correction/1", "expire/1"].map(str::to_owned);
    let long = ["x".repeat(201), "x".repeat(1024 * 1024), "\0".to_owned(), String::new()];
    for key in ours.iter().chain(&long) {
        let shown: String = key.chars().take(20).collect();
        refused(&shown, &books.redeem_under(key, "LAUNCH", "kestrel").await);
        if !ours.contains(key) {
            let credit = books.door.credit(("omantel", "kestrel"), &five, None, &why(key)).await;
            refused(&shown, &credit);
        }
    }
    for reason in ["", "\0", &"x".repeat(501)] {
        let why = Why { reason: reason.to_owned(), ..why("key") };
        refused("reason", &books.door.credit(("omantel", "kestrel"), &five, None, &why).await);
    }
    assert_eq!(rows(&books).await, before);
}

#[tokio::test]
async fn an_amount_that_is_no_amount_is_refused_by_name() {
    let books = books().await;
    books.organization("kestrel").await;
    let before = rows(&books).await;
    let omr = Money::parse("0.000 OMR").unwrap();
    let credit = async |minor: i64, key: &str| {
        let amount = Money { minor, ..omr.clone() };
        books.door.credit(("omantel", "kestrel"), &amount, None, &why(key)).await
    };
    for minor in [0, -1, MOST + 1, 1 << 53, (1 << 53) + 1, i64::MAX, i64::MIN] {
        refused(&minor.to_string(), &credit(minor, "key").await);
    }
    for text in ["0.00 OMR", "1 OMR", "1.0000 OMR", "-1.000 OMR", "1000000000000.001 OMR"] {
        assert!(Money::parse(text).is_err(), "{text}");
    }
    assert_eq!(rows(&books).await, before);
    for (minor, key) in [(1, "least"), (MOST, "most")] {
        assert_eq!(word(&credit(minor, key).await.unwrap()), "Credited");
    }
    books.assert_sound().await;
}

#[tokio::test]
async fn a_balance_that_would_overflow_is_refused_by_name() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("LAUNCH").worth("1000000000000.000 OMR").issued().await;
    // As much as a thousand of the greatest credits; the audit would say where it came from.
    let rich = "update account set posted = 1000000000000000000 where kind = 'customer'";
    books.database.mutate(rich).await;
    let most = Money { minor: MOST, ..Money::parse("0.000 OMR").unwrap() };
    let credit = books.door.credit(("omantel", "kestrel"), &most, None, &why("key")).await;
    refused("credit", &credit);
}

#[tokio::test]
async fn a_time_outside_of_history_is_kept_or_refused_and_nothing_else() {
    let books = books().await;
    books.organization("kestrel").await;
    let time = |text: &str| text.parse::<jiff::Timestamp>();
    assert!(time("10000-01-01T00:00:00Z").is_err());
    books.voucher("PAST").expires_at(time("1969-12-31T23:59:59Z").unwrap()).issued().await;
    assert_eq!(books.redeem("PAST", "kestrel").await, "Expired");
    books.voucher("FUTURE").valid_from(time("9999-12-30T00:00:00Z").unwrap()).issued().await;
    assert_eq!(books.redeem("FUTURE", "kestrel").await, "NotStarted");
    for digest in [Digest([0; 32]), Digest([255; 32])] {
        let customer = ("kestrel", "catalyst-zero", "m");
        refused("digest", &books.door.redeem("omantel", "key", digest, customer).await);
    }
    assert_eq!(books.credit("kestrel").await, 0);
}
