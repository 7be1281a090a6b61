//! The ledger's audit of itself finds damage, whoever did it, and names the row.

use catalyst_operator::{domain::money::Money, store::Why};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Books, books, word};

/// Damage that only a superuser can do: what it is, what the audit must say, and of which row.
const DAMAGE: &[(&str, &str, &str)] = &[
    (
        "update account set posted = posted + 1 where organization = 'kestrel'",
        "a customer's balance is the sum of its transfers",
        "84001 <> 84000",
    ),
    (
        "update transfer set debit = 999 where kind = 'redeem'",
        "both sides of a transfer share franchise and currency",
        "transfer 1",
    ),
    (
        "update account set held = held + 1 where organization = 'kestrel'",
        "what is held is the sum of live holds",
        "1 <> 0",
    ),
    (
        "alter table account drop constraint account_no_overdraft; \
         update account set posted = -1 where kind = 'customer'",
        "no balance is below zero and none held beyond it",
        "account",
    ),
    (
        "update voucher_counter set used = used + 1",
        "a counter counts its redemptions",
        "voucher 1: 3 <> 2",
    ),
    (
        "alter table voucher_counter drop constraint voucher_cap; \
         update voucher_counter set cap = 0",
        "no voucher is redeemed above its cap",
        "voucher 1: 2 > 0",
    ),
    (
        "drop index transfer_claim; drop index transfer_key; \
         insert into transfer overriding system value select franchise, 100, kind, debit, credit, \
         currency, amount, at, epoch, xid, key, response, voucher, revision, priority, expires_at \
         from transfer where transfer = 1",
        "an account redeems a voucher once",
        "voucher 1, account",
    ),
    (
        "update transfer set amount = 99999 where kind = 'redeem'",
        "a redemption grants what its revision promised",
        "transfer 1",
    ),
    (
        "update voucher_counter set open = false",
        "the gate has the terms of its revision",
        "voucher 1",
    ),
    (
        "update transfer set currency = 'USD' where transfer = 2",
        "both sides of a transfer share franchise and currency",
        "transfer 2",
    ),
    (
        "update lot_use set used = used - 1 where lot = 1",
        "a lot is used and held as its holds say",
        "lot 1",
    ),
    ("delete from hold_line", "a hold is the sum of its lines", "order 1"),
    ("delete from period", "a paid order has its capture, once", "order 1"),
    (
        "update transfer set amount = 8999 where transfer = 2",
        "a capture moved what was held",
        "order 1",
    ),
    (
        "alter table period drop constraint period_no_overlap, \
         drop constraint period_of_an_order; \
         insert into period select franchise, organization, 2, step, anchor, months, starts_at, \
         ends_at, ord, response from period",
        "periods of an organization do not overlap",
        "kestrel, periods 1 and 2",
    ),
    (
        "alter table orders drop constraint orders_whole_period; \
         update orders set price = 16001",
        "an order is priced as its plan was",
        "order 1",
    ),
    (
        "update transfer set debit = 999 where transfer = 1",
        "debits equal credits in every currency",
        "off by",
    ),
    (
        "update lot_use set gone = gone + 1 where lot = 1",
        "a customer's balance is what its lots have left",
        "84000 <> 83999",
    ),
    (
        "update voucher_counter set spent = spent + 1",
        "a counter adds up what was granted",
        "voucher 1: 200001 <> 200000",
    ),
    (
        "alter table voucher_counter drop constraint voucher_budget; \
         update voucher_counter set budget = 1",
        "no voucher grants more than its budget",
        "voucher 1: 200000 > 1",
    ),
    (
        "update hold set state = 'released', capture = null where ord = 1",
        "every capture is of an order",
        "transfer 2",
    ),
    (
        "update orders set voided = true where ord = 3",
        "nothing is held for an order that is void",
        "order 3",
    ),
    (
        "insert into orders overriding system value select (jsonb_populate_record(o, \
         '{\"ord\": 900, \"period\": 2}')).* from orders o where ord = 3",
        "one order of an organization is open",
        "falcon: 2 orders",
    ),
    (
        "update order_line set amount = amount + 1 where ord = 1",
        "an order is the sum of its lines",
        "order 1: 9000 <> 9001",
    ),
    (
        "delete from transfer where kind = 'reverse'",
        "what is reversed is taken back or owed",
        "5000 <> 0",
    ),
    (
        "update correction set response = replace(response, '5000', '5001') where kind = 'credit'",
        "a correction is answered as it moved",
        "correction 1",
    ),
    (
        "update transfer set response = replace(response, 'kestrel', 'falcon') where transfer = 1",
        "a redemption is answered as it was granted",
        "transfer 1",
    ),
];

