//! What a person reads about a Voucher.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{super::report, *};
use crate::{api::VoucherStatus, controllers::Error};

fn report_on(world: &World, now: &str) -> VoucherStatus {
    let wanted = Voucher::parse(&world.object).unwrap();
    let (_, verdict) = world.decide();
    let visit = Visit { wanted, seen: world.seen.clone(), verdict };
    report::status(&world.object, &Ok(visit), now.parse().unwrap())
}

/// Status and reason of a condition.
fn is(status: &VoucherStatus, kind: &str) -> (String, String) {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind);
    let found = found.unwrap_or_else(|| panic!("no condition {kind}"));
    (found.status.clone(), found.reason.clone())
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_voucher_shows_its_code_and_how_often_it_was_redeemed() {
    let status = report_on(&accepted(), NOW);
    assert_eq!(status.code.as_deref(), Some(CODE));
    assert_eq!((status.redeemed, status.remaining), (Some(12), Some(38)));
    assert_eq!(status.redemptions.as_deref(), Some("12/50"));
    assert_eq!(is(&status, "Ready"), pair("True", "Accepted"));
    assert_eq!(is(&status, "Redeemable"), pair("True", "Active"));
    let unlimited = accepted()
        .known(|known| known.terms.cap = None)
        .written(|spec| spec.max_redemptions = None);
    let status = report_on(&unlimited, NOW);
    assert_eq!((status.remaining, status.redemptions.as_deref()), (None, Some("12")));
}

#[test]
fn a_voucher_that_cannot_be_redeemed_is_not_broken() {
    let later = || "2026-10-01T00:00:00Z".parse().ok();
    let cases: [(&str, &str, World); 5] = [
        (
            "Paused",
            "True",
            accepted()
                .known(|known| known.terms.state = State::Paused)
                .written(|spec| spec.state = api::VoucherState::Paused),
        ),
        (
            "Revoked",
            "True",
            accepted()
                .known(|known| known.terms.state = State::Revoked)
                .written(|spec| spec.state = api::VoucherState::Revoked),
        ),
        (
            "NotStarted",
            "True",
            accepted()
                .known(|known| known.terms.valid_from = later())
                .written(|spec| spec.valid_from = Some("2026-10-01T00:00:00Z".into())),
        ),
        (
            "Expired",
            "True",
            accepted()
                .known(|known| known.terms.expires_at = NOW.parse().ok())
                .written(|spec| spec.expires_at = Some(NOW.into())),
        ),
        ("Exhausted", "True", accepted().known(|known| known.used = 50)),
    ];
    for (reason, ready, world) in cases {
        let status = report_on(&world, NOW);
        assert_eq!(is(&status, "Redeemable"), pair("False", reason));
        assert_eq!(is(&status, "Ready").0, ready, "{reason}");
        assert_eq!(status.conditions.len(), 2, "{reason}");
    }
}

#[test]
fn whoever_does_not_hold_the_code_learns_nothing_of_its_redemptions() {
    let world = accepted().known(|known| known.holder = Some("autumn".to_owned()));
    let status = report_on(&world, NOW);
    assert_eq!((status.redeemed, status.remaining, status.redemptions.clone()), (None, None, None));
    assert_eq!(is(&status, "Ready"), pair("False", "CodeTaken"));
    assert_eq!(is(&status, "Redeemable"), pair("Unknown", "CodeTaken"));
    assert_eq!(is(&status, "Stalled"), pair("True", "CodeTaken"));
}

#[test]
fn the_same_visit_gives_the_same_status_so_that_nothing_is_written() {
    for mut world in [world(), accepted(), accepted().known(|known| known.used = 50)] {
        let first = report_on(&world, NOW);
        world.object.status = Some(first.clone());
        assert_eq!(report_on(&world, "2026-09-01T00:04:00Z"), first);
    }
}

#[test]
fn a_time_of_transition_moves_with_the_status_alone() {
    let mut world = accepted();
    world.object.status = Some(report_on(&world, NOW));
    let later = "2026-09-01T01:00:00Z";
    let status = report_on(&world.known(|known| known.used = 50), later);
    let time = |kind: &str| {
        let mut conditions = status.conditions.iter();
        conditions.find(|condition| condition.type_ == kind).unwrap().last_transition_time.clone()
    };
    assert_eq!(time("Ready"), Time(NOW.parse().unwrap()));
    assert_eq!(time("Redeemable"), Time(later.parse().unwrap()));
}

#[test]
fn a_visit_that_failed_keeps_what_was_known() {
    let mut world = accepted();
    let known = report_on(&world, NOW);
    world.object.status = Some(known.clone());
    let error = Error::NoEpoch(Reason::LedgerUnavailable { why: "away".to_owned() });
    let status = report::status(&world.object, &Err(error), NOW.parse().unwrap());
    assert_eq!(is(&status, "Ready"), pair("Unknown", "LedgerUnavailable"));
    assert_eq!(is(&status, "Redeemable"), pair("True", "Active"));
    assert_eq!((status.redeemed, status.code), (known.redeemed, known.code));
}
