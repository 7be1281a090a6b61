//! What people are told about a cluster that is not ours and the way to it.

use super::{
    abroad::{
        GIVEN, Given, ONE, SECRET, TWO, abroad, accepted_abroad, kubeconfig, silent, standings,
        token, troubles, up,
    },
    leaving::tombstone,
    *,
};
use crate::{
    cluster::{Content, Kept, Trouble},
    controllers::sovereign::{decide::secret_finalizer, observe::Reached},
};

const PARTS: [&str; 4] =
    ["Connected", "CredentialsValid", "IdentityVerified", "PermissionsGranted"];

fn dark(world: World, trouble: &Trouble) -> World {
    world.reached(Reached::Dark(trouble.clone()))
}

/// The four conditions of the way, as pairs.
fn parts(world: &World) -> [(String, String); 4] {
    let status = world.report();
    PARTS.map(|kind| is(&status, kind))
}

fn has(status: &SovereignStatus, kind: &str) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == kind)
}

fn message(status: &SovereignStatus, kind: &str) -> String {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind);
    found.unwrap_or_else(|| panic!("no condition {kind}")).message.clone()
}

impl World {
    /// The Secret has a token that is good from one instant to another.
    fn good(mut self, from: &str, until: &str) -> Self {
        let value = kubeconfig("https://nizwa.example:6443", &token(from, until));
        let data = [("value".to_owned(), value)].into();
        let finalizer = secret_finalizer("catalyst-zero");
        self.remote().kept = Kept::There(Content::of(data, &[&finalizer]));
        self.looked()
    }
}

#[test]
fn when_all_is_well_every_part_of_the_way_says_so() {
    let good = [
        pair("True", "Connected"),
        pair("True", "Valid"),
        pair("True", "Pinned"),
        pair("True", "Granted"),
    ];
    assert_eq!(parts(&accepted_abroad()), good);
    let status = accepted_abroad().report();
    assert_eq!(is(&status, "Ready"), pair("True", "Accepted"));
    assert_eq!(status.phase, Some(SovereignPhase::Ready));
    assert_eq!(status.version.as_deref(), Some("v1.36.3"));
    assert_eq!(status.credentials.as_deref(), Some("unlimited"));
    assert_eq!((status.last_contact, status.tombstones), (None, None));
    assert!(message(&accepted_abroad().report(), "Connected").contains("cluster-one, v1.36.3"));
}

#[test]
fn each_trouble_is_said_of_the_part_that_it_is_about_and_of_no_other() {
    for (trouble, name) in troubles() {
        let bad: &[&str] = match name {
            "ClusterUnavailable" | "ClusterTooOld" => &[],
            "ClusterIdentityChanged" | "OwnedByAnotherHub" | "SovereignIsHub" => {
                &["IdentityVerified"]
            }
            "PermissionsMissing" => &["PermissionsGranted"],
            _ => &["CredentialsValid"],
        };
        for (world, good) in [
            (dark(accepted_abroad(), &trouble), "Unknown"),
            (dark(abroad(), &trouble), "Unknown"),
            (accepted_abroad().refusing(&trouble), "True"),
        ] {
            let status = world.report();
            for kind in &PARTS[1..] {
                let (found, reason) = is(&status, kind);
                let is_bad = bad.contains(kind);
                assert_eq!(found, if is_bad { "False" } else { good }, "{name} {kind}");
                assert!(!is_bad || reason == name, "{name} {kind} {reason}");
            }
            let connected = if good == "True" { "True" } else { "False" };
            assert_eq!(is(&status, "Connected").0, connected, "{name}");
            assert_eq!(is(&status, "Ready").1, name);
        }
    }
}

impl World {
    fn refusing(mut self, trouble: &Trouble) -> Self {
        self.remote().refused = Some(trouble.clone());
        self
    }
}

