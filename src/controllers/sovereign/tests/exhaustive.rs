//! Every combination of what can be seen of another cluster, against what must hold whatever is
//! seen.

use super::{
    abroad::{Given, ONE, SECRET, TWO, accepted_abroad, silent, up},
    leaving::tombstone,
    *,
};
use crate::{
    cluster::{Content, Kept, Trouble},
    controllers::{TURNS_MAX, sovereign::observe::Reached},
    domain::facts::{AcceptedSovereign, Tombstone},
};

type Change = Box<dyn Fn(&mut World)>;

fn changes<const N: usize>(changes: [fn(&mut World); N]) -> Vec<Change> {
    changes.into_iter().map(|change| Box::new(change) as Change).collect()
}

fn accepted_as(world: &mut World) -> &mut AcceptedSovereign {
    world.seen.facts.sovereign.as_mut().expect("it was accepted")
}

/// What the ledger can say of the Sovereign.
fn ledger() -> Vec<Change> {
    changes([
        |_| (),
        |world| world.seen.facts.sovereign = None,
        |world| accepted_as(world).closed = true,
        |world| accepted_as(world).dark_since = Some(NOW.parse().unwrap()),
        |world| accepted_as(world).secret = Some("old".to_owned()),
        |world| world.seen.facts.taken_by = Some("sohar".to_owned()),
        |world| world.seen.facts.plans.clear(),
    ])
}

fn standings() -> Vec<Change> {
    changes([
        |world| world.remote().standing = Reached::Connecting,
        |world| world.remote().standing = up(ONE),
        |world| world.remote().standing = up(TWO),
        |world| world.remote().standing = Reached::Dark(silent()),
        |world| {
            let trouble = Trouble::Judged(Reason::SovereignIsHub {});
            world.remote().standing = Reached::Dark(trouble);
        },
    ])
}

fn left_behind() -> Vec<Change> {
    fn leave(world: &mut World, tombstones: Vec<Tombstone>, sweep_at: &str) {
        for tombstone in &tombstones {
            *world = world.clone().stands(tombstone, "uid-1", "oryx");
        }
        world.seen.facts.tombstones = tombstones;
        world.seen.facts.sweep_at = Some(sweep_at.parse().unwrap());
    }
    let later = "2026-09-01T01:00:00Z";
    vec![
        Box::new(|_| ()),
        Box::new(|world| leave(world, vec![tombstone("oryx", Some("uid-1"), false)], NOW)),
        Box::new(|world| leave(world, vec![tombstone("oryx", Some("uid-0"), true)], NOW)),
        Box::new(|world| leave(world, vec![tombstone("falcon", None, true)], NOW)),
        Box::new(move |world| {
            let both = ["bakkal", "oryx"].map(|name| tombstone(name, Some("uid-1"), name < "c"));
            leave(world, both.to_vec(), later);
        }),
    ]
}

/// Calls `check` with every combination.
fn every(mut check: impl FnMut(&World)) {
    let given = [
        (Given::Missing, false),
        (Given::Refused, true),
        (Given::Refused, false),
        (Given::Good, true),
        (Given::Good, false),
        (Given::Other, true),
    ];
    let given = given.map(|(given, is_held)| -> Change {
        Box::new(move |world| world.remote().kept = given.kept(is_held))
    });
    let told =
        changes([|world| *world = world.clone().looked(), |world| *world = world.clone().read()]);
    let annotations = changes([|_| (), |world| *world = world.clone().annotated(TWO)]);
    let tenants = changes([|_| (), |world| world.seen.facts.tenants = vec!["kestrel".to_owned()]]);
    let states = changes([
        |_| (),
        |world| world.state.is_leaving = true,
        |world| world.state.is_held = false,
        |world| {
            world.state = ObjectState { is_leaving: true, is_held: false, ..ObjectState::default() }
        },
    ]);
    let mut worlds = vec![accepted_abroad()];
    let all = [ledger(), annotations, given.into(), told, standings(), left_behind()];
    for changes in all.into_iter().chain([tenants]) {
        let split = |world: &World| {
            let changed = |change: &Change| {
                let mut world = world.clone();
                change(&mut world);
                world
            };
            changes.iter().map(changed).collect::<Vec<_>>()
        };
        worlds = worlds.iter().flat_map(split).collect();
    }
    for world in worlds {
        for state in &states {
            let mut world = world.clone();
            state(&mut world);
            check(&world);
        }
    }
}

#[test]
fn whatever_is_seen_no_step_goes_too_far() {
    let mut seen = 0;
    every(|world| {
        let (steps, verdict) = world.decide();
        let what = || format!("{world:#?}: {steps:?} {verdict:?}");
        let mut world_then = world.clone();
        for (place, step) in steps.iter().enumerate() {
            let before = &steps[..place];
            assert!(is_allowed(step, before, &mut world_then), "{}", what());
        }
        let is_leaving = world.state.is_leaving;
        match verdict {
            Verdict::Again => assert!(!steps.is_empty(), "{}", what()),
            Verdict::Ready => assert!(steps.is_empty() && !is_leaving, "{}", what()),
            Verdict::Gone => assert!(is_leaving, "{}", what()),
            Verdict::Waiting(_) => {
                assert!(matches!(steps.as_slice(), [] | [Step::Remove(_)]), "{}", what());
            }
        }
        seen += 1;
    });
    assert_eq!(seen, 7 * 2 * 6 * 2 * 5 * 5 * 2 * 4);
}

