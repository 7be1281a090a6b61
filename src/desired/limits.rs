//! What one container, pod or claim may ask for, as a `LimitRange`. A quota makes every pod name
//! its requests; the defaults here do it for those that do not.

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec};

use super::{
    labels::metadata,
    object,
    quota::{NAME, quantities},
};
use crate::{
    api::{Limit, LimitType, Quantities},
    domain::{
        facts::PlanTerms,
        object::{Kind, Object},
        tenant::Tenant,
    },
};

/// The limit range; none where the plan has no limits.
#[must_use]
pub fn limits(tenant: &Tenant, terms: &PlanTerms) -> Option<Object> {
    if terms.limits.is_empty() {
        return None;
    }
    let spec = LimitRangeSpec { limits: terms.limits.iter().map(item).collect() };
    let range = LimitRange { metadata: metadata(tenant, NAME), spec: Some(spec) };
    Some(object(Kind::LimitRange, &tenant.main_namespace(), NAME, &range))
}

fn item(limit: &Limit) -> LimitRangeItem {
    let some = |map: &Quantities| (!map.is_empty()).then(|| quantities(map));
    let kind = match limit.kind {
        LimitType::Container => "Container",
        LimitType::Pod => "Pod",
        LimitType::PersistentVolumeClaim => "PersistentVolumeClaim",
    };
    LimitRangeItem {
        type_: kind.to_owned(),
        max: some(&limit.max),
        min: some(&limit.min),
        default: some(&limit.default),
        default_request: some(&limit.default_request),
        max_limit_request_ratio: some(&limit.max_limit_request_ratio),
    }
}
