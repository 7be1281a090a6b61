//! Who may do what in the database: the program executes functions and touches no table, and
//! nobody changes a row of history.

use catalyst_operator::store::Error;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::{Books, books};

const HISTORY: [&str; 7] =
    ["plan_revision", "voucher_revision", "transfer", "period", "incarnation", "block", "decision"];
/// A block and a decision, since a trigger for each row needs one.
const DECIDED: &str = "select seal_v1(1); select seal_range(1, 0, 0, 9223372036854775807); \
                       select freeze_v1('omantel', null, null, 'why'); \
                       select thaw_v1('omantel', 'because', 'amal')";

async fn connect_as(books: &Books, role: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&books.database.url).await.unwrap();
    let session = format!("set role {role}; set search_path = ledger");
    connection.execute(AssertSqlSafe(session)).await.unwrap();
    connection
}

async fn tables(books: &Books) -> Vec<(String, String)> {
    let tables = "select distinct on (1) c.relname::text, a.attname::text from pg_class c \
                  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 \
                  where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'r' \
                  and a.attidentity = '' order by 1, a.attnum";
    sqlx::query_as(tables).fetch_all(&books.database.admin).await.unwrap()
}

/// The SQLSTATE with which a statement fails, or `none`.
async fn fails_with(connection: &mut PgConnection, sql: String) -> String {
    match connection.execute(AssertSqlSafe(sql)).await {
        Ok(_) => "none".to_owned(),
        Err(error) => error.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}

#[tokio::test]
async fn the_application_role_touches_no_table() {
    let books = books().await;
    let mut app = connect_as(&books, "catalyst_app").await;
    let tables = tables(&books).await;
    assert!(tables.len() > 15, "{tables:?}");
    for (table, column) in tables {
        for statement in [
            format!("insert into {table} default values"),
            // Reads no column, which would take a right of its own.
            format!("update {table} set {column} = null"),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("select from {table}"),
        ] {
            assert_eq!(fails_with(&mut app, statement.clone()).await, "42501", "{statement}");
        }
    }
}

#[tokio::test]
async fn the_application_role_executes_nothing_but_versioned_functions() {
    let books = books().await;
    let others: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text from pg_proc p \
         where p.pronamespace = 'ledger'::regnamespace and p.proname !~ '_v[0-9]+$' \
         and has_function_privilege('catalyst_app', p.oid, 'execute')",
    )
    .fetch_all(&books.database.admin)
    .await
    .unwrap();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn the_read_role_looks_and_does_not_write() {
    let books = books().await;
    let mut read = connect_as(&books, "catalyst_read").await;
    for (table, column) in tables(&books).await {
        assert_eq!(fails_with(&mut read, format!("select from {table}")).await, "none", "{table}");
        let write = format!("update {table} set {column} = {column}");
        assert_eq!(fails_with(&mut read, write).await, "42501", "{table}");
    }
}

#[tokio::test]
async fn a_program_that_could_write_a_table_refuses_to_serve() {
    let books = books().await;
    books.database.store.check().await.unwrap();
    for right in ["insert", "update", "delete", "truncate"] {
        books.database.mutate(&format!("grant {right} on ledger.transfer to catalyst_app")).await;
        let refused = books.database.store.check().await.unwrap_err();
        assert!(matches!(refused, Error::RoleUnsafe), "{right}: {refused:?}");
        books
            .database
            .mutate(&format!("revoke {right} on ledger.transfer from catalyst_app"))
            .await;
    }
    books.database.store.check().await.unwrap();
}

#[tokio::test]
async fn a_schema_that_wants_a_newer_program_is_not_served() {
    let books = books().await;
    books.database.mutate("update program set least_program = 1000").await;
    let refused = books.database.store.check().await.unwrap_err();
    assert!(matches!(refused, Error::SchemaUnsupported { needed: 1000 }), "{refused:?}");
}

#[tokio::test]
async fn rows_of_history_are_never_changed_not_even_by_their_owner() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    books.database.mutate(DECIDED).await;
    let mut owner = connect_as(&books, "catalyst_owner").await;
    for (table, column) in tables(&books).await {
        if !HISTORY.contains(&table.as_str()) {
            continue;
        }
        for statement in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
        ] {
            assert_eq!(fails_with(&mut owner, statement.clone()).await, "CA001", "{statement}");
        }
    }
}
