//! A Sovereign on a cluster that is not ours, while all is well: it is like the hub, and its
//! Secret is held for as long as it is needed.

use std::{process::Command, time::Duration};

use catalyst_operator::api::{MANAGED_BY_LABEL, ORGANIZATION_LABEL, Sovereign, Tenant};
use k8s_openapi::{
    ByteString,
    api::{
        core::v1::{Namespace, ResourceQuota, Secret},
        networking::v1::NetworkPolicy,
    },
};
use kube::{
    Api, Client,
    api::{DeleteParams, DynamicObject, ListParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::support::{Franchise, Manifest, World, message, shared_franchise};

/// What Tenants are made of, inside of their namespace.
const KINDS: [(&str, &str); 4] = [
    ("", "ResourceQuota"),
    ("", "LimitRange"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
];

/// All that a Tenant is made of, without what a cluster adds and with other words for its names.
async fn made_of(franchise: &Franchise, client: &Client, tenant: &str, sovereign: &str) -> Value {
    let home = franchise.home(tenant);
    let namespace = Api::<Namespace>::all(client.clone()).get(&home).await.unwrap();
    let mut all = vec![serde_json::to_value(namespace).unwrap()];
    for (group, kind) in KINDS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &home, &resource);
        let found = api.list(&ListParams::default()).await.unwrap().items;
        assert!(!found.is_empty(), "{kind}");
        all.extend(found.into_iter().map(|object| serde_json::to_value(object).unwrap()));
    }
    for object in &mut all {
        object.as_object_mut().unwrap().remove("status");
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata
            .retain(|field, _| ["name", "namespace", "labels", "annotations"].contains(&&**field));
    }
    let text = Value::from(all).to_string();
    let text = text.replace(&franchise.organization(tenant), "ORGANIZATION");
    let text = text.replace(tenant, "TENANT").replace(sovereign, "SOVEREIGN");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_tenant_abroad_is_made_of_what_one_on_the_hub_is_made_of() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    franchise.issue(franchise.voucher("launch")).await;
    let owned =
        |tenant: Manifest| tenant.owner("User", "amal", "Owner").owner("Group", "b", "Viewer");
    franchise.apply(owned(franchise.tenant("kestrel").code("LAUNCH"))).await;
    franchise.settle(owned(franchise.tenant_abroad("oryx"))).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    let hub = made_of(&franchise, &franchise.client, "kestrel", "catalyst-zero").await;
    let abroad = made_of(&franchise, &access.admin, "oryx", "muscat").await;
    assert!(hub.as_array().unwrap().len() > 6, "{hub:#}");
    assert_eq!(abroad, hub);
    assert!(franchise.namespaces().get_opt(&franchise.home("oryx")).await.unwrap().is_none());
    franchise.assert_sound().await;
}

#[tokio::test]
async fn what_people_change_abroad_is_mended_at_once_and_a_deletion_leaves_nothing() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    let (home, soon) = (franchise.home("oryx"), franchise.woken());
    let quotas: Api<ResourceQuota> = Api::namespaced(access.admin.clone(), &home);
    let quota = quotas.list(&ListParams::default()).await.unwrap().items.remove(0).metadata;
    let name = quota.name.unwrap();
    quotas.delete(&name, &DeleteParams::default()).await.unwrap();
    let is_anew = |found: &ResourceQuota| found.metadata.uid != quota.uid;
    soon.until_object(&quotas, &name, "made anew", is_anew).await;

    let policies: Api<NetworkPolicy> = Api::namespaced(access.admin.clone(), &home);
    let policy = policies.list(&ListParams::default()).await.unwrap().items.remove(0);
    let name = policy.metadata.name.unwrap();
    let opened = json!({"spec": {"podSelector": {"matchLabels": {"open": "yes"}}}});
    franchise.merge(&policies, &name, &opened).await;
    let is_closed = |found: &NetworkPolicy| found.spec == policy.spec;
    soon.until_object(&policies, &name, "as before", is_closed).await;

    let namespaces: Api<Namespace> = Api::all(access.admin.clone());
    let stripped = json!({"metadata": {"labels": {MANAGED_BY_LABEL: null}}});
    franchise.merge(&namespaces, &home, &stripped).await;
    let is_ours = |found: &Namespace| {
        found.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(MANAGED_BY_LABEL))
    };
    soon.until_object(&namespaces, &home, "labelled", is_ours).await;

    franchise.until::<Tenant>("oryx", "Ready=True").await;
    franchise.remove::<Tenant>("oryx").await;
    assert!(namespaces.get_opt(&home).await.unwrap().is_none());
    let label = format!("{ORGANIZATION_LABEL}={}", franchise.organization("oryx"));
    let left = namespaces.list(&ListParams::default().labels(&label)).await.unwrap();
    assert!(left.items.is_empty(), "{left:?}");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn when_everything_stands_abroad_nothing_is_written_anywhere() {
    let franchise = shared_franchise().await;
    let _access = franchise.abroad().await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    let hosts = |sovereign: &Sovereign| sovereign.status.as_ref().unwrap().tenants == Some(1);
    franchise.until_object(&franchise.api(), "muscat", "one Tenant", hosts).await;
    let sovereign = franchise.read::<Sovereign>("muscat").await;
    shows_its_columns(&franchise, &sovereign.metadata.creation_timestamp.unwrap().0);
    // Counters of a Voucher follow about a second later.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let writes =
        || (franchise.writes_to(&franchise.namespace).len(), franchise.writes_abroad("oryx"));
    let before = writes();
    assert!(before.0 > 10 && before.1 > 5, "{before:?}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(writes(), before, "{:?}", franchise.writes_to(&franchise.namespace).last());
}

fn shows_its_columns(franchise: &Franchise, made: &jiff::Timestamp) {
    let mut kubectl = Command::new(World::program("kubectl"));
    let kubectl = kubectl.arg("--kubeconfig").arg(&World::shared().hub().kubeconfig);
    let shown = kubectl.args(["get", "sovereigns", "-n", &franchise.namespace]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let lines: Vec<Vec<&str>> =
        shown.lines().map(|line| line.split_whitespace().collect()).collect();
    let header =
        "NAME DOMAIN MODE PHASE CONNECTED SINCE VERSION TENANTS CREDENTIALS AGE".split(' ');
    assert_eq!(lines[0], header.collect::<Vec<_>>());
    let muscat = &lines[2];
    assert_eq!(muscat[..5], ["muscat", "muscat.example.om", "Kubeconfig", "Ready", "True"]);
    assert!(muscat[6].starts_with("v1.") && muscat[7] == "1", "{shown}");
    let credentials: jiff::Timestamp = muscat[8].parse().unwrap();
    assert!(credentials > *made, "{shown}");
}

async fn delete_secret(franchise: &Franchise, name: &str) {
    let secrets: Api<Secret> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    secrets.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_secret_in_use_cannot_be_deleted_before_its_sovereign() {
    let franchise = shared_franchise().await;
    let _access = franchise.abroad().await;
    assert!(franchise.is_held("muscat", "muscat").await);
    delete_secret(&franchise, "muscat").await;
    let sovereign: Sovereign = franchise.visit("muscat").await;
    assert_eq!(message(&sovereign, "Ready"), "its plans are on sale");
    let secret = franchise.secret("muscat").await.unwrap();
    assert!(secret.metadata.deletion_timestamp.is_some() && secret.data.is_some());
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    franchise.remove::<Tenant>("oryx").await;
    franchise.remove::<Sovereign>("muscat").await;
    assert_eq!(franchise.secret("muscat").await, None);
}

#[tokio::test]
async fn another_secret_for_the_same_cluster_is_held_and_the_one_before_let_go() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    franchise.keep_kubeconfig("sohar", &access.kubeconfig()).await;
    franchise.apply(Manifest::franchised(&franchise.namespace, "muscat", "sohar")).await;
    franchise.woken().until::<Sovereign>("muscat", "Ready=True").await;
    franchise
        .woken()
        .until_true("the new one is held", async || {
            franchise.is_held("sohar", "muscat").await
                && !franchise.is_held("muscat", "muscat").await
        })
        .await;
    delete_secret(&franchise, "muscat").await;
    assert_eq!(franchise.secret("muscat").await, None);
    franchise.settle(franchise.tenant_abroad("kestrel")).await;
    franchise.until::<Tenant>("oryx", "Ready=True").await;
}

#[tokio::test]
async fn a_secret_that_never_served_is_not_held() {
    let franchise = shared_franchise().await;
    franchise.keep_kubeconfig("wrong", "apiVersion: v1").await;
    franchise.apply(Manifest::franchised(&franchise.namespace, "muscat", "wrong")).await;
    franchise.until::<Sovereign>("muscat", "Ready=False KubeconfigNotOne").await;
    franchise.abroad().await;
    delete_secret(&franchise, "wrong").await;
    assert_eq!(franchise.secret("wrong").await, None);
}

#[tokio::test]
async fn the_key_of_a_kubeconfig_is_value_kubeconfig_or_config_unless_it_is_named() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    let secrets: Api<Secret> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    let good = ByteString(access.kubeconfig().into());
    let plain = ByteString(access.kubeconfig().replace("https://", "http://").into());
    let exec = ByteString(access.kubeconfig().replace("token:", "exec:").into());
    let soon = franchise.woken();
    for (data, phrase) in [
        (json!({"value": null, "kubeconfig": null, "config": good}), "Ready=True"),
        (json!({"kubeconfig": plain}), "Ready=False KubeconfigPlainHttp"),
        (json!({"kubeconfig": good, "config": plain}), "Ready=True"),
        (json!({"value": exec}), "Ready=False KubeconfigExec"),
    ] {
        franchise.merge(&secrets, "muscat", &json!({"data": data})).await;
        soon.until::<Sovereign>("muscat", phrase).await;
        soon.until::<Sovereign>("muscat", "Connected=True").await;
    }
    let named = |key: &str| {
        let from = json!({"secretRef": {"name": "muscat", "key": key}});
        let connection = json!({"mode": "Kubeconfig", "kubeconfig": from});
        franchise.franchised().with("connection", connection)
    };
    for (key, phrase) in [
        ("kubeconfig", "Ready=True"),
        ("config", "Ready=False KubeconfigPlainHttp"),
        ("other", "Ready=False SecretKeyMissing"),
    ] {
        franchise.apply(named(key)).await;
        soon.until::<Sovereign>("muscat", phrase).await;
    }
}

#[tokio::test]
async fn a_cluster_has_one_sovereign_of_a_franchise_and_the_next_when_that_goes() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    franchise.keep_kubeconfig("sohar", &access.kubeconfig()).await;
    franchise.apply(Manifest::franchised(&franchise.namespace, "sohar", "sohar")).await;
    let taken = franchise.until::<Sovereign>("sohar", "Ready=False ClusterTaken").await;
    assert!(message(&taken, "Ready").contains("muscat"), "{taken:?}");
    franchise.until::<Sovereign>("sohar", "IdentityVerified=False ClusterTaken").await;
    franchise.apply(franchise.tenant("kestrel").on("sohar")).await;
    franchise.until::<Tenant>("kestrel", "Ready=False SovereignNotFound").await;
    assert!(!franchise.is_held("sohar", "sohar").await);
    franchise.until::<Sovereign>("muscat", "Ready=True").await;

    franchise.remove::<Sovereign>("muscat").await;
    franchise.woken().until::<Sovereign>("sohar", "Ready=True").await;
    franchise.until::<Tenant>("kestrel", "Ready=False CreditShort").await;
    assert!(franchise.is_held("sohar", "sohar").await);
}

#[tokio::test]
async fn a_plan_that_is_withdrawn_stays_with_who_has_it_and_is_announced() {
    let franchise = shared_franchise().await;
    let _access = franchise.abroad().await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    let mut without = franchise.franchised();
    let plans = without.0["spec"]["plans"].as_array_mut().unwrap();
    plans.retain(|plan| plan["name"] != "m");
    franchise.apply(without).await;
    let told = franchise.until::<Sovereign>("muscat", "PlansWithdrawn=True InUse").await;
    assert!(message(&told, "PlansWithdrawn").starts_with("plan m stays"), "{told:?}");
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    let tenant: Tenant = franchise.visit("oryx").await;
    assert_eq!(serde_json::to_value(&tenant).unwrap()["status"]["phase"], "Ready");
    franchise.apply(franchise.tenant_abroad("kestrel")).await;
    franchise.until::<Tenant>("kestrel", "Ready=False PlanNotFound").await;

    franchise.apply(franchise.franchised()).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    let silent = |sovereign: &Sovereign| message(sovereign, "PlansWithdrawn").is_empty();
    franchise.until_object(&franchise.api(), "muscat", "not announced", silent).await;
}
