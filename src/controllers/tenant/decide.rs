//! What a Tenant needs next. Pure: the same sight gives the same steps.
//!
//! The order is the promise: nothing exists before its credit is set aside, nothing is spent
//! before everything stands, nothing is forgotten before it is gone.

use super::observe::Seen;
use crate::controllers::object::ObjectState;
use crate::domain::{
    brake::Ruling,
    code::Digest,
    facts::Item,
    instant::second,
    object::{Identity, Kind, Live, Object},
    reason::Reason,
    tenant::Tenant,
    verdict::Verdict,
};
use pay::Payment;

mod pay;

/// One thing to do, which can be repeated without harm.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Put our finalizer on the object.
    Hold,
    /// Take the organization, and open its account.
    Claim,
    /// Order a period, or a dearer plan for the rest of one.
    Order,
    /// Redeem a code.
    Redeem(Digest),
    /// Redeem what is named and set aside what the order costs.
    RedeemAndHold {
        /// For which order.
        order: i64,
        /// The number of this attempt.
        attempt: i32,
        /// The codes.
        codes: Vec<Digest>,
    },
    /// Write down the UIDs of what was made.
    Record(Vec<Item>),
    /// Write down, then make.
    Apply(Vec<Object>),
    /// Delete exactly these.
    Remove(Vec<Live>),
    /// Strike out of the inventory what is gone.
    Forget(Vec<Identity>),
    /// Spend what is held: everything stands.
    Capture(i64),
    /// Give back what is held.
    Release(i64),
    /// Let the organization sleep.
    Leave,
    /// Give up what stands on a cluster that does not answer, and let the organization sleep.
    Abandon,
    /// Take our finalizer off the object.
    LetGo,
}

type Decision = (Vec<Step>, Verdict);

/// The steps of this turn, and what it comes to if they succeed.
#[must_use]
pub(super) fn decide(wanted: &Tenant, state: ObjectState, seen: &Seen) -> Decision {
    let uid = seen.franchise.as_ref().map(|franchise| franchise.uid.as_str());
    if let Some(reason) = seen.facts.standing.trouble(&wanted.namespace, uid) {
        return waits(reason);
    }
    if state.is_leaving {
        return leave(wanted, state, seen);
    }
    if uid.is_none() {
        return waits(Reason::NotAFranchise { namespace: wanted.namespace.clone() });
    }
    if let Some(reason) = homeless(wanted, seen) {
        return waits(reason);
    }
    if let Some(by) = seen.facts.taken_by.clone().filter(|_| !seen.facts.claimed) {
        let organization = wanted.organization.clone();
        return waits(Reason::OrganizationTaken { organization, by });
    }
    if !state.is_held || !seen.facts.claimed {
        let hold = (!state.is_held).then_some(Step::Hold);
        return again(hold.into_iter().chain([Step::Claim]));
    }
    match pay::pay(wanted, seen) {
        Payment::First(decision) => decision,
        Payment::Settled => provision(wanted, seen, None),
        Payment::Unpaid(reason) => provision(wanted, seen, Some(reason)),
    }
}

/// Why there is no cluster to live on. What stands already is kept in its place all the same.
fn homeless(wanted: &Tenant, seen: &Seen) -> Option<Reason> {
    let Some(accepted) = &seen.facts.sovereign else {
        return Some(Reason::SovereignNotFound { sovereign: wanted.sovereign.clone() });
    };
    if accepted.cluster != seen.cluster {
        let (known, seen) = (accepted.cluster.clone(), seen.cluster.clone());
        return Some(Reason::ClusterIdentityChanged { known, seen });
    }
    if accepted.secret.is_some() {
        return None;
    }
    let allowed = seen.franchise.as_ref().is_some_and(|franchise| franchise.in_cluster);
    (!allowed && seen.facts.inventory.is_empty())
        .then(|| Reason::InClusterNotAllowed { namespace: wanted.namespace.clone() })
}

