//! What should stand on a cluster, as objects: one noun per file, pure.
//!
//! Names are never parsed and labels are for finding; what is ours is what the inventory says.

pub mod access;
pub mod labels;
pub mod limits;
pub mod namespace;
pub mod network;
pub mod quota;

use serde::Serialize;
use serde_json::Value;

use crate::domain::{
    facts::PlanTerms,
    object::{Identity, Kind, Object},
    tenant::Tenant,
};

/// Everything that a Tenant with these terms is made of, in the order of application: a namespace
/// has its policies before anything can run in it.
#[must_use]
pub fn tenant(tenant: &Tenant, terms: &PlanTerms) -> Vec<Object> {
    let mut objects = vec![namespace::namespace(tenant)];
    objects.extend(quota::quota(tenant, terms));
    objects.extend(limits::limits(tenant, terms));
    objects.extend(network::policies(tenant));
    objects.extend(access::bindings(tenant));
    objects
}

/// Our manifest of one typed object: what it says and not what it leaves open.
fn object(kind: Kind, namespace: &str, name: &str, typed: &impl Serialize) -> Object {
    let mut manifest = serde_json::to_value(typed).unwrap_or_default();
    if let Value::Object(fields) = &mut manifest {
        fields.remove("status");
    }
    let identity = Identity { kind, namespace: namespace.to_owned(), name: name.to_owned() };
    Object { identity, manifest }
}

#[cfg(test)]
mod tests;
