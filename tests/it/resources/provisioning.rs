//! What a Tenant is made of, and in which order: paid first, policies before anything can run,
//! charged when everything stands.

use catalyst_operator::api::Tenant;
use jiff::Timestamp;
use k8s_openapi::api::{
    core::v1::{LimitRange, Namespace, Pod, ResourceQuota, ServiceAccount},
    networking::v1::NetworkPolicy,
    rbac::v1::RoleBinding,
};
use kube::{
    ResourceExt,
    api::{ListParams, PostParams},
};
use serde_json::{Value, json};

use crate::support::{Franchise, shared_franchise};

/// A Tenant with two owners that can pay.
async fn tenant(franchise: &Franchise) {
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH");
    let tenant = tenant.owner("User", "amal@kestrel.example", "Owner");
    franchise.settle(tenant.owner("Group", "kestrel-developers", "Member")).await;
}

fn is_labelled(franchise: &Franchise, object: &impl kube::Resource) {
    let organization = franchise.organization("kestrel");
    for (name, value) in [
        ("app.kubernetes.io/managed-by", "catalyst-operator"),
        ("catalyst.openova.io/franchise", &franchise.namespace),
        ("catalyst.openova.io/sovereign", "catalyst-zero"),
        ("catalyst.openova.io/tenant", "kestrel"),
        ("catalyst.openova.io/organization", &organization),
    ] {
        assert_eq!(object.labels().get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_tenant_gets_a_namespace_that_enforces_restricted_pods() {
    let franchise = shared_franchise().await;
    tenant(&franchise).await;
    let namespace: Namespace =
        franchise.namespaces().get(&franchise.home("kestrel")).await.unwrap();
    is_labelled(&franchise, &namespace);
    for mode in ["enforce", "audit", "warn"] {
        let label = format!("pod-security.kubernetes.io/{mode}");
        assert_eq!(namespace.labels().get(&label).map(String::as_str), Some("restricted"));
    }
    let pods = franchise.at_home::<Pod>("kestrel");
    let refused = pods.create(&PostParams::default(), &pod("root", "100m", true)).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("violates PodSecurity \"restricted"), "{why}");
}

#[tokio::test]
async fn the_quota_of_a_tenant_is_the_map_of_its_plan() {
    let franchise = shared_franchise().await;
    tenant(&franchise).await;
    let quota = franchise.at_home::<ResourceQuota>("kestrel").get("catalyst-plan").await.unwrap();
    is_labelled(&franchise, &quota);
    assert_eq!(
        serde_json::to_value(quota.spec.unwrap()).unwrap(),
        json!({"hard": {"requests.cpu": "4", "limits.cpu": "4", "pods": "4"}})
    );
    let limits = franchise.at_home::<LimitRange>("kestrel").get("catalyst-plan").await.unwrap();
    is_labelled(&franchise, &limits);
    assert_eq!(
        serde_json::to_value(limits.spec.unwrap()).unwrap(),
        json!({"limits": [{
            "type": "Container",
            "default": {"cpu": "250m"},
            "defaultRequest": {"cpu": "100m"},
        }]})
    );
}

#[tokio::test]
async fn the_quota_of_a_tenant_counts_and_its_use_is_shown() {
    let franchise = shared_franchise().await;
    tenant(&franchise).await;
    let accounts = franchise.at_home::<ServiceAccount>("kestrel");
    franchise.until_object(&accounts, "default", "there", |_| true).await;
    let pods = franchise.at_home::<Pod>("kestrel");
    for name in ["first", "second", "third"] {
        let made = pods.create(&PostParams::default(), &pod(name, "1", false)).await;
        made.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    let refused = pods.create(&PostParams::default(), &pod("large", "2", false)).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("exceeded quota: catalyst-plan"), "{why}");
    // A pod that states nothing has the defaults of the plan.
    let made = pods.create(&PostParams::default(), &pod("small", "", false)).await;
    let small: Value = serde_json::to_value(made.unwrap()).unwrap();
    assert_eq!(
        small["spec"]["containers"][0]["resources"],
        json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "250m"}})
    );
    let shown = |tenant: &Tenant| {
        tenant.status.as_ref().is_some_and(|status| status.cpu.as_deref() == Some("3100m/4"))
    };
    franchise.until_object(&franchise.api(), "kestrel", "cpu 3100m/4", shown).await;
}

