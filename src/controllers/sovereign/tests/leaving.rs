//! A Sovereign on its way out of a cluster that is not ours.

use super::{
    abroad::{GIVEN, Given, ONE, SECRET, TWO, abroad, accepted_abroad, silent, standings, up},
    *,
};
use crate::{
    api::{FRANCHISE_LABEL, ORGANIZATION_LABEL},
    controllers::{brake::Applied, sovereign::observe::Reached},
    domain::{brake::Ruling, facts::Tombstone, object::Live},
};

/// What one organization left there.
pub(super) fn tombstone(name: &str, uid: Option<&str>, condemned: bool) -> Tombstone {
    let tombstone = json!({
        "organization": name, "cluster": ONE, "kind": "Namespace", "namespace": "",
        "name": format!("tenant-{name}"), "uid": uid, "condemned": condemned,
    });
    serde_json::from_value(tombstone).unwrap()
}

impl World {
    /// Something stands on the cluster where a tombstone says, under this UID.
    pub(super) fn stands(mut self, tombstone: &Tombstone, uid: &str, owner: &str) -> Self {
        let identity = tombstone.item.identity.clone();
        let live = Live {
            identity: identity.clone(),
            uid: uid.to_owned(),
            leaving: false,
            manifest: json!({"metadata": {"labels": {
                ORGANIZATION_LABEL: owner, FRANCHISE_LABEL: "omantel",
            }}}),
        };
        self.seen.remains.insert(identity, live);
        self
    }

    fn left(self, tombstones: Vec<Tombstone>) -> Self {
        self.told(|facts| {
            facts.tombstones = tombstones;
            facts.sweep_at = Some(NOW.parse().unwrap());
        })
    }
}

#[test]
fn a_sovereign_closes_releases_its_secret_and_only_then_goes() {
    for given in GIVEN {
        for (standing, _) in standings() {
            let mut world = accepted_abroad().given(given).reached(standing).leaving();
            world.comes_to(&["Close"], "Again");
            world.seen.facts.sovereign.as_mut().unwrap().closed = true;
            let released = Step::ReleaseSecret(SECRET.to_owned());
            let steps = vec![released, Step::Disconnect, Step::LetGo];
            assert_eq!(world.decide(), (steps, Verdict::Gone), "{given:?}");
        }
    }
}

#[test]
fn of_a_mass_deletion_a_sovereign_stays_open_whatever_a_person_says() {
    for (standing, _) in standings() {
        let mut world = accepted_abroad().reached(standing).leaving();
        world.state.ruling = Ruling::Held;
        let (steps, verdict) = world.decide();
        assert!(steps.is_empty(), "{steps:?}");
        assert!(matches!(verdict, Verdict::Waiting(Reason::MassDeletionHeld { .. })));
        // Its Tenants stay, and so does what the ledger knows of the way to them.
        world.seen.facts.tenants = vec!["kestrel".to_owned()];
        world.state.ruling = Ruling::Kept;
        let tenant = |is_leaving| Applied { name: "kestrel".to_owned(), is_leaving };
        world.seen.applied = vec![tenant(true)];
        world.comes_to(&[], "TenantsRemain");
        world.seen.applied = vec![tenant(false)];
        world.comes_to(&["ReleaseSecret", "Disconnect", "LetGo"], "Gone");
    }
}

#[test]
fn a_sovereign_that_is_held_offers_the_way_to_its_cluster_to_who_started_anew() {
    let mut world = accepted_abroad().leaving();
    world.state.ruling = Ruling::Held;
    world.remote().offered = None;
    world.comes_to(&["Offer"], "Again");
}

