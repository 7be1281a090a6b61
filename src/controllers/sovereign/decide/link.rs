//! The way to a cluster that is not ours.

use super::{Decision, Step, again, waits};
use crate::{
    cluster::Trouble,
    controllers::sovereign::observe::{Identified, Reached, Remote, Seen},
    domain::{instant::second, reason::Reason, sovereign::Sovereign},
};

/// What is to be done about the way to the cluster before all else; or the cluster, also one that
/// is dark and was accepted before, since what is sold there does not depend on it.
pub(super) fn link(
    wanted: &Sovereign,
    seen: &Seen,
    remote: &Remote,
) -> Result<Decision, Identified> {
    let accepted = seen.facts.sovereign.as_ref();
    if let Some(decision) = keep_up(seen, remote) {
        return Ok(decision);
    }
    // What the ledger does not know to be held would be held for ever when another one is named.
    let is_in_use = accepted.is_some_and(|accepted| {
        !accepted.closed && accepted.secret.as_ref() == super::secret(wanted)
    });
    if is_in_use && remote.is_loose(&wanted.name) {
        return Ok(again([Step::HoldSecret]));
    }
    match &remote.standing {
        Reached::Connecting => Ok(waits(Reason::Connecting {})),
        Reached::Up(cluster) => {
            let is_other = accepted.is_some_and(|accepted| accepted.cluster != cluster.uid)
                && seen.facts.taken_by.is_none();
            if is_other && wanted.accepts.as_ref() == Some(&cluster.uid) {
                return Ok(again([Step::AcceptCluster(cluster.uid.clone())]));
            }
            Err(cluster.clone())
        }
        Reached::Dark(trouble) => match accepted.filter(|accepted| !accepted.closed) {
            Some(accepted) => {
                Err(Identified { uid: accepted.cluster.clone(), version: String::new() })
            }
            None => Ok(waits(reason_of(trouble, remote, seen))),
        },
    }
}

/// What keeps link and ledger at what is known of the cluster, if that is to be done.
pub(super) fn keep_up(seen: &Seen, remote: &Remote) -> Option<Decision> {
    if remote.offered.as_ref() != Some(&remote.offer) {
        return Some(again([Step::Offer(Box::new(remote.offer.clone()))]));
    }
    let accepted = seen.facts.sovereign.as_ref().filter(|accepted| !accepted.closed);
    let known_dark = accepted.map(|accepted| accepted.dark_since.is_some());
    match (&remote.standing, known_dark) {
        (Reached::Dark(_), Some(false)) => Some(again([Step::Darken])),
        (Reached::Up(_), Some(true)) => Some(again([Step::Lighten])),
        _ => None,
    }
}

/// What to say of a cluster that cannot be used.
#[must_use]
pub(in crate::controllers::sovereign) fn reason_of(
    trouble: &Trouble,
    remote: &Remote,
    seen: &Seen,
) -> Reason {
    match trouble {
        Trouble::Silent(why) => Reason::ClusterUnavailable { why: why.clone() },
        Trouble::Judged(reason) => reason.clone(),
        Trouble::Unknown => {
            let offer = match &remote.offer {
                Ok(offer) => offer,
                // Whom the cluster does not know is not in the Secret any more; this is.
                Err(reason) => return reason.clone(),
            };
            let secret = offer.secret.clone();
            match offer.kubeconfig.validity().filter(|validity| validity.until <= seen.at) {
                Some(validity) => Reason::CredentialsExpired { secret, at: second(validity.until) },
                None => Reason::CredentialsRejected { secret },
            }
        }
    }
}

/// What is the matter with the cluster or the way to it, if anything is.
#[must_use]
pub(in crate::controllers::sovereign) fn trouble(remote: &Remote, seen: &Seen) -> Option<Reason> {
    let of = |trouble| reason_of(trouble, remote, seen);
    match (&remote.standing, &remote.refused) {
        (Reached::Dark(trouble), _) => Some(of(trouble)),
        (_, Some(refused)) => Some(of(refused)),
        // The link is about to say the same.
        (Reached::Up(_), None) if remote.offer.is_err() => remote.offer.clone().err(),
        _ if !remote.missing.is_empty() => {
            let missing: Vec<String> = remote.missing.iter().map(ToString::to_string).collect();
            Some(Reason::PermissionsMissing { missing: missing.join(", ") })
        }
        _ => None,
    }
}
