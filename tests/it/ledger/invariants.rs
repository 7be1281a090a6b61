//! The ledger's audit of itself finds damage, whoever did it, and names the row.

use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Books, books};

/// Damage that only a superuser can do: what it is, what the audit must say, and of which row.
const DAMAGE: &[(&str, &str, &str)] = &[
    (
        "update account set posted = posted + 1 where kind = 'customer'",
        "a customer's balance is the sum of its transfers",
        "91001 <> 91000",
    ),
    (
        "update transfer set debit = 999 where kind = 'redeem'",
        "both sides of a transfer share franchise and currency",
        "transfer 1",
    ),
    (
        "update account set held = held + 1 where kind = 'customer'",
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
        "voucher 1: 2 <> 1",
    ),
    (
        "alter table voucher_counter drop constraint voucher_cap; \
         update voucher_counter set cap = 0",
        "no voucher is redeemed above its cap",
        "voucher 1: 1 > 0",
    ),
    (
        "drop index transfer_claim; drop index transfer_key; \
         insert into transfer overriding system value select franchise, 100, kind, debit, credit, \
         currency, amount, at, epoch, xid, key, response, voucher, revision, priority, expires_at \
         from transfer where kind = 'redeem'",
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
        "update transfer set currency = 'USD' where kind = 'capture'",
        "both sides of a transfer share franchise and currency",
        "transfer 2",
    ),
    ("update lot_use set used = used - 1", "a lot is used and held as its holds say", "lot 1"),
    ("delete from hold_line", "a hold is the sum of its lines", "order 1"),
    ("delete from period", "a paid order has its capture, once", "order 1"),
    (
        "update transfer set amount = 8999 where kind = 'capture'",
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
         update orders set price = 9001",
        "an order is priced as its plan was",
        "order 1",
    ),
];

#[tokio::test]
async fn the_audit_names_every_damaged_row() {
    let books = damaged_books().await;
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
async fn the_program_reads_what_the_audit_found() {
    let books = damaged_books().await;
    books.database.mutate("update voucher_counter set used = 2").await;
    let violations = books.database.store.verify().await.unwrap();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].namespace, "omantel");
    assert_eq!(violations[0].what, "voucher 1: 2 <> 1");
}

/// Books with one of each: a redemption, and a period that was held and captured.
async fn damaged_books() -> Books {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
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
