//! What a franchisee grants to the hub on a cluster of theirs: the manifests, and the same list as
//! questions to the cluster, so that what is asked for and what is given cannot differ.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{ACCESS, BIND, RBAC, Rule, confinement, made, role, tenant_roles};
use crate::{
    api::{ACCESS_NAMESPACE, HUB_NOTE, MANAGER},
    domain::right::Right,
};

/// In [`ACCESS_NAMESPACE`] there: the note that says which hub the cluster belongs to.
const NOTE: &[Rule] = &[
    Rule {
        group: "",
        resources: Cow::Borrowed(&["configmaps"]),
        names: &[HUB_NOTE],
        verbs: &["get", "patch"],
    },
    // The name of what does not exist yet is unknown to RBAC; the policy knows it.
    super::rule("", &["configmaps"], &["create"]),
];

/// Everything that the operator must be allowed to do on a franchised cluster. A namespace's
/// `get` lets it read who the cluster is, too; its version is everybody's to read.
#[must_use]
pub fn required() -> Vec<Right> {
    let rules = everywhere();
    let rules = rules.iter().map(|rule| ("", rule));
    let rules = rules.chain(NOTE.iter().map(|rule| (ACCESS_NAMESPACE, rule)));
    rules.flat_map(|(namespace, rule)| questions(namespace, rule)).collect()
}

pub(super) fn questions(namespace: &'static str, rule: &Rule) -> Vec<Right> {
    let names = if rule.names.is_empty() { &[""] } else { rule.names };
    let mut questions = vec![];
    for resource in rule.resources.iter().copied() {
        for name in names.iter().copied() {
            let verbs = rule.verbs.iter().copied();
            let group = rule.group;
            questions.extend(verbs.map(|verb| Right { group, resource, verb, namespace, name }));
        }
    }
    questions
}

/// On the whole of a franchised cluster. RBAC knows no namespaces by prefix or label, so the
/// policy says in which of them.
fn everywhere() -> Vec<Rule> {
    made().chain([BIND]).collect()
}

/// What a franchisee applies to a cluster, as manifests in the order in which they are needed: an
/// identity for the hub, the roles of Tenants' owners, the hub's rights, and what narrows them.
#[must_use]
pub fn access() -> Vec<Value> {
    let mut manifests = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ACCESS_NAMESPACE}}),
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": MANAGER, "namespace": ACCESS_NAMESPACE},
        }),
    ];
    manifests.extend(tenant_roles());
    manifests.extend([
        role("ClusterRole", ACCESS, &everywhere()),
        binding("ClusterRole"),
        in_access_namespace(role("Role", ACCESS, NOTE)),
        in_access_namespace(binding("Role")),
    ]);
    manifests.extend(confinement::abroad());
    manifests
}

/// Binds the hub's identity to the role of that kind.
fn binding(kind: &str) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": format!("{kind}Binding"),
        "metadata": {"name": ACCESS},
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": ACCESS},
        "subjects": [
            {"kind": "ServiceAccount", "name": MANAGER, "namespace": ACCESS_NAMESPACE},
        ],
    })
}

fn in_access_namespace(mut manifest: Value) -> Value {
    if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), json!(ACCESS_NAMESPACE));
    }
    manifest
}
