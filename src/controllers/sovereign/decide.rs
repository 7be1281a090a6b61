//! What a Sovereign needs next. Pure: the same sight gives the same steps.

use super::observe::{Identified, Reached, Remote, Seen, Site};
use crate::{
    api::KUBECONFIG_FINALIZER,
    cluster::{Kept, Offer},
    controllers::object::ObjectState,
    domain::{
        brake::Ruling, facts::Tombstone, object::Live, reason::Reason, sovereign::Sovereign,
        verdict::Verdict,
    },
};

mod link;
mod sweep;

pub(super) use link::{reason_of, trouble};

/// One thing to do, which can be repeated without harm.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Put our finalizer on the object.
    Hold,
    /// Put our finalizer on the Secret of the kubeconfig.
    HoldSecret,
    /// Take our finalizer off a Secret that is not needed any more.
    ReleaseSecret(String),
    /// Tell the link how the cluster is reached, or why it is not.
    Offer(Box<Result<Offer, Reason>>),
    /// Note that the cluster does not answer.
    Darken,
    /// Note that it does.
    Lighten,
    /// Accept that it is another one now, as an administrator says.
    AcceptCluster(String),
    /// Bring the ledger to what the spec sells.
    Accept(String),
    /// Accept that the namespace of the franchise was made anew, as an administrator says.
    AcceptFranchise,
    /// Condemn what was abandoned.
    Condemn,
    /// Delete exactly these.
    Remove(Vec<Live>),
    /// Forget what was abandoned and is gone.
    Bury(Vec<Tombstone>),
    /// Close it in the ledger, if no Tenant is awake on it.
    Close,
    /// End the link.
    Disconnect,
    /// Take our finalizer off the object.
    LetGo,
}

type Decision = (Vec<Step>, Verdict);

/// The steps of this turn, and what it comes to if they succeed.
#[must_use]
pub(super) fn decide(wanted: &Sovereign, state: ObjectState, seen: &Seen) -> Decision {
    let uid = seen.franchise.as_ref().map(|franchise| franchise.uid.as_str());
    if let Some(reason) = seen.facts.standing.trouble(&wanted.namespace, uid) {
        let accepted = seen.franchise.as_ref().is_some_and(|franchise| franchise.is_accepted);
        let standing = seen.facts.standing.franchise.as_ref();
        let expected = standing.is_some_and(|franchise| franchise.expects_successor);
        if (accepted || expected) && matches!(reason, Reason::FranchiseIdentityChanged { .. }) {
            return again([Step::AcceptFranchise]);
        }
        return waits(reason);
    }
    if state.is_leaving {
        return leave(wanted, state, seen);
    }
    let Some(franchise) = &seen.franchise else {
        return waits(Reason::NotAFranchise { namespace: wanted.namespace.clone() });
    };
    match &seen.site {
        Site::Hub(_) if !franchise.in_cluster => {
            waits(Reason::InClusterNotAllowed { namespace: wanted.namespace.clone() })
        }
        Site::Hub(hub) => serve(wanted, state, seen, hub),
        Site::Remote(remote) => {
            if !state.is_held {
                return again([Step::Hold]);
            }
            link::link(wanted, seen, remote).unwrap_or_else(|cluster| {
                match (serve(wanted, state, seen, &cluster), link::trouble(remote, seen)) {
                    // What is to be said of the way there is said when nothing else is.
                    ((steps, Verdict::Ready), Some(reason)) => (steps, Verdict::Waiting(reason)),
                    (decision, _) => decision,
                }
            })
        }
    }
}

/// Its cluster is known: what it sells is brought to the ledger.
fn serve(wanted: &Sovereign, state: ObjectState, seen: &Seen, cluster: &Identified) -> Decision {
    if let Some(reason) = obstacle(wanted, seen, cluster) {
        return waits(reason);
    }
    if !state.is_held {
        return again([Step::Hold, Step::Accept(cluster.uid.clone())]);
    }
    if !is_accepted(wanted, seen) {
        let before = seen.facts.sovereign.as_ref().and_then(|accepted| accepted.secret.clone());
        let release = before.filter(|before| Some(before) != secret_in_use(wanted, seen));
        let steps = release.map(Step::ReleaseSecret).into_iter();
        return again(steps.chain([Step::Accept(cluster.uid.clone())]));
    }
    sweep::sweep(&wanted.namespace, seen).unwrap_or((vec![], Verdict::Ready))
}

fn obstacle(wanted: &Sovereign, seen: &Seen, cluster: &Identified) -> Option<Reason> {
    if let Some(sovereign) = seen.facts.taken_by.clone().filter(|_| wanted.secret.is_some()) {
        return Some(Reason::ClusterTaken { sovereign });
    }
    let accepted = seen.facts.sovereign.as_ref()?;
    if accepted.cluster != cluster.uid {
        let (known, seen) = (accepted.cluster.clone(), cluster.uid.clone());
        return Some(Reason::ClusterIdentityChanged { known, seen });
    }
    let known = accepted.currency.clone();
    let wanted = wanted.currency.code().to_owned();
    (known != wanted).then_some(Reason::CurrencyChanged { wanted, known })
}

