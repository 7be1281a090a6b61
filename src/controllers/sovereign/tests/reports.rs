//! What is reported of a Sovereign, wherever it is.

use super::*;

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
