//! A Sovereign's turns and what is reported of them, as sentences. Facts are built as the ledger
//! answers them (`migrations/0011_observe.sql`).

use serde_json::{Value, json};

use super::{
    Visit,
    decide::{Step, decide},
    observe::{Identified, Seen, Site},
    report,
};
use crate::{
    api::{self, SovereignPhase, SovereignStatus},
    cluster,
    controllers::{FranchiseNamespace, object::ObjectState},
    domain::{facts::SovereignFacts, reason::Reason, sovereign::Sovereign, verdict::Verdict},
};

const NOW: &str = "2026-09-01T00:00:00Z";

/// What one Sovereign sees, and what its spec says.
#[derive(Clone)]
struct World {
    object: api::Sovereign,
    state: ObjectState,
    seen: Seen,
}

/// A new Sovereign with two plans, not sorted, of which the ledger knows nothing.
fn world() -> World {
    let object = json!({
        "apiVersion": "catalyst.openova.io/v1alpha1", "kind": "Sovereign",
        "metadata": {"namespace": "omantel", "name": "catalyst-zero", "generation": 1,
            "uid": "uid-zero", "creationTimestamp": NOW},
        "spec": {"domain": "cloud.omantel.om", "currency": "OMR",
            "connection": {"mode": "InCluster"},
            "plans": [
                {"name": "s", "price": {"amount": "0.000 OMR"}},
                {"name": "m", "price": {"amount": "25.000 OMR"}, "quota": {"pods": 20}},
            ]},
    });
    let facts = json!({
        "now": NOW, "least_program": 1, "schema_version": 1, "franchise": null,
        "sovereign": null, "plans": [], "tenants": [],
    });
    World {
        object: serde_json::from_value(object).unwrap(),
        state: ObjectState { is_leaving: false, is_held: false },
        seen: Seen {
            franchise: Some(FranchiseNamespace {
                uid: "uid-omantel".to_owned(),
                in_cluster: true,
                is_accepted: false,
            }),
            facts: serde_json::from_value(facts).expect("the ledger answers like this"),
            site: Site::Hub(Identified {
                uid: "cluster-one".to_owned(),
                version: "v1.36.3".to_owned(),
            }),
            remains: [].into(),
            at: NOW.parse().unwrap(),
        },
    }
}

/// `observe_sovereign_v1` after it was accepted as it is written.
fn answer() -> Value {
    json!({
        "now": NOW, "least_program": 1, "schema_version": 1,
        "franchise": {"uid": "uid-omantel", "frozen": null},
        "sovereign": {"currency": "OMR", "cluster": "cluster-one", "closed": false},
        "plans": [
            {"name": "m", "amount": 25_000, "terms": {"quota": {"pods": "20"}, "limits": []}},
            {"name": "s", "amount": 0, "terms": {"quota": {}, "limits": []}},
        ],
        "tenants": [],
    })
}

fn accept() -> Step {
    Step::Accept("cluster-one".to_owned())
}

fn accepted() -> World {
    let mut world = world();
    world.state.is_held = true;
    world.seen.facts = serde_json::from_value(answer()).expect("the ledger answers like this");
    world
}

impl World {
    fn decide(&self) -> (Vec<Step>, Verdict) {
        decide(&Sovereign::parse(&self.object).unwrap(), self.state, &self.seen)
    }

    /// Why it waits; it takes no step meanwhile.
    fn waits(&self) -> Reason {
        match self.decide() {
            (steps, Verdict::Waiting(reason)) if steps.is_empty() => reason,
            other => panic!("it does not wait: {other:?}"),
        }
    }

    fn told(mut self, change: impl FnOnce(&mut SovereignFacts)) -> Self {
        change(&mut self.seen.facts);
        self
    }

    fn leaving(mut self) -> Self {
        self.state.is_leaving = true;
        self
    }

    fn report(&self) -> SovereignStatus {
        let visit = Visit { seen: self.seen.clone(), verdict: self.decide().1 };
        report::status(&self.object, &Ok(visit), NOW.parse().unwrap())
    }
}

fn is(status: &SovereignStatus, kind: &str) -> (String, String) {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind);
    let found = found.unwrap_or_else(|| panic!("no condition {kind}"));
    (found.status.clone(), found.reason.clone())
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

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

#[test]
fn a_sovereign_shows_its_cluster_and_its_tenants() {
    let world = accepted().told(|facts| facts.tenants = vec!["kestrel-rx".to_owned()]);
    let status = world.report();
    assert_eq!((status.version.as_deref(), status.tenants), (Some("v1.36.3"), Some(1)));
    assert_eq!(status.phase, Some(SovereignPhase::Ready));
    assert_eq!(is(&status, "Ready"), pair("True", "Accepted"));
    assert_eq!(is(&status, "Connected"), pair("True", "Connected"));
    let going = world.leaving().report();
    assert_eq!(is(&going, "Ready"), pair("False", "TenantsRemain"));
    assert_eq!(is(&going, "Reconciling"), pair("True", "TenantsRemain"));
}

#[test]
fn a_phase_says_who_must_act() {
    let mut refused = world();
    refused.seen.franchise = None;
    assert_eq!(refused.report().phase, Some(SovereignPhase::Failed));
    assert_eq!(world().report().phase, Some(SovereignPhase::Pending));
    let frozen = accepted().told(|facts| facts.standing.least_program = 2);
    assert_eq!(frozen.report().phase, Some(SovereignPhase::Degraded));
}

#[test]
fn a_cluster_that_is_silent_is_not_known_to_be_connected_and_the_rest_stays() {
    let mut world = accepted();
    let known = world.report();
    world.object.status = Some(known.clone());
    assert_eq!(world.report(), known, "nothing is written");
    let silent = cluster::Error::Silent { doing: "get", object: "Namespace x".to_owned() };
    let status = report::status(&world.object, &Err(silent.into()), NOW.parse().unwrap());
    assert_eq!(is(&status, "Connected"), pair("Unknown", "ClusterUnavailable"));
    assert_eq!(is(&status, "Ready"), pair("Unknown", "ClusterUnavailable"));
    assert_eq!((status.version, status.tenants), (known.version, known.tenants));
}
