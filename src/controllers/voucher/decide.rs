//! What a Voucher needs next. Pure: the same sight gives the same steps.

use super::observe::Seen;
use crate::controllers::object::ObjectState;
use crate::domain::{
    brake::Ruling,
    money::{Currency, Money},
    reason::Reason,
    subject::Subject,
    verdict::Verdict,
    voucher::{Lineage, State, Voucher},
};

/// One thing to do, which can be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Put our finalizer on the object.
    Hold,
    /// Bring the ledger to the terms of the spec.
    Accept,
    /// Retire the code.
    Retire,
    /// Take our finalizer off the object.
    LetGo,
}

/// The steps of this turn, and what it comes to if they succeed.
#[must_use]
pub(super) fn decide(wanted: &Voucher, state: ObjectState, seen: &Seen) -> (Vec<Step>, Verdict) {
    let uid = seen.franchise.as_ref().map(|franchise| franchise.uid.as_str());
    if let Some(reason) = seen.facts.standing.trouble(&wanted.namespace, uid) {
        return (vec![], Verdict::Waiting(reason));
    }
    if state.is_leaving {
        return match (state.is_held, state.ruling, seen.facts.holds.is_some()) {
            (false, ..) => (vec![], Verdict::Gone),
            (true, Ruling::Held, _) => {
                let namespace = wanted.namespace.clone();
                (vec![], Verdict::Waiting(Reason::MassDeletionHeld { namespace }))
            }
            (true, Ruling::Goes, true) => (vec![Step::Retire], Verdict::Again),
            (true, Ruling::Goes, false) | (true, Ruling::Kept, _) => {
                (vec![Step::LetGo], Verdict::Gone)
            }
        };
    }
    let subject = match obstacle(wanted, seen) {
        Ok(subject) => subject,
        Err(reason) => return (vec![], Verdict::Waiting(reason)),
    };
    if !state.is_held {
        return (vec![Step::Hold, Step::Accept], Verdict::Again);
    }
    match subject.lineage.filter(|lineage| is_accepted(wanted, lineage)) {
        None => (vec![Step::Accept], Verdict::Again),
        Some(lineage) => {
            let differs = subject.differs.map(Verdict::Waiting);
            (vec![], differs.unwrap_or_else(|| refused_part(wanted, lineage)))
        }
    }
}

/// The code that terms can be accepted for, or why none can be accepted at all.
fn obstacle<'a>(wanted: &Voucher, seen: &'a Seen) -> Result<Subject<'a>, Reason> {
    if seen.franchise.is_none() {
        return Err(Reason::NotAFranchise { namespace: wanted.namespace.clone() });
    }
    let Some(currency) = seen.facts.currency.clone() else {
        return Err(Reason::SovereignNotFound { sovereign: wanted.sovereign.clone() });
    };
    if currency != wanted.credit.currency.code() {
        let (credit, sovereign) = (wanted.credit.to_string(), wanted.sovereign.clone());
        return Err(Reason::CurrencyMismatch { credit, sovereign, currency });
    }
    let subject = wanted.subject(&seen.facts)?;
    let Some(lineage) = subject.lineage else { return Ok(subject) };
    if let Some(holder) = lineage.holder.clone().filter(|holder| *holder != wanted.name) {
        return Err(Reason::CodeTaken { holder });
    }
    let worth = (lineage.amount, lineage.currency.as_str(), lineage.sovereign.as_str());
    if worth != (wanted.credit.minor, currency.as_str(), wanted.sovereign.as_str()) {
        let amount = Currency::parse(&lineage.currency)
            .map(|currency| Money { minor: lineage.amount, currency }.to_string());
        let was = amount.unwrap_or_else(|_| lineage.amount.to_string());
        return Err(Reason::CodeRetired {
            was: format!("{was} on Sovereign {}", lineage.sovereign),
        });
    }
    let is_stale = lineage.uid == wanted.uid && wanted.generation < lineage.generation;
    if is_stale && !is_accepted(wanted, lineage) {
        let (accepted, seen) = (lineage.generation, wanted.generation);
        return Err(Reason::StaleSpec { accepted, seen });
    }
    Ok(subject)
}

/// Whether the ledger has taken what it will take of these terms.
fn is_accepted(wanted: &Voucher, lineage: &Lineage) -> bool {
    lineage.holder.as_ref() == Some(&wanted.name)
        && lineage.uid == wanted.uid
        && lineage.terms == wanted.terms.judged_against(lineage)
}

/// What the ledger did not take of them: everything else is in force all the same.
fn refused_part(wanted: &Voucher, lineage: &Lineage) -> Verdict {
    if lineage.terms.state == State::Revoked && wanted.terms.state != State::Revoked {
        return Verdict::Waiting(Reason::CodeRevoked {});
    }
    match lineage.terms.cap {
        Some(cap) if wanted.terms.cap != Some(cap) => {
            let written = wanted.terms.cap.map(|cap| cap.to_string());
            let wanted = written.unwrap_or_else(|| "unlimited".to_owned());
            return Verdict::Waiting(Reason::CapBelowRedeemed { wanted, used: lineage.used, cap });
        }
        _ => {}
    }
    match lineage.terms.budget {
        Some(budget) if wanted.terms.budget != Some(budget) => {
            let print =
                |minor: i64| Money { minor, currency: wanted.credit.currency.clone() }.to_string();
            let (granted, budget) = (print(lineage.spent), print(budget));
            let wanted = wanted.terms.budget.map_or_else(|| "unlimited".to_owned(), print);
            Verdict::Waiting(Reason::BudgetBelowGranted { wanted, granted, budget })
        }
        _ => Verdict::Ready,
    }
}
