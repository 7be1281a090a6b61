//! A Tenant's namespace, with Pod Security on its strictest level.

use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::ObjectMeta};

use super::{labels::labels, object};
use crate::domain::{
    object::{Kind, Object},
    tenant::Tenant,
};

/// The main namespace.
#[must_use]
pub fn namespace(tenant: &Tenant) -> Object {
    let mut labels = labels(tenant);
    for mode in ["enforce", "audit", "warn"] {
        labels.insert(format!("pod-security.kubernetes.io/{mode}"), "restricted".to_owned());
    }
    let name = tenant.main_namespace();
    let metadata =
        ObjectMeta { name: Some(name.clone()), labels: Some(labels), ..ObjectMeta::default() };
    object(Kind::Namespace, "", &name, &Namespace { metadata, ..Namespace::default() })
}
