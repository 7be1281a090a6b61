//! A statement that a customer would accept, word for word: `UPDATE=1` writes the files anew.

use std::{fs, path::Path};

use catalyst_operator::store::StatementAccount;

use crate::support::{Books, GRACE, books, why, word};

const DAY: i64 = 24 * 60 * 60;

/// What the command prints of kestrel, without the spaces at the ends of lines.
fn printed(books: &Books, arguments: &[&str]) -> String {
    let text = books.database.printed(&[&["statement", "omantel/kestrel"], arguments].concat());
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// What is printed is what the file says, as text and as JSON.
fn assert_golden(books: &Books, name: &str, arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/ledger/golden");
    let json = [arguments, &["--output", "json"]].concat();
    for (kind, printed) in [("txt", printed(books, arguments)), ("json", printed(books, &json))] {
        let file = folder.join(format!("{name}.{kind}"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &printed).expect("the folder can be written");
        }
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert!(printed == golden, "{}: run with UPDATE=1\n{printed}", file.display());
    }
}

async fn account(books: &Books) -> StatementAccount {
    let mut statement = books.database.store.statement("omantel", "kestrel", None).await.unwrap();
    statement.accounts.remove(0)
}

async fn mayfly(books: &Books, code: &str, worth: &str, days: i64) {
    books.voucher(code).worth(worth).credit_expires_after(days * DAY).issued().await;
    assert_eq!(books.redeem(code, "kestrel").await, "Redeemed");
}

/// Kestrel in January and February 2031: two vouchers, a top-up, a period, credit that expired
/// although nobody booked it, a dearer plan, a renewal, and a voucher that was taken back.
async fn winter() -> Books {
    let books = books().await;
    books.stand_at("2031-01-01T00:00:00Z").await;
    books.organization("kestrel").await;
    mayfly(&books, "OMANTEL-LAUNCH-2031", "20.000 OMR", 10).await;
    assert_eq!(books.grant("kestrel", "50.000 OMR", "4711").await, "Credited");
    books.stand_at("2031-01-01T09:30:00.123456Z").await;
    books.paid("kestrel", "m").await;
    books.stand_at("2031-01-16T21:30:00.123456Z").await;
    books.paid("kestrel", "l").await;
    books.stand_at("2031-02-03T08:00:00Z").await;
    mayfly(&books, "RAMADAN-2031", "30.000 OMR", 60).await;
    books.paid("kestrel", "l").await;
    books
}

#[tokio::test]
async fn a_statement_says_what_happened_in_the_order_of_time() {
    let books = winter().await;
    books.stand_at("2031-02-04T12:00:00Z").await;
    assert_golden(&books, "winter", &[]);
    assert_golden(&books, "since-february", &["--since", "2031-02-01T00:00:00Z"]);
    // Nobody has booked yet what expired by then, and nothing is paid or falls due any more.
    books.stand_at("2031-04-05T00:00:00Z").await;
    assert_golden(&books, "spring", &["--since", "2031-02-01T00:00:00Z"]);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_statement_shows_what_was_taken_back_and_what_is_owed() {
    let books = winter().await;
    books.stand_at("2031-02-04T12:00:00Z").await;
    let entry =
        books.database.one("select max(transfer) from transfer where kind = 'redeem'").await;
    let answer = books.door.reverse("omantel", entry, &why("chargeback")).await.unwrap();
    assert_eq!(word(&answer), "Reversed");
    assert_golden(&books, "taken-back", &[]);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_statement_of_a_closed_account_ends_with_nothing() {
    let books = winter().await;
    books.stand_at("2031-02-04T12:00:00Z").await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    let answer = books.door.close(("omantel", "kestrel"), "OMR", &why("bye")).await.unwrap();
    assert_eq!(word(&answer), "Closed");
    assert_golden(&books, "closed", &[]);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_statement_has_an_account_for_each_currency_and_one_that_is_empty() {
    let books = books().await;
    books.stand_at("2031-01-01T00:00:00Z").await;
    books.organization("kestrel").await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    books.sell("tokyo", "JPY", "cluster-tokyo").await;
    books.door.claim("omantel", "kestrel", "kestrel", ("tokyo", GRACE)).await.unwrap();
    assert_eq!(books.grant("kestrel", "20000 JPY", "yen").await, "Credited");
    let door = &books.door;
    door.order("omantel", "kestrel", "tokyo", "m").await.unwrap();
    let held = door.redeem_and_hold("omantel", ("kestrel", "tokyo", "m"), (1, 1), &[]).await;
    assert_eq!(word(&held.unwrap()), "Held");
    assert_golden(&books, "two-currencies", &[]);
}

#[tokio::test]
async fn a_statement_reads_the_same_before_and_after_an_expiry_is_booked() {
    let books = books().await;
    books.stand_at("2031-01-01T00:00:00Z").await;
    books.organization("kestrel").await;
    mayfly(&books, "MAYFLY", "5.000 OMR", 10).await;
    books.stand_at("2031-01-20T00:00:00Z").await;
    assert_eq!(books.grant("kestrel", "1.000 OMR", "late").await, "Credited");
    books.stand_at("2031-01-25T00:00:00Z").await;
    let lines = async || {
        let lines = account(&books).await.lines;
        lines.into_iter().map(|line| (line.at.to_string(), line.amount)).collect::<Vec<_>>()
    };
    let at = |day: &str| format!("2031-01-{day}T00:00:00Z");
    let before = lines().await;
    assert_eq!(before, [(at("01"), 5_000), (at("11"), -5_000), (at("20"), 1_000)]);

    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Short");

    assert_eq!(books.count("transfer where kind = 'expire'").await, 1);
    assert_eq!(lines().await, before);
}

#[tokio::test]
async fn a_hold_that_lapsed_is_not_shown_as_set_aside() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    let held = account(&books).await;
    assert_eq!((held.held, held.spendable, held.lots[0].held), (9_000, 91_000, 9_000));
    books.advance("73 hours").await;
    let lapsed = account(&books).await;
    assert_eq!((lapsed.held, lapsed.spendable, lapsed.lots[0].held), (0, 100_000, 0));
    assert_eq!(lapsed.closing, 100_000);
}

#[tokio::test]
async fn credit_that_expired_while_a_hold_lapsed_is_neither_set_aside_nor_left() {
    let books = books().await;
    books.organization("kestrel").await;
    mayfly(&books, "MAYFLY", "9.000 OMR", 1).await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("kestrel", order, 1).await, "Held");
    books.advance("73 hours").await;
    let lapsed = account(&books).await;
    assert_eq!((lapsed.closing, lapsed.held, lapsed.spendable), (0, 0, 0));
    assert!(lapsed.lots.is_empty());
}

#[tokio::test]
async fn the_next_renewal_is_shown_while_there_is_one() {
    let books = books().await;
    books.stand_at("2031-01-01T00:00:00Z").await;
    books.organization("kestrel").await;
    assert_eq!(books.grant("kestrel", "9.000 OMR", "one").await, "Credited");
    assert!(account(&books).await.renewal.is_none(), "nothing is paid yet");
    books.paid("kestrel", "m").await;
    let due = |account: StatementAccount| account.renewal.map(|renewal| renewal.due_at.to_string());
    let end = Some("2031-02-01T00:00:00Z".to_owned());
    assert_eq!(due(account(&books).await), end);
    books.stand_at("2031-02-07T23:59:59Z").await;
    assert_eq!(due(account(&books).await), end, "within grace");
    books.stand_at("2031-02-08T00:00:00Z").await;
    assert_eq!(due(account(&books).await), None, "what is paid later begins then");
    books.stand_at("2031-02-09T00:00:00Z").await;
    assert_eq!(books.grant("kestrel", "9.000 OMR", "two").await, "Credited");
    books.paid("kestrel", "m").await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    assert_eq!(due(account(&books).await), None, "whoever sleeps renews nothing");
}

#[tokio::test]
async fn the_balance_after_every_line_is_never_below_zero() {
    let books = winter().await;
    let account = account(&books).await;
    let balances = account.lines.iter().scan(account.opening, |balance, line| {
        *balance += line.amount;
        Some(*balance)
    });
    let balances: Vec<i64> = balances.collect();
    assert!(balances.iter().all(|balance| *balance >= 0), "{balances:?}");
    assert_eq!(balances.last(), Some(&account.closing));
    assert_eq!(account.closing, account.held + account.spendable);
}
