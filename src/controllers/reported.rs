//! What a status says, for whoever counts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;

use crate::{
    api::{SovereignStatus, TenantStatus, VoucherStatus},
    domain::{money::Money, reason::Word},
    metrics::Report,
};

/// A status with conditions.
pub(super) trait Reported: Serialize + PartialEq {
    /// Its conditions.
    fn conditions(&self) -> &[Condition];

    /// What is counted of it.
    fn counted(&self) -> Report;
}

impl Reported for SovereignStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn counted(&self) -> Report {
        Report {
            phase: self.phase.map_or_else(unjudged, |phase| format!("{phase:?}")),
            ..ready(&self.conditions)
        }
    }
}

impl Reported for TenantStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn counted(&self) -> Report {
        Report {
            phase: self.phase.map_or_else(unjudged, |phase| format!("{phase:?}")),
            refused: fails(&self.conditions, "VouchersRedeemed").map(|why| why.reason.clone()),
            credit: self.credit.as_deref().and_then(amount),
            ..ready(&self.conditions)
        }
    }
}

impl Reported for VoucherStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn counted(&self) -> Report {
        let redeemable = find(&self.conditions, "Redeemable");
        Report {
            phase: redeemable.map_or_else(unjudged, |condition| condition.reason.clone()),
            granted: self.granted.as_deref().and_then(amount),
            redeemed: self.redeemed,
            ..ready(&self.conditions)
        }
    }
}

/// The phase of what no visit could judge yet.
fn unjudged() -> String {
    "Pending".to_owned()
}

fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

fn fails<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    find(conditions, kind).filter(|Condition { status, .. }| status == "False")
}

/// What the condition Ready says of an object, of whatever kind.
fn ready(conditions: &[Condition]) -> Report {
    let fails = find(conditions, "Ready").filter(|Condition { status, .. }| status != "True");
    let Some(ready) = fails else { return Report::default() };
    Report {
        waits: Some((ready.reason.clone(), ready.last_transition_time.0.as_second())),
        is_held: ready.reason == Word::MassDeletionHeld.name(),
        ..Report::default()
    }
}

fn amount(money: &str) -> Option<(String, i64)> {
    let money = Money::parse(money).ok()?;
    Some((money.currency.code().to_owned(), money.minor))
}
