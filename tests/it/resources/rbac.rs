//! Rights: the operator has those that it needs and no others, and so have the owners of Tenants.

use catalyst_operator::api::Tenant;
use k8s_openapi::api::{
    authorization::v1::SubjectAccessReview,
    core::v1::{Namespace, ResourceQuota},
    rbac::v1::ClusterRole,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
    config::Kubeconfig,
};
use serde_json::json;

use crate::support::{Franchise, Operator, World, client_of, hub_client, may, shared_franchise};

/// A client with the operator's own credentials.
async fn operator_client() -> Client {
    let kubeconfig = &Operator::shared().await.installed.kubeconfig;
    client_of(Kubeconfig::read_from(kubeconfig).unwrap()).await
}

#[tokio::test]
async fn the_operator_may_do_what_it_needs_and_nothing_that_would_make_it_more() {
    let _world = World::shared();
    let client = operator_client().await;
    for (group, resource, verb, name) in [
        ("", "secrets", "get", ""),
        ("", "secrets", "list", ""),
        ("", "pods", "create", ""),
        ("", "users", "impersonate", ""),
        ("", "serviceaccounts/token", "create", ""),
        ("", "configmaps", "get", ""),
        ("rbac.authorization.k8s.io", "clusterroles", "create", ""),
        ("rbac.authorization.k8s.io", "clusterroles", "escalate", ""),
        ("rbac.authorization.k8s.io", "clusterroles", "bind", "cluster-admin"),
        ("rbac.authorization.k8s.io", "clusterroles", "bind", "admin"),
        ("rbac.authorization.k8s.io", "clusterrolebindings", "create", ""),
        ("apiextensions.k8s.io", "customresourcedefinitions", "patch", ""),
        ("catalyst.openova.io", "tenants", "create", ""),
        ("catalyst.openova.io", "tenants", "delete", ""),
        ("coordination.k8s.io", "leases", "delete", ""),
    ] {
        let asked = json!({"group": group, "resource": resource, "verb": verb, "name": name});
        assert!(!may(&client, &asked).await, "{asked}");
    }
    for (group, resource, verb, name) in [
        ("rbac.authorization.k8s.io", "clusterroles", "bind", "catalyst-tenant-owner"),
        ("", "namespaces", "delete", "tenant-x"),
        ("catalyst.openova.io", "tenants", "patch", ""),
    ] {
        let asked = json!({"group": group, "resource": resource, "verb": verb, "name": name});
        assert!(may(&client, &asked).await, "{asked}");
    }
}

#[tokio::test]
async fn the_operator_cannot_write_in_a_namespace_that_is_no_tenants() {
    let franchise = shared_franchise().await;
    let client = operator_client().await;
    let quota = json!({"metadata": {"name": "mine"}, "spec": {"hard": {"pods": "0"}}});
    let quota: ResourceQuota = serde_json::from_value(quota).unwrap();
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), &franchise.namespace);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    // A policy is in force some time after it was applied.
    let is_refused = async || {
        let told = quotas.create(&dry, &quota).await.err().map(|why| why.to_string());
        told.is_some_and(|told| {
            told.contains("the operator writes only in namespaces of Tenants, and")
                && told.contains(&format!("{} is none", franchise.namespace))
        })
    };
    franchise.until_true("a quota in a franchise is refused", is_refused).await;
    let namespaces: Api<Namespace> = Api::all(client);
    let (label, dry) = (json!({"metadata": {"labels": {"mine": "yes"}}}), PatchParams::default());
    let told = namespaces.patch("kube-system", &dry.dry_run(), &Patch::Merge(&label)).await;
    assert!(told.unwrap_err().to_string().contains("kube-system is none"));
}

