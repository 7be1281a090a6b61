//! The schema that `migrate` makes, and that the program's statements fit it.

use catalyst_operator::{
    api::CURRENCIES,
    store::{Error, schema::migrate, sql},
};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::support::{World, books, empty_database};

#[tokio::test]
async fn every_statement_of_the_program_fits_the_schema() {
    let books = books().await;
    let mut app = books.database.admin.acquire().await.unwrap();
    app.execute("set role catalyst_app; set search_path = public").await.unwrap();
    for (name, statement) in sql::ALL {
        let prepared = (&mut *app).prepare(AssertSqlSafe(*statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

#[tokio::test]
async fn the_ledger_and_the_program_have_the_same_currencies() {
    let books = books().await;
    let known: Vec<(String, i16)> =
        sqlx::query_as("select code, decimals from currency order by 1")
            .fetch_all(&books.database.admin)
            .await
            .unwrap();
    let mut wanted: Vec<(String, i16)> = CURRENCIES
        .iter()
        .flat_map(|(decimals, codes)| {
            let decimals = i16::try_from(*decimals).unwrap();
            codes.split(' ').map(move |code| (code.to_owned(), decimals))
        })
        .collect();
    wanted.sort_unstable();
    assert_eq!(known, wanted);
}

#[tokio::test]
async fn migrating_twice_is_harmless() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    migrate(&books.database.url, false).await.unwrap();
    assert_eq!(books.credit("kestrel").await, 100_000);
    books.database.store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_database_is_migrated_once_by_many_at_a_time() {
    let database = empty_database(World::shared()).await;
    let all = futures::future::join_all((0..4).map(|_| migrate(&database.url, false))).await;
    for migrated in all {
        migrated.unwrap();
    }
    database.store.check().await.unwrap();
}

#[tokio::test]
async fn a_database_without_a_ledger_says_what_to_do() {
    let database = empty_database(World::shared()).await;
    let refused = database.store.check().await.unwrap_err();
    assert!(matches!(refused, Error::NoLedger { .. }), "{refused:?}");
    assert!(refused.to_string().contains("catalyst-operator migrate"), "{refused}");
}
