//! The chart on a cluster, from the first install to the last uninstall: alone, and as one of many
//! in an umbrella.

use std::{collections::BTreeSet, fs, path::Path};

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use serde_json::{Value, json};

use super::site::{RELEASE, Site, values};
use crate::support::{Franchise, Helm, chart};

#[tokio::test]
async fn it_installs_upgrades_rolls_back_and_leaves_objects_and_money() {
    let mut more = values();
    more["replicas"] = json!(3);
    lives(&chart("charts/catalyst-operator"), &values(), &more).await;
}

#[tokio::test]
async fn it_does_so_in_an_umbrella_of_many_charts() {
    let folder = format!("catalyst-umbrella-{}", std::process::id());
    let umbrella = std::env::temp_dir().join(folder);
    copy(&chart("tests/umbrella"), &umbrella);
    copy(&chart("charts/catalyst-operator"), &umbrella.join("charts/catalyst-operator"));
    let path = umbrella.to_str().expect("it is text");
    let render = |values| Helm::alone().must(&["template", RELEASE, path], &values);
    let image = "image: harbor.example.om/openova-io/catalyst-operator:";
    assert!(render(json!({})).contains(image), "it reads what is said for all charts");
    let without = render(json!({"catalyst-operator": {"enabled": false}}));
    assert!(!without.contains("catalyst-operator") && without.contains("name: postgresql"));
    // What it needs stands in the umbrella's own values.
    lives(&umbrella, &json!({}), &json!({"catalyst-operator": {"replicas": 3}})).await;
    fs::remove_dir_all(&umbrella).expect("it is ours");
}

/// Copies a folder with all in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("it is a folder").map_while(Result::ok) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("it can be written");
        }
    }
}

/// Everything of the franchise is ready.
async fn ready(franchise: &Franchise) {
    franchise.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
}

/// A release from its first day to its last, and the first day of the next; `more` has three
/// replicas.
async fn lives(path: &Path, values: &Value, more: &Value) {
    let site = Site::new().await;
    let path = path.to_str().expect("it is text");
    site.helm(&["install", RELEASE, path, "--wait"], values);
    let operator = site.run(&site.pod(2).await).await;
    let franchise = Franchise::found(&site.world, &operator.installed).await;
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").voucher_ref("launch")).await;
    let entries = franchise.entries("kestrel").await;
    assert_eq!(entries.len(), 2, "{entries:?}");

    site.helm(&["upgrade", RELEASE, path, "--wait"], more);
    let people = ["catalyst-admin", "catalyst-edit", "catalyst-view"];
    for (role, rules) in people.into_iter().zip([3, 2, 1]) {
        assert_eq!(site.gathered(role).await, rules, "{role}");
    }
    // The next pod is ready while the last one leads, which is what makes a rollout without a gap.
    let follower = site.run(&site.pod(3).await).await;
    operator.terminate();
    assert!(operator.ended().await.success());
    franchise.settle(franchise.tenant("oryx").voucher_ref("launch")).await;

    site.helm(&["rollback", RELEASE, "1", "--wait"], &Value::Null);
    site.pod(2).await;
    site.helm(&["uninstall", RELEASE, "--wait"], &Value::Null);
    follower.terminate();
    assert!(follower.ended().await.success());
    let kinds = ["sovereigns", "tenants", "vouchers"];
    let definitions = kinds.map(|kind| format!("{kind}.catalyst.openova.io"));
    assert_eq!(site.definitions().await, BTreeSet::from(definitions));
    ready(&franchise).await;
    // Who works in a Tenant goes on, too.
    assert!(site.gathered("catalyst-tenant-owner").await > 0);

    site.helm(&["install", RELEASE, path, "--wait"], values);
    let _again = site.run(&site.pod(2).await).await;
    franchise.visit::<Tenant>("kestrel").await;
    ready(&franchise).await;
    assert_eq!(franchise.entries("kestrel").await, entries, "nothing was charged twice");
    franchise.assert_sound().await;
}
