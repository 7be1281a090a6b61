//! A Voucher's turns and what is reported of them, as sentences. Facts are built as the ledger
//! answers them (`migrations/0011_observe.sql`).

mod kept;
mod reports;

use serde_json::{Value, json};

use super::{
    Visit,
    decide::{Step, decide},
    observe::Seen,
};
use crate::{
    api,
    controllers::{FranchiseNamespace, object::ObjectState},
    domain::{
        brake::Ruling,
        code::Code,
        facts::VoucherFacts,
        reason::Reason,
        verdict::Verdict,
        voucher::{Lineage, State, Voucher},
    },
};

const NOW: &str = "2026-09-01T00:00:00Z";
const CODE: &str = "OMANTEL-LAUNCH-100";

/// What one Voucher sees, and what its spec says.
#[derive(Clone)]
struct World {
    object: api::Voucher,
    state: ObjectState,
    seen: Seen,
}

/// A new Voucher of 100 OMR for 50 organizations, of which the ledger knows nothing.
fn world() -> World {
    let object = json!({
        "apiVersion": "catalyst.openova.io/v1alpha1", "kind": "Voucher",
        "metadata": {"namespace": "omantel", "name": "launch", "generation": 2,
            "uid": "uid-launch", "creationTimestamp": NOW},
        "spec": {"sovereignRef": {"name": "catalyst-zero"}, "code": CODE,
            "credit": "100.000 OMR", "maxRedemptions": 50},
    });
    let facts = json!({
        "now": NOW, "least_program": 1, "schema_version": 1,
        "franchise": {"uid": "uid-omantel", "frozen": null},
        "currency": "OMR", "lineage": null, "holds": null,
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
        },
    }
}

/// The lineage as `lineage` shows it after these terms were accepted.
fn lineage() -> Value {
    json!({
        "digest": Code::parse(CODE).unwrap().digest().to_string(), "hint": CODE,
        "holder": "launch", "sovereign": "catalyst-zero", "currency": "OMR", "amount": 100_000,
        "state": "Active", "cap": 50, "used": 12, "budget": null,
        "spent": 1_200_000, "credit_expires_after": null, "plans": null,
        "new_accounts_only": false, "valid_from": null, "expires_at": null,
        "generation": 2, "uid": "uid-launch",
    })
}

/// A Voucher that is accepted as it is written.
fn accepted() -> World {
    let mut world = world();
    world.state.is_held = true;
    world.seen.facts.lineage = serde_json::from_value(lineage()).unwrap();
    world.seen.facts.holds = world.seen.facts.lineage.clone();
    world
}

impl World {
    fn decide(&self) -> (Vec<Step>, Verdict) {
        decide(&Voucher::parse(&self.object).unwrap(), self.state, &self.seen)
    }

    /// Why it waits; it takes no step meanwhile.
    fn waits(&self) -> Reason {
        match self.decide() {
            (steps, Verdict::Waiting(reason)) if steps.is_empty() => reason,
            other => panic!("it does not wait: {other:?}"),
        }
    }

    /// Changes what the ledger says of the code.
    fn known(mut self, change: impl FnOnce(&mut Lineage)) -> Self {
        change(self.seen.facts.lineage.as_mut().expect("it is accepted"));
        self
    }

    /// Changes what is written.
    fn written(mut self, change: impl FnOnce(&mut api::VoucherSpec)) -> Self {
        change(&mut self.object.spec);
        self
    }

    fn leaving(mut self) -> Self {
        self.state.is_leaving = true;
        self
    }
}

#[test]
fn terms_are_accepted_under_the_finalizer_and_then_there_is_nothing_to_do() {
    assert_eq!(world().decide(), (vec![Step::Hold, Step::Accept], Verdict::Again));
    assert_eq!(accepted().decide(), (vec![], Verdict::Ready));
}

