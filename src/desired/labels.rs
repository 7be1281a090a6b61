//! Labels on everything that we make.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    api::{
        FRANCHISE_LABEL, MANAGED_BY_LABEL, MANAGER, ORGANIZATION_LABEL, SOVEREIGN_LABEL,
        TENANT_LABEL,
    },
    domain::tenant::Tenant,
};

/// The labels of a Tenant's objects.
#[must_use]
pub fn labels(tenant: &Tenant) -> BTreeMap<String, String> {
    [
        (MANAGED_BY_LABEL, MANAGER),
        (FRANCHISE_LABEL, &tenant.namespace),
        (SOVEREIGN_LABEL, &tenant.sovereign),
        (TENANT_LABEL, &tenant.name),
        (ORGANIZATION_LABEL, &tenant.organization),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// The labels that select the namespaces of one Tenant and no other.
#[must_use]
pub fn selector(tenant: &Tenant) -> BTreeMap<String, String> {
    labels(tenant)
        .into_iter()
        .filter(|(name, _)| [FRANCHISE_LABEL, ORGANIZATION_LABEL].contains(&name.as_str()))
        .collect()
}

/// Metadata of an object in a Tenant's main namespace.
#[must_use]
pub fn metadata(tenant: &Tenant, name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(tenant.main_namespace()),
        labels: Some(labels(tenant)),
        ..ObjectMeta::default()
    }
}
