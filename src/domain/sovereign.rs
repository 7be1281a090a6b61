//! A Sovereign whose spec can be used.

use super::{
    facts::{Plan, PlanTerms},
    money::{Currency, Money},
    reason::Reason,
};
use crate::api;

/// A Sovereign whose spec can be used.
#[derive(Clone, Debug)]
pub struct Sovereign {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What its accounts are kept in.
    pub currency: Currency,
    /// What it sells, by name.
    pub plans: Vec<Plan>,
}

impl Sovereign {
    /// # Errors
    /// Something that the schema should have refused.
    pub fn parse(sovereign: &api::Sovereign) -> Result<Self, Reason> {
        let invalid = |why: &dyn ToString| Reason::InvalidSpec { why: why.to_string() };
        let spec = &sovereign.spec;
        let currency = Currency::parse(spec.currency.as_str()).map_err(|why| invalid(&why))?;
        let plan = |plan: &api::Plan| {
            let price = Money::parse(plan.price.amount.as_str()).map_err(|why| invalid(&why))?;
            if price.currency != currency {
                return Err(invalid(&format!(
                    "plan {} is not priced in {}",
                    plan.name,
                    currency.code()
                )));
            }
            let terms = PlanTerms { quota: plan.quota.clone(), limits: plan.limits.clone() };
            Ok(Plan { name: plan.name.to_string(), amount: price.minor, terms })
        };
        let mut plans = spec.plans.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
        plans.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            namespace: sovereign.metadata.namespace.clone().unwrap_or_default(),
            name: sovereign.metadata.name.clone().unwrap_or_default(),
            currency,
            plans,
        })
    }
}