#[tokio::test]
async fn no_role_of_ours_has_a_wildcard_or_grows_by_aggregation() {
    let client = hub_client(World::shared()).await;
    let _installed = Operator::shared().await;
    let roles: Api<ClusterRole> = Api::all(client);
    for name in [
        "catalyst-operator",
        "catalyst-operator-franchise",
        "catalyst-tenant-owner",
        "catalyst-tenant-admin",
        "catalyst-tenant-member",
        "catalyst-tenant-viewer",
    ] {
        let role = roles.get(name).await.unwrap();
        assert!(role.aggregation_rule.is_none(), "{name}");
        let labels = role.metadata.labels.unwrap_or_default();
        assert!(!labels.keys().any(|label| label.contains("aggregate-to")), "{name}: {labels:?}");
        for rule in role.rules.unwrap_or_default() {
            let parts = [Some(rule.verbs), rule.resources, rule.api_groups].into_iter().flatten();
            assert!(!parts.flatten().any(|part| part == "*"), "{name}");
        }
    }
}

/// Whether a person may do this in a namespace.
async fn may_person(franchise: &Franchise, person: &str, place: &str, act: (&str, &str)) -> bool {
    let (verb, resource) = act;
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let review = json!({"metadata": {}, "spec": {"user": person, "resourceAttributes": {
        "namespace": place, "verb": verb, "resource": resource, "group": group,
    }}});
    let review: SubjectAccessReview = serde_json::from_value(review).unwrap();
    let made = Api::all(franchise.client.clone()).create(&PostParams::default(), &review).await;
    made.unwrap().status.unwrap().allowed
}

#[tokio::test]
async fn owners_work_in_their_tenant_and_cannot_loosen_what_holds_it() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH").owner("User", "amal", "Owner");
    let tenant = tenant.owner("User", "salim", "Admin").owner("User", "omar", "Member");
    franchise.settle(tenant.owner("User", "vera", "Viewer")).await;
    franchise.settle(franchise.tenant("bakkal").code("LAUNCH")).await;

    let home = franchise.home("kestrel");
    for (person, act, allowed) in [
        ("amal", ("create", "deployments.apps"), true),
        ("amal", ("get", "secrets"), true),
        ("amal", ("list", "rolebindings.rbac.authorization.k8s.io"), true),
        ("salim", ("get", "secrets"), true),
        ("omar", ("create", "pods"), true),
        ("omar", ("get", "secrets"), false),
        ("vera", ("list", "pods"), true),
        ("vera", ("create", "pods"), false),
    ] {
        assert_eq!(may_person(&franchise, person, &home, act).await, allowed, "{person} {act:?}");
    }
    for person in ["amal", "salim", "omar", "vera"] {
        for act in [
            ("delete", "networkpolicies.networking.k8s.io"),
            ("patch", "networkpolicies.networking.k8s.io"),
            ("patch", "resourcequotas"),
            ("delete", "limitranges"),
            ("create", "rolebindings.rbac.authorization.k8s.io"),
            ("patch", "rolebindings.rbac.authorization.k8s.io"),
            ("patch", "namespaces"),
        ] {
            assert!(!may_person(&franchise, person, &home, act).await, "{person} {act:?}");
        }
        let other = franchise.home("bakkal");
        assert!(!may_person(&franchise, person, &other, ("list", "pods")).await, "{person}");
    }
}

#[tokio::test]
async fn a_whole_life_is_lived_without_a_right_that_is_missing() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH").owner("User", "amal", "Owner");
    franchise.settle(tenant).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.remove::<Tenant>("kestrel").await;
    franchise.remove::<catalyst_operator::api::Voucher>("launch").await;
    franchise.remove::<catalyst_operator::api::Sovereign>("catalyst-zero").await;
    let logged = Operator::shared().await.logged();
    let forbidden: Vec<&str> = logged
        .lines()
        .filter(|line| ["forbidden", "Unauthorized", "42501"].iter().any(|it| line.contains(it)))
        // Others take rights away on purpose, in franchises of their own.
        .filter(|line| !line.contains("franchise-") || line.contains(&franchise.namespace))
        .collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}
