//! What the operator may do, as data: the roles that the charts ship are made from these lists, and
//! the tests run under them, so that a right that is missing here fails a test.

mod access;
mod confinement;
mod policy;
mod protection;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use access::{access, required};
pub use confinement::{JUDGED, judges};
pub use protection::protection;
use serde_json::{Value, json};

use crate::{
    api::GROUP,
    desired::access::ROLES,
    domain::{object::Kind, right::Right},
};

const RBAC: &str = "rbac.authorization.k8s.io";
/// What a franchisee grants: the roles, their bindings, and the policy.
const ACCESS: &str = "catalyst-sovereign-access";
/// What keeps the operator to the namespaces of Tenants.
const CONFINEMENT: &str = "catalyst-tenants-only";
/// What keeps protected objects, and the namespaces that they are in.
const PROTECTION: [&str; 3] = [
    "catalyst-deletion-protection",
    "catalyst-deletion-protection-sovereigns",
    "catalyst-deletion-protection-tenants",
];
/// The names of the hub's admission policies.
pub const POLICIES: [&str; 4] = [PROTECTION[0], PROTECTION[1], PROTECTION[2], CONFINEMENT];

/// Verbs on resources of one API group; on all of them where no names are given.
struct Rule {
    group: &'static str,
    resources: Cow<'static, [&'static str]>,
    names: &'static [&'static str],
    verbs: &'static [&'static str],
}

const fn rule(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
) -> Rule {
    Rule { group, resources: Cow::Borrowed(resources), names: &[], verbs }
}

const WATCH: [&str; 3] = ["get", "list", "watch"];
const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];
const EDIT: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];
const ROLE_NAMES: &[&str] = &[ROLES[0].1, ROLES[1].1, ROLES[2].1, ROLES[3].1];

/// In the namespaces of the franchises that are served. Nothing of secrets: a franchise grants them
/// one by one.
const FRANCHISE: &[Rule] = &[
    rule(GROUP, &["sovereigns", "tenants", "vouchers"], &["list", "patch", "watch"]),
    rule(GROUP, &["sovereigns/status", "tenants/status", "vouchers/status"], &["patch"]),
    rule("events.k8s.io", &["events"], &["create", "patch"]),
];

/// On the whole of the hub, with what Tenants are made of: their namespaces are not there yet.
const HUB: &[Rule] = &[
    // Whether they go, and with them all objects of their kind.
    Rule {
        group: "apiextensions.k8s.io",
        resources: Cow::Borrowed(&["customresourcedefinitions"]),
        names: &[
            "sovereigns.catalyst.openova.io",
            "tenants.catalyst.openova.io",
            "vouchers.catalyst.openova.io",
        ],
        verbs: &["get"],
    },
    // Whether they are installed.
    Rule {
        group: "admissionregistration.k8s.io",
        resources: Cow::Borrowed(&[
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ]),
        names: &POLICIES,
        verbs: &["get"],
    },
    BIND,
];

/// The owners of Tenants are bound to these, whose rights are more than the operator's own.
const BIND: Rule = Rule {
    group: RBAC,
    resources: Cow::Borrowed(&["clusterroles"]),
    names: ROLE_NAMES,
    verbs: &["bind"],
};

/// In the operator's own namespace.
const LEADER: &[Rule] = &[
    rule("coordination.k8s.io", &["leases"], &["create", "get", "update"]),
    // Where the seals of the ledger are anchored.
    rule("", &["configmaps"], &["create", "get", "patch"]),
    // One that is tried out and never kept: this namespace is no franchise.
    rule(GROUP, &["tenants"], &["create"]),
    // That its pod is not ready, and why.
    rule("events.k8s.io", &["events"], &["create", "patch"]),
];

