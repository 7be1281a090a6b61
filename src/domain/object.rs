//! Kubernetes objects that we make, as data: what each layer needs to name, compare and apply one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::quantity;

/// The kinds that a Tenant is made of, in the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A namespace of the Tenant.
    Namespace,
    /// How much the plan sells.
    ResourceQuota,
    /// What one container or claim may ask for.
    LimitRange,
    /// Who may talk to whom.
    NetworkPolicy,
    /// What the owners may do.
    RoleBinding,
}

impl Kind {
    /// All of them, namespaces first.
    pub const ALL: [Self; 5] = [
        Self::Namespace,
        Self::ResourceQuota,
        Self::LimitRange,
        Self::NetworkPolicy,
        Self::RoleBinding,
    ];

    /// API group, `""` for the core one.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Namespace | Self::ResourceQuota | Self::LimitRange => "",
            Self::NetworkPolicy => "networking.k8s.io",
            Self::RoleBinding => "rbac.authorization.k8s.io",
        }
    }

    /// The name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::ResourceQuota => "ResourceQuota",
            Self::LimitRange => "LimitRange",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::RoleBinding => "RoleBinding",
        }
    }

    /// The plural in URLs and RBAC rules.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::ResourceQuota => "resourcequotas",
            Self::LimitRange => "limitranges",
            Self::NetworkPolicy => "networkpolicies",
            Self::RoleBinding => "rolebindings",
        }
    }
}

/// Names one object on one cluster. The namespace of a Namespace is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
}

/// An object as we want it: exactly the fields that we own.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which object.
    pub identity: Identity,
    /// Its manifest, with apiVersion, kind and metadata.
    pub manifest: Value,
}

/// An object as it stands on its cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// Which object.
    pub identity: Identity,
    /// The UID that its cluster gave it.
    pub uid: String,
    /// Whether its deletion has begun.
    pub leaving: bool,
    /// All that the API server returned.
    pub manifest: Value,
}

/// Live objects by identity.
pub type LiveObjects = BTreeMap<Identity, Live>;

impl Live {
    /// Whether the object already is what we want, whatever else others keep in it. Policies and
    /// bindings must be equal: one more selector or subject changes what they mean.
    #[must_use]
    pub fn satisfies(&self, wanted: &Object) -> bool {
        let exact = matches!(self.identity.kind, Kind::NetworkPolicy | Kind::RoleBinding);
        if self.surplus(wanted).is_some() {
            return false;
        }
        ["metadata", "spec", "subjects", "roleRef"].into_iter().all(|part| {
            let (live, wanted) = (self.manifest.get(part), wanted.manifest.get(part));
            match (live, wanted) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(live), Some(wanted)) if part == "metadata" => {
                    contains(live, wanted, |live, wanted| live == wanted)
                }
                (Some(live), Some(wanted)) if exact => {
                    without_empty_lists(live) == without_empty_lists(wanted)
                }
                (Some(live), Some(wanted)) => contains(live, wanted, quantity::same),
            }
        })
    }

    /// A merge patch that takes out the limits that a quota has and its plan has not.
    #[must_use]
    pub fn surplus(&self, wanted: &Object) -> Option<Value> {
        const HARD: &str = "/spec/hard";
        let live = self.manifest.pointer(HARD)?.as_object()?;
        let wanted = wanted.manifest.pointer(HARD)?.as_object()?;
        let surplus = live.keys().filter(|name| !wanted.contains_key(*name));
        let surplus: Map<String, Value> = surplus.map(|name| (name.clone(), Value::Null)).collect();
        (!surplus.is_empty()).then(|| json!({"spec": {"hard": surplus}}))
    }

    /// The label, or nothing.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.manifest.get("metadata")?.get("labels")?.get(name)?.as_str()
    }

    /// A string in the manifest by JSON pointer.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.manifest.pointer(pointer)?.as_str()
    }
}

/// A part without its empty lists, which an API server does not keep.
fn without_empty_lists(part: &Value) -> Value {
    let mut kept = part.clone();
    if let Value::Object(fields) = &mut kept {
        fields.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    }
    kept
}

/// Whether `live` has everything that `wanted` says. Lists are whole, as server-side apply treats
/// the lists that we write; texts are compared as the caller says.
fn contains(live: &Value, wanted: &Value, same: fn(&str, &str) -> bool) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| live.get(name).is_some_and(|live| contains(live, value, same))),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len()
                && live.iter().zip(wanted).all(|(live, wanted)| contains(live, wanted, same))
        }
        (Value::String(live), Value::String(wanted)) => same(live, wanted),
        _ => live == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_others_do_not_matter_and_ours_do() {
        let wanted = json!({"spec": {"hard": {"cpu": "0.5"}}, "list": [{"a": "1"}]});
        let live =
            json!({"spec": {"hard": {"cpu": "500m", "x": "1"}}, "list": [{"a": "1"}], "y": 1});
        assert!(contains(&live, &wanted, quantity::same));
        for changed in [
            json!({"spec": {"hard": {"cpu": "600m"}}, "list": [{"a": "1"}]}),
            json!({"spec": {"hard": {}}, "list": [{"a": "1"}]}),
            json!({"spec": {"hard": {"cpu": "500m"}}, "list": [{"a": "1"}, {"a": "2"}]}),
            json!({"spec": {"hard": {"cpu": "500m"}}, "list": []}),
        ] {
            assert!(!contains(&changed, &wanted, quantity::same), "{changed}");
        }
    }

    #[test]
    fn a_policy_that_got_a_narrower_selector_is_not_ours_any_more() {
        let identity = Identity {
            kind: Kind::NetworkPolicy,
            namespace: "tenant-kestrel".to_owned(),
            name: "deny".to_owned(),
        };
        let manifest = json!({"spec": {"podSelector": {}}});
        let wanted = Object { identity: identity.clone(), manifest };
        let manifest = json!({"spec": {"podSelector": {"matchLabels": {"a": "b"}}}});
        let live = Live { identity, uid: "1".to_owned(), leaving: false, manifest };
        assert!(!live.satisfies(&wanted));
    }
}