fn is_allowed(step: &Step, before: &[Step], world: &mut World) -> bool {
    let facts = world.seen.facts.clone();
    let accepted = facts.sovereign.as_ref();
    let is_open = accepted.is_some_and(|accepted| !accepted.closed);
    let is_leaving = world.state.is_leaving;
    let annotated = Sovereign::parse(&world.object).unwrap().accepts;
    let remote = world.remote();
    let is_dark = matches!(remote.standing, Reached::Dark(_));
    let up = match &remote.standing {
        Reached::Up(cluster) => Some(cluster.uid.clone()),
        Reached::Connecting | Reached::Dark(_) => None,
    };
    let condemned = |uid: Option<&str>, name: &str| {
        facts.tombstones.iter().any(|tombstone| {
            let is_it = tombstone.item.uid.as_deref().is_none_or(|known| Some(known) == uid);
            tombstone.condemned && is_it && tombstone.item.identity.name == name
        })
    };
    match step {
        Step::Hold => !world.state.is_held && !is_leaving,
        Step::HoldSecret => matches!(&remote.kept, Kept::There(_)) && !is_leaving && is_open,
        Step::Offer(offer) => **offer == remote.offer && remote.offered.as_ref() != Some(&**offer),
        Step::Darken => is_dark && is_open,
        Step::Lighten => up.is_some() && is_open,
        Step::AcceptCluster(cluster) => {
            up.as_ref() == Some(cluster)
                && annotated.as_ref() == Some(cluster)
                && facts.taken_by.is_none()
                && !is_leaving
        }
        Step::Accept(cluster) => {
            let known = accepted.map(|accepted| &accepted.cluster).or(up.as_ref());
            known == Some(cluster) && !is_leaving && facts.taken_by.is_none()
        }
        // What is on another cluster is not what was left on this one.
        Step::Condemn => {
            up.as_deref() == Some(ONE) && facts.tombstones.iter().any(|it| !it.condemned)
        }
        Step::Remove(all) => {
            up.as_deref() == Some(ONE)
                && all.iter().all(|live| condemned(Some(&live.uid), &live.identity.name))
        }
        Step::Bury(all) => {
            up.as_deref() == Some(ONE) && all.iter().all(|tombstone| tombstone.condemned)
        }
        Step::ReleaseSecret(secret) => {
            let named = accepted.and_then(|accepted| accepted.secret.as_ref()) == Some(secret);
            if is_leaving { named || secret == SECRET } else { named && secret != SECRET }
        }
        Step::Close => is_leaving && is_open && facts.tenants.is_empty(),
        Step::Disconnect => is_leaving,
        Step::LetGo => {
            let released = |secret: &String| before.contains(&Step::ReleaseSecret(secret.clone()));
            let secret = accepted.and_then(|accepted| accepted.secret.clone());
            let is_known = matches!(world.remote().kept, Kept::There(_));
            let all = [is_known.then(|| SECRET.to_owned()), secret];
            is_leaving && !is_open && all.iter().flatten().all(released)
        }
        Step::AcceptFranchise => false,
    }
}

/// Does what a step does, where nothing else happens meanwhile.
fn take(step: &Step, world: &mut World) {
    let held = |kept: &Kept| match kept {
        Kept::There(content) => Kept::There(Content::of(
            content.data.clone(),
            &[&crate::controllers::sovereign::decide::secret_finalizer("catalyst-zero")],
        )),
        other => other.clone(),
    };
    let facts = &mut world.seen.facts;
    match step {
        Step::Hold => world.state.is_held = true,
        Step::HoldSecret => world.remote().kept = held(&world.remote().kept.clone()),
        Step::Offer(offer) => world.remote().offered = Some((**offer).clone()),
        Step::Darken => accepted_as(world).dark_since = Some(NOW.parse().unwrap()),
        Step::Lighten => accepted_as(world).dark_since = None,
        Step::AcceptCluster(cluster) => accepted_as(world).cluster.clone_from(cluster),
        Step::Accept(cluster) => {
            let fresh = accepted_abroad().seen.facts;
            facts.plans = fresh.plans;
            let dark_since = facts.sovereign.take().and_then(|before| before.dark_since);
            let cluster = cluster.clone();
            facts.sovereign =
                fresh.sovereign.map(|it| AcceptedSovereign { cluster, dark_since, ..it });
        }
        Step::Condemn => facts.tombstones.iter_mut().for_each(|it| it.condemned = true),
        Step::Bury(gone) => facts.tombstones.retain(|it| !gone.contains(it)),
        Step::Close => accepted_as(world).closed = true,
        Step::ReleaseSecret(_)
        | Step::Remove(_)
        | Step::Disconnect
        | Step::LetGo
        | Step::AcceptFranchise => {}
    }
}

#[test]
fn whatever_is_seen_comes_to_rest_within_one_visit() {
    every(|world| {
        let mut world = world.clone();
        let mut turns = vec![];
        loop {
            let (steps, verdict) = world.decide();
            for step in &steps {
                take(step, &mut world);
            }
            if steps.iter().any(|it| matches!(it, Step::Accept(_) | Step::AcceptCluster(_))) {
                world = world.read();
            }
            if verdict != Verdict::Again {
                break;
            }
            turns.push(steps);
            assert!(turns.len() < TURNS_MAX - 4, "{turns:#?} {world:#?}");
        }
    });
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    every(|world| {
        let status = world.report();
        let mut world = world.clone();
        world.object.status = Some(status.clone());
        assert_eq!(world.report(), status);
    });
}
