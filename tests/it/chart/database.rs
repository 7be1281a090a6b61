//! The databases that the chart can be told of.

use std::fs;

use catalyst_operator::store::Store;
use serde_json::json;

use super::render::{look, render};
use crate::support::{Database, Installed, World, empty_database, manifests};

/// A database server, and nothing else.
fn server() -> World {
    World::untouched(&["--no-cluster"])
}

/// The program in a pod that is told of the ledger by this URL.
fn told(ledger: &Database, url: &str) -> Installed {
    let folder = tempfile(&ledger.url);
    fs::create_dir_all(&folder).expect("it can be made");
    Installed {
        login_url: url.to_owned(),
        database_url: ledger.url.clone(),
        kubeconfig: folder.join("none"),
        log: folder.join("log"),
    }
}

fn tempfile(url: &str) -> std::path::PathBuf {
    let port = url.rsplit(':').next().unwrap_or_default().replace('/', "-");
    std::env::temp_dir().join(format!("catalyst-database-{}-{port}", std::process::id()))
}

/// A ledger in this database may be made and used by this user.
async fn serves(ledger: &Database, url: &str, login: &str) {
    let migrate = told(ledger, url).start_with(&["migrate".to_owned()], &[]);
    assert!(migrate.ended().await.success(), "{}", migrate.logged());
    let store = Store::new(login, 1).expect("it is a URL");
    assert!(!store.check().await.expect("the ledger serves"), "it is durable");
    store.close().await;
    fs::remove_dir_all(tempfile(&ledger.url)).expect("it is ours");
}

#[tokio::test]
async fn the_owner_that_cloudnative_pg_makes_may_do_all_that_it_takes() {
    let world = server();
    let ledger = empty_database(&world).await;
    let values = json!({"postgres": {"existingSecret": {"name": ""}, "cnpg": {"enabled": true}}});
    let manifests = manifests(&render(&values).expect("it renders"));
    let object = "Cluster/catalyst-operator-ledger";
    let init = look(&manifests, object, "spec/bootstrap/initdb");
    let (_, database) = ledger.url.rsplit_once('/').expect("it ends with a database");
    let owner = init["owner"].as_str().expect("it has an owner");
    // What CloudNativePG does with these fields, in its order.
    ledger.mutate(&format!("create role {owner} login password 'p@ss'")).await;
    ledger.mutate(&format!("alter database {database} owner to {owner}")).await;
    for sql in init["postInitApplicationSQL"].as_array().expect("it is a list") {
        ledger.mutate(sql.as_str().expect("it is SQL")).await;
    }
    let (_, server) = ledger.url.split_once('@').expect("it names a user");
    let url = format!("postgresql://{owner}:p%40ss@{server}");
    serves(&ledger, &url, &url).await;
}

#[tokio::test]
async fn a_password_of_settings_comes_from_a_file() {
    let world = server();
    let ledger = empty_database(&world).await;
    ledger.mutate("create role amal superuser login password 'a b/@:%'").await;
    let (_, server) = ledger.url.split_once('@').expect("it names a user");
    let folder = tempfile("password");
    fs::write(&folder, "a b/@:%\n").expect("it can be written");
    let url = format!("postgresql://amal:{{{}}}@{server}", folder.display());
    serves(&ledger, &url, &ledger.url).await;
    fs::remove_file(&folder).expect("it is ours");
}