#[test]
fn what_is_wrong_with_a_secret_is_said_of_the_credentials_whatever_the_cluster_does() {
    for given in GIVEN {
        for (standing, _) in standings() {
            let world = accepted_abroad().given(given).reached(standing);
            let status = world.report();
            if let Some(wrong) = given.wrong() {
                assert_eq!(is(&status, "CredentialsValid"), pair("False", wrong));
            }
        }
    }
}

#[test]
fn before_anything_is_known_nothing_is_said_to_be_wrong() {
    let status = abroad().reached(Reached::Connecting).report();
    assert_eq!(is(&status, "Ready"), pair("False", "Connecting"));
    for kind in PARTS {
        assert_eq!(is(&status, kind).0, "Unknown", "{kind}");
    }
    assert_eq!(status.phase, Some(SovereignPhase::Pending));
    assert_eq!(status.version, None);
}

#[test]
fn a_phase_says_whether_it_serves() {
    use SovereignPhase::{Degraded, Deleting, Failed, Pending, Ready, Unreachable};
    let phase = |world: &World| world.report().phase.unwrap();
    for (trouble, name) in troubles() {
        assert_eq!(phase(&dark(accepted_abroad(), &trouble)), Unreachable, "{name}");
        let new = phase(&dark(abroad(), &trouble));
        assert!(matches!(new, Failed | Degraded), "{name} {new:?}");
        let refusing = phase(&accepted_abroad().refusing(&trouble));
        assert_eq!(refusing, Degraded, "{name}");
    }
    assert_eq!(phase(&abroad().given(Given::Missing).reached(missing())), Pending);
    assert_eq!(phase(&accepted_abroad().given(Given::Missing)), Degraded);
    assert_eq!(phase(&accepted_abroad()), Ready);
    let taken = accepted_abroad().told(|facts| facts.taken_by = Some("sohar".to_owned()));
    assert_eq!(phase(&taken), Failed);
    assert_eq!(is(&taken.report(), "IdentityVerified"), pair("False", "ClusterTaken"));
    let mut going = accepted_abroad().leaving().told(|facts| facts.tenants = vec!["a".to_owned()]);
    going.object.metadata.deletion_timestamp = going.object.metadata.creation_timestamp.clone();
    assert_eq!(phase(&going), Deleting);
}

fn missing() -> Reached {
    Reached::Dark(Trouble::Judged(Reason::SecretNotFound { secret: SECRET.to_owned() }))
}

#[test]
fn what_is_known_of_a_cluster_is_kept_while_it_is_dark() {
    let mut world = accepted_abroad().good("2026-08-01T00:00:00Z", "2027-08-01T00:00:00Z");
    let known = world.report();
    assert_eq!(known.credentials.as_deref(), Some("2027-08-01T00:00:00Z"));
    world.object.status = Some(known);
    let mut world = dark(world, &silent());
    world.remote().kept = Kept::Missing;
    world.remote().last_contact = Some("2026-08-31T23:59:58.7Z".parse().unwrap());
    let mut world = world.looked();
    let status = world.report();
    assert_eq!(status.version.as_deref(), Some("v1.36.3"));
    assert_eq!(status.credentials.as_deref(), Some("2027-08-01T00:00:00Z"));
    assert_eq!(status.last_contact.as_deref(), Some("2026-08-31T23:59:58Z"));
    // A process that starts while it is dark does not know when it answered.
    world.object.status = Some(status.clone());
    world.remote().last_contact = None;
    assert_eq!(world.report(), status);
    let back = world.given(Given::Good).reached(up(ONE)).report();
    assert_eq!((back.last_contact, back.credentials.as_deref()), (None, Some("unlimited")));
}

