//! What a Tenant does about a plan that it has paid for: dearer and cheaper ones, the end of the
//! period, and what it tells of them.

use super::{super::report, *};
use crate::{
    api::{TenantPhase, TenantStatus},
    domain::facts::{Entitlement, Offer},
};

const LATER_STILL: &str = "2026-10-03T00:00:00.000000Z";
const UNTIL: &str = "2026-10-08T00:00:00.000000Z";

/// A Tenant of plan m, which is paid, that wants another one at this price.
fn wanting(plan: &str, amount: i64) -> World {
    let mut world = world().paid();
    world.want(plan, amount);
    world
}

impl World {
    fn want(&mut self, plan: &str, amount: i64) {
        plan.clone_into(&mut self.wanted.plan);
        self.seen.facts.offer = Some(Offer { plan: plan.to_owned(), revision: 1, amount });
    }

    /// With this much credit.
    fn worth(mut self, spendable: i64) -> Self {
        self.seen.facts.account.as_mut().unwrap().spendable = spendable;
        self
    }

    /// As it is two days after the end of the period.
    fn ended(self, entitlement: Entitlement) -> Self {
        self.told(|facts| {
            facts.standing.now = LATER_STILL.parse().unwrap();
            facts.entitlement = entitlement;
            if entitlement == Entitlement::Exhausted {
                facts.period = None;
            }
        })
    }

    /// Somebody empties the quota of what stands.
    fn damaged(mut self) -> Self {
        self.look();
        self.live(Kind::ResourceQuota, "catalyst-plan").manifest["spec"]["hard"] = json!({});
        self
    }
}

fn status(world: &World) -> TenantStatus {
    let mut world = world.clone();
    let verdict = world.visit();
    let World { wanted, seen, .. } = world;
    let now = NOW.parse().unwrap();
    report::status(&object(), &Ok(Visit { wanted, seen, verdict }), now)
}

/// Status, reason and message of a condition, if it is there.
fn told(status: &TenantStatus, kind: &str) -> Option<(String, String, String)> {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((found.status.clone(), found.reason.clone(), found.message.clone()))
}

