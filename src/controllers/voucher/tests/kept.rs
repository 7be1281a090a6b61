//! A Voucher whose code is kept in a Secret.

use super::*;
use crate::domain::code::Given;

const KEPT: &str = "K7QX-93MP-T2WV-8RLD";

/// What is decided when this is found in the Secret.
fn decided(world: &World, found: Option<&str>) -> (Vec<Step>, Verdict) {
    let mut wanted = Voucher::parse(&world.object).unwrap();
    let Given::Kept { at, code } = &mut wanted.code else { panic!("it is kept") };
    *code = at.open(found.map(str::as_bytes));
    decide(&wanted, world.state, &world.seen)
}

fn name(decided: (Vec<Step>, Verdict)) -> &'static str {
    match decided {
        (steps, Verdict::Waiting(reason)) if steps.is_empty() => reason.name(),
        other => panic!("it does not wait: {other:?}"),
    }
}

/// Moves the code of a Voucher into a Secret.
fn kept(world: World) -> World {
    let from = json!({"secretKeyRef": {"name": "launch", "key": "code"}});
    let world = world.written(|spec| {
        (spec.code, spec.code_from) = (None, serde_json::from_value(from).unwrap());
    });
    if world.seen.facts.lineage.is_none() {
        return world;
    }
    let code = Code::parse_secret(KEPT).unwrap();
    let mut world =
        world.known(|known| (known.digest, known.hint) = (code.digest(), code.hint().to_owned()));
    // Without a value nobody asks for its lineage.
    world.seen.facts.holds = world.seen.facts.lineage.take();
    world
}

#[test]
fn nothing_is_accepted_before_the_code_is_there() {
    let world = kept(world());
    assert_eq!(name(decided(&world, None)), "CodeSecretMissing");
    assert_eq!(name(decided(&world, Some("SHORT"))), "CodeTooShort");
    assert_eq!(decided(&world, Some(KEPT)), (vec![Step::Hold, Step::Accept], Verdict::Again));
}

#[test]
fn what_was_accepted_stands_and_is_edited_without_its_secret() {
    let world = kept(accepted());
    assert_eq!(decided(&world, None), (vec![], Verdict::Ready));
    let paused = world.written(|spec| spec.state = api::VoucherState::Paused);
    for found in [None, Some(KEPT), Some("M4HZ-93MP-T2WV-8RLD")] {
        assert_eq!(decided(&paused, found), (vec![Step::Accept], Verdict::Again), "{found:?}");
    }
}

#[test]
fn another_code_is_told_and_changes_nothing() {
    assert_eq!(name(decided(&kept(accepted()), Some("M4HZ-93MP-T2WV-8RLD"))), "CodeChanged");
}

#[test]
fn it_goes_without_its_secret() {
    let mut world = kept(accepted()).leaving();
    assert_eq!(decided(&world, None), (vec![Step::Retire], Verdict::Again));
    world.seen.facts.holds = None;
    assert_eq!(decided(&world, None), (vec![Step::LetGo], Verdict::Gone));
}
