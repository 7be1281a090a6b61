//! What a person is told about the way to a cluster that is not ours.

use jiff::{SignedDuration, Timestamp};

use crate::{
    cluster::Trouble,
    controllers::sovereign::{
        decide::{reason_of, trouble},
        observe::{Reached, Remote, Seen},
    },
    domain::{
        instant::second,
        kubeconfig::Validity,
        reason::Reason,
        verdict::{Leaf, Status},
    },
};

/// Credentials are announced to expire this long before, or a fifth of their life if that is less:
/// a token of an hour is no news all day.
const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The conditions of a cluster that is not ours.
pub(super) fn leaves(seen: &Seen, remote: &Remote) -> Vec<Leaf> {
    let mut leaves = vec![
        connected(seen, remote),
        credentials(seen, remote),
        identity(seen, remote),
        permissions(seen, remote),
    ];
    leaves.extend(expiring(seen, remote));
    leaves
}

/// A condition that does not hold, also where only that is known.
fn fails(kind: &'static str, reason: &Reason) -> Leaf {
    Leaf { status: Status::False, ..Leaf::fails(kind, reason) }
}

fn connected(seen: &Seen, remote: &Remote) -> Leaf {
    const KIND: &str = "Connected";
    match &remote.standing {
        Reached::Connecting => Leaf::unknown(KIND, &Reason::Connecting {}),
        Reached::Up(cluster) => {
            Leaf::holds(KIND, "Connected", format!("cluster {}, {}", cluster.uid, cluster.version))
        }
        Reached::Dark(trouble) => fails(KIND, &reason_of(trouble, remote, seen)),
    }
}

/// What is known of a part of the way: nothing said against it, and the cluster answers.
fn part(
    kind: &'static str,
    good: (&'static str, String),
    bad: Option<Reason>,
    remote: &Remote,
) -> Leaf {
    match (bad, &remote.standing) {
        (Some(reason), _) => fails(kind, &reason),
        (None, Reached::Up(_)) => Leaf::holds(kind, good.0, good.1),
        (None, Reached::Connecting | Reached::Dark(_)) => Leaf::pending(kind),
    }
}

fn credentials(seen: &Seen, remote: &Remote) -> Leaf {
    let bad = match (&remote.offer, &remote.standing, &remote.refused) {
        (Err(reason), ..) => Some(reason.clone()),
        (_, Reached::Dark(trouble), _) | (_, _, Some(trouble)) => {
            let is_about_them = match trouble {
                Trouble::Unknown => true,
                Trouble::Silent(_) => false,
                Trouble::Judged(reason) => !is_about_identity(reason),
            };
            is_about_them.then(|| reason_of(trouble, remote, seen))
        }
        _ => None,
    };
    let until = until(remote).map_or("for an unlimited time".to_owned(), |validity| {
        format!("until {}", second(validity.until))
    });
    part("CredentialsValid", ("Valid", format!("they are good {until}")), bad, remote)
}

/// Whether a reason is about who the cluster is, and not about the way to it.
fn is_about_identity(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::ClusterIdentityChanged { .. }
            | Reason::OwnedByAnotherHub { .. }
            | Reason::SovereignIsHub {}
            | Reason::ClusterTooOld { .. }
            | Reason::PermissionsMissing { .. }
    )
}

fn identity(seen: &Seen, remote: &Remote) -> Leaf {
    let judged = |trouble: &Trouble| match trouble {
        Trouble::Judged(
            reason @ (Reason::ClusterIdentityChanged { .. }
            | Reason::OwnedByAnotherHub { .. }
            | Reason::SovereignIsHub {}),
        ) => Some(reason.clone()),
        _ => None,
    };
    let of_standing = match &remote.standing {
        Reached::Dark(trouble) => judged(trouble),
        Reached::Connecting | Reached::Up(_) => None,
    };
    let taken = seen.facts.taken_by.clone().map(|sovereign| Reason::ClusterTaken { sovereign });
    let bad = of_standing.or_else(|| remote.refused.as_ref().and_then(judged)).or(taken);
    let uid = seen.cluster().map(|cluster| cluster.uid.clone()).unwrap_or_default();
    let good = ("Pinned", format!("it is the cluster {uid}, and no other is accepted"));
    part("IdentityVerified", good, bad, remote)
}

fn permissions(seen: &Seen, remote: &Remote) -> Leaf {
    let bad =
        trouble(remote, seen).filter(|reason| matches!(reason, Reason::PermissionsMissing { .. }));
    let good = ("Granted", "everything that is needed there is granted".to_owned());
    part("PermissionsGranted", good, bad, remote)
}

/// How long the credentials in use, or those in the Secret, are good.
pub(in crate::controllers::sovereign) fn until(remote: &Remote) -> Option<Validity> {
    remote.offer.as_ref().ok()?.kubeconfig.validity()
}

/// When to announce that they expire.
fn warn_at(validity: &Validity) -> Timestamp {
    let life = validity.from.map(|from| validity.until.duration_since(from));
    let fifth = life.map_or(WARN_BEFORE, |life| life / 5);
    validity.until.checked_sub(fifth.min(WARN_BEFORE)).unwrap_or(validity.until)
}

fn expiring(seen: &Seen, remote: &Remote) -> Option<Leaf> {
    let validity = until(remote).filter(|validity| warn_at(validity) <= seen.at)?;
    let secret = remote.offer.as_ref().ok()?.secret.clone();
    let at = second(validity.until);
    let message = format!(
        "the credentials in Secret {secret} expire at {at}: put a new kubeconfig there before"
    );
    Some(Leaf::holds("CredentialsExpire", "ExpiresSoon", message))
}

/// The instant at which what is said changes by itself, and the time that it is now by the same
/// clock: that of the ledger for what is to be taken away, that of this machine for credentials.
#[must_use]
pub(in crate::controllers::sovereign) fn next_change(
    seen: &Seen,
) -> Option<(Timestamp, Timestamp)> {
    let validity = seen.remote().and_then(until);
    let instants = validity.map(|validity| [warn_at(&validity), validity.until]);
    let credentials = instants.into_iter().flatten().map(|at| (seen.at, at));
    let sweep = seen.facts.sweep_at.filter(|_| !seen.facts.tombstones.is_empty());
    let sweep = sweep.map(|at| (seen.facts.standing.now, at));
    credentials
        .chain(sweep)
        .filter(|(now, at)| at > now)
        .min_by_key(|(now, at)| at.duration_since(*now))
}
