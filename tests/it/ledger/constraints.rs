//! The schema itself refuses what no path of ours does, by the name of the rule.

use sqlx::{AssertSqlSafe, Executor as _};

use super::invariants::eventful_books;
use crate::support::{Books, books};

/// Copies rows of a table with some columns changed.
fn copy(table: &str, rows: &str, changes: &str) -> String {
    format!(
        "insert into {table} overriding system value select (jsonb_populate_record(t, \
         jsonb_build_object({changes}))).* from {table} t where {rows}"
    )
}

/// What breaks a rule, and the name of the rule.
fn breaches() -> Vec<(String, &'static str)> {
    let dollars = "(select account from account where currency = 'USD' and kind = 'revenue')";
    let elsewhere = "(select min(account) from account where franchise = 2)";
    let osprey = "(select account from account where organization = 'osprey')";
    let capture = |changes: &str| {
        copy("transfer", "transfer = 2", &format!("'transfer', 900, 'key', 'k', {changes}"))
    };
    let redeem = |changes: &str| {
        copy("transfer", "transfer = 1", &format!("'transfer', 900, 'key', 'k', {changes}"))
    };
    let update = str::to_owned;
    let another_code = "'voucher', 900, 'digest', sha256('x'), 'secret', true, 'hint', 'X'";
    vec![
        (capture("'credit', debit"), "transfer_two_sides"),
        (capture("'amount', 0"), "transfer_amount"),
        (capture("'amount', -1"), "transfer_amount"),
        (capture(&format!("'debit', {dollars}")), "transfer_parents"),
        (capture(&format!("'credit', {dollars}")), "transfer_parents"),
        (capture(&format!("'debit', {elsewhere}")), "transfer_parents"),
        (capture(&format!("'credit', {elsewhere}")), "transfer_parents"),
        (capture("'key', key"), "transfer_key"),
        (redeem("'at', at"), "transfer_claim"),
        (redeem(&format!("'credit', {osprey}, 'amount', 99999")), "transfer_parents"),
        (update("update account set posted = -1"), "account_no_overdraft"),
        (update("update account set held = posted + 1"), "account_no_overdraft"),
        (update("update voucher_counter set cap = 1, used = 2"), "voucher_cap"),
        (update("update voucher_counter set budget = 1"), "voucher_budget"),
        (copy("voucher", "voucher = 1", "'voucher', 900, 'holder', 'x'"), "voucher_code_once"),
        (copy("voucher", "voucher = 1", another_code), "voucher_holder"),
        (
            copy("voucher_revision", "voucher = 1", "'revision', 9, 'amount', 1"),
            "voucher_value_never_changes",
        ),
        (copy("orders", "ord = 3", "'ord', 900"), "orders_one_counts"),
        (copy("orders", "ord = 3", "'ord', 900, 'amount', amount + 1"), "orders_charge"),
        (
            copy("orders", "ord = 3", "'ord', 900, 'period', 9, 'amount', 1, 'price', 1"),
            "orders_price",
        ),
        (copy("hold", "ord = 3", "'attempt', 2"), "hold_one_live"),
        (copy("hold", "ord = 1", "'ord', 900"), "hold_captured_once"),
        (copy("hold", "ord = 1", "'ord', 900, 'capture', null"), "hold_captured_by_a_transfer"),
        (update("update lot_use set used = granted + 1"), "lot_not_overspent"),
        (copy("period", "true", "'months', 2"), "period_is_a_month"),
        (copy("period", "true", "'period', 2, 'ord', 999"), "period_no_overlap"),
        (copy("period", "true", "'ord', ord"), "period_pk"),
        (copy("upgrade", "true", "'step', 2"), "upgrade_once"),
        (copy("upgrade", "true", "'ord', 900"), "upgrade_pk"),
        (copy("upgrade", "true", "'step', 2, 'ord', 3"), "upgrade_order"),
        (copy("correction", "kind = 'credit'", "'correction', 900"), "correction_key"),
        (
            copy("correction", "kind = 'reverse'", "'correction', 900, 'key', 'k'"),
            "correction_reverses_once",
        ),
        (copy("organization", "tenant = 'kestrel'", "'tenant', 'x'"), "organization_pk"),
        (copy("organization", "tenant = 'kestrel'", "'franchise', 2"), "organization_on_cluster"),
    ]
}

/// The constraint that refuses a statement of the superuser, who takes back what is not refused.
async fn refusing(books: &Books, sql: &str) -> String {
    let mut transaction = books.database.admin.begin().await.unwrap();
    match transaction.execute(AssertSqlSafe(sql)).await {
        Ok(done) => format!("nothing ({} rows)", done.rows_affected()),
        Err(why) => {
            let constraint = why.as_database_error().and_then(|why| why.constraint());
            constraint.map_or_else(|| why.to_string(), str::to_owned)
        }
    }
}

#[tokio::test]
async fn each_refuses_by_its_name_what_no_path_of_ours_does() {
    let books = eventful_books().await;
    let mut wrong = vec![];
    for (sql, constraint) in breaches() {
        let refused = refusing(&books, &sql).await;
        if refused != constraint {
            wrong.push(format!("{constraint}: {sql} is refused by {refused}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_column_and_no_argument_of_the_ledger_is_a_float() {
    let books = books().await;
    let columns = "pg_attribute a join pg_class c on c.oid = a.attrelid \
                   where c.relnamespace = 'ledger'::regnamespace \
                   and a.atttypid in ('real'::regtype, 'double precision'::regtype)";
    let functions = "pg_proc p where p.pronamespace = 'ledger'::regnamespace \
                     and array['real'::regtype::oid, 'double precision'::regtype::oid] \
                     && (p.proargtypes::oid[] || p.prorettype || coalesce(p.proallargtypes, '{}'))";
    assert_eq!((books.count(columns).await, books.count(functions).await), (0, 0));
}
