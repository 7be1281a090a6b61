//! Drift: what people change or delete of what a Tenant is made of comes back, at once.

use std::fmt::Debug;

use catalyst_operator::api::Tenant;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{LimitRange, Namespace, ResourceQuota},
        networking::v1::NetworkPolicy,
        rbac::v1::RoleBinding,
    },
};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::support::{Franchise, shared_franchise};

/// A Tenant that is ready, for somebody who does not wait for the next round.
async fn standing() -> Franchise {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH");
    franchise.settle(tenant.owner("User", "amal@kestrel.example", "Owner")).await;
    franchise.woken()
}

fn has(object: &impl Serialize, pointer: &str, wanted: &Value) -> bool {
    serde_json::to_value(object).unwrap().pointer(pointer) == Some(wanted)
}

/// An object of a Tenant is deleted and made anew.
async fn comes_back<K>(franchise: &Franchise, name: &str)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let api = franchise.at_home::<K>("kestrel");
    let uid = api.get(name).await.unwrap().uid();
    api.delete(name, &DeleteParams::default()).await.unwrap();
    franchise.until_object(&api, name, "made anew", |object: &K| object.uid() != uid).await;
}

/// A label is stripped and comes back.
async fn label_comes_back<K>(franchise: &Franchise, api: &Api<K>, name: &str, label: &str)
where
    K: kube::Resource
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + serde::Serialize
        + Send
        + 'static,
{
    let before = api.get(name).await.unwrap().labels()[label].clone();
    let stripped: K =
        franchise.merge(api, name, &json!({"metadata": {"labels": {label: null}}})).await;
    assert_eq!(stripped.labels().get(label), None);
    let has = |object: &K| object.labels().get(label) == Some(&before);
    franchise.until_object(api, name, &format!("labelled {label}"), has).await;
}

const LABELS: [&str; 3] = [
    "app.kubernetes.io/managed-by",
    "catalyst.openova.io/franchise",
    "catalyst.openova.io/organization",
];

/// Edits an object of a Tenant that stands, as a person would, and waits until it is mended.
async fn is_mended<K>(name: &str, edit: Value, wanted: &str, is_so: impl Fn(&K) -> bool)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let franchise = standing().await;
    let objects = franchise.at_home::<K>("kestrel");
    franchise.merge(&objects, name, &edit).await;
    franchise.until_object(&objects, name, wanted, is_so).await;
}

#[tokio::test]
async fn an_edited_quota_is_mended() {
    let more = json!({"spec": {"hard": {"pods": "4000"}}});
    let mended = |quota: &ResourceQuota| has(quota, "/spec/hard/pods", &json!("4"));
    is_mended("catalyst-plan", more, "4 pods", mended).await;
}

#[tokio::test]
async fn a_limit_that_the_plan_does_not_have_is_taken_out_of_the_quota() {
    let more = json!({"spec": {"hard": {"services": "0"}}});
    let mended = |quota: &ResourceQuota| {
        let hard = quota.spec.as_ref().and_then(|spec| spec.hard.as_ref());
        hard.is_some_and(|hard| !hard.contains_key("services"))
    };
    is_mended("catalyst-plan", more, "no limit of services", mended).await;
}

#[tokio::test]
async fn an_edited_limit_range_is_mended() {
    let more = json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "4"}}]}});
    let mended = |range: &LimitRange| has(range, "/spec/limits/0/default/cpu", &json!("250m"));
    is_mended("catalyst-plan", more, "250m by default", mended).await;
}

#[tokio::test]
async fn a_policy_that_was_opened_is_closed_again() {
    let open = json!({"spec": {"ingress": [{}], "egress": [{}]}});
    let closed = |policy: &NetworkPolicy| {
        has(policy, "/spec", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}))
    };
    is_mended("catalyst-default-deny", open, "closed", closed).await;
}

