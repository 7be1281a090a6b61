//! A Sovereign's turns and what is reported of them, as sentences. Facts are built as the ledger
//! answers them (`migrations/0011_observe.sql`).

mod abroad;
mod abroad_reports;
mod exhaustive;
mod leaving;
mod reports;
mod way;

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
#[derive(Clone, Debug)]
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
        state: ObjectState::default(),
        seen: Seen {
            franchise: Some(FranchiseNamespace {
                uid: "uid-omantel".to_owned(),
                in_cluster: true,
                is_accepted: false,
                is_leaving: false,
            }),
            facts: serde_json::from_value(facts).expect("the ledger answers like this"),
            site: Site::Hub(Identified {
                uid: "cluster-one".to_owned(),
                version: "v1.36.3".to_owned(),
            }),
            remains: [].into(),
            applied: vec![],
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