#[test]
fn an_edit_is_accepted_and_settles() {
    for (change, accepted_as) in [
        (
            (|spec| spec.state = api::VoucherState::Paused) as fn(&mut api::VoucherSpec),
            (|known| known.terms.state = State::Paused) as fn(&mut Lineage),
        ),
        (|spec| spec.max_redemptions = Some(60), |known| known.terms.cap = Some(60)),
        (
            |spec| spec.expires_at = Some("2027-01-01T00:00:00+04:00".into()),
            |known| known.terms.expires_at = Some("2026-12-31T20:00:00Z".parse().unwrap()),
        ),
        (
            |spec| spec.valid_from = Some("2026-01-01T00:00:00.1234567Z".into()),
            // The ledger keeps microseconds.
            |known| known.terms.valid_from = Some("2026-01-01T00:00:00.123456Z".parse().unwrap()),
        ),
    ] {
        let edited = accepted().written(change);
        assert_eq!(edited.decide(), (vec![Step::Accept], Verdict::Again));
        assert_eq!(edited.known(accepted_as).decide(), (vec![], Verdict::Ready));
    }
}

#[test]
fn the_same_code_under_a_new_object_is_accepted_again() {
    let world = accepted().known(|known| {
        known.uid = "uid-before".to_owned();
        known.holder = None;
        known.terms.state = State::Retired;
    });
    assert_eq!(world.decide(), (vec![Step::Accept], Verdict::Again));
}

#[test]
fn a_cap_below_what_is_redeemed_becomes_what_is_redeemed_and_the_rest_takes_effect() {
    let world = accepted().written(|spec| {
        spec.max_redemptions = Some(5);
        spec.state = api::VoucherState::Paused;
    });
    assert_eq!(world.decide(), (vec![Step::Accept], Verdict::Again));
    let wanted = "5".to_owned();
    let world = world.known(|known| {
        (known.terms.state, known.terms.cap) = (State::Paused, Some(12));
    });
    assert_eq!(world.waits(), Reason::CapBelowRedeemed { wanted, used: 12, cap: 12 });
}

#[test]
fn a_cap_that_vanished_with_the_object_stays() {
    let world = accepted().written(|spec| spec.max_redemptions = None);
    let wanted = "unlimited".to_owned();
    assert_eq!(world.waits(), Reason::CapBelowRedeemed { wanted, used: 12, cap: 50 });
}

#[test]
fn a_revoked_code_stays_revoked_for_ever() {
    let world = accepted().known(|known| known.terms.state = State::Revoked);
    assert_eq!(world.waits(), Reason::CodeRevoked {});
    let revoked = world.written(|spec| spec.state = api::VoucherState::Revoked);
    assert_eq!(revoked.decide(), (vec![], Verdict::Ready));
}

#[test]
fn the_first_holder_of_a_code_keeps_it() {
    let world = accepted().known(|known| known.holder = Some("autumn".to_owned()));
    assert_eq!(world.waits(), Reason::CodeTaken { holder: "autumn".to_owned() });
}

#[test]
fn a_code_never_comes_back_with_another_value() {
    let was = "90.000 OMR on Sovereign catalyst-zero".to_owned();
    let world = accepted().known(|known| (known.amount, known.holder) = (90_000, None));
    assert_eq!(world.waits(), Reason::CodeRetired { was });
    let was = "100.000 OMR on Sovereign nizwa".to_owned();
    let world = accepted().known(|known| known.sovereign = "nizwa".to_owned());
    assert_eq!(world.waits(), Reason::CodeRetired { was });
}

#[test]
fn an_older_copy_of_the_object_is_not_accepted() {
    let older = accepted()
        .known(|known| known.generation = 7)
        .written(|spec| spec.state = api::VoucherState::Paused);
    assert_eq!(older.waits(), Reason::StaleSpec { accepted: 7, seen: 2 });
    let same_terms = accepted().known(|known| known.generation = 7);
    assert_eq!(same_terms.decide(), (vec![], Verdict::Ready));
    let new_object = older.known(|known| known.uid = "uid-before".to_owned());
    assert_eq!(new_object.decide(), (vec![Step::Accept], Verdict::Again));
}

#[test]
fn credit_is_in_the_currency_of_an_accepted_sovereign() {
    let mut world = world();
    world.seen.facts.currency = Some("BHD".to_owned());
    let (credit, sovereign) = ("100.000 OMR".to_owned(), "catalyst-zero".to_owned());
    let reason = Reason::CurrencyMismatch {
        credit,
        sovereign: sovereign.clone(),
        currency: "BHD".to_owned(),
    };
    assert_eq!(world.waits(), reason);
    world.seen.facts.currency = None;
    assert_eq!(world.waits(), Reason::SovereignNotFound { sovereign });
}

