//! What the operator may do, as data: the roles that the chart ships are made from this list, and
//! the tests run under them, so that a right that is missing here fails a test.

use serde_json::{Value, json};

use crate::{api::GROUP, desired::access::ROLES, domain::object::Kind};

struct Rule {
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    names: &'static [&'static str],
    verbs: &'static [&'static str],
}

const fn rule(
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
) -> Rule {
    Rule { groups, resources, names: &[], verbs }
}

const WATCH: [&str; 3] = ["get", "list", "watch"];
const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];
const EDIT: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];
const ROLE_NAMES: &[&str] = &[ROLES[0].1, ROLES[1].1, ROLES[2].1, ROLES[3].1];

/// On every namespace of the hub. Nothing of secrets: a franchise grants them one by one.
const OPERATOR: &[Rule] = &[
    rule(&[GROUP], &["sovereigns", "tenants", "vouchers"], &["list", "patch", "watch"]),
    rule(&[GROUP], &["sovereigns/status", "tenants/status", "vouchers/status"], &["patch"]),
    rule(&["events.k8s.io"], &["events"], &["create", "patch"]),
    Rule {
        groups: &["rbac.authorization.k8s.io"],
        resources: &["clusterroles"],
        names: ROLE_NAMES,
        verbs: &["bind"],
    },
];

/// In the operator's own namespace.
const LEADER: &[Rule] = &[
    rule(&["coordination.k8s.io"], &["leases"], &["create", "get", "update"]),
    // Where the seals of the ledger are anchored.
    rule(&[""], &["configmaps"], &["create", "get", "patch"]),
];

/// What people may look at in a Tenant. Quotas and policies are shown and never theirs to change.
const VIEW: &[Rule] = &[
    rule(
        &[""],
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
    rule(&["apps"], &["deployments", "replicasets", "statefulsets"], &WATCH),
    rule(&["batch"], &["cronjobs", "jobs"], &WATCH),
    rule(&["autoscaling"], &["horizontalpodautoscalers"], &WATCH),
    rule(&["networking.k8s.io"], &["ingresses", "networkpolicies"], &WATCH),
];
/// What members may run.
const WORK: &[Rule] = &[
    rule(&[""], &["configmaps", "persistentvolumeclaims", "pods", "services"], EDIT),
    rule(&["apps"], &["deployments", "deployments/scale", "statefulsets"], EDIT),
    rule(&["batch"], &["cronjobs", "jobs"], EDIT),
    rule(&["autoscaling"], &["horizontalpodautoscalers"], EDIT),
];
/// What admins have besides: secrets, identities, and what lets traffic in.
const ADMIN: &[Rule] = &[
    rule(&[""], &["secrets", "serviceaccounts"], EDIT),
    rule(&[""], &["pods/exec", "pods/portforward"], &["create", "get"]),
    rule(&["networking.k8s.io"], &["ingresses"], EDIT),
];
/// What owners have besides: who else may work here.
const OWNER: &[Rule] = &[rule(&["rbac.authorization.k8s.io"], &["rolebindings", "roles"], &WATCH)];

/// The roles as manifests: the operator's `ClusterRole`, its Role for the Lease, and the
/// `ClusterRoles` that the owners of Tenants are bound to.
#[must_use]
pub fn manifests() -> Vec<Value> {
    let made = Kind::ALL.map(
        |kind| json!({"apiGroups": [kind.group()], "resources": [kind.plural()], "verbs": OWN}),
    );
    let mut operator: Vec<Value> = OPERATOR.iter().map(json_rule).collect();
    operator.extend(made);
    let mut manifests = vec![
        role("ClusterRole", "catalyst-operator", &operator),
        role("Role", "catalyst-operator-leader", &LEADER.iter().map(json_rule).collect::<Vec<_>>()),
    ];
    // In the order of ROLES: each has what the next has, and more.
    let parts: [&[&[Rule]]; 4] =
        [&[VIEW, WORK, ADMIN, OWNER], &[VIEW, WORK, ADMIN], &[VIEW, WORK], &[VIEW]];
    for ((_, name), parts) in ROLES.iter().zip(parts) {
        let rules: Vec<Value> = parts.iter().copied().flatten().map(json_rule).collect();
        manifests.push(role("ClusterRole", name, &rules));
    }
    manifests
}

fn role(kind: &str, name: &str, rules: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": rules,
    })
}

fn json_rule(rule: &Rule) -> Value {
    let mut json = json!({
        "apiGroups": rule.groups,
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
