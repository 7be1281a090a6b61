//! What a Tenant pays next. A period, or a dearer plan for the rest of one: both are an order, then
//! a hold, and the capture once everything stands.

use super::{Decision, Step, again, waits};
use crate::{
    controllers::tenant::observe::Seen,
    domain::{
        code::Digest,
        facts::{Entitlement, Order, Period, Quote},
        instant::second,
        money::{Currency, Money},
        reason::{Outlook, Reason},
        tenant::Tenant,
    },
};

/// What is to be done about the money before anything is made.
pub(super) enum Payment {
    /// This, before all else.
    First(Decision),
    /// Nothing.
    Settled,
    /// Nothing can be done, and what was paid before stays in force meanwhile.
    Unpaid(Reason),
}

pub(super) fn pay(wanted: &Tenant, seen: &Seen) -> Payment {
    let facts = &seen.facts;
    if facts.account.as_ref().is_some_and(|account| account.suspended) {
        let organization = wanted.organization.clone();
        return stuck(seen, Reason::AccountSuspended { organization });
    }
    let period = facts.period.as_ref();
    let running = period.filter(|period| period.ends_at > facts.standing.now);
    if let Some(period) = running
        && period.sovereign != wanted.sovereign
    {
        let (sovereign, until) = (period.sovereign.clone(), second(period.ends_at));
        return Payment::First(waits(Reason::PaidElsewhere { sovereign, until }));
    }
    let codes = redeemable(wanted, seen);
    match (&facts.quote, running) {
        (Some(quote), _) => buy(wanted, quote, codes, seen),
        (None, Some(period)) => stay(wanted, period, &codes, seen),
        (None, None) => withdrawn(wanted, &codes, seen),
    }
}

/// The codes that can be redeemed now. Offers to new accounts come first, as any other would make
/// the account an old one.
fn redeemable(wanted: &Tenant, seen: &Seen) -> Vec<Digest> {
    let judged = wanted.judge(&seen.facts);
    let mut lineages: Vec<_> = judged
        .iter()
        .filter(|judged| judged.refusal == Some(Reason::NotRedeemedYet {}))
        .filter_map(|judged| judged.lineage)
        .collect();
    lineages.sort_by_key(|lineage| !lineage.terms.new_accounts_only);
    lineages.into_iter().map(|lineage| lineage.digest).collect()
}

/// Something is to be bought: the period, or the dearer plan for the rest of the one that runs.
fn buy(wanted: &Tenant, quote: &Quote, codes: Vec<Digest>, seen: &Seen) -> Payment {
    let spendable = seen.facts.account.as_ref().map_or(0, |account| account.spendable);
    let open = seen.facts.order.as_ref();
    match open.filter(|order| order.sovereign == wanted.sovereign && order.is_for(quote)) {
        Some(order) if order.is_covered() => redeem(&codes),
        Some(order) if spendable >= order.amount || !codes.is_empty() => {
            let attempt = order.attempts + 1;
            first([Step::RedeemAndHold { order: order.order, attempt, codes }])
        }
        Some(order) => stuck(seen, short(wanted, order.amount, spendable, seen)),
        // The rest of a period is ordered when it can be paid, because its price falls all the
        // time; a period stands as an order while it waits for credit.
        None if quote.step > 0 && spendable < quote.amount && codes.is_empty() => {
            stuck(seen, short(wanted, quote.amount, spendable, seen))
        }
        None => order_anew(open),
    }
}

/// The plan is in force, begins later, or is not to be had: what was ordered besides is off.
fn stay(wanted: &Tenant, period: &Period, codes: &[Digest], seen: &Seen) -> Payment {
    if let Some(order) = &seen.facts.order {
        return first([Step::Release(order.order)]);
    }
    match redeem(codes) {
        Payment::Settled if seen.facts.offer.is_none() && wanted.plan != period.plan => {
            Payment::Unpaid(plan_not_found(wanted, seen))
        }
        payment => payment,
    }
}

/// The plan is not sold, and nothing is paid: an order for it that is covered is still good.
fn withdrawn(wanted: &Tenant, codes: &[Digest], seen: &Seen) -> Payment {
    let open = seen.facts.order.as_ref();
    let good = |order: &&Order| {
        order.is_covered()
            && order.step == 0
            && (&order.sovereign, &order.plan) == (&wanted.sovereign, &wanted.plan)
    };
    match open.filter(good) {
        Some(_) => redeem(codes),
        None => stuck(seen, plan_not_found(wanted, seen)),
    }
}

fn redeem(codes: &[Digest]) -> Payment {
    codes.first().map_or(Payment::Settled, |code| first([Step::Redeem(*code)]))
}

fn order_anew(open: Option<&Order>) -> Payment {
    let held = open.filter(|order| order.held);
    first(held.map(|order| Step::Release(order.order)).into_iter().chain([Step::Order]))
}

fn first(steps: impl IntoIterator<Item = Step>) -> Payment {
    Payment::First(again(steps))
}

/// Nothing can be done: what is paid for, or was until a while ago, stays in force, and where
/// nothing is there is nothing. While it goes on after a period, only `Entitled` says so.
fn stuck(seen: &Seen, reason: Reason) -> Payment {
    match seen.facts.entitlement {
        _ if seen.desired.is_none() => Payment::First(waits(reason)),
        Entitlement::Grace | Entitlement::Due
            if matches!(reason, Reason::CreditShort { .. } | Reason::CreditAwaited { .. }) =>
        {
            Payment::Settled
        }
        _ => Payment::Unpaid(reason),
    }
}

fn plan_not_found(wanted: &Tenant, seen: &Seen) -> Reason {
    let offers = match seen.facts.offers.as_slice() {
        [] => "none".to_owned(),
        offers => offers.join(", "),
    };
    let (plan, sovereign) = (wanted.plan.clone(), wanted.sovereign.clone());
    Reason::PlanNotFound { plan, sovereign, offers }
}

fn short(wanted: &Tenant, needed: i64, available: i64, seen: &Seen) -> Reason {
    let currency = seen.facts.sovereign.as_ref().map(|accepted| accepted.currency.as_str());
    let currency = currency.and_then(|code| Currency::parse(code).ok());
    let print = |minor: i64| match currency.clone() {
        Some(currency) => Money { minor, currency }.to_string(),
        None => minor.to_string(),
    };
    let (available, needed, plan) = (print(available), print(needed), wanted.plan.clone());
    let judged = wanted.judge(&seen.facts);
    let awaited = judged.iter().find(|judged| {
        let outlook = judged.refusal.as_ref().map(Reason::outlook);
        matches!(outlook, Some(Outlook::Missing | Outlook::Progressing))
    });
    match (seen.facts.entitlement, &seen.facts.period, &seen.facts.renewal, awaited) {
        (Entitlement::Paid | Entitlement::Low, Some(period), ..) => {
            let current = period.plan.clone();
            Reason::UpgradeShort { available, needed, plan, current }
        }
        (Entitlement::Exhausted, _, Some(renewal), None) => {
            let since = second(renewal.due_at);
            Reason::CreditExhausted { available, needed, plan, since }
        }
        (.., None) => Reason::CreditShort { available, needed, plan },
        (.., Some(judged)) => {
            Reason::CreditAwaited { available, needed, plan, voucher: judged.title() }
        }
    }
}