/// What is to be made, mended or taken away, and the capture once everything stands. What is left
/// to be said of the payment is said when nothing else is.
fn provision(wanted: &Tenant, seen: &Seen, unpaid: Option<Reason>) -> Decision {
    if let Some(dark) = seen.dark.clone() {
        return waits(dark);
    }
    if seen.facts.condemned {
        let what = "what the organization abandoned there to be gone".to_owned();
        return waits(Reason::Provisioning { what });
    }
    let desired = seen.desired.as_deref().unwrap_or_default();
    if let Some(reason) = obstacle(wanted, seen, desired) {
        return waits(reason);
    }
    let steps = mend(wanted, seen, desired);
    if !steps.is_empty() {
        return again(steps);
    }
    let leaving = seen.live.values().find(|live| live.leaving).map(going);
    let pending = || desired.iter().find_map(|object| pending(seen, object));
    if let Some(what) = leaving.or_else(pending) {
        return waits(Reason::Provisioning { what });
    }
    match (seen.facts.order.as_ref().filter(|order| order.is_covered()), unpaid) {
        (Some(order), _) => again([Step::Capture(order.order)]),
        (None, Some(reason)) => waits(reason),
        (None, None) => (vec![], Verdict::Ready),
    }
}

/// A namespace that is not ours, or ours and on its way out.
fn obstacle(wanted: &Tenant, seen: &Seen, desired: &[Object]) -> Option<Reason> {
    let namespaces = desired.iter().filter(|object| object.identity.kind == Kind::Namespace);
    let mut live = namespaces.filter_map(|object| seen.live.get(&object.identity));
    live.find_map(|live| {
        let name = live.identity.name.clone();
        if !seen.is_ours(wanted, live) {
            Some(Reason::NamespaceConflict { name })
        } else if live.leaving {
            let what = format!("namespace {name} to be gone, before it is made again");
            Some(Reason::Provisioning { what })
        } else {
            None
        }
    })
}

/// What differs from what should stand.
fn mend(wanted: &Tenant, seen: &Seen, desired: &[Object]) -> Vec<Step> {
    let wrong = desired.iter().filter(|object| {
        seen.live.get(&object.identity).is_none_or(|live| !live.satisfies(object))
    });
    // The role of a binding cannot be changed: it goes, and comes back at the next turn.
    let (replaced, applied): (Vec<&Object>, Vec<&Object>) = wrong.partition(|object| {
        seen.live
            .get(&object.identity)
            .is_some_and(|live| live.manifest.get("roleRef") != object.manifest.get("roleRef"))
    });
    let surplus: Vec<&Item> = seen
        .facts
        .inventory
        .iter()
        .filter(|item| !desired.iter().any(|object| object.identity == item.identity))
        .collect();
    // Of the same name and not ours any more: it stays, and we forget it.
    let ours =
        |item: &&&Item| seen.live.get(&item.identity).filter(|live| seen.is_ours(wanted, live));
    let replaced = replaced.iter().filter_map(|object| seen.live.get(&object.identity));
    let removed = replaced.chain(surplus.iter().filter_map(|item| ours(&item)));
    let removed: Vec<Live> = removed.filter(|live| !live.leaving).cloned().collect();
    let gone = surplus.iter().filter(|item| ours(item).is_none());
    let gone: Vec<Identity> = gone.map(|item| item.identity.clone()).collect();
    let applied: Vec<Object> = applied.into_iter().cloned().collect();
    let unrecorded = unrecorded(seen, desired);
    let mut steps = vec![];
    if !removed.is_empty() {
        steps.push(Step::Remove(removed));
    }
    if !gone.is_empty() {
        steps.push(Step::Forget(gone));
    }
    if !applied.is_empty() {
        steps.push(Step::Apply(applied));
    }
    if !unrecorded.is_empty() {
        steps.push(Step::Record(unrecorded));
    }
    steps
}

/// Objects that stand as they should under a UID that the inventory does not have.
fn unrecorded(seen: &Seen, desired: &[Object]) -> Vec<Item> {
    let standing = desired
        .iter()
        .filter_map(|object| seen.live.get(&object.identity).filter(|live| live.satisfies(object)));
    standing
        .filter(|live| {
            !seen.facts.inventory.iter().any(|item| {
                item.identity == live.identity && item.uid.as_deref() == Some(&live.uid)
            })
        })
        .map(|live| item(seen, live))
        .collect()
}

/// The inventory's row for a live object.
pub(super) fn item(seen: &Seen, live: &Live) -> Item {
    Item {
        identity: live.identity.clone(),
        cluster: seen.cluster.clone(),
        uid: Some(live.uid.clone()),
    }
}

/// An object on its way out: what stands in its place comes after it.
fn going(live: &Live) -> String {
    let Identity { kind, namespace, name } = &live.identity;
    format!("{} {namespace}/{name} to be gone", kind.name())
}

