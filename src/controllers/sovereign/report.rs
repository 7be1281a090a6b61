//! What a person is told about a Sovereign. Pure.

use jiff::Timestamp;

use super::{
    Visit,
    observe::{Reached, Remote, Seen, Site},
};
use crate::{
    api::{self, SovereignPhase, SovereignStatus},
    controllers::{Error, conditions, object::requested},
    domain::{
        instant::second,
        reason::{Outlook, Reason},
        verdict::{Leaf, Verdict},
    },
};

mod link;

pub(super) use link::{next_change, until};

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
    let leaves = conditions::summary(verdict, good, leaves(seen), meta, now);
    let version = seen.cluster().map(|cluster| cluster.version.clone());
    SovereignStatus {
        observed_generation: meta.generation,
        phase: Some(phase(object, seen, verdict)),
        conditions: conditions::timed(&known.conditions, leaves, meta.generation, now),
        version: version.or(known.version),
        tenants: i64::try_from(seen.facts.tenants.len()).ok(),
        credentials: seen.remote().and_then(|remote| credentials(remote, known.credentials)),
        last_contact: seen.remote().and_then(|remote| last_contact(remote, known.last_contact)),
        tombstones: i64::try_from(organizations(seen)).ok().filter(|count| *count > 0),
        last_handled_reconcile_at: requested(object),
    }
}

/// How many organizations left something on the cluster.
pub(super) fn organizations(seen: &Seen) -> usize {
    let mut names: Vec<&str> =
        seen.facts.tombstones.iter().map(|tombstone| tombstone.organization.as_str()).collect();
    names.dedup();
    names.len()
}

fn credentials(remote: &Remote, known: Option<String>) -> Option<String> {
    let Ok(offer) = &remote.offer else { return known };
    Some(offer.kubeconfig.validity().map_or("unlimited".to_owned(), |it| second(it.until)))
}

fn last_contact(remote: &Remote, known: Option<String>) -> Option<String> {
    match remote.standing {
        Reached::Dark(_) => remote.last_contact.map(second).or(known),
        Reached::Up(_) => None,
        Reached::Connecting => known,
    }
}

fn leaves(seen: &Seen) -> Vec<Leaf> {
    let mut leaves = match &seen.site {
        Site::Hub(hub) => {
            vec![Leaf::holds("Connected", "Connected", format!("this cluster, {}", hub.version))]
        }
        Site::Remote(remote) => link::leaves(seen, remote),
    };
    if let [first, ..] = seen.facts.kept.as_slice() {
        let (plans, verb) = match seen.facts.kept.len() {
            1 => (format!("plan {first}"), "stays"),
            _ => (format!("plans {}", seen.facts.kept.join(", ")), "stay"),
        };
        let message = format!(
            "{plans} {verb} in force for the Tenants who have it, and nobody else can buy it"
        );
        leaves.push(Leaf::holds("PlansWithdrawn", "InUse", message));
    }
    if !seen.facts.tombstones.is_empty() {
        let waiting = super::decide::remaining(seen);
        leaves.push(Leaf::holds("TombstonesRemain", "Waiting", waiting.to_string()));
    }
    let standing = &seen.facts.standing;
    if let Some(why) = standing.durability.as_ref().filter(|_| standing.unsafe_is_allowed) {
        let why = format!("money moves all the same, as the operator was told: {why}");
        leaves.push(Leaf::holds("DurabilityUnsafe", "Allowed", why));
    }
    leaves
}

fn phase(object: &api::Sovereign, seen: &Seen, verdict: &Verdict) -> SovereignPhase {
    if object.metadata.deletion_timestamp.is_some() {
        return SovereignPhase::Deleting;
    }
    let remote = seen.remote();
    if remote.is_some_and(|remote| matches!(remote.standing, Reached::Dark(_)))
        && seen.facts.sovereign.is_some()
    {
        return SovereignPhase::Unreachable;
    }
    let serves = remote.is_some_and(|remote| matches!(remote.standing, Reached::Up(_)));
    match verdict {
        Verdict::Ready | Verdict::Gone => SovereignPhase::Ready,
        Verdict::Again => SovereignPhase::Pending,
        Verdict::Waiting(Reason::ClusterTaken { .. }) => SovereignPhase::Failed,
        Verdict::Waiting(reason) => match reason.outlook() {
            Outlook::Stalled | Outlook::Missing if serves && seen.facts.sovereign.is_some() => {
                SovereignPhase::Degraded
            }
            Outlook::Stalled => SovereignPhase::Failed,
            Outlook::Unknown => SovereignPhase::Degraded,
            Outlook::Progressing | Outlook::Missing => SovereignPhase::Pending,
        },
    }
}