#[test]
fn a_sovereign_whose_tenants_were_kept_with_their_namespace_goes_and_stays_open() {
    let mut world = accepted().leaving().told(|facts| facts.tenants = vec!["oryx".to_owned()]);
    world.seen.applied = vec![Applied { name: "oryx".to_owned(), is_leaving: true }];
    for is_going in [false, true] {
        world.seen.franchise.as_mut().unwrap().is_leaving = is_going;
        world.comes_to(&[], "TenantsRemain");
    }
    world.seen.applied.clear();
    world.comes_to(&["Disconnect", "LetGo"], "Gone");
    world.seen.franchise.as_mut().unwrap().is_leaving = false;
    world.comes_to(&[], "TenantsRemain");
}

#[test]
fn a_sovereign_that_named_another_secret_releases_both() {
    let mut world = accepted_abroad().leaving();
    let accepted = world.seen.facts.sovereign.as_mut().unwrap();
    accepted.closed = true;
    accepted.secret = Some("old".to_owned());
    world.comes_to(&["ReleaseSecret", "ReleaseSecret", "Disconnect", "LetGo"], "Gone");
    abroad().leaving().comes_to(&["ReleaseSecret", "Disconnect", "LetGo"], "Gone");
}

#[test]
fn while_tenants_remain_the_way_to_the_cluster_is_kept_up_and_nothing_else_is_done() {
    for (standing, _) in standings() {
        let world = accepted_abroad().reached(standing).leaving();
        let mut world = world.told(|facts| facts.tenants = vec!["oryx".to_owned()]);
        world.comes_to(&[], "TenantsRemain");
        // New credentials are what gets them out.
        world.remote().kept = Given::Other.kept(true);
        world.read().comes_to(&["Offer"], "Again");
    }
}

#[test]
fn a_dark_cluster_keeps_no_sovereign_that_has_no_tenant() {
    let world = accepted_abroad().reached(Reached::Dark(silent())).leaving();
    world.left(vec![tombstone("oryx", Some("uid-1"), false)]).comes_to(&["Close"], "Again");
}

#[test]
fn what_was_abandoned_is_condemned_then_removed_then_buried_and_then_it_closes() {
    let oryx = |condemned| tombstone("oryx", Some("uid-1"), condemned);
    let world = accepted_abroad().leaving();
    let early = world.clone().left(vec![oryx(false)]).told(|facts| {
        facts.sweep_at = Some("2026-09-01T00:00:01Z".parse().unwrap());
    });
    early.comes_to(&[], "TombstonesRemain");
    world.clone().left(vec![oryx(false)]).comes_to(&["Condemn"], "Again");
    let condemned = world.clone().left(vec![oryx(true)]);
    condemned
        .clone()
        .stands(&oryx(true), "uid-1", "oryx")
        .comes_to(&["Remove"], "TombstonesRemain");
    condemned.clone().comes_to(&["Bury"], "Again");
    condemned.stands(&oryx(true), "uid-2", "oryx").comes_to(&["Bury"], "Again");
    world.left(vec![]).comes_to(&["Close"], "Again");
}

#[test]
fn what_has_no_uid_is_ours_only_if_it_says_so_itself() {
    let oryx = tombstone("oryx", None, true);
    let world = accepted_abroad().left(vec![oryx.clone()]);
    world.clone().stands(&oryx, "uid-1", "oryx").comes_to(&["Remove"], "TombstonesRemain");
    world.clone().stands(&oryx, "uid-1", "falcon").comes_to(&["Bury"], "Again");
    let mut going = world.stands(&oryx, "uid-1", "oryx");
    going.seen.remains.values_mut().for_each(|live| live.leaving = true);
    going.comes_to(&[], "TombstonesRemain");
}

#[test]
fn nothing_is_swept_on_a_cluster_that_is_another_one() {
    let oryx = tombstone("oryx", Some("uid-1"), true);
    let world = accepted_abroad().left(vec![oryx.clone()]).stands(&oryx, "uid-1", "oryx");
    let world = world.reached(up(TWO));
    world.comes_to(&[], "ClusterIdentityChanged");
    world.annotated(TWO).leaving().comes_to(&["Close"], "Again");
}
