//! Taking away what Tenants left that were given up while the cluster was dark: only what the
//! ledger knows to be deleted, by the UIDs that it has, and first of all condemned there, so that
//! an organization that comes back either has it or sees it go.

use super::{Decision, Step, again};
use crate::{
    api::{FRANCHISE_LABEL, ORGANIZATION_LABEL},
    controllers::sovereign::observe::Seen,
    domain::{
        facts::Tombstone,
        instant::second,
        object::{Kind, Live},
        reason::Reason,
        verdict::Verdict,
    },
};

/// What is to be done about what was abandoned, if anything is now.
pub(super) fn sweep(namespace: &str, seen: &Seen) -> Option<Decision> {
    let standing = &seen.facts.standing;
    let all = &seen.facts.tombstones;
    if !is_where_it_was_left(seen) || all.is_empty() {
        return None;
    }
    let (condemned, spared): (Vec<&Tombstone>, Vec<&Tombstone>) =
        all.iter().partition(|tombstone| tombstone.condemned);
    let is_due = seen.facts.sweep_at.is_some_and(|at| at <= standing.now);
    if !spared.is_empty() && is_due {
        return Some(again([Step::Condemn]));
    }
    let gone: Vec<Tombstone> = condemned
        .iter()
        .filter(|tombstone| remaining(namespace, seen, tombstone).is_none())
        .map(|tombstone| (*tombstone).clone())
        .collect();
    if !gone.is_empty() {
        return Some(again([Step::Bury(gone)]));
    }
    // What lies in a namespace goes with it.
    let namespaces = condemned
        .iter()
        .filter(|tombstone| tombstone.item.identity.kind == Kind::Namespace)
        .filter_map(|tombstone| remaining(namespace, seen, tombstone));
    let going: Vec<Live> = namespaces.filter(|live| !live.leaving).cloned().collect();
    let steps = if going.is_empty() { vec![] } else { vec![Step::Remove(going)] };
    (!condemned.is_empty()).then(|| (steps, Verdict::Waiting(waiting(seen))))
}

/// Whether the cluster answers on which things were left, and not another one.
pub(super) fn is_where_it_was_left(seen: &Seen) -> bool {
    let accepted = seen.facts.sovereign.as_ref().map(|accepted| &accepted.cluster);
    seen.cluster().is_some_and(|cluster| accepted == Some(&cluster.uid))
}

/// What is there of a tombstone, if that is what was left.
fn remaining<'a>(namespace: &str, seen: &'a Seen, tombstone: &Tombstone) -> Option<&'a Live> {
    let live = seen.remains.get(&tombstone.item.identity)?;
    let is_it = match &tombstone.item.uid {
        Some(uid) => *uid == live.uid,
        // A crash came between its making and the note of its UID: it says itself whose it is.
        None => {
            live.label(ORGANIZATION_LABEL) == Some(&tombstone.organization)
                && live.label(FRANCHISE_LABEL) == Some(namespace)
        }
    };
    is_it.then_some(live)
}

/// What is still to be taken away, and when.
pub(super) fn waiting(seen: &Seen) -> Reason {
    let mut organizations: Vec<&str> =
        seen.facts.tombstones.iter().map(|tombstone| tombstone.organization.as_str()).collect();
    organizations.dedup();
    let at = seen.facts.sweep_at.map(second).unwrap_or_default();
    Reason::TombstonesRemain { organizations: organizations.join(", "), at }
}