#[test]
fn without_the_franchise_label_nothing_is_accepted() {
    let mut world = accepted().written(|spec| spec.state = api::VoucherState::Paused);
    world.seen.franchise = None;
    assert_eq!(world.waits(), Reason::NotAFranchise { namespace: "omantel".to_owned() });
}

#[test]
fn a_deletion_retires_the_code_before_the_object_goes() {
    let mut world = accepted().leaving();
    assert_eq!(world.decide(), (vec![Step::Retire], Verdict::Again));
    world.seen.facts.holds = None;
    assert_eq!(world.decide(), (vec![Step::LetGo], Verdict::Gone));
    world.state.is_held = false;
    assert_eq!(world.decide(), (vec![], Verdict::Gone));
    let mut unlabelled = accepted().leaving();
    unlabelled.seen.franchise = None;
    assert_eq!(unlabelled.decide(), (vec![Step::Retire], Verdict::Again));
}

#[test]
fn a_frozen_franchise_takes_no_step_whether_it_comes_or_goes() {
    type Case = (&'static str, fn(&mut VoucherFacts));
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
        for mut world in [world(), accepted(), world().leaving(), accepted().leaving()] {
            trouble(&mut world.seen.facts);
            assert_eq!(world.waits().name(), name);
        }
    }
}

#[test]
fn the_next_visit_comes_when_the_code_starts_or_ends() {
    let instant = |text: &str| text.parse().unwrap();
    let (starts, ends) = (instant("2026-09-02T00:00:00Z"), instant("2026-09-03T00:00:00Z"));
    let world = accepted()
        .known(|known| (known.terms.valid_from, known.terms.expires_at) = (None, Some(ends)));
    assert_eq!(world.seen.next_change(), Some((instant(NOW), ends)));
    let world = world.known(|known| known.terms.valid_from = Some(starts));
    assert_eq!(world.seen.next_change(), Some((instant(NOW), starts)));
    let past = world.known(|known| {
        (known.terms.valid_from, known.terms.expires_at) = (None, Some(instant(NOW)));
    });
    assert_eq!(past.seen.next_change(), None);
}

/// Whatever is written and known: no panic, a turn that goes on has a step, nothing is accepted
/// for an object that leaves, and the finalizer stays while the code is held.
#[test]
fn whatever_is_seen_nothing_goes_before_its_code_is_retired() {
    let states = [State::Active, State::Paused, State::Revoked, State::Retired];
    let holders = [None, Some("launch".to_owned()), Some("autumn".to_owned())];
    for (bits, (state, holder)) in (0..64).flat_map(|bits: u32| {
        let pairs = states.iter().flat_map(|state| holders.iter().map(move |one| (state, one)));
        pairs.map(move |pair| (bits, pair))
    }) {
        let is = |bit: u32| bits & (1 << bit) != 0;
        let mut world = accepted().known(|known| {
            (known.terms.state, known.holder) = (*state, holder.clone());
            known.used = if is(0) { 50 } else { 12 };
            known.uid = if is(1) { "uid-before".to_owned() } else { known.uid.clone() };
        });
        world.state = ObjectState { is_leaving: is(2), is_held: is(3), ..ObjectState::default() };
        world.seen.facts.holds = world.seen.facts.lineage.clone().filter(|_| is(4));
        world.seen.facts.currency = is(5).then(|| "OMR".to_owned());
        let (steps, verdict) = world.decide();
        let what = format!("{bits:b} {state:?} {holder:?}: {steps:?} {verdict:?}");
        assert_eq!(verdict == Verdict::Again, !steps.is_empty() && verdict != Verdict::Gone);
        for step in steps {
            let may = match step {
                Step::Hold | Step::Accept => !is(2) && holder.as_deref() != Some("autumn"),
                Step::Retire => is(2) && is(4),
                Step::LetGo => is(2) && !is(4),
            };
            assert!(may, "{what}");
        }
    }
}

#[test]
fn of_a_mass_deletion_no_code_is_retired_before_a_person_says_so() {
    let mut world = accepted().leaving();
    world.state.ruling = Ruling::Held;
    assert!(matches!(world.waits(), Reason::MassDeletionHeld { .. }));
    world.state.ruling = Ruling::Kept;
    assert_eq!(world.decide(), (vec![Step::LetGo], Verdict::Gone));
}
