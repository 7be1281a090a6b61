//! What a Tenant is made of, seen as the manifests that are applied.

use serde_json::json;

use super::*;
use crate::api::{Owner, OwnerKind, OwnerRole};

fn kestrel() -> Tenant {
    Tenant {
        grace: 604_800,
        warn: vec![],
        namespace: "omantel".to_owned(),
        name: "kestrel-rx".to_owned(),
        uid: "uid-kestrel-rx".to_owned(),
        is_given_up: false,
        organization: "kestrel".to_owned(),
        sovereign: "catalyst-zero".to_owned(),
        plan: "m".to_owned(),
        owners: vec![Owner {
            kind: OwnerKind::User,
            namespace: String::new(),
            name: "amal@kestrel.example".to_owned(),
            role: OwnerRole::Owner,
        }],
        vouchers: vec![],
    }
}

fn terms() -> PlanTerms {
    serde_json::from_value(json!({
        "quota": {"requests.cpu": "0.5", "pods": 20},
        "limits": [{"type": "Container", "default": {"cpu": "500m"}}],
    }))
    .unwrap()
}

#[test]
fn a_tenant_is_made_namespace_first() {
    let made: Vec<String> = tenant(&kestrel(), &terms())
        .into_iter()
        .map(|object| {
            let Identity { kind, namespace, name } = object.identity;
            format!("{}/{namespace}/{name}", kind.name())
        })
        .collect();
    assert_eq!(
        made,
        [
            "Namespace//tenant-kestrel",
            "ResourceQuota/tenant-kestrel/catalyst-plan",
            "LimitRange/tenant-kestrel/catalyst-plan",
            "NetworkPolicy/tenant-kestrel/catalyst-default-deny",
            "NetworkPolicy/tenant-kestrel/catalyst-allow-dns",
            "NetworkPolicy/tenant-kestrel/catalyst-allow-same-tenant",
            "RoleBinding/tenant-kestrel/catalyst-tenant-owner",
        ]
    );
}

#[test]
fn a_quota_equals_what_the_plan_sells() {
    let quota = quota::quota(&kestrel(), &terms()).unwrap();
    assert_eq!(
        quota.manifest.pointer("/spec/hard"),
        Some(&json!({"requests.cpu": "0.5", "pods": "20"}))
    );
    assert!(quota::quota(&kestrel(), &PlanTerms::default()).is_none());
}

#[test]
fn the_deny_all_policy_covers_both_directions_and_allows_nothing() {
    let [deny, dns, _] = network::policies(&kestrel());
    assert_eq!(
        deny.manifest.get("spec"),
        Some(&json!({
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [],
        }))
    );
    assert_eq!(dns.manifest.pointer("/spec/policyTypes"), Some(&json!(["Egress"])));
}

#[test]
fn a_namespace_enforces_restricted_pods() {
    let namespace = namespace::namespace(&kestrel());
    let label = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    assert_eq!(namespace.manifest.pointer(label), Some(&json!("restricted")));
}
