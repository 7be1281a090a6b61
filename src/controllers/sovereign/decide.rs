//! What a Sovereign needs next. Pure: the same sight gives the same steps.

use super::observe::Seen;
use crate::controllers::object::ObjectState;
use crate::domain::{reason::Reason, sovereign::Sovereign, verdict::Verdict};

/// One thing to do, which can be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Put our finalizer on the object.
    Hold,
    /// Bring the ledger to what the spec sells.
    Accept,
    /// Accept that the namespace of the franchise was made anew, as an administrator says.
    AcceptFranchise,
    /// Close it in the ledger, if no Tenant is awake on it.
    Close,
    /// Take our finalizer off the object.
    LetGo,
}

/// The steps of this turn, and what it comes to if they succeed.
#[must_use]
pub(super) fn decide(wanted: &Sovereign, state: ObjectState, seen: &Seen) -> (Vec<Step>, Verdict) {
    let uid = seen.franchise.as_ref().map(|franchise| franchise.uid.as_str());
    if let Some(reason) = seen.facts.standing.trouble(&wanted.namespace, uid) {
        let accepted = seen.franchise.as_ref().is_some_and(|franchise| franchise.is_accepted);
        if accepted && matches!(reason, Reason::FranchiseIdentityChanged { .. }) {
            return (vec![Step::AcceptFranchise], Verdict::Again);
        }
        return (vec![], Verdict::Waiting(reason));
    }
    if state.is_leaving {
        return leave(state, seen);
    }
    if let Some(reason) = obstacle(wanted, seen) {
        return (vec![], Verdict::Waiting(reason));
    }
    if !state.is_held {
        return (vec![Step::Hold, Step::Accept], Verdict::Again);
    }
    if is_accepted(wanted, seen) {
        (vec![], Verdict::Ready)
    } else {
        (vec![Step::Accept], Verdict::Again)
    }
}

fn leave(state: ObjectState, seen: &Seen) -> (Vec<Step>, Verdict) {
    let is_open = seen.facts.sovereign.as_ref().is_some_and(|accepted| !accepted.closed);
    if !state.is_held {
        (vec![], Verdict::Gone)
    } else if !seen.facts.tenants.is_empty() {
        let tenants = seen.facts.tenants.join(", ");
        (vec![], Verdict::Waiting(Reason::TenantsRemain { tenants }))
    } else if is_open {
        (vec![Step::Close], Verdict::Again)
    } else {
        (vec![Step::LetGo], Verdict::Gone)
    }
}

fn obstacle(wanted: &Sovereign, seen: &Seen) -> Option<Reason> {
    let namespace = wanted.namespace.clone();
    match &seen.franchise {
        None => return Some(Reason::NotAFranchise { namespace }),
        Some(franchise) if !franchise.in_cluster => {
            return Some(Reason::InClusterNotAllowed { namespace });
        }
        Some(_) => {}
    }
    let accepted = seen.facts.sovereign.as_ref()?;
    if accepted.cluster != seen.cluster {
        let (known, seen) = (accepted.cluster.clone(), seen.cluster.clone());
        return Some(Reason::ClusterIdentityChanged { known, seen });
    }
    let known = accepted.currency.clone();
    let wanted = wanted.currency.code().to_owned();
    (known != wanted).then_some(Reason::CurrencyChanged { wanted, known })
}

fn is_accepted(wanted: &Sovereign, seen: &Seen) -> bool {
    let accepted = seen.facts.sovereign.as_ref();
    accepted.is_some_and(|accepted| !accepted.closed) && seen.facts.plans == wanted.plans
}
