//! How much the plan sells, as a `ResourceQuota`.

use k8s_openapi::{
    api::core::v1::{ResourceQuota, ResourceQuotaSpec},
    apimachinery::pkg::api::resource::Quantity,
};

use super::{labels::metadata, object};
use crate::{
    api::Quantities,
    domain::{
        facts::PlanTerms,
        object::{Identity, Kind, Object},
        tenant::Tenant,
    },
};

/// The name of the quota and of the limit range.
pub const NAME: &str = "catalyst-plan";

/// Quantities of a plan as Kubernetes takes them.
pub(super) fn quantities(quantities: &Quantities) -> std::collections::BTreeMap<String, Quantity> {
    let spell = |(name, quantity): (&String, &crate::api::Quantity)| {
        (name.clone(), Quantity(quantity.as_str().to_owned()))
    };
    quantities.iter().map(spell).collect()
}

/// Which object the quota of a Tenant is.
#[must_use]
pub fn identity(tenant: &Tenant) -> Identity {
    Identity {
        kind: Kind::ResourceQuota,
        namespace: tenant.main_namespace(),
        name: NAME.to_owned(),
    }
}

/// The quota, equal to the plan's map; none where the plan limits nothing.
#[must_use]
pub fn quota(tenant: &Tenant, terms: &PlanTerms) -> Option<Object> {
    if terms.quota.is_empty() {
        return None;
    }
    let spec =
        ResourceQuotaSpec { hard: Some(quantities(&terms.quota)), ..ResourceQuotaSpec::default() };
    let quota = ResourceQuota { metadata: metadata(tenant, NAME), spec: Some(spec), status: None };
    Some(object(Kind::ResourceQuota, &tenant.main_namespace(), NAME, &quota))
}
