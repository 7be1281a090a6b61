//! What RBAC cannot say of the hub on a franchised cluster: that it keeps to the namespaces of
//! Tenants. Kubernetes has admission policies for that since 1.30.

use serde_json::{Value, json};

use super::ACCESS;
use crate::{
    api::{ACCESS_NAMESPACE, HUB_NOTE, MANAGED_BY_LABEL, MANAGER},
    domain::{object::Kind, tenant::MAIN_PREFIX},
};

const API: &str = "admissionregistration.k8s.io/v1";

/// The policy. It judges no request but the hub's own, so it cannot stand in anybody's way; and
/// deletes as much as writes, so a namespace of ours can always be repaired and taken away.
pub(super) fn policy() -> Value {
    let user = format!("system:serviceaccount:{ACCESS_NAMESPACE}:{MANAGER}");
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": ACCESS},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": resources()},
            "matchConditions": [{
                "name": "is-the-hub",
                "expression": format!("request.userInfo.username == '{user}'"),
            }],
            "variables": [{"name": "namespaces", "expression": namespaces()}],
            "validations": [
                {"expression": in_tenants(), "messageExpression": outside(), "reason": "Forbidden"},
                {"expression": the_note(), "message": another_note(), "reason": "Forbidden"},
            ],
        },
    })
}

/// Puts the policy into force.
pub(super) fn binding() -> Value {
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": ACCESS},
        "spec": {"policyName": ACCESS, "validationActions": ["Deny"]},
    })
}

/// Everything that the hub may write by its roles.
fn resources() -> Vec<Value> {
    let made = Kind::ALL.map(|kind| (kind.group(), kind.plural()));
    let all = made.into_iter().chain([("", "configmaps")]);
    let rule = |(group, resource)| {
        json!({
            "apiGroups": [group],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": [resource],
        })
    };
    all.map(rule).collect()
}

/// The namespaces that a request touches: one that it writes, as it was and as it will be, or the
/// one that it writes in. The second rule alone judges the note's.
fn namespaces() -> &'static str {
    "request.resource.resource == 'namespaces' ? [object, oldObject].filter(it, it != null) : \
     request.resource.resource == 'configmaps' ? [] : [dyn(namespaceObject)]"
}

fn in_tenants() -> String {
    format!(
        "variables.namespaces.all(it, \
         it.metadata.?labels[?'{MANAGED_BY_LABEL}'].orValue('') == '{MANAGER}' || \
         it.metadata.name.startsWith('{MAIN_PREFIX}'))"
    )
}

/// Most who read it have the hub's log before them, and this cluster's administrator beside them.
fn outside() -> String {
    format!(
        "'the hub writes only in namespaces of Tenants, and ' + \
         (request.resource.resource == 'namespaces' ? request.name : request.namespace) + \
         ' is none: it has no label {MANAGED_BY_LABEL}={MANAGER}, and its name does not begin \
         with {MAIN_PREFIX}; if the hub made it, put the label back'"
    )
}

fn the_note() -> String {
    format!(
        "request.resource.resource != 'configmaps' || \
         (request.namespace == '{ACCESS_NAMESPACE}' && request.name == '{HUB_NOTE}')"
    )
}

fn another_note() -> String {
    format!(
        "the hub writes one ConfigMap, {HUB_NOTE} in namespace {ACCESS_NAMESPACE}; if it needs \
         another, ask its administrator what for"
    )
}