fn is_accepted(wanted: &Sovereign, seen: &Seen) -> bool {
    seen.facts.sovereign.as_ref().is_some_and(|accepted| {
        !accepted.closed
            && accepted.secret.as_ref() == secret_in_use(wanted, seen)
            && accepted.abandon_after == wanted.abandon_after
    }) && seen.facts.plans == wanted.plans
}

/// The Secret that is in use: the one that the spec names, or the one before while that serves and
/// what the other holds does not.
pub(super) fn secret_in_use<'a>(wanted: &'a Sovereign, seen: &'a Seen) -> Option<&'a String> {
    let accepted = seen.facts.sovereign.as_ref().filter(|accepted| !accepted.closed);
    let before = accepted.and_then(|accepted| accepted.secret.as_ref());
    let is_bad = |remote: &Remote| remote.offer.is_err() || remote.refused.is_some();
    before.filter(|_| seen.remote().is_some_and(is_bad)).or(secret(wanted))
}

fn secret(wanted: &Sovereign) -> Option<&String> {
    wanted.secret.as_ref().map(|key| &key.secret)
}

fn leave(wanted: &Sovereign, state: ObjectState, seen: &Seen) -> Decision {
    if !state.is_held {
        return (vec![Step::Disconnect], Verdict::Gone);
    }
    // Its Tenants need the way to the cluster as long as they stand there.
    let keep_up = || seen.remote().and_then(|remote| link::keep_up(seen, remote));
    match state.ruling {
        Ruling::Held => {
            let held = || waits(Reason::MassDeletionHeld { namespace: wanted.namespace.clone() });
            return keep_up().unwrap_or_else(held);
        }
        Ruling::Kept => {
            let going = seen.applied.iter().filter(|tenant| tenant.is_leaving);
            let going: Vec<&str> = going.map(|tenant| tenant.name.as_str()).collect();
            if seen.remote().is_none() || going.is_empty() {
                return part(wanted, seen);
            }
            let tenants = going.join(", ");
            return keep_up().unwrap_or_else(|| waits(Reason::TenantsRemain { tenants }));
        }
        Ruling::Goes => {}
    }
    if !seen.facts.tenants.is_empty() {
        // They were kept when their namespace went, in which nobody can apply them again.
        let is_going = seen.franchise.as_ref().is_some_and(|franchise| franchise.is_leaving);
        if is_going && seen.applied.is_empty() {
            return part(wanted, seen);
        }
        let tenants = seen.facts.tenants.join(", ");
        return keep_up().unwrap_or_else(|| waits(Reason::TenantsRemain { tenants }));
    }
    if let Some(remote) = seen.remote().filter(|_| !seen.facts.tombstones.is_empty()) {
        if let Some(decision) = link::keep_up(seen, remote) {
            return decision;
        }
        let is_unknown = matches!(remote.standing, Reached::Connecting);
        if is_unknown || sweep::is_where_it_was_left(seen) {
            return sweep::sweep(&wanted.namespace, seen).unwrap_or_else(|| waits(remaining(seen)));
        }
    }
    if seen.facts.sovereign.as_ref().is_some_and(|accepted| !accepted.closed) {
        return again([Step::Close]);
    }
    part(wanted, seen)
}

/// The object goes, and with it the way to its cluster.
fn part(wanted: &Sovereign, seen: &Seen) -> Decision {
    let accepted = seen.facts.sovereign.as_ref().and_then(|accepted| accepted.secret.clone());
    // One that was accepted was held; of another it is known only while it can be read.
    let readable = seen.remote().is_some_and(|remote| matches!(remote.kept, Kept::There(_)));
    let held = [accepted, secret(wanted).filter(|_| readable).cloned()];
    let released = held.into_iter().flatten().map(Step::ReleaseSecret);
    let mut steps: Vec<Step> = released.collect();
    steps.dedup();
    steps.extend([Step::Disconnect, Step::LetGo]);
    (steps, Verdict::Gone)
}

/// What is still to be taken away of what was abandoned, and when.
#[must_use]
pub(super) fn remaining(seen: &Seen) -> Reason {
    sweep::waiting(seen)
}

/// Our finalizer on the Secret of a Sovereign.
#[must_use]
pub(super) fn secret_finalizer(sovereign: &str) -> String {
    format!("{sovereign}{KUBECONFIG_FINALIZER}")
}

impl Remote {
    /// Whether the Secret is there to stay, and not held for this Sovereign yet.
    fn is_loose(&self, sovereign: &str) -> bool {
        let finalizer = secret_finalizer(sovereign);
        matches!(&self.kept, Kept::There(content)
            if !content.leaving && !content.is_held(&finalizer))
    }
}

fn waits(reason: Reason) -> Decision {
    (vec![], Verdict::Waiting(reason))
}

fn again(steps: impl IntoIterator<Item = Step>) -> Decision {
    (steps.into_iter().collect(), Verdict::Again)
}
