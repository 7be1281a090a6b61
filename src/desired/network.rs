//! Who may talk to whom: nobody, then DNS and the Tenant's own namespaces. Applied is not
//! isolated: without a network plugin that enforces policies nothing does.

use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
        NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::{
    labels::{metadata, selector},
    object,
};
use crate::domain::{
    object::{Kind, Object},
    tenant::Tenant,
};

const DNS_PORT: i32 = 53;

/// The three policies of a Tenant.
#[must_use]
pub fn policies(tenant: &Tenant) -> [Object; 3] {
    [
        policy(tenant, "catalyst-default-deny", None, None),
        policy(tenant, "catalyst-allow-dns", None, Some(dns())),
        same_tenant(tenant),
    ]
}

fn same_tenant(tenant: &Tenant) -> Object {
    let peers = vec![NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector {
            match_labels: Some(selector(tenant)),
            ..LabelSelector::default()
        }),
        ..NetworkPolicyPeer::default()
    }];
    let ingress = NetworkPolicyIngressRule { from: Some(peers.clone()), ports: None };
    let egress = NetworkPolicyEgressRule { to: Some(peers), ports: None };
    policy(tenant, "catalyst-allow-same-tenant", Some(ingress), Some(egress))
}

/// Queries to the cluster's DNS, wherever its pods run in kube-system.
fn dns() -> NetworkPolicyEgressRule {
    let label = |name: &str, value: &str| {
        let labels = [(name.to_owned(), value.to_owned())].into();
        Some(LabelSelector { match_labels: Some(labels), ..LabelSelector::default() })
    };
    let port = |protocol: &str| NetworkPolicyPort {
        port: Some(IntOrString::Int(DNS_PORT)),
        protocol: Some(protocol.to_owned()),
        end_port: None,
    };
    NetworkPolicyEgressRule {
        to: Some(vec![NetworkPolicyPeer {
            namespace_selector: label("kubernetes.io/metadata.name", "kube-system"),
            pod_selector: label("k8s-app", "kube-dns"),
            ip_block: None,
        }]),
        ports: Some(vec![port("UDP"), port("TCP")]),
    }
}

/// A policy over all pods. Types without a rule are denied; the deny-all has neither rule.
fn policy(
    tenant: &Tenant,
    name: &str,
    ingress: Option<NetworkPolicyIngressRule>,
    egress: Option<NetworkPolicyEgressRule>,
) -> Object {
    let denies = ingress.is_none() && egress.is_none();
    let applies = |kind: &str, wanted: bool| wanted.then(|| kind.to_owned());
    let types = [
        applies("Ingress", denies || ingress.is_some()),
        applies("Egress", denies || egress.is_some()),
    ];
    // Stated where they are empty too, so that rules which others add are ours to take out.
    let spec = NetworkPolicySpec {
        pod_selector: Some(LabelSelector::default()),
        ingress: Some(ingress.into_iter().collect()),
        egress: Some(egress.into_iter().collect()),
        policy_types: Some(types.into_iter().flatten().collect()),
    };
    let policy = NetworkPolicy { metadata: metadata(tenant, name), spec: Some(spec) };
    object(Kind::NetworkPolicy, &tenant.main_namespace(), name, &policy)
}
