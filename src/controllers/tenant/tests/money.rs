//! What a Tenant does about plans, credit and codes, and every reason to wait for money.

use super::*;

#[test]
fn without_the_franchise_label_nothing_is_paid_or_made() {
    let mut world = world().held();
    world.seen.franchise = None;
    assert_eq!(world.waits(), Reason::NotAFranchise { namespace: "omantel".to_owned() });
}

#[test]
fn a_sovereign_that_is_not_accepted_is_waited_for() {
    let mut world = world().told(|facts| facts.sovereign = None);
    let sovereign = "catalyst-zero".to_owned();
    assert_eq!(world.waits(), Reason::SovereignNotFound { sovereign });
}

#[test]
fn an_organization_of_another_tenant_is_left_to_it() {
    let by = "batelco/kestrel".to_owned();
    let mut world = world().told(|facts| facts.taken_by = Some(by.clone()));
    assert_eq!(world.waits(), Reason::OrganizationTaken { organization: "kestrel".to_owned(), by });
    let mut world = world.told(|facts| facts.taken_by = None);
    assert_eq!(names(&world.decide().0), ["Hold", "Claim"]);
}

#[test]
fn a_claim_that_stands_is_not_lost_to_a_latecomer() {
    let mut world = world().paid().told(|facts| facts.taken_by = Some("x/y".to_owned()));
    assert_eq!(world.decide(), (vec![], Verdict::Ready));
}

#[test]
fn a_plan_that_is_not_sold_is_named_with_those_that_are() {
    let mut world = world().claimed().told(|facts| facts.offer = None);
    let (plan, sovereign) = ("m".to_owned(), "catalyst-zero".to_owned());
    let offers = "m, s".to_owned();
    assert_eq!(world.waits(), Reason::PlanNotFound { plan, sovereign, offers });
}

#[test]
fn credit_that_is_short_says_how_much_there_is_and_how_much_is_needed() {
    let mut world = world().with_credit(24_999).ordered();
    let (available, needed) = ("24.999 OMR".to_owned(), "25.000 OMR".to_owned());
    assert_eq!(world.waits(), Reason::CreditShort { available, needed, plan: "m".to_owned() });
    world.seen.facts.account.as_mut().unwrap().spendable = PRICE;
    assert_eq!(names(&world.decide().0), ["RedeemAndHold"]);
}

#[test]
fn a_code_that_does_not_suffice_is_redeemed_all_the_same() {
    let mut world =
        world().claimed().told(|facts| facts.offer.as_mut().unwrap().amount = CREDIT + 1);
    assert_eq!(names(&world.turn().0), ["Order"]);
    assert_eq!(names(&world.turn().0), ["RedeemAndHold"]);
    let short = world.waits();
    assert!(matches!(short, Reason::CreditShort { .. }), "{short:?}");
    assert_eq!(world.seen.facts.account.unwrap().spendable, CREDIT);
}

#[test]
fn a_price_that_changed_before_the_hold_is_ordered_anew() {
    let mut world = world()
        .with_credit(CREDIT)
        .ordered()
        .told(|facts| facts.offer.as_mut().unwrap().revision = 2);
    assert_eq!(world.turn(), (vec![Step::Order], Verdict::Again));
    assert_eq!(names(&world.turn().0), ["RedeemAndHold"]);
}

#[test]
fn a_price_that_changed_while_held_gives_the_hold_back_first() {
    let mut world = world().held().told(|facts| facts.offer.as_mut().unwrap().revision = 2);
    assert_eq!(world.turn(), (vec![Step::Release(1), Step::Order], Verdict::Again));
    assert_eq!(world.visit(), Verdict::Ready);
    let account = world.seen.facts.account.unwrap();
    assert_eq!(
        account,
        Account { spendable: CREDIT - PRICE, held: 0, suspended: false, expires_at: None }
    );
}

#[test]
fn another_plan_while_held_gives_the_hold_back_first() {
    let mut world = world().held();
    world.wanted.plan = "s".to_owned();
    world.seen.facts.offer.as_mut().unwrap().plan = "s".to_owned();
    assert_eq!(world.turn(), (vec![Step::Release(1), Step::Order], Verdict::Again));
}

#[test]
fn a_price_that_changed_in_a_paid_period_waits_for_the_renewal() {
    let mut world = world().paid().told(|facts| facts.offer.as_mut().unwrap().revision = 2);
    assert_eq!(world.decide(), (vec![], Verdict::Ready));
}

#[test]
fn a_plan_that_is_gone_stays_in_force_for_whoever_holds_or_paid_it() {
    let mut held = world().held().told(|facts| facts.offer = None);
    assert_eq!(names(&held.turn().0), ["Apply"]);
    assert_eq!(held.visit(), Verdict::Ready);
    let mut paid = world().paid().told(|facts| facts.offer = None);
    assert_eq!(paid.decide(), (vec![], Verdict::Ready));
}

#[test]
fn a_plan_that_is_gone_before_the_hold_cannot_be_bought() {
    let mut world = world().with_credit(CREDIT).ordered().told(|facts| facts.offer = None);
    assert!(matches!(world.waits(), Reason::PlanNotFound { .. }));
}

