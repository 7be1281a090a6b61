//! A Sovereign whose spec can be used.

use super::{
    duration,
    facts::{Plan, PlanTerms},
    money::{Currency, Money},
    reason::Reason,
};
use crate::api::{self, ConnectionMode};

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
    /// Where the way to its cluster is kept; none where that is the hub itself.
    pub secret: Option<KubeconfigKey>,
    /// For how many seconds its cluster must not have answered before a deleted Tenant goes without
    /// it; never if none.
    pub abandon_after: Option<i64>,
    /// The cluster that an administrator accepts, whichever it was before.
    pub accepts: Option<String>,
}

/// A kubeconfig in a Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigKey {
    /// The Secret.
    pub secret: String,
    /// The key, if it was named.
    pub key: Option<String>,
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
        let unreachable = spec.unreachable.clone().unwrap_or_default();
        let abandon_after = unreachable.abandon_after.as_ref().map(api::Duration::as_str);
        let annotations = sovereign.metadata.annotations.as_ref();
        Ok(Self {
            namespace: sovereign.metadata.namespace.clone().unwrap_or_default(),
            name: sovereign.metadata.name.clone().unwrap_or_default(),
            currency,
            plans,
            secret: secret(&spec.connection)?,
            abandon_after: abandon_after
                .map(duration::seconds)
                .transpose()
                .map_err(|why| invalid(&why))?,
            accepts: annotations.and_then(|all| all.get(api::ACCEPT_CLUSTER_ANNOTATION).cloned()),
        })
    }
}

fn secret(connection: &api::Connection) -> Result<Option<KubeconfigKey>, Reason> {
    match (connection.mode, &connection.kubeconfig) {
        (ConnectionMode::InCluster, _) => Ok(None),
        (ConnectionMode::Kubeconfig, Some(source)) => Ok(Some(KubeconfigKey {
            secret: source.secret_ref.name.to_string(),
            key: source.secret_ref.key.clone(),
        })),
        (ConnectionMode::Kubeconfig, None) => {
            Err(Reason::InvalidSpec { why: "mode Kubeconfig needs kubeconfig".to_owned() })
        }
    }
}
