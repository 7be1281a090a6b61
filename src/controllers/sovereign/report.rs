//! What a person is told about a Sovereign. Pure.

use jiff::Timestamp;

use super::Visit;
use crate::{
    api::{self, SovereignPhase, SovereignStatus},
    controllers::{Error, conditions, object::requested},
    domain::{
        reason::Outlook,
        verdict::{Leaf, Verdict},
    },
};

/// The status after a visit. After one that failed, what was reported before stays.
#[must_use]
pub(super) fn status(
    object: &api::Sovereign,
    visit: &Result<Visit, Error>,
    now: Timestamp,
) -> SovereignStatus {
    let known = object.status.clone().unwrap_or_default();
    let meta = &object.metadata;
    let Visit { seen, verdict } = match visit {
        Ok(visit) => visit,
        Err(error) => {
            let unknown: &[_] =
                if matches!(error, Error::Cluster(_)) { &["Connected"] } else { &[] };
            let reason = error.reason();
            let conditions =
                conditions::after_failure(&known.conditions, unknown, &reason, meta, now);
            return SovereignStatus { conditions, ..known };
        }
    };
    let good = ("Accepted", "its plans are on sale");
    let connected = format!("this cluster, {}", seen.version);
    let mut leaves = vec![Leaf::holds("Connected", "Connected", connected)];
    let standing = &seen.facts.standing;
    if let Some(why) = standing.durability.as_ref().filter(|_| standing.unsafe_is_allowed) {
        let why = format!("money moves all the same, as the operator was told: {why}");
        leaves.push(Leaf::holds("DurabilityUnsafe", "Allowed", why));
    }
    let leaves = conditions::summary(verdict, good, leaves, meta, now);
    SovereignStatus {
        observed_generation: meta.generation,
        phase: Some(phase(object, verdict)),
        conditions: conditions::timed(&known.conditions, leaves, meta.generation, now),
        version: Some(seen.version.clone()),
        tenants: i64::try_from(seen.facts.tenants.len()).ok(),
        last_handled_reconcile_at: requested(object),
        ..SovereignStatus::default()
    }
}

fn phase(object: &api::Sovereign, verdict: &Verdict) -> SovereignPhase {
    if object.metadata.deletion_timestamp.is_some() {
        return SovereignPhase::Deleting;
    }
    match verdict {
        Verdict::Ready | Verdict::Gone => SovereignPhase::Ready,
        Verdict::Again => SovereignPhase::Pending,
        Verdict::Waiting(reason) => match reason.outlook() {
            Outlook::Stalled => SovereignPhase::Failed,
            Outlook::Unknown => SovereignPhase::Degraded,
            Outlook::Progressing | Outlook::Missing => SovereignPhase::Pending,
        },
    }
}