/// What an applied object still waits for on its cluster.
fn pending(seen: &Seen, object: &Object) -> Option<String> {
    let live = seen.live.get(&object.identity)?;
    match live.identity.kind {
        Kind::Namespace if live.text("/status/phase") != Some("Active") => {
            Some(format!("namespace {} to be active", live.identity.name))
        }
        Kind::ResourceQuota
            if live.manifest.pointer("/status/hard") != live.manifest.pointer("/spec/hard") =>
        {
            Some(format!("the quota of namespace {} to count", live.identity.namespace))
        }
        _ => None,
    }
}

/// Deletion is one more desired state: nothing.
fn leave(wanted: &Tenant, state: ObjectState, seen: &Seen) -> Decision {
    if !state.is_held {
        return (vec![], Verdict::Gone);
    }
    match state.ruling {
        Ruling::Held => {
            return waits(Reason::MassDeletionHeld { namespace: wanted.namespace.clone() });
        }
        Ruling::Kept => return (vec![Step::LetGo], Verdict::Gone),
        Ruling::Goes => {}
    }
    // What stands on another cluster is neither seen from here nor gone.
    let elsewhere = seen.facts.inventory.iter().find(|item| item.cluster != seen.cluster);
    if let Some(item) = elsewhere {
        let (known, seen) = (item.cluster.clone(), seen.cluster.clone());
        return waits(Reason::ClusterIdentityChanged { known, seen });
    }
    if let Some(order) = seen.facts.order.as_ref().filter(|order| order.held) {
        return again([Step::Release(order.order)]);
    }
    if let Some(dark) = seen.dark.clone().filter(|_| !seen.facts.inventory.is_empty()) {
        return leave_in_the_dark(wanted, seen, dark);
    }
    let ours = seen.live.values().filter(|live| seen.is_ours(wanted, live));
    let namespaces: Vec<Live> =
        ours.filter(|live| live.identity.kind == Kind::Namespace).cloned().collect();
    if !namespaces.is_empty() {
        let what: Vec<String> = namespaces.iter().map(remains).collect();
        let going = namespaces.into_iter().filter(|live| !live.leaving).collect::<Vec<_>>();
        let steps = if going.is_empty() { vec![] } else { vec![Step::Remove(going)] };
        let reason = Reason::TeardownPending { what: what.join("; ") };
        return (steps, Verdict::Waiting(reason));
    }
    if !seen.facts.inventory.is_empty() {
        let gone = seen.facts.inventory.iter().map(|item| item.identity.clone()).collect();
        return again([Step::Forget(gone)]);
    }
    if seen.facts.claimed {
        return again([Step::Leave]);
    }
    (vec![Step::LetGo], Verdict::Gone)
}

/// What stands on a cluster that does not answer stays there; the Tenant waits for it, unless it is
/// given up.
fn leave_in_the_dark(wanted: &Tenant, seen: &Seen, dark: Reason) -> Decision {
    let accepted = seen.facts.sovereign.as_ref();
    let Some((accepted, since)) = accepted.and_then(|it| Some((it, it.dark_since?))) else {
        return waits(dark);
    };
    let is_over = accepted.given_up_at().is_some_and(|at| at <= seen.facts.standing.now);
    if wanted.is_given_up || is_over {
        return again([Step::Abandon]);
    }
    let (sovereign, uid) = (wanted.sovereign.clone(), wanted.uid.clone());
    waits(Reason::TeardownUnreachable { sovereign, since: second(since), uid })
}

/// A namespace on its way out, with what the cluster says holds it.
fn remains(namespace: &Live) -> String {
    let conditions = namespace.manifest.pointer("/status/conditions");
    let holding: Vec<&str> = conditions
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter(|condition| condition.get("status").is_some_and(|status| status == "True"))
        .filter_map(|condition| condition.get("message")?.as_str())
        .collect();
    let name = &namespace.identity.name;
    if holding.is_empty() {
        format!("namespace {name}")
    } else {
        format!("namespace {name} ({})", holding.join("; "))
    }
}

fn waits(reason: Reason) -> Decision {
    (vec![], Verdict::Waiting(reason))
}

fn again(steps: impl IntoIterator<Item = Step>) -> Decision {
    (steps.into_iter().collect(), Verdict::Again)
}
