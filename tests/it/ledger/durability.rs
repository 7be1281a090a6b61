//! What is answered as done is on the disc: where a server promises less, money waits, unless the
//! program was told to accept that.

use catalyst_operator::{
    domain::money::Money,
    store::{Error, Store},
};

use crate::support::{Books, Database, World, books, books_on, database, why, word};

/// The sentence with which money waits on this database, for a program that starts now.
async fn refusal(books: &Books) -> String {
    let store = books.database.another_store(2);
    let checked = store.check().await.unwrap_err();
    assert!(matches!(checked, Error::DurabilityUnsafe(_)), "{checked:?}");
    let money = Money::parse("1.000 OMR").unwrap();
    let credit = store.door().credit(("omantel", "kestrel"), &money, None, &why("key")).await;
    let Err(Error::Frozen(said)) = credit else { panic!("{credit:?}") };
    assert_eq!(checked.to_string(), format!("DurabilityUnsafe: {said}"));
    let seen = store.observe_tenant(&books.tenant("kestrel", &[])).await.unwrap().standing;
    let reason = seen.trouble("omantel", Some("uid-of-omantel")).unwrap();
    assert_eq!(
        (reason.name(), reason.to_string()),
        ("DurabilityUnsafe", format!("money waits: {said}"))
    );
    said
}

/// A program that accepts what the server promises does its work and still knows.
async fn is_allowed(books: &Books) {
    let store = Store::with(&books.database.url, 2, true).unwrap();
    store.check().await.unwrap();
    let money = Money::parse("1.000 OMR").unwrap();
    let account = ("omantel", "kestrel");
    let credited = store.door().credit(account, &money, None, &why("allowed")).await;
    assert_eq!(word(&credited.unwrap()), "Credited");
    let seen = store.observe_tenant(&books.tenant("kestrel", &[])).await.unwrap().standing;
    assert!(seen.unsafe_is_allowed && seen.durability.is_some(), "{seen:?}");
    assert_eq!(seen.trouble("omantel", Some("uid-of-omantel")), None);
}

#[tokio::test]
async fn commits_that_are_not_waited_for_freeze_money() {
    let books = books().await;
    books.organization("kestrel").await;
    set_for_the_database(&books, "off").await;
    let said = refusal(&books).await;
    assert!(said.contains("set synchronous_commit = on"), "{said}");
    is_allowed(&books).await;
    for enough in ["local", "remote_write", "on", "remote_apply"] {
        set_for_the_database(&books, enough).await;
        books.database.another_store(1).check().await.unwrap();
    }
}

async fn set_for_the_database(books: &Books, value: &str) {
    let name: String = books.database.one("select current_database()::text").await;
    let set = format!("alter database {name} set synchronous_commit = {value}");
    books.database.mutate(&set).await;
}

#[tokio::test]
async fn a_server_without_fsync_or_whole_pages_freezes_money() {
    for (setting, cure) in [
        ("fsync=off", "set fsync = on and restart PostgreSQL"),
        ("full_page_writes=off", "set full_page_writes = on"),
    ] {
        let world = World::private(&["--postgres-setting", setting]);
        let ledger = Database::open(database(&world).await.url);
        let frozen = Books {
            door: ledger.store.door(),
            database: ledger.into(),
            namespace: "omantel".to_owned(),
        };
        // Founded by a program that was told to accept it, then met by one that was not.
        let allowed = Database {
            store: Store::with(&frozen.database.url, 2, true).unwrap(),
            ..Database::open(frozen.database.url.clone())
        };
        books_on(allowed).await.organization("kestrel").await;
        let said = refusal(&frozen).await;
        assert!(said.contains(cure), "{said}");
        is_allowed(&frozen).await;
    }
}
