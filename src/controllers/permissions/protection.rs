//! Nothing that is protected is deleted by one command: neither itself, nor the namespace it is in.
//! A schema cannot see a deletion, and once a namespace terminates, what is protected in it would
//! only keep it from ever ending; so both are refused where they begin.

use serde_json::{Value, json};

use super::{PROTECTION, policy};
use crate::api::{FRANCHISE_LABEL, GROUP, VERSION};

/// The kinds that can be protected, with the word for one, and whether one that says nothing is:
/// objects that are older than the field.
const KINDS: [(&str, &str, bool); 2] =
    [("sovereigns", "Sovereign", true), ("tenants", "Tenant", false)];

/// The policies with their bindings.
#[must_use]
pub fn protection() -> Vec<Value> {
    let rules: Vec<Value> =
        KINDS.iter().map(|(plural, ..)| deletions(GROUP, VERSION, plural)).collect();
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
    let [by_itself, of_namespaces @ ..] = PROTECTION;
    let mut manifests = policy::in_force(by_itself, &itself, &json!({})).to_vec();
    for (name, (_, kind, default)) in of_namespaces.iter().zip(KINDS) {
        let all = json!({"paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}});
        manifests.extend(policy::in_force(name, &namespaces_with(kind, default), &all));
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
            "resourceRules": [policy::requests(&["UPDATE", "DELETE"], "", "v1", "namespaces")],
            // Without this, a missing definition would block the deletion of every namespace.
            "objectSelector": {
                "matchExpressions": [{"key": FRANCHISE_LABEL, "operator": "Exists"}],
            },
        },
        "validations": [{
            // Without its label it would be deleted like any other.
            "expression": format!(
                "(request.operation == 'UPDATE' && '{FRANCHISE_LABEL}' in \
                 object.metadata.?labels.orValue({{}})) || \
                 !params.spec.?deletionProtection.orValue({default})"
            ),
            "messageExpression": format!(
                "'namespace ' + request.name + ' is the home of {kind} ' + params.metadata.name + \
                 ', which is protected: set its spec.deletionProtection to false first'"
            ),
            "reason": "Forbidden",
        }],
    })
}

fn deletions(group: &str, version: &str, resource: &str) -> Value {
    policy::requests(&["DELETE"], group, version, resource)
}
