//! What the ledger says of prices and of paid time.

use serde_json::json;

use super::{CREDIT, LATER, NOW, PRICE, World, plan, read};
use crate::domain::facts::{Entitlement, Offer, Order, Period, PlanTerms, Quote, Renewal};

impl World {
    /// What the ledger says of prices and of paid time, by what it sells and what was paid.
    pub(super) fn price(&mut self) {
        let facts = &mut self.seen.facts;
        let now = facts.standing.now;
        let running = facts.period.as_ref().filter(|period| period.ends_at > now);
        let (number, step, off) = match (&facts.period, running) {
            (None, _) => (1, 0, 0),
            (Some(_), None) => (2, 0, 0),
            (_, Some(period)) => (1, 1, period.price),
        };
        let dearer = |offer: &&Offer| {
            running.is_none_or(|period| period.plan != offer.plan && offer.amount >= period.price)
        };
        facts.quote = facts.offer.as_ref().filter(dearer).map(|offer| Quote {
            period: number,
            step,
            plan: offer.plan.clone(),
            revision: offer.revision,
            amount: offer.amount - off,
        });
        facts.entitlement = match (&facts.period, facts.entitlement) {
            (None, Entitlement::Exhausted) => Entitlement::Exhausted,
            (None, _) => Entitlement::New,
            (Some(_), Entitlement::New) => Entitlement::Paid,
            (Some(_), known) => known,
        };
    }
}

pub(super) fn order(quote: &Quote) -> Order {
    read(json!({"order": 1, "period": quote.period, "step": quote.step, "stands": true,
        "sovereign": "catalyst-zero", "plan": quote.plan,
        "revision": quote.revision, "amount": quote.amount, "terms": plan(), "attempts": 0,
        "held": false, "lapses_at": null}))
}

pub(super) fn period(order: Order) -> Period {
    let terms: PlanTerms = order.terms;
    read(json!({"number": 1, "starts_at": NOW, "ends_at": LATER, "price": order.amount,
        "sovereign": order.sovereign, "plan": order.plan, "terms": terms}))
}

/// What falls due at the end of the period.
pub(super) fn renewal() -> Renewal {
    read(json!({"due_at": LATER, "until": "2026-10-08T00:00:00.000000Z", "amount": PRICE,
        "available": CREDIT - PRICE, "percent": null}))
}
