//! Corrections from the command line: what is printed, and why a person is refused.

use serde_json::{Value, json};

use crate::support::{Books, books};

const WHY: [&str; 4] = ["--reason", "bank transfer", "--actor", "amal"];

/// What a command prints, as JSON.
fn printed(books: &Books, arguments: &[&str], key: &str) -> Value {
    let text = books.database.printed(&[arguments, &WHY, &["--key", key]].concat());
    serde_json::from_str(&text).expect("it is JSON")
}

/// What a command says that fails.
fn refused(books: &Books, arguments: &[&str], key: &str) -> String {
    let output = books.database.command(&[arguments, &WHY, &["--key", key]].concat());
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("it is text")
}

#[tokio::test]
async fn credit_and_what_is_taken_back_and_closed_is_answered_in_json() {
    let books = books().await;
    books.organization("kestrel").await;
    let credit = ["credit", "omantel/kestrel", "10.000 OMR", "--expires-after", "90d"];
    let credited = json!({"api": "v1", "outcome": "Credited", "organization": "kestrel",
        "amount": 10_000, "currency": "OMR"});
    assert_eq!(printed(&books, &credit, "one"), credited);
    assert_eq!(printed(&books, &credit, "one"), credited, "and nothing happens twice");
    books.paid("kestrel", "m").await;
    let reversed = json!({"api": "v1", "outcome": "Reversed", "entry": 1, "taken_back": 1_000,
        "owed": 9_000, "currency": "OMR"});
    assert_eq!(printed(&books, &["reverse", "omantel", "1"], "two"), reversed);
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    let closed = json!({"api": "v1", "outcome": "Closed", "organization": "kestrel",
        "taken_back": 0, "currency": "OMR"});
    assert_eq!(printed(&books, &["close", "omantel/kestrel", "OMR"], "three"), closed);
    books.assert_sound().await;
}

#[tokio::test]
async fn whoever_is_refused_reads_why_and_nothing_happens() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    let (credit, account) = ("credit", "omantel/kestrel");
    assert_eq!(printed(&books, &[credit, account, "1.000 OMR"], "known")["outcome"], "Credited");
    for (arguments, key, told) in [
        (&[credit, account, "2.000 OMR"][..], "known", "another act was done under this key"),
        (&[credit, account, "0.000 OMR"], "a", "not from 1 to 10^15 minor units"),
        (&[credit, account, "1.00 USD"], "a", "has no account in this currency"),
        (&[credit, "omantel/falcon", "1.000 OMR"], "a", "has no account in this currency"),
        (&[credit, "nowhere/kestrel", "1.000 OMR"], "a", "no such franchise"),
        (&[credit, account, "1.000 OMR"], "", "a key has 1 to 150 bytes"),
        (&[credit, account, "1 OMR"], "a", "not an amount of money such as 100.000 OMR"),
        (&[credit, "kestrel", "1.000 OMR"], "a", "write NAMESPACE/ORGANIZATION"),
        (&[credit, account, "1.000 OMR", "--expires-after", "1y"], "a", "not a length of time"),
        (&["reverse", "omantel", "99"], "a", "no such entry in this franchise"),
        (&["reverse", "omantel", "2"], "a", "only an entry that granted credit"),
        (&["close", account, "OMR"], "a", "the organization has a Tenant: delete it first"),
    ] {
        let said = refused(&books, arguments, key);
        assert!(said.contains(told), "{arguments:?} {key}: {said}");
    }
    assert_eq!(books.credit("kestrel").await, 92_000);
    assert_eq!(printed(&books, &["reverse", "omantel", "1"], "back")["taken_back"], 91_000);
    let said = refused(&books, &["reverse", "omantel", "1"], "again");
    assert!(said.contains("the entry was taken back before"), "{said}");
    books.assert_sound().await;
}

#[tokio::test]
async fn a_correction_names_who_and_why_or_is_none() {
    let books = books().await;
    books.organization("kestrel").await;
    let credit = ["credit", "omantel/kestrel", "1.000 OMR"];
    for missing in ["--reason", "--actor", "--key"] {
        let given = [("--reason", "why"), ("--actor", "amal"), ("--key", "one")];
        let given = given.into_iter().filter(|(name, _)| *name != missing);
        let given: Vec<&str> = given.flat_map(|(name, value)| [name, value]).collect();
        let output = books.database.command(&[&credit[..], &given].concat());
        let said = String::from_utf8(output.stderr).expect("it is text");
        assert!(!output.status.success() && said.contains(missing), "{said}");
    }
    let empty = ["--reason", "", "--actor", "amal", "--key", "one"];
    let output = books.database.command(&[&credit[..], &empty].concat());
    let said = String::from_utf8(output.stderr).expect("it is text");
    assert!(said.contains("a reason has 1 to 500 characters and an actor 1 to 200"), "{said}");
    assert_eq!(books.credit("kestrel").await, 0);
}
