//! What a Sovereign does from its beginning to its end, wherever it is.

use super::*;

#[test]
fn a_sovereign_is_accepted_under_its_finalizer_and_then_there_is_nothing_to_do() {
    assert_eq!(world().decide(), (vec![Step::Hold, accept()], Verdict::Again));
    assert_eq!(accepted().decide(), (vec![], Verdict::Ready));
}

#[test]
fn whatever_it_sells_differently_is_accepted_again() {
    let changes: [fn(&mut SovereignFacts); 5] = [
        |facts| facts.plans[0].amount = 24_000,
        |facts| facts.plans[0].name = "l".to_owned(),
        |facts| facts.plans.truncate(1),
        |facts| facts.plans[0].terms.quota.clear(),
        |facts| facts.sovereign.as_mut().unwrap().closed = true,
    ];
    for change in changes {
        assert_eq!(accepted().told(change).decide(), (vec![accept()], Verdict::Again));
    }
}

#[test]
fn only_a_labelled_namespace_may_found_a_franchise_on_the_hub() {
    let namespace = "omantel".to_owned();
    let mut world = world();
    world.seen.franchise.as_mut().unwrap().in_cluster = false;
    assert_eq!(world.waits(), Reason::InClusterNotAllowed { namespace: namespace.clone() });
    world.seen.franchise = None;
    assert_eq!(world.waits(), Reason::NotAFranchise { namespace });
}

#[test]
fn a_sovereign_on_another_cluster_waits_for_an_administrator() {
    let world = accepted().told(|facts| {
        facts.sovereign.as_mut().unwrap().cluster = "cluster-two".to_owned();
    });
    let (known, seen) = ("cluster-two".to_owned(), "cluster-one".to_owned());
    assert_eq!(world.waits(), Reason::ClusterIdentityChanged { known, seen });
}

#[test]
fn accounts_keep_their_currency() {
    let world = accepted().told(|facts| {
        facts.sovereign.as_mut().unwrap().currency = "BHD".to_owned();
    });
    let (wanted, known) = ("OMR".to_owned(), "BHD".to_owned());
    assert_eq!(world.waits(), Reason::CurrencyChanged { wanted, known });
}

#[test]
fn a_plan_in_another_currency_cannot_be_used() {
    let mut world = world();
    world.object.spec.plans[0].price.amount = "1.000 BHD".into();
    let refused = Sovereign::parse(&world.object).unwrap_err();
    assert_eq!(refused, Reason::InvalidSpec { why: "plan s is not priced in OMR".to_owned() });
}

#[test]
fn a_sovereign_goes_when_its_tenants_are_gone_and_closes_first() {
    let mut world = accepted().leaving();
    world.seen.facts.tenants = vec!["kestrel-rx".to_owned(), "oryx".to_owned()];
    let tenants = "kestrel-rx, oryx".to_owned();
    assert_eq!(world.waits(), Reason::TenantsRemain { tenants });
    world.seen.facts.tenants.clear();
    assert_eq!(world.decide(), (vec![Step::Close], Verdict::Again));
    world.seen.facts.sovereign.as_mut().unwrap().closed = true;
    assert_eq!(world.decide(), (vec![Step::Disconnect, Step::LetGo], Verdict::Gone));
    world.state.is_held = false;
    assert_eq!(world.decide(), (vec![Step::Disconnect], Verdict::Gone));
}

#[test]
fn a_sovereign_that_was_never_accepted_goes_at_once() {
    let mut world = world().leaving();
    world.state.is_held = true;
    world.seen.franchise = None;
    assert_eq!(world.decide(), (vec![Step::Disconnect, Step::LetGo], Verdict::Gone));
}

#[test]
fn a_frozen_franchise_takes_no_step_whether_it_comes_or_goes() {
    type Case = (&'static str, fn(&mut SovereignFacts));
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
        assert_eq!(accepted().told(trouble).waits().name(), name);
        assert_eq!(accepted().leaving().told(trouble).waits().name(), name);
    }
}
