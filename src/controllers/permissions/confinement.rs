//! What RBAC cannot say: that the operator keeps to the namespaces of Tenants, on the hub and on a
//! franchised cluster.

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use serde_json::{Value, json};

use super::{ACCESS, CONFINEMENT, policy};
use crate::{
    api::{ACCESS_NAMESPACE, HUB_NOTE, MANAGED_BY_LABEL, MANAGER},
    domain::{object::Kind, tenant::MAIN_PREFIX},
};

/// The condition of a policy that judges one account alone.
pub const JUDGED: &str = "is-the-operator";

/// Whether a policy judges what this account does.
#[must_use]
pub fn judges(policy: &ValidatingAdmissionPolicy, account: &str) -> bool {
    let conditions = policy.spec.iter().flat_map(|spec| spec.match_conditions.iter().flatten());
    conditions.filter(|it| it.name == JUDGED).all(|it| it.expression == is_by(account))
}

fn is_by(account: &str) -> String {
    format!("request.userInfo.username == '{account}'")
}

/// On the hub. A chart whose account has another name puts that in the place of this one.
pub(super) fn at_home() -> [Value; 2] {
    let rules = [(in_tenants(), json!({"messageExpression": outside("the operator")}))];
    policy::in_force(CONFINEMENT, &spec(&[], &rules), &json!({}))
}

/// On a franchised cluster, where it writes the note that says whose the cluster is, too.
pub(super) fn abroad() -> [Value; 2] {
    let rules = [
        (in_tenants(), json!({"messageExpression": outside("the hub")})),
        (the_note(), json!({"message": another_note()})),
    ];
    policy::in_force(ACCESS, &spec(&[("", "configmaps")], &rules), &json!({}))
}

/// It judges no request but the operator's own, so it cannot stand in anybody's way; and deletes as
/// much as writes, so a namespace of ours can always be repaired and taken away.
fn spec(more: &[(&str, &str)], rules: &[(String, Value)]) -> Value {
    let user = format!("system:serviceaccount:{ACCESS_NAMESPACE}:{MANAGER}");
    let made = Kind::ALL.map(|kind| (kind.group(), kind.plural()));
    let resources = made.iter().chain(more);
    let written = ["CREATE", "UPDATE", "DELETE"];
    let resources =
        resources.map(|(group, resource)| policy::requests(&written, group, "v1", resource));
    let validations = rules.iter().map(|(expression, told)| {
        let mut rule = json!({"expression": expression, "reason": "Forbidden"});
        if let (Some(rule), Some(told)) = (rule.as_object_mut(), told.as_object()) {
            rule.extend(told.clone());
        }
        rule
    });
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": resources.collect::<Vec<_>>()},
        "matchConditions": [{
            "name": JUDGED,
            "expression": is_by(&user),
        }],
        "variables": [{"name": "namespaces", "expression": namespaces()}],
        "validations": validations.collect::<Vec<_>>(),
    })
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

/// Most who read it have the hub's log before them, and the cluster's administrator beside them.
fn outside(who: &str) -> String {
    format!(
        "'{who} writes only in namespaces of Tenants, and ' + \
         (request.resource.resource == 'namespaces' ? request.name : request.namespace) + \
         ' is none: it has no label {MANAGED_BY_LABEL}={MANAGER}, and its name does not begin \
         with {MAIN_PREFIX}; if {who} made it, put the label back'"
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
