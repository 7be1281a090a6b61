//! Nothing that is protected is deleted by one command: neither itself, nor the namespace it is in.
//! A schema cannot see a deletion, and once a namespace terminates, what is protected in it would
//! only keep it from ever ending; so both are refused where they begin.

use serde_json::{Value, json};

use crate::api::{FRANCHISE_LABEL, GROUP, VERSION};

const API: &str = "admissionregistration.k8s.io/v1";

/// The kinds that can be protected, with the word for one, and whether one that says nothing is:
/// objects that are older than the field.
const KINDS: [(&str, &str, bool); 2] =
    [("sovereigns", "Sovereign", true), ("tenants", "Tenant", false)];

/// The names of the policies.
pub const POLICIES: [&str; 3] = [
    "catalyst-deletion-protection",
    "catalyst-deletion-protection-sovereigns",
    "catalyst-deletion-protection-tenants",
];

/// The policies of the hub with their bindings.
#[must_use]
pub fn protection() -> Vec<Value> {
    let rules: Vec<Value> =
        KINDS.iter().map(|(plural, ..)| deletes(GROUP, VERSION, plural)).collect();
    let itself = json!({
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        "validations": [{
            "expression": format!("!({})", any_is_protected()),
            "messageExpression": "request.resource.resource + ' ' + request.name + ' is \
                protected: set spec.deletionProtection to false where it is kept, in Git if it \
                comes from there, and delete it then'",
            "reason": "Forbidden",
        }],
    });
    let [by_itself, of_namespaces @ ..] = POLICIES;
    let mut manifests = vec![policy(by_itself, &itself), binding(by_itself, &json!({}))];
    for (name, (_, kind, default)) in of_namespaces.iter().zip(KINDS) {
        manifests.push(policy(name, &namespaces_with(kind, default)));
        let all = json!({"selector": {}, "parameterNotFoundAction": "Allow"});
        manifests.push(binding(name, &json!({"paramRef": all})));
    }
    manifests
}

fn any_is_protected() -> String {
    let kinds = KINDS.map(|(plural, _, default)| {
        format!(
            "request.resource.resource == '{plural}' && \
             oldObject.spec.?deletionProtection.orValue({default})"
        )
    });
    kinds.join(" || ")
}

/// Its parameters are the objects of the kind in that very namespace, each judged by itself.
fn namespaces_with(kind: &str, default: bool) -> Value {
    json!({
        "failurePolicy": "Fail",
        "paramKind": {"apiVersion": format!("{GROUP}/{VERSION}"), "kind": kind},
        "matchConstraints": {
            "resourceRules": [deletes("", "v1", "namespaces")],
            // Without this, a missing definition would block the deletion of every namespace.
            "objectSelector": {
                "matchExpressions": [{"key": FRANCHISE_LABEL, "operator": "Exists"}],
            },
        },
        "validations": [{
            "expression": format!("!params.spec.?deletionProtection.orValue({default})"),
            "messageExpression": format!(
                "'namespace ' + request.name + ' is the home of {kind} ' + params.metadata.name + \
                 ', which is protected: set its spec.deletionProtection to false first'"
            ),
            "reason": "Forbidden",
        }],
    })
}

fn deletes(group: &str, version: &str, resource: &str) -> Value {
    json!({
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": ["DELETE"],
        "resources": [resource],
    })
}

fn policy(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": spec,
    })
}

fn binding(name: &str, more: &Value) -> Value {
    let mut spec = json!({"policyName": name, "validationActions": ["Deny"]});
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": spec,
    })
}
