//! A server that is new, and one that crashes: in a world of its own, since the shared one never
//! stops.

use std::time::Duration;

use catalyst_operator::store::{Error, schema::migrate};

use crate::support::{Database, World, books_on, empty_database, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_server_is_migrated_by_two_at_once_and_loses_nothing_when_it_ends() {
    let world = World::private(&[]);
    let database = migrate_two(&world).await;
    end(&world, database).await;
}

/// Roles belong to the server, so that two first migrations make them at the same moment.
async fn migrate_two(world: &World) -> Database {
    let [first, second] = [empty_database(world).await, empty_database(world).await];
    first.mutate("drop database template_ledger").await;
    first.mutate("drop role catalyst_owner, catalyst_app, catalyst_read").await;
    let (one, other) = tokio::join!(migrate(&first.url, false), migrate(&second.url, false));
    one.unwrap();
    other.unwrap();
    second.store.check().await.unwrap();
    first
}

/// However the server ends, what was acknowledged stands, and a call that meets an
/// outage is made again under its key and finds the one outcome.
async fn end(world: &World, database: Database) {
    let books = books_on(database).await;
    books.voucher("LAUNCH").issued().await;
    for organization in ["kestrel", "falcon", "osprey"] {
        books.organization(organization).await;
    }
    let acknowledged = books.redeem_under("kestrel", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(word(&acknowledged), "Redeemed");
    for (organization, is_crash) in [("falcon", true), ("osprey", false)] {
        if is_crash {
            world.kill("postgres");
        } else {
            world.stop("postgres");
        }
        let call = books.clone();
        let met =
            tokio::spawn(
                async move { call.redeem_under(organization, "LAUNCH", organization).await },
            );
        // The call is to meet the outage, which it may wait for.
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.start("postgres");
        let met = met.await.unwrap();
        assert!(matches!(met, Ok(_) | Err(Error::Unavailable { .. })), "{met:?}");
        let answer = books.redeem_under(organization, "LAUNCH", organization).await.unwrap();
        assert_eq!(word(&answer), "Redeemed");
    }
    let again = books.redeem_under("kestrel", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(again, acknowledged);
    assert_eq!(books.lineage("LAUNCH").await.unwrap().used, 3);
    books.assert_sound().await;
}