#[tokio::test]
async fn the_audit_names_every_damaged_row() {
    let books = eventful_books().await;
    books.assert_sound().await;
    let mut unnoticed = vec![];
    for (damage, invariant, row) in DAMAGE {
        let found = audit_after(&books, damage).await;
        if !found.iter().any(|(found, what)| found == invariant && what.contains(row)) {
            unnoticed.push(format!("{damage}: {found:?}"));
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    books.assert_sound().await;
}

#[tokio::test]
async fn every_invariant_has_its_damage() {
    let books = books().await;
    let audit: String =
        books.database.one("select prosrc from pg_proc where proname = 'verify_v1'").await;
    let invariants = audit.lines().filter_map(|line| line.trim().strip_prefix("select '"));
    let invariants: Vec<String> = invariants
        .filter_map(|rest| rest.replace("''", "\u{1}").split('\'').next().map(str::to_owned))
        .map(|text| text.replace('\u{1}', "'"))
        .collect();
    assert!(invariants.len() > 20, "{invariants:?}");
    for invariant in invariants {
        assert!(DAMAGE.iter().any(|(_, known, _)| *known == invariant), "no damage: {invariant}");
    }
}

#[tokio::test]
async fn the_program_reads_what_the_audit_found() {
    let books = eventful_books().await;
    books.database.mutate("update voucher_counter set used = 3").await;
    let violations = books.database.store.verify().await.unwrap();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].namespace, "omantel");
    assert_eq!(violations[0].what, "voucher 1: 3 <> 2");
}

/// Books with one of each: redemptions, a period with a dearer plan on top (orders 1 and 2), credit
/// that was taken back, an order that is held (3), accounts in another currency and franchise.
pub(super) async fn eventful_books() -> Books {
    let books = books().await;
    books.sell("duqm", "USD", "cluster-duqm").await;
    books.franchise("ooredoo").await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    books.paid("kestrel", "l").await;
    books.organization("osprey").await;
    books.organization("falcon").await;
    assert_eq!(books.redeem("WELCOME", "falcon").await, "Redeemed");
    let order = books.ordered("falcon", "s").await;
    assert_eq!(books.hold("falcon", order, 1).await, "Held");
    let why = |key: &str| {
        let [key, reason, actor] = [key, "goodwill", "noor"].map(str::to_owned);
        Why { key, reason, actor }
    };
    let five = Money::parse("5.000 OMR").unwrap();
    let falcon = ("omantel", "falcon");
    let credited = books.door.credit(falcon, &five, None, &why("credit")).await.unwrap();
    assert_eq!(word(&credited), "Credited");
    let entry = books.database.one("select transfer from transfer where kind = 'credit'").await;
    let reversed = books.door.reverse("omantel", entry, &why("reverse")).await.unwrap();
    assert_eq!(word(&reversed), "Reversed");
    books
}

/// Does the damage with triggers and foreign keys off, looks, and takes it back.
async fn audit_after(books: &Books, damage: &str) -> Vec<(String, String)> {
    let mut transaction = books.database.admin.begin().await.unwrap();
    transaction.execute("set local session_replication_role = replica").await.unwrap();
    let done = transaction.execute(AssertSqlSafe(damage)).await;
    assert!(done.is_ok(), "{damage}: {done:?}");
    let audit = "select invariant, what from verify_v1()";
    let found = sqlx::query_as(audit).fetch_all(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    found
}