/// A pod with one container. As root it breaks the rules of its namespace.
fn pod(name: &str, cpu: &str, root: bool) -> Pod {
    let mut pod = json!({
        "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {
                "runAsNonRoot": true,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "main",
                "image": "example.com/none",
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    });
    if root {
        pod["spec"]["securityContext"] = json!({"runAsUser": 0});
    }
    if !cpu.is_empty() {
        let cpu = json!({"cpu": cpu});
        pod["spec"]["containers"][0]["resources"] = json!({"requests": cpu, "limits": cpu});
    }
    serde_json::from_value(pod).unwrap()
}

#[tokio::test]
async fn a_tenant_is_closed_to_all_but_itself_and_dns() {
    let franchise = shared_franchise().await;
    tenant(&franchise).await;
    let policies = franchise.at_home::<NetworkPolicy>("kestrel");
    let all = policies.list(&ListParams::default()).await.unwrap();
    let mut names: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
    names.sort();
    assert_eq!(
        names,
        ["catalyst-allow-dns", "catalyst-allow-same-tenant", "catalyst-default-deny"]
    );
    for policy in &all {
        is_labelled(&franchise, policy);
    }
    let deny = policies.get("catalyst-default-deny").await.unwrap();
    assert_eq!(
        serde_json::to_value(deny.spec.unwrap()).unwrap(),
        json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    );
    let same = policies.get("catalyst-allow-same-tenant").await.unwrap();
    let same: Value = serde_json::to_value(same.spec.unwrap()).unwrap();
    let peers = json!([{"namespaceSelector": {"matchLabels": {
        "catalyst.openova.io/franchise": franchise.namespace,
        "catalyst.openova.io/organization": franchise.organization("kestrel"),
    }}}]);
    assert_eq!((&same["ingress"][0]["from"], &same["egress"][0]["to"]), (&peers, &peers));
}

#[tokio::test]
async fn the_owners_of_a_tenant_have_the_roles_that_it_gives_them() {
    let franchise = shared_franchise().await;
    tenant(&franchise).await;
    let bindings = franchise.at_home::<RoleBinding>("kestrel");
    let all = bindings.list(&ListParams::default()).await.unwrap();
    assert_eq!(all.items.len(), 2, "{all:?}");
    for (role, kind, name) in [
        ("catalyst-tenant-owner", "User", "amal@kestrel.example"),
        ("catalyst-tenant-member", "Group", "kestrel-developers"),
    ] {
        let binding = bindings.get(role).await.unwrap();
        is_labelled(&franchise, &binding);
        assert_eq!(
            (binding.role_ref.kind.as_str(), binding.role_ref.name.as_str()),
            ("ClusterRole", role)
        );
        let subjects = binding.subjects.unwrap_or_default();
        let subjects: Vec<_> =
            subjects.iter().map(|subject| (subject.kind.as_str(), subject.name.as_str())).collect();
        assert_eq!(subjects, [(kind, name)]);
    }
}

#[tokio::test]
async fn nothing_is_made_before_it_is_paid_and_nothing_charged_before_it_stands() {
    let franchise = shared_franchise().await;
    tenant(&franchise).await;
    let organization = franchise.organization("kestrel");
    let ledger = franchise.ledger();
    let instant = |column: &'static str| {
        let from = format!(
            "select utc({column}) from hold h join orders o using (franchise, ord) \
             join period p using (franchise, ord) where o.organization = '{organization}'"
        );
        let ledger = &ledger;
        async move { ledger.one::<String>(&from).await.parse::<Timestamp>().unwrap() }
    };
    let (held, started) = (instant("h.held_at").await, instant("p.starts_at").await);
    let writes = franchise.writes_to(&franchise.home("kestrel"));
    assert!(writes.len() >= 8, "{writes:?}");
    for write in &writes {
        assert!(held < write.request_received_timestamp, "before {held}: {write:?}");
        assert!(write.stage_timestamp < started, "after {started}: {write:?}");
    }
    let first = writes[0].object_ref.as_ref().unwrap();
    assert_eq!((first.resource.as_str(), writes[0].verb.as_str()), ("namespaces", "create"));
}

#[tokio::test]
async fn a_tenant_is_known_by_its_name_unless_it_says_otherwise() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let name = franchise.organization("kestrel");
    let mut tenant = franchise.tenant("kestrel").without("organization").code("LAUNCH");
    tenant.0["metadata"]["name"] = json!(name);
    franchise.settle(tenant).await;
    let home: Namespace = franchise.namespaces().get(&format!("tenant-{name}")).await.unwrap();
    assert_eq!(home.labels()["catalyst.openova.io/organization"], name);
}