#[test]
fn credentials_are_announced_to_expire_when_a_fifth_of_their_life_is_left() {
    let expires = |from: &str, until: &str| {
        let world = accepted_abroad().good(from, until);
        let status = world.report();
        assert_eq!(is(&status, "CredentialsValid").0, "True");
        let next = report::next_change(&world.seen).map(|(_, at)| at.to_string());
        (has(&status, "CredentialsExpire"), next.unwrap_or_default())
    };
    let pair = |is_announced: bool, next: &str| (is_announced, next.to_owned());
    // An hour: by twelve minutes. A year: by thirty days.
    let hour = expires("2026-08-31T23:30:00Z", "2026-09-01T00:30:00Z");
    assert_eq!(hour, pair(false, "2026-09-01T00:18:00Z"));
    let last = expires("2026-08-31T23:12:00Z", "2026-09-01T00:12:00Z");
    assert_eq!(last, pair(true, "2026-09-01T00:12:00Z"));
    let year = expires("2025-10-01T00:00:00Z", "2026-10-01T00:00:01Z");
    assert_eq!(year, pair(false, "2026-09-01T00:00:01Z"));
    let year = expires("2025-10-01T00:00:00Z", "2026-10-01T00:00:00Z");
    assert_eq!(year, pair(true, "2026-10-01T00:00:00Z"));
    // It was said to have expired, and serves: the clock of a cluster is not ours.
    assert_eq!(expires("2025-08-01T00:00:00Z", NOW), pair(true, ""));
    let status = accepted_abroad().good("2025-10-01T00:00:00Z", "2026-10-01T00:00:00Z").report();
    let told = message(&status, "CredentialsExpire");
    assert!(told.contains("Secret nizwa expire at 2026-10-01T00:00:00Z"), "{told}");
}

#[test]
fn credentials_that_are_refused_are_said_to_have_expired_if_they_have() {
    let unknown = |world: World| dark(world, &Trouble::Unknown).report();
    let status = unknown(accepted_abroad().good("2026-08-01T00:00:00Z", NOW));
    assert_eq!(is(&status, "CredentialsValid"), pair("False", "CredentialsExpired"));
    assert!(message(&status, "Ready").contains(NOW), "{status:?}");
    let status = unknown(accepted_abroad().good("2026-08-01T00:00:00Z", "2026-09-01T00:00:01Z"));
    assert_eq!(is(&status, "CredentialsValid"), pair("False", "CredentialsRejected"));
}

#[test]
fn plans_that_are_withdrawn_while_in_use_and_what_was_abandoned_are_announced() {
    let plain = accepted_abroad().report();
    assert!(!has(&plain, "PlansWithdrawn") && !has(&plain, "TombstonesRemain"));
    let status = accepted_abroad().told(|facts| facts.kept = vec!["l".to_owned()]).report();
    assert_eq!(is(&status, "PlansWithdrawn"), pair("True", "InUse"));
    assert!(message(&status, "PlansWithdrawn").starts_with("plan l stays"), "{status:?}");
    let two = vec!["l".to_owned(), "xl".to_owned()];
    let status = accepted_abroad().told(|facts| facts.kept = two).report();
    assert!(message(&status, "PlansWithdrawn").starts_with("plans l, xl stay"), "{status:?}");

    let left = accepted_abroad().told(|facts| {
        facts.tombstones = ["bakkal", "bakkal", "oryx"].map(|it| tombstone(it, None, false)).into();
        facts.sweep_at = Some("2026-09-01T00:59:00Z".parse().unwrap());
    });
    let status = left.report();
    assert_eq!(is(&status, "TombstonesRemain"), pair("True", "Waiting"));
    let told = message(&status, "TombstonesRemain");
    assert!(told.contains("2026-09-01T00:59:00Z") && told.ends_with("bakkal, oryx"), "{told}");
    assert_eq!(status.tombstones, Some(2));
    let (_, at) = report::next_change(&left.seen).unwrap();
    assert_eq!(at.to_string(), "2026-09-01T00:59:00Z");
}

#[test]
fn an_identity_that_changed_names_both_clusters() {
    let changed = accepted_abroad().reached(up(TWO)).report();
    let told = message(&changed, "Ready");
    assert!(told.contains(ONE) && told.contains(TWO), "{told}");
}
