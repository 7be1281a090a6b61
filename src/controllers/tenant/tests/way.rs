//! The whole way of a Tenant, turn by turn.

use super::*;

#[test]
fn a_tenant_is_paid_before_it_is_made_and_captured_when_it_stands() {
    let mut world = world();
    world.is_prompt = false;
    let expect = |(steps, verdict): (Vec<Step>, Verdict), wanted: &[&str]| {
        assert_eq!(
            (names(&steps), verdict),
            (wanted.iter().map(ToString::to_string).collect(), Verdict::Again)
        );
    };
    expect(world.turn(), &["Hold", "Claim"]);
    expect(world.turn(), &["Order"]);
    expect(world.turn(), &["RedeemAndHold"]);
    expect(world.turn(), &["Apply"]);

    let counting = "the quota of namespace tenant-kestrel to count".to_owned();
    assert_eq!(world.waits(), Reason::Provisioning { what: counting });
    assert!(world.seen.facts.period.is_none(), "nothing is spent before everything stands");

    world.is_prompt = true;
    let quota = world.look().into_iter().find(|one| one.identity.kind == Kind::ResourceQuota);
    world.make(&quota.unwrap());
    expect(world.turn(), &["Capture"]);
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
    let account = world.seen.facts.account.clone().unwrap();
    assert_eq!(
        account,
        Account { spendable: CREDIT - PRICE, held: 0, suspended: false, expires_at: None }
    );
}

#[test]
fn one_hold_names_the_order_the_attempt_and_every_code_that_is_missing() {
    let mut world = world().claimed().ordered();
    let digest = Code::parse(CODE).unwrap().digest();
    let step = Step::RedeemAndHold { order: 1, attempt: 1, codes: vec![digest] };
    assert_eq!(world.decide(), (vec![step], Verdict::Again));
}

#[test]
fn a_hold_that_lapsed_is_tried_again_under_the_next_attempt() {
    let mut world = world().held().told(|facts| {
        facts.order.as_mut().unwrap().held = false;
        facts.account.as_mut().unwrap().spendable = CREDIT;
    });
    let step = Step::RedeemAndHold { order: 1, attempt: 2, codes: vec![] };
    assert_eq!(world.decide(), (vec![step], Verdict::Again));
}

#[test]
fn a_namespace_waits_until_it_is_active() {
    let mut world = world().standing();
    world.namespace().manifest["status"]["phase"] = json!("Terminating");
    let what = "namespace tenant-kestrel to be active".to_owned();
    assert_eq!(world.waits(), Reason::Provisioning { what });
}

#[test]
fn a_tenant_in_a_running_period_that_was_deleted_and_applied_again_pays_nothing() {
    let mut world = world().paid();
    let before = world.seen.facts.account.clone();
    world.state.is_leaving = true;
    assert_eq!(world.visit().clone(), waiting_for_namespace());
    assert_eq!(world.visit(), Verdict::Gone);
    world.state = ObjectState::default();
    assert_eq!(world.visit(), Verdict::Ready);
    assert_eq!(world.seen.facts.account, before);
    assert_eq!(world.seen.live.len(), 7);
}

#[test]
fn a_period_that_ended_is_ordered_again_from_credit() {
    let mut world = world().paid().told(|facts| facts.period = None);
    assert_eq!(names(&world.turn().0), ["Order"]);
    assert_eq!(names(&world.turn().0), ["RedeemAndHold"]);
    assert_eq!(names(&world.turn().0), ["Capture"]);
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

#[test]
fn a_free_plan_needs_no_credit_and_no_hold() {
    let mut world = world().claimed().told(|facts| {
        facts.offer.as_mut().unwrap().amount = 0;
        facts.by_code = vec![None];
    });
    assert_eq!(names(&world.turn().0), ["Order"]);
    assert_eq!(names(&world.turn().0), ["Apply"]);
    assert_eq!(names(&world.turn().0), ["Capture"]);
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

fn waiting_for_namespace() -> Verdict {
    Verdict::Waiting(Reason::TeardownPending { what: "namespace tenant-kestrel".to_owned() })
}
