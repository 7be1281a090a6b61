//! The franchise on the hub itself whose Tenants are measured.

use serde_json::{Value, json};

use super::{Outcome, operator::Kubectl};

pub(crate) const FRANCHISE: &str = "omantel";

/// What a franchise has before its first customer: a Sovereign with a plan, and a Voucher.
pub(crate) fn found(kubectl: &Kubectl, tenants: usize) -> Outcome<()> {
    let metadata = |name: &str| json!({"name": name, "namespace": FRANCHISE});
    let api = "catalyst.openova.io/v1alpha1";
    let labels = json!({
        "catalyst.openova.io/franchise": FRANCHISE,
        "catalyst.openova.io/in-cluster": "allowed",
    });
    let limits = json!([{
        "type": "Container",
        "default": {"cpu": "250m", "memory": "256Mi"},
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
    }]);
    let quota = json!({"requests.cpu": "4", "requests.memory": "8Gi", "pods": "40"});
    let plan = json!({
        "name": "m",
        "displayName": "Medium",
        "price": {"amount": "9.000 OMR", "per": "Month"},
        "quota": quota,
        "limits": limits,
    });
    kubectl.apply_all(&[
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": FRANCHISE, "labels": labels}}),
        json!({"apiVersion": api, "kind": "Sovereign", "metadata": metadata("catalyst-zero"),
            "spec": {"displayName": "Catalyst-Zero", "domain": "omantel.example.om",
                "currency": "OMR", "connection": {"mode": "InCluster"}, "plans": [plan]}}),
        json!({"apiVersion": api, "kind": "Voucher", "metadata": metadata("launch-100"),
            "spec": {"sovereignRef": {"name": "catalyst-zero"}, "credit": "100.000 OMR",
                "maxRedemptions": tenants}}),
    ])
}

/// A customer with two owners and a code.
pub(crate) fn tenant(n: usize) -> Value {
    json!({
        "apiVersion": "catalyst.openova.io/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": format!("customer-{n}"), "namespace": FRANCHISE},
        "spec": {
            "sovereignRef": {"name": "catalyst-zero"},
            "plan": "m",
            "owners": [
                {"kind": "User", "name": format!("owner@{n}.example"), "role": "Owner"},
                {"kind": "Group", "name": format!("developers-{n}"), "role": "Member"},
            ],
            "vouchers": [{"code": "LAUNCH-100"}],
        },
    })
}
