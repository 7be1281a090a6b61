//! Conditions and events out of what a turn came to. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};

use crate::{
    cluster::Notice,
    domain::{
        reason::{Outlook, Reason},
        sentence::shown,
        verdict::{Leaf, Verdict},
    },
};

/// How long something that is referred to may be missing before a person must look: manifests of
/// one set arrive in the order of their kinds.
pub(super) const MISSING_MAX: Duration = Duration::from_mins(5);

const READY: &str = "Ready";

/// The conditions of an object: Ready first, which says what the verdict says, then the leaves,
/// then `Reconciling` or `Stalled` while they are true, as kstatus reads them.
#[must_use]
pub(super) fn summary(
    verdict: &Verdict,
    good: (&'static str, &str),
    leaves: Vec<Leaf>,
    meta: &ObjectMeta,
    now: Timestamp,
) -> Vec<Leaf> {
    let reason = match verdict {
        Verdict::Waiting(reason) => Some(reason),
        Verdict::Again | Verdict::Ready | Verdict::Gone => None,
    };
    let mut all = vec![Leaf::of(READY, good, reason)];
    all.extend(leaves);
    all.extend(reason.map(|reason| progress(reason, meta, now)));
    all
}

/// The conditions after a turn that failed: what is not known any more is said, the rest stays as
/// it was reported.
#[must_use]
pub(super) fn after_failure(
    known: &[Condition],
    unknown: &[&'static str],
    reason: &Reason,
    meta: &ObjectMeta,
    now: Timestamp,
) -> Vec<Condition> {
    let mut leaves = vec![Leaf::fails(READY, reason)];
    leaves.extend(unknown.iter().map(|kind| Leaf::fails(kind, reason)));
    leaves.push(progress(reason, meta, now));
    let mut conditions = timed(known, leaves, meta.generation, now);
    let kept = known.iter().filter(|condition| {
        !["Reconciling", "Stalled"].contains(&condition.type_.as_str())
            && !conditions.iter().any(|other| other.type_ == condition.type_)
    });
    let kept: Vec<Condition> = kept.cloned().collect();
    conditions.extend(kept);
    conditions
}

fn progress(reason: &Reason, meta: &ObjectMeta, now: Timestamp) -> Leaf {
    let created = meta.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let young = now.duration_since(created).unsigned_abs() < MISSING_MAX;
    let stalled = match reason.outlook() {
        Outlook::Stalled => true,
        Outlook::Missing => !young,
        Outlook::Progressing | Outlook::Unknown => false,
    };
    let kind = if stalled { "Stalled" } else { "Reconciling" };
    Leaf::holds(kind, reason.name(), reason.to_string())
}

/// Conditions with their times: a transition is a change of status and nothing else.
#[must_use]
pub(super) fn timed(
    known: &[Condition],
    leaves: Vec<Leaf>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let condition = |leaf: Leaf| {
        let before = known.iter().find(|condition| condition.type_ == leaf.kind);
        let since = before
            .filter(|before| before.status == leaf.status.name())
            .map_or_else(|| Time(whole_second(now)), |before| before.last_transition_time.clone());
        Condition {
            type_: leaf.kind.to_owned(),
            status: leaf.status.name().to_owned(),
            reason: leaf.reason.to_owned(),
            // It may quote others, such as a cluster that is not ours.
            message: shown(&leaf.message),
            observed_generation: generation,
            last_transition_time: since,
        }
    };
    leaves.into_iter().map(condition).collect()
}

/// What is news: those of the telling conditions whose status or reason changed, unless it is only
/// that nothing is known yet.
#[must_use]
pub(super) fn news(known: &[Condition], now: &[Condition]) -> Vec<Notice> {
    const TELLING: [&str; 10] = [
        READY,
        "Connected",
        "CredentialsExpire",
        "CreditLow",
        "DurabilityUnsafe",
        "Entitled",
        "PlansWithdrawn",
        "PriceChanges",
        "Redeemable",
        "VouchersRedeemed",
    ];
    let changed = |condition: &&Condition| {
        !known.iter().any(|before| {
            before.type_ == condition.type_
                && before.status == condition.status
                && before.reason == condition.reason
        })
    };
    let telling = |condition: &&Condition| {
        TELLING.contains(&condition.type_.as_str())
            && (condition.status != "Unknown" || condition.type_ == READY)
    };
    let mut told: Vec<Notice> = vec![];
    for condition in now.iter().filter(changed).filter(telling) {
        let notice = Notice {
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            warning: condition.status != "True" && is_trouble(now),
        };
        if !told.iter().any(|other| other.message == notice.message) {
            told.push(notice);
        }
    }
    told
}

/// Whether a person is needed, or something is out of reach.
fn is_trouble(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| condition.type_ == "Stalled")
        || conditions
            .iter()
            .any(|condition| condition.type_ == READY && condition.status == "Unknown")
}

/// Kubernetes keeps times of conditions in whole seconds; what we compare must be what it stores.
fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests;