fn is(status: &TenantStatus, kind: &str) -> (String, String) {
    let (state, reason, _) = told(status, kind).unwrap_or_else(|| panic!("no condition {kind}"));
    (state, reason)
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_dearer_plan_is_ordered_held_and_captured_while_everything_stands() {
    let mut world = wanting("l", PRICE + 10_000);
    for step in ["Order", "RedeemAndHold", "Capture"] {
        assert_eq!(names(&world.turn().0), [step]);
    }
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
    let facts = world.seen.facts;
    assert_eq!(facts.period.unwrap().plan, "l");
    assert_eq!(facts.account.unwrap().spendable, CREDIT - PRICE - 10_000);
}

#[test]
fn a_dearer_plan_that_cannot_be_paid_is_not_ordered_and_the_one_in_force_is_kept() {
    let mut world = wanting("l", PRICE + 10_000).worth(9_999);
    let (available, needed) = ("9.999 OMR".to_owned(), "10.000 OMR".to_owned());
    let (plan, current) = ("l".to_owned(), "m".to_owned());
    assert_eq!(world.waits(), Reason::UpgradeShort { available, needed, plan, current });
    let mut damaged = world.damaged();
    assert_eq!(names(&damaged.turn().0), ["Apply"]);
    assert_eq!(damaged.waits().name(), "UpgradeShort");
    assert!(damaged.seen.facts.order.is_none());
}

#[test]
fn a_code_that_may_pay_for_a_dearer_plan_is_redeemed_for_it() {
    let mut world = wanting("l", PRICE + 10_000).worth(0);
    world.code().redeemed_at = None;
    assert_eq!(names(&world.turn().0), ["Order"]);
    assert_eq!(names(&world.turn().0), ["RedeemAndHold"]);
    assert_eq!(world.visit(), Verdict::Ready);
}

#[test]
fn a_dearer_plan_that_is_not_paid_tells_what_stands_and_what_it_takes() {
    let status = status(&wanting("l", PRICE + 10_000).worth(0));
    assert_eq!(is(&status, "Ready"), pair("False", "UpgradeShort"));
    assert_eq!(is(&status, "Stalled"), pair("True", "UpgradeShort"));
    assert_eq!(is(&status, "Entitled"), pair("True", "Paid"));
    for kind in ["SovereignReady", "NamespacesReady", "PoliciesReady", "Synced"] {
        assert_eq!(is(&status, kind).0, "True", "{kind}");
    }
    assert_eq!((status.phase, status.plan.as_deref()), (Some(TenantPhase::Degraded), Some("m")));
}

#[test]
fn a_plan_that_is_not_sold_changes_nothing_of_what_is_paid() {
    let mut world = world().paid();
    "xl".clone_into(&mut world.wanted.plan);
    world.seen.facts.offer = None;
    assert_eq!(world.waits().name(), "PlanNotFound");
    assert_eq!(names(&world.clone().damaged().turn().0), ["Apply"]);
    let status = status(&world);
    assert_eq!(is(&status, "Entitled"), pair("True", "Paid"));
    assert_eq!(is(&status, "NamespacesReady").0, "True");
}

#[test]
fn a_price_of_the_rest_that_stands_no_more_is_asked_for_again() {
    let mut world = wanting("l", PRICE + 10_000);
    world.turn();
    world.seen.facts.order.as_mut().unwrap().stands = false;
    assert_eq!(world.turn(), (vec![Step::Order], Verdict::Again));
}

#[test]
fn whoever_goes_back_to_the_plan_in_force_gets_back_what_was_ordered_or_held() {
    for turns in [1, 2] {
        let mut world = wanting("l", PRICE + 10_000);
        for _ in 0..turns {
            world.turn();
        }
        world.want("m", PRICE);
        assert_eq!(world.turn(), (vec![Step::Release(1)], Verdict::Again));
        assert_eq!(world.turn(), (vec![], Verdict::Ready));
        let account = world.seen.facts.account.unwrap();
        assert_eq!((account.spendable, account.held), (CREDIT - PRICE, 0));
    }
}

#[test]
fn a_dearer_plan_that_is_held_when_the_period_ends_is_given_back_and_the_period_renewed() {
    let mut world = wanting("l", PRICE + 10_000);
    world.turn();
    world.turn();
    let mut world = world.ended(Entitlement::Due);
    assert_eq!(world.turn(), (vec![Step::Release(1), Step::Order], Verdict::Again));
    assert_eq!(world.seen.facts.order.as_ref().unwrap().step, 0);
    assert_eq!(names(&world.turn().0), ["RedeemAndHold"]);
    assert_eq!(names(&world.turn().0), ["Capture"]);
}

#[test]
fn a_cheaper_plan_costs_nothing_now_and_is_announced() {
    let world = wanting("s", PRICE - 1);
    assert_eq!(world.clone().decide(), (vec![], Verdict::Ready));
    let status = status(&world);
    assert_eq!(status.plan.as_deref(), Some("m"));
    let entitled = told(&status, "Entitled").unwrap().2;
    assert_eq!(entitled, "plan m is paid until 2026-10-01T00:00:00Z, when plan s begins");
}

#[test]
fn a_period_that_ended_is_renewed_while_everything_stands() {
    let mut world = world().paid().ended(Entitlement::Due);
    let entitled = told(&status_now(&mut world.clone()), "Entitled").unwrap();
    assert_eq!((entitled.0.as_str(), entitled.1.as_str()), ("True", "Due"));
    for step in ["Order", "RedeemAndHold", "Capture"] {
        assert_eq!(names(&world.turn().0), [step]);
    }
}

/// The status before any step is taken.
fn status_now(world: &mut World) -> TenantStatus {
    let (_, verdict) = world.decide();
    let World { wanted, seen, .. } = world.clone();
    let visit = Visit { wanted, seen, verdict };
    report::status(&object(), &Ok(visit), NOW.parse().unwrap())
}

#[test]
fn within_grace_a_tenant_without_credit_is_kept_whole_and_told_so() {
    let world = world().paid().worth(1).ended(Entitlement::Grace).told(|facts| {
        facts.renewal.as_mut().unwrap().available = 1;
    });
    let mut damaged = world.clone();
    assert_eq!(names(&damaged.turn().0), ["Order"], "it waits for credit");
    assert_eq!(damaged.turn(), (vec![], Verdict::Ready));
    assert_eq!(names(&damaged.damaged().turn().0), ["Apply"]);

    let status = status(&world);
    assert_eq!(is(&status, "Ready"), pair("True", "Ready"));
    let (state, reason, message) = told(&status, "Entitled").unwrap();
    assert_eq!((state.as_str(), reason.as_str()), ("True", "Grace"));
    for part in ["until 2026-10-01", "25.000 OMR", "0.001 OMR", "goes on until 2026-10-08"] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert_eq!(is(&status, "CreditLow"), pair("True", "RenewalShort"));
    assert_eq!(status.paid_until.as_deref(), Some("2026-10-01T00:00:00Z"));
}

#[test]
fn the_next_visit_after_a_period_comes_when_grace_is_over() {
    let mut world = world().paid().ended(Entitlement::Grace);
    world.look();
    let (now, until) = (LATER_STILL.parse().unwrap(), UNTIL.parse().unwrap());
    assert_eq!(world.seen.next_change(), Some((now, until)));
}

#[test]
fn after_grace_nothing_is_entitled_and_nothing_is_deleted() {
    let mut world = world().paid().worth(1).ended(Entitlement::Exhausted);
    world.turn();
    let (available, needed) = ("0.001 OMR".to_owned(), "25.000 OMR".to_owned());
    let (plan, since) = ("m".to_owned(), "2026-10-01T00:00:00Z".to_owned());
    assert_eq!(world.waits(), Reason::CreditExhausted { available, needed, plan, since });
    assert!(!world.seen.live.is_empty());
    let status = status(&world);
    assert_eq!(is(&status, "Entitled"), pair("False", "CreditExhausted"));
    assert_eq!(is(&status, "Stalled"), pair("True", "CreditExhausted"));
    assert_eq!((status.phase, status.plan), (Some(TenantPhase::Failed), None));
}

#[test]
fn after_grace_a_code_that_may_still_come_is_named() {
    let mut world = world().paid().worth(1).ended(Entitlement::Exhausted);
    world.seen.facts.by_code = vec![None];
    world.turn();
    let awaited = world.waits();
    assert!(matches!(&awaited, Reason::CreditAwaited { voucher, .. } if voucher.contains(CODE)));
    assert_eq!(is(&status(&world), "Entitled"), pair("False", "CreditAwaited"));
}

#[test]
fn after_grace_a_topup_buys_a_period_again() {
    let mut world = world().paid().worth(PRICE).ended(Entitlement::Exhausted);
    for step in ["Order", "RedeemAndHold", "Capture"] {
        assert_eq!(names(&world.turn().0), [step]);
    }
}

#[test]
fn a_suspended_account_keeps_what_is_paid_and_pays_no_more() {
    let suspend = |facts: &mut TenantFacts| facts.account.as_mut().unwrap().suspended = true;
    let mut running = world().paid().told(suspend);
    assert_eq!(running.waits().name(), "AccountSuspended");
    assert_eq!(names(&running.damaged().turn().0), ["Apply"]);
    let mut ended = world().paid().ended(Entitlement::Due).told(suspend);
    assert_eq!(ended.waits().name(), "AccountSuspended");
    let status = status(&ended);
    assert_eq!(is(&status, "Ready"), pair("False", "AccountSuspended"));
}

#[test]
fn credit_that_will_not_do_is_told_before_the_end() {
    let low = world().paid().told(|facts| {
        facts.entitlement = Entitlement::Low;
        let renewal = facts.renewal.as_mut().unwrap();
        (renewal.available, renewal.percent) = (5_000, Some(50));
    });
    let report = status(&low);
    assert_eq!(is(&report, "Ready"), pair("True", "Ready"));
    assert_eq!(is(&report, "Entitled"), pair("True", "Paid"));
    let message = told(&report, "CreditLow").unwrap().2;
    for part in ["2026-10-01T00:00:00Z", "25.000 OMR", "5.000 OMR", "add a voucher"] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert_eq!(told(&report, "CreditLow").unwrap().1, "RenewalShort");
    assert_eq!(told(&status(&world().paid()), "CreditLow"), None);
}

#[test]
fn a_warning_while_the_credit_suffices_says_what_it_is_measured_by() {
    let tight = world().paid().told(|facts| {
        facts.entitlement = Entitlement::Low;
        let renewal = facts.renewal.as_mut().unwrap();
        (renewal.available, renewal.percent) = (PRICE, Some(200));
    });
    let (_, reason, message) = told(&status(&tight), "CreditLow").unwrap();
    assert_eq!(reason, "RenewalTight");
    assert!(message.contains("will be 25.000 OMR, less than 200% of that: add"), "{message}");
}

#[test]
fn a_price_that_changes_is_told_until_it_is_paid() {
    let world = wanting("m", PRICE + 1);
    assert_eq!(world.clone().decide(), (vec![], Verdict::Ready));
    let (_, reason, message) = told(&status(&world), "PriceChanges").unwrap();
    assert_eq!(reason, "NextPeriod");
    let expected = "from 2026-10-01T00:00:00Z plan m costs 25.001 OMR instead of 25.000 OMR";
    assert_eq!(message, expected);
    assert_eq!(told(&status(&wanting("m", PRICE)), "PriceChanges"), None);
}
