//! What a person is told about a Voucher. Pure.

use jiff::Timestamp;

use super::Visit;
use crate::{
    api::{self, VoucherStatus},
    controllers::{Error, conditions, object::requested},
    domain::{
        money::Money,
        reason::Reason,
        verdict::{Leaf, Status, Verdict},
        voucher::{Lineage, State},
    },
};

/// The status after a visit. After one that failed, what was reported before stays.
#[must_use]
pub(super) fn status(
    object: &api::Voucher,
    visit: &Result<Visit, Error>,
    now: Timestamp,
) -> VoucherStatus {
    let known = object.status.clone().unwrap_or_default();
    let meta = &object.metadata;
    let Visit { wanted, seen, verdict } = match visit {
        Ok(visit) => visit,
        Err(error) => {
            let reason = error.reason();
            let conditions = conditions::after_failure(&known.conditions, &[], &reason, meta, now);
            return VoucherStatus { conditions, ..known };
        }
    };
    let subject = wanted.subject(&seen.facts).ok();
    let lineage = subject.as_ref().and_then(|subject| subject.lineage);
    let lineage = lineage.filter(|lineage| lineage.holder.as_ref() == Some(&wanted.name));
    let good = ("Accepted", "the terms are in force");
    let leaves = vec![redeemable(lineage, verdict, seen.facts.standing.now)];
    let leaves = conditions::summary(verdict, good, leaves, meta, now);
    let cap = lineage.and_then(|lineage| lineage.terms.cap);
    let used = lineage.map(|lineage| lineage.used);
    VoucherStatus {
        observed_generation: meta.generation,
        conditions: conditions::timed(&known.conditions, leaves, meta.generation, now),
        code: subject.as_ref().map(|subject| subject.code.hint().to_owned()),
        redeemed: used,
        remaining: cap.zip(used).map(|(cap, used)| cap - used),
        redemptions: used.map(|used| match cap {
            Some(cap) => format!("{used}/{cap}"),
            None => used.to_string(),
        }),
        granted: lineage.map(|lineage| {
            let currency = wanted.credit.currency.clone();
            Money { minor: lineage.spent, currency }.to_string()
        }),
        expires: wanted.terms.expires_at.map(|at| at.to_string()),
        last_handled_reconcile_at: requested(object),
    }
}

/// Whether the code can be redeemed now, by whoever may. A voucher that cannot is not broken.
fn redeemable(lineage: Option<&Lineage>, verdict: &Verdict, now: Timestamp) -> Leaf {
    const KIND: &str = "Redeemable";
    let Some(lineage) = lineage else {
        return match verdict {
            Verdict::Waiting(reason) => Leaf::unknown(KIND, reason),
            _ => Leaf::fails(KIND, &Reason::TermsPending {}),
        };
    };
    let terms = &lineage.terms;
    let no = |reason, message: String| Leaf { kind: KIND, status: Status::False, reason, message };
    match (terms.state, terms.valid_from, terms.expires_at, terms.cap) {
        (State::Revoked, ..) => no("Revoked", "the code is revoked for ever".to_owned()),
        (State::Retired, ..) => no("Retired", "the code is retired".to_owned()),
        (State::Paused, ..) => no("Paused", "the voucher is paused".to_owned()),
        (_, Some(from), ..) if now < from => no("NotStarted", format!("valid from {from}")),
        (_, _, Some(at), _) if now >= at => no("Expired", format!("expired at {at}")),
        (.., Some(cap)) if lineage.used >= cap => {
            no("Exhausted", format!("all {cap} redemptions are used"))
        }
        _ if lineage.is_beyond_budget() => no("Exhausted", "the budget is used up".to_owned()),
        _ => Leaf::holds(KIND, "Active", "the code can be redeemed"),
    }
}