#[test]
fn a_refused_code_is_no_obstacle_where_the_credit_suffices() {
    let mut world = world().with_credit(CREDIT).ordered();
    world.code().redeemed_at = None;
    world.code().used = 50;
    assert_eq!(world.visit(), Verdict::Ready);
}

#[test]
fn a_code_that_was_redeemed_stays_so_whatever_became_of_it() {
    use crate::domain::voucher::State;
    for state in [State::Paused, State::Revoked, State::Retired] {
        let mut world = world().paid();
        world.code().terms.state = state;
        world.code().terms.expires_at = Some(NOW.parse().unwrap());
        assert_eq!(world.decide(), (vec![], Verdict::Ready), "{state:?}");
    }
}

#[test]
fn a_code_added_in_a_paid_period_is_redeemed_at_once() {
    let mut world = world().paid();
    world.code().redeemed_at = None;
    let digest = Code::parse(CODE).unwrap().digest();
    assert_eq!(world.turn(), (vec![Step::Redeem(digest)], Verdict::Again));
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

#[test]
fn a_code_added_while_held_is_redeemed_before_anything_else() {
    let mut world = world().standing();
    world.code().redeemed_at = None;
    assert_eq!(names(&world.turn().0), ["Redeem"]);
    assert_eq!(names(&world.turn().0), ["Capture"]);
}

#[test]
fn a_frozen_franchise_takes_no_step_whether_it_comes_or_goes() {
    type Case = (&'static str, fn(&mut TenantFacts));
    let cases: [Case; 3] = [
        ("LedgerFrozen", |facts| {
            facts.standing.franchise.as_mut().unwrap().frozen = Some("balance".to_owned());
        }),
        ("FranchiseIdentityChanged", |facts| {
            facts.standing.franchise.as_mut().unwrap().uid = "uid-of-another".to_owned();
        }),
        ("SchemaUnsupported", |facts| facts.standing.least_program = 2),
    ];
    for (name, trouble) in cases {
        for start in [world(), world().held(), world().standing(), world().paid()] {
            assert_eq!(start.clone().told(trouble).waits().name(), name);
            assert_eq!(start.leaving().told(trouble).waits().name(), name);
        }
    }
}

#[test]
fn taking_the_label_off_a_frozen_franchise_tears_nothing_down() {
    for trouble in [
        (|facts: &mut TenantFacts| facts.standing.least_program = 2) as fn(&mut TenantFacts),
        |facts| {
            facts.standing.franchise.as_mut().unwrap().frozen = Some("balance".to_owned());
        },
    ] {
        let mut world = world().paid().leaving().told(trouble);
        world.seen.franchise = None;
        let reason = world.waits().name();
        assert!(["LedgerFrozen", "SchemaUnsupported"].contains(&reason), "{reason}");
    }
}

#[test]
fn the_next_visit_comes_when_a_code_starts_or_the_period_ends() {
    let mut world = world().paid();
    let (now, ends) = (NOW.parse().unwrap(), LATER.parse().unwrap());
    assert_eq!(world.seen.next_change(), Some((now, ends)));
    let starts = "2026-09-02T00:00:00Z".parse().unwrap();
    world.code().terms.valid_from = Some(starts);
    assert_eq!(world.seen.next_change(), Some((now, starts)));
}

#[test]
fn credit_that_a_named_code_may_still_bring_is_awaited() {
    let mut world = world().claimed().ordered().told(|facts| facts.by_code = vec![None]);
    let (available, needed) = ("0.000 OMR".to_owned(), "25.000 OMR".to_owned());
    let (plan, voucher) = ("m".to_owned(), "code OMANTEL-LAUNCH-100".to_owned());
    assert_eq!(world.waits(), Reason::CreditAwaited { available, needed, plan, voucher });
}

#[test]
fn an_order_of_another_sovereign_is_not_taken_for_this_one() {
    let mut world = world().held();
    world.seen.facts.order.as_mut().unwrap().sovereign = "another".to_owned();
    assert_eq!(world.decide(), (vec![Step::Release(1), Step::Order], Verdict::Again));
}

#[test]
fn a_period_that_was_paid_on_another_sovereign_does_not_move() {
    let mut world = world().standing();
    world.visit();
    world.seen.facts.period.as_mut().unwrap().sovereign = "another".to_owned();
    let (sovereign, until) = ("another".to_owned(), "2026-10-01T00:00:00Z".to_owned());
    assert_eq!(world.waits(), Reason::PaidElsewhere { sovereign, until });
}

#[test]
fn a_suspended_account_neither_redeems_nor_pays() {
    let mut world = world().with_credit(CREDIT).ordered();
    world.seen.facts.account.as_mut().unwrap().suspended = true;
    let organization = "kestrel".to_owned();
    assert_eq!(world.waits(), Reason::AccountSuspended { organization });
}

#[test]
fn a_tenant_waits_where_its_namespace_may_not_use_the_hub_and_nothing_stands_yet() {
    let mut world = world().held();
    world.seen.franchise.as_mut().unwrap().in_cluster = false;
    let namespace = "omantel".to_owned();
    assert_eq!(world.waits(), Reason::InClusterNotAllowed { namespace });
}
