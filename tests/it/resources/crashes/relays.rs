//! The relays do what a plan says: at its write and at no other, and then they go on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::PostParams, config::Kubeconfig};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::{WHENS, life::token};
use crate::support::{
    HttpRelay, Installed, Plan, PostgresRelay, Recorder, When, client_of, database, hub_client,
    quiet_world,
};

/// A recorder with a plan for the second write, and whether it was carried out.
fn recorder(when: When) -> (Arc<Recorder>, Arc<AtomicBool>) {
    let (recorder, struck) = (Recorder::new(), Arc::new(AtomicBool::new(false)));
    let told = struck.clone();
    recorder.plan(Plan { at: 2, when }, move || told.store(true, Ordering::Relaxed));
    (recorder, struck)
}

async fn make(client: &Client, name: &str) -> bool {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.is_ok()
}

#[tokio::test]
async fn an_api_server_sees_all_writes_but_the_one_that_is_lost() {
    let world = quiet_world();
    let installed = Installed::on(world, &database(world).await).await;
    let admin = Api::<Namespace>::all(hub_client(world).await);
    for (n, when) in WHENS.into_iter().cycle().take(6).enumerate() {
        let (recorder, struck) = recorder(when);
        let relay = if n < 3 {
            HttpRelay::plain(world.hub(), &recorder).await
        } else {
            HttpRelay::tls(world.hub(), &recorder).await
        };
        let kubeconfig = relay.kubeconfig(&token(&installed));
        let client = client_of(Kubeconfig::from_yaml(&kubeconfig).unwrap()).await;
        let names = ["one", "two", "three"].map(|name| format!("tenant-relayed-{n}-{name}"));
        assert!(make(&client, &names[0]).await);
        Api::<Namespace>::all(client.clone()).get(&names[0]).await.unwrap();
        assert!(!struck.load(Ordering::Relaxed));
        assert_eq!(make(&client, &names[1]).await, when == When::After, "{when:?}");
        recorder.struck().await;
        assert!(struck.load(Ordering::Relaxed));
        let arrived = admin.get_opt(&names[1]).await.unwrap().is_some();
        assert_eq!(arrived, when != When::Before, "{when:?}");
        assert!(make(&client, &names[2]).await);
        assert_eq!(recorder.writes(), ["POST /api/v1/namespaces"; 3]);
    }
}

/// Founds a franchise over a connection of its own. Whether there was an answer.
async fn found(url: &str, name: &str) -> bool {
    let mut connection = PgConnection::connect(url).await.unwrap();
    // Read first: only what writes is counted.
    let epoch: i64 = sqlx::query("select ledger.current_epoch_v1()")
        .fetch_one(&mut connection)
        .await
        .unwrap()
        .get(0);
    let accept = format!(
        "select outcome from ledger.accept_sovereign_v1('{name}', 'uid-of-{name}', {epoch}, \
         'catalyst-zero', 'OMR', 'cluster-zero', '[]', null, null)"
    );
    sqlx::query(AssertSqlSafe(accept)).fetch_one(&mut connection).await.is_ok()
}

#[tokio::test]
async fn a_ledger_sees_all_calls_but_the_one_that_is_lost() {
    let ledger = database(quiet_world()).await;
    for when in WHENS {
        let (recorder, struck) = recorder(when);
        let relay = PostgresRelay::new(&ledger.url, &recorder);
        let url = relay.url(&ledger.url);
        let names = ["one", "two", "three"].map(|name| format!("{when:?}-{name}").to_lowercase());
        assert!(found(&url, &names[0]).await);
        assert_eq!(found(&url, &names[1]).await, when == When::After, "{when:?}");
        recorder.struck().await;
        assert!(struck.load(Ordering::Relaxed));
        let arrived = format!("select count(*) from franchise where namespace = '{}'", names[1]);
        assert_eq!(ledger.one::<i64>(&arrived).await, i64::from(when != When::Before), "{when:?}");
        assert!(found(&url, &names[2]).await);
        assert_eq!(recorder.writes(), ["ledger.accept_sovereign_v1"; 3]);
    }
}