/// What people may look at in a Tenant. Quotas and policies are shown and never theirs to change.
const VIEW: &[Rule] = &[
    rule(
        "",
        &[
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "pods",
            "pods/log",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
        &WATCH,
    ),
    rule("apps", &["deployments", "replicasets", "statefulsets"], &WATCH),
    rule("batch", &["cronjobs", "jobs"], &WATCH),
    rule("autoscaling", &["horizontalpodautoscalers"], &WATCH),
    rule("networking.k8s.io", &["ingresses", "networkpolicies"], &WATCH),
];
/// What members may run.
const WORK: &[Rule] = &[
    rule("", &["configmaps", "persistentvolumeclaims", "pods", "services"], EDIT),
    rule("apps", &["deployments", "deployments/scale", "statefulsets"], EDIT),
    rule("batch", &["cronjobs", "jobs"], EDIT),
    rule("autoscaling", &["horizontalpodautoscalers"], EDIT),
];
/// What admins have besides: secrets, identities, and what lets traffic in.
const ADMIN: &[Rule] = &[
    rule("", &["secrets", "serviceaccounts"], EDIT),
    rule("", &["pods/exec", "pods/portforward"], &["create", "get"]),
    rule("networking.k8s.io", &["ingresses"], EDIT),
];
/// What owners have besides: who else may work here.
const OWNER: &[Rule] = &[rule(RBAC, &["rolebindings", "roles"], &WATCH)];

/// What Tenants are made of: wherever Tenants are, the operator may do the same with it.
fn made() -> impl Iterator<Item = Rule> {
    Kind::ALL.into_iter().map(|kind| Rule {
        group: kind.group(),
        resources: Cow::Owned(vec![kind.plural()]),
        names: &[],
        verbs: OWN,
    })
}

/// Everything that the operator must be allowed to do on the hub, where it serves these
/// franchises, or all if none is named; the first is its own namespace. What this makes stays for
/// as long as the process.
#[must_use]
pub fn own<'a>(namespace: &str, franchises: impl IntoIterator<Item = &'a String>) -> Vec<Right> {
    let lasting = |name: &str| -> &'static str { String::leak(name.to_owned()) };
    let namespace = lasting(namespace);
    let mut served: Vec<&str> = franchises.into_iter().map(|name| lasting(name)).collect();
    if served.is_empty() {
        served.push("");
    }
    let made: Vec<Rule> = made().collect();
    let rules = HUB.iter().chain(&made).map(|rule| ("", rule));
    let rules = rules.chain(LEADER.iter().map(|rule| (namespace, rule)));
    let served = served.iter().flat_map(|served| FRANCHISE.iter().map(|rule| (*served, rule)));
    let rules = rules.chain(served);
    rules.flat_map(|(namespace, rule)| access::questions(namespace, rule)).collect()
}

/// The roles of the hub as manifests: the operator's for the whole of it, for a franchise, and for
/// its own namespace, and the `ClusterRoles` that the owners of Tenants are bound to.
#[must_use]
pub fn manifests() -> Vec<Value> {
    let made: Vec<Rule> = made().collect();
    let mut manifests = vec![
        role("ClusterRole", "catalyst-operator", HUB.iter().chain(&made)),
        role("ClusterRole", "catalyst-operator-franchise", FRANCHISE),
        role("Role", "catalyst-operator-leader", LEADER),
    ];
    manifests.extend(tenant_roles());
    manifests
}

/// The admission policies of the hub, with what puts them into force.
#[must_use]
pub fn policies() -> Vec<Value> {
    let mut policies = protection();
    policies.extend(confinement::at_home());
    policies
}

/// In the order of [`ROLES`]: each has what the next has, and more.
fn tenant_roles() -> impl Iterator<Item = Value> {
    let parts: [&[&[Rule]]; 4] =
        [&[VIEW, WORK, ADMIN, OWNER], &[VIEW, WORK, ADMIN], &[VIEW, WORK], &[VIEW]];
    let roles = ROLES.iter().zip(parts);
    roles.map(|((_, name), parts)| role("ClusterRole", name, parts.iter().copied().flatten()))
}

fn role<'a>(kind: &str, name: &str, rules: impl IntoIterator<Item = &'a Rule>) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": rules.into_iter().map(json_rule).collect::<Vec<_>>(),
    })
}

fn json_rule(rule: &Rule) -> Value {
    let mut json = json!({
        "apiGroups": [rule.group],
        "resources": rule.resources,
        "verbs": rule.verbs,
    });
    if !rule.names.is_empty()
        && let Some(fields) = json.as_object_mut()
    {
        fields.insert("resourceNames".to_owned(), json!(rule.names));
    }
    json
}
