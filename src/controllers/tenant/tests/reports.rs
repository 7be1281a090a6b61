//! What a person reads about a Tenant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::{super::report, *};
use crate::{
    api::{TenantPhase, TenantStatus},
    cluster,
    controllers::Error,
    domain::voucher::State,
    store,
};

const TYPES: [&str; 7] = [
    "Ready",
    "SovereignReady",
    "VouchersRedeemed",
    "Entitled",
    "NamespacesReady",
    "PoliciesReady",
    "Synced",
];

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

/// What is reported of an object after a visit to this world.
fn report_on(world: &World, object: &api::Tenant, now: &str) -> TenantStatus {
    let mut world = world.clone();
    let verdict = world.visit();
    let World { wanted, seen, .. } = world;
    report::status(object, &Ok(Visit { wanted, seen, verdict }), at(now))
}

fn status(world: &World) -> TenantStatus {
    report_on(world, &object(), NOW)
}

fn condition<'a>(status: &'a TenantStatus, kind: &str) -> &'a Condition {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind);
    found.unwrap_or_else(|| panic!("no condition {kind}"))
}

/// Status and reason of a condition.
fn is(status: &TenantStatus, kind: &str) -> (String, String) {
    let Condition { status, reason, .. } = condition(status, kind).clone();
    (status, reason)
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

/// Worlds in every state that a Tenant can be found in, with the reason of its Ready.
fn worlds() -> Vec<(World, &'static str, TenantPhase)> {
    let mut not_a_franchise = world();
    not_a_franchise.seen.franchise = None;
    let mut conflict = world().held();
    let namespace = conflict.look().remove(0);
    conflict.make(&namespace);
    let mut slow = world();
    slow.is_prompt = false;
    let frozen = |facts: &mut TenantFacts| facts.standing.least_program = 2;
    vec![
        (not_a_franchise, "NotAFranchise", TenantPhase::Failed),
        (world().told(|facts| facts.sovereign = None), "SovereignNotFound", TenantPhase::Pending),
        (
            world().told(|facts| facts.taken_by = Some("a/b".to_owned())),
            "OrganizationTaken",
            TenantPhase::Failed,
        ),
        (world().claimed().told(|facts| facts.offer = None), "PlanNotFound", TenantPhase::Pending),
        (world().with_credit(1).ordered(), "CreditShort", TenantPhase::Pending),
        (conflict, "NamespaceConflict", TenantPhase::Degraded),
        (slow, "Provisioning", TenantPhase::Provisioning),
        (world().paid().told(frozen), "SchemaUnsupported", TenantPhase::Degraded),
        (world(), "Ready", TenantPhase::Ready),
    ]
}

#[test]
fn every_condition_is_always_there_and_ready_says_what_the_visit_came_to() {
    for (world, reason, phase) in worlds() {
        let status = status(&world);
        let progress = ["Reconciling", "Stalled"];
        let types = status.conditions.iter().map(|condition| condition.type_.as_str());
        let types: Vec<&str> = types.filter(|kind| !progress.contains(kind)).collect();
        assert_eq!(types, TYPES, "{reason}");
        let ready = condition(&status, "Ready");
        assert_eq!(ready.reason, reason);
        assert_eq!(ready.status == "True", reason == "Ready");
        assert_eq!(status.phase, Some(phase), "{reason}");
        let marks = status.conditions.len() - TYPES.len();
        assert_eq!(marks, usize::from(reason != "Ready"), "{reason}");
        assert_eq!(status.observed_generation, Some(3));
        let hours = status.conditions.iter().all(|it| it.last_transition_time == Time(at(NOW)));
        assert!(hours, "{reason}");
    }
}

#[test]
fn the_message_of_ready_is_that_of_the_first_condition_that_fails() {
    for (world, reason, _) in worlds() {
        let status = status(&world);
        if reason == "Ready" {
            continue;
        }
        let failing = |condition: &&Condition| {
            condition.type_ != "Ready" && condition.reason == reason && condition.status != "True"
        };
        let leaf = status.conditions.iter().find(failing);
        assert!(leaf.is_some(), "{reason} is not the reason of any condition");
        assert_eq!(leaf.unwrap().message, condition(&status, "Ready").message);
    }
}

#[test]
fn not_entitled_means_that_credit_is_short_and_nothing_else() {
    for (world, reason, _) in worlds() {
        let entitled = is(&status(&world), "Entitled");
        assert_eq!(entitled.0 == "False", reason == "CreditShort", "{reason}: {entitled:?}");
    }
}

#[test]
fn money_that_waits_makes_entitled_unknown_even_in_a_paid_period() {
    let world = world().paid().told(|facts| {
        facts.standing.franchise.as_mut().unwrap().frozen = Some("balance".to_owned());
    });
    assert_eq!(is(&status(&world), "Entitled"), pair("Unknown", "LedgerFrozen"));
}

#[test]
fn a_tenant_that_is_ready_shows_plan_credit_use_and_period() {
    let status = status(&world());
    assert_eq!(status.plan.as_deref(), Some("m"));
    assert_eq!(status.credit.as_deref(), Some("75.000 OMR"));
    assert_eq!(status.paid_until.as_deref(), Some("2026-10-01T00:00:00Z"));
    assert_eq!((status.cpu.as_deref(), status.memory.as_deref()), (Some("3/8"), Some("6Gi/16Gi")));
    assert_eq!(is(&status, "Entitled"), pair("True", "Paid"));
    let voucher = &status.vouchers[0];
    assert_eq!((voucher.hint.as_deref(), voucher.reason.as_str()), (Some(CODE), "Redeemed"));
    assert_eq!(voucher.redeemed_at.as_deref(), Some("2026-09-01T00:00:00Z"));
}

#[test]
fn a_refused_code_is_red_by_itself_and_the_tenant_is_ready() {
    let mut world = world().paid();
    world.code().redeemed_at = None;
    world.code().used = 50;
    let status = status(&world);
    assert_eq!(is(&status, "Ready"), pair("True", "Ready"));
    assert_eq!(is(&status, "VouchersRedeemed"), pair("False", "LimitReached"));
    let message = &condition(&status, "VouchersRedeemed").message;
    assert_eq!(message, "code OMANTEL-LAUNCH-100: all 50 redemptions of the voucher are used");
    assert_eq!(status.vouchers[0].reason, "LimitReached");
}

#[test]
fn a_code_that_was_redeemed_earlier_is_not_red() {
    for state in [State::Paused, State::Revoked, State::Retired] {
        let mut world = world().paid();
        world.code().terms.state = state;
        let status = status(&world);
        assert_eq!(is(&status, "VouchersRedeemed"), pair("True", "AllRedeemed"));
        assert_eq!(status.vouchers[0].reason, "RedeemedEarlier");
    }
}

#[test]
fn what_is_set_aside_and_what_is_free_is_entitled() {
    let mut slow = world();
    slow.is_prompt = false;
    assert_eq!(is(&status(&slow), "Entitled"), pair("True", "Held"));
    let free = slow.told(|facts| facts.offer.as_mut().unwrap().amount = 0);
    assert_eq!(is(&status(&free), "Entitled"), pair("True", "Free"));
}

#[test]
fn the_same_visit_gives_the_same_status_so_that_nothing_is_written() {
    for (world, reason, _) in worlds() {
        let mut object = object();
        let first = report_on(&world, &object, NOW);
        object.status = Some(first.clone());
        assert_eq!(report_on(&world, &object, "2026-09-01T00:04:00Z"), first, "{reason}");
    }
}

#[test]
fn a_time_of_transition_moves_with_the_status_and_with_nothing_else() {
    let mut object = object();
    let mut slow = world();
    slow.is_prompt = false;
    object.status = Some(report_on(&slow, &object, NOW));
    let later = "2026-09-01T00:01:00Z";
    let status = report_on(&world().paid(), &object, later);
    let time = |kind| condition(&status, kind).last_transition_time.0;
    assert_eq!((time("Ready"), time("PoliciesReady")), (at(later), at(later)));
    // Held became Paid: another reason, the same status.
    assert_eq!((time("Entitled"), time("NamespacesReady")), (at(NOW), at(NOW)));
}

fn failed(known: Option<TenantStatus>, error: Error) -> TenantStatus {
    let mut object = object();
    object.status = known;
    report::status(&object, &Err(error), at(LATER))
}

#[test]
fn a_visit_that_failed_keeps_what_was_known_and_says_what_is_not() {
    let known = status(&world());
    let error = || Error::NoEpoch(Reason::LedgerUnavailable { why: "away".to_owned() });
    let status = failed(Some(known.clone()), error());
    assert_eq!(is(&status, "Ready"), pair("Unknown", "LedgerUnavailable"));
    assert_eq!(is(&status, "Entitled"), pair("Unknown", "LedgerUnavailable"));
    assert_eq!(is(&status, "Synced"), pair("True", "InSync"));
    assert_eq!(condition(&status, "Synced"), condition(&known, "Synced"));
    assert_eq!((&status.credit, &status.vouchers), (&known.credit, &known.vouchers));
    assert_eq!((status.phase, &status.paid_until), (known.phase, &known.paid_until));
    // The next visit that succeeds takes the marks away again.
    let mut object = object();
    object.status = Some(status);
    assert_eq!(report_on(&world(), &object, LATER).conditions.len(), TYPES.len());
}

#[test]
fn a_silent_cluster_makes_synced_unknown_and_leaves_money_alone() {
    let known = status(&world());
    let silent = cluster::Error::Silent { doing: "get", object: "Namespace x".to_owned() };
    let status = failed(Some(known), silent.into());
    assert_eq!(is(&status, "Synced"), pair("Unknown", "ClusterUnavailable"));
    assert_eq!(is(&status, "Entitled"), pair("True", "Paid"));
}

#[test]
fn a_first_visit_that_failed_says_so() {
    let frozen = failed(None, store::Error::Frozen("balance".to_owned()).into());
    assert_eq!(is(&frozen, "Ready"), pair("Unknown", "LedgerFrozen"));
    let spec = failed(None, Reason::InvalidSpec { why: "no".to_owned() }.into());
    assert_eq!(is(&spec, "Ready"), pair("False", "InvalidSpec"));
    assert_eq!(is(&spec, "Stalled"), pair("True", "InvalidSpec"));
}

#[test]
fn a_tenant_on_its_way_out_says_what_remains() {
    let mut object = object();
    object.metadata.deletion_timestamp = Some(Time(at(NOW)));
    let status = report_on(&world().paid().leaving(), &object, NOW);
    assert_eq!(status.phase, Some(TenantPhase::Deleting));
    assert_eq!(is(&status, "Ready"), pair("False", "TeardownPending"));
    assert_eq!(is(&status, "NamespacesReady"), pair("False", "TeardownPending"));
    for kind in ["PoliciesReady", "Synced"] {
        assert_eq!(is(&status, kind), pair("Unknown", "Pending"), "{kind}");
    }
}

#[test]
fn a_request_for_a_visit_is_echoed() {
    let mut object = object();
    let request = [(api::RECONCILE_REQUEST_ANNOTATION.to_owned(), "now".to_owned())];
    object.metadata.annotations = Some(request.into());
    let status = report_on(&world(), &object, NOW);
    assert_eq!(status.last_handled_reconcile_at.as_deref(), Some("now"));
}