#[tokio::test]
async fn what_is_deleted_comes_back() {
    let franchise = standing().await;
    comes_back::<ResourceQuota>(&franchise, "catalyst-plan").await;
    comes_back::<LimitRange>(&franchise, "catalyst-plan").await;
    comes_back::<NetworkPolicy>(&franchise, "catalyst-default-deny").await;
    comes_back::<RoleBinding>(&franchise, "catalyst-tenant-owner").await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_label_that_is_stripped_from_the_namespace_comes_back() {
    let franchise = standing().await;
    let (namespaces, home) = (franchise.namespaces(), franchise.home("kestrel"));
    let security = "pod-security.kubernetes.io/enforce";
    for label in LABELS.into_iter().chain([security]) {
        label_comes_back::<Namespace>(&franchise, &namespaces, &home, label).await;
    }
}

#[tokio::test]
async fn a_label_that_is_stripped_from_a_policy_comes_back() {
    let franchise = standing().await;
    let policies = franchise.at_home::<NetworkPolicy>("kestrel");
    for label in LABELS {
        label_comes_back(&franchise, &policies, "catalyst-allow-dns", label).await;
    }
}

#[tokio::test]
async fn all_labels_stripped_at_once_come_back() {
    let franchise = standing().await;
    let quotas = franchise.at_home::<ResourceQuota>("kestrel");
    let bare = json!({"metadata": {"labels": null}});
    let stripped: ResourceQuota = franchise.merge(&quotas, "catalyst-plan", &bare).await;
    assert!(stripped.labels().is_empty());
    let labelled = |quota: &ResourceQuota| quota.labels().len() == 5;
    franchise.until_object(&quotas, "catalyst-plan", "labelled", labelled).await;
}

#[tokio::test]
async fn a_stranger_among_the_subjects_of_a_binding_is_put_out() {
    let franchise = standing().await;
    let bindings = franchise.at_home::<RoleBinding>("kestrel");
    let stranger = json!({"subjects": [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "amal@kestrel.example"},
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve@example.com"},
    ]});
    franchise.merge(&bindings, "catalyst-tenant-owner", &stranger).await;
    let alone = |binding: &RoleBinding| binding.subjects.as_ref().map(Vec::len) == Some(1);
    let mended =
        franchise.until_object(&bindings, "catalyst-tenant-owner", "one subject", alone).await;
    assert_eq!(mended.subjects.unwrap()[0].name, "amal@kestrel.example");
}

#[tokio::test]
async fn a_binding_that_was_made_anew_with_another_role_gets_its_own_back() {
    let franchise = standing().await;
    let bindings = franchise.at_home::<RoleBinding>("kestrel");
    let other: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "catalyst-tenant-owner"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [],
    }))
    .unwrap();
    // The operator may be quicker; then the person tries again.
    loop {
        let _gone = bindings.delete("catalyst-tenant-owner", &DeleteParams::default()).await;
        if bindings.create(&PostParams::default(), &other).await.is_ok() {
            break;
        }
    }
    let own = |binding: &RoleBinding| binding.role_ref.name == "catalyst-tenant-owner";
    franchise.until_object(&bindings, "catalyst-tenant-owner", "its own role", own).await;
}

#[tokio::test]
async fn an_owner_who_is_taken_out_loses_the_binding() {
    let franchise = standing().await;
    let bindings = franchise.at_home::<RoleBinding>("kestrel");
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.until_gone(&bindings, "catalyst-tenant-owner").await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;

    let tenant = franchise.tenant("kestrel").code("LAUNCH");
    franchise.apply(tenant.owner("User", "salim@kestrel.example", "Viewer")).await;
    franchise.until_object(&bindings, "catalyst-tenant-viewer", "there", |_| true).await;
    assert!(bindings.get_opt("catalyst-tenant-owner").await.unwrap().is_none());
}

#[tokio::test]
async fn a_namespace_that_is_deleted_is_made_anew_and_costs_nothing() {
    let franchise = standing().await;
    let (namespaces, home) = (franchise.namespaces(), franchise.home("kestrel"));
    let uid = namespaces.get(&home).await.unwrap().uid();
    namespaces.delete(&home, &DeleteParams::default()).await.unwrap();
    let franchise = franchise.woken();
    let anew = |namespace: &Namespace| namespace.uid() != uid;
    franchise.until_object(&namespaces, &home, "made anew", anew).await;
    let bindings = franchise.at_home::<RoleBinding>("kestrel");
    franchise.until_object(&bindings, "catalyst-tenant-owner", "there", |_| true).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
    franchise.assert_sound().await;
}
