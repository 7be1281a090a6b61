//! Every combination of what can be seen, against what must hold whatever is seen.

use super::*;
use crate::domain::instant::second;

/// What stands on the cluster, and what the inventory says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    Nothing,
    Right,
    Wrong,
    Foreign,
}

const STANDS: [Stands; 4] = [Stands::Nothing, Stands::Right, Stands::Wrong, Stands::Foreign];

/// One thing that the ledger can say.
type Change = Box<dyn Fn(&mut TenantFacts)>;

/// All combinations of what the ledger can say, each as a world with nothing on the cluster.
fn ledgers() -> Vec<World> {
    let mut worlds = vec![world()];
    let mut split = |changes: Vec<Change>| {
        let change = |world: &World| {
            let told = |change: &Change| world.clone().told(change);
            changes.iter().map(told).collect::<Vec<_>>()
        };
        worlds = worlds.iter().flat_map(change).collect();
    };
    split(vec![Box::new(|_| ()), Box::new(|facts| facts.sovereign = None)]);
    split(vec![
        Box::new(|_| ()),
        Box::new(|facts| {
            facts.claimed = true;
            facts.account =
                Some(Account { spendable: 0, held: 0, suspended: false, expires_at: None });
        }),
    ]);
    split(vec![
        Box::new(|_| ()),
        Box::new(|facts| {
            facts.account = Some(Account {
                spendable: CREDIT,
                held: PRICE,
                suspended: false,
                expires_at: None,
            });
        }),
    ]);
    split(vec![Box::new(|_| ()), Box::new(|facts| facts.taken_by = Some("a/b".to_owned()))]);
    split(vec![
        Box::new(|_| ()),
        Box::new(|facts| facts.offer = None),
        Box::new(|facts| facts.offer.as_mut().unwrap().revision = 2),
    ]);
    split(orders());
    split(vec![
        Box::new(|_| ()),
        Box::new(|facts| {
            let order = facts.order.take();
            facts.period = Some(period(order.unwrap_or_else(|| order_at(PRICE, false))));
        }),
    ]);
    split(codes());
    worlds
}

fn order_at(amount: i64, held: bool) -> Order {
    read(json!({"order": 1, "period": 1, "step": 0, "stands": true,
        "sovereign": "catalyst-zero", "plan": "m", "revision": 1,
        "amount": amount, "terms": plan(), "attempts": i32::from(held), "held": held,
        "lapses_at": null}))
}

fn orders() -> Vec<Change> {
    vec![
        Box::new(|_| ()),
        Box::new(|facts| facts.order = Some(order_at(PRICE, false))),
        Box::new(|facts| facts.order = Some(order_at(PRICE, true))),
        Box::new(|facts| facts.order = Some(order_at(0, false))),
    ]
}

fn codes() -> Vec<Change> {
    vec![
        Box::new(|_| ()),
        Box::new(|facts| facts.by_code = vec![None]),
        Box::new(|facts| {
            facts.by_code[0].as_mut().unwrap().redeemed_at = Some(NOW.parse().unwrap());
        }),
        Box::new(|facts| facts.by_code[0].as_mut().unwrap().used = 50),
    ]
}

/// Puts on the cluster what a Tenant like this one is made of.
fn stand(world: &mut World, stands: Stands) {
    world.seen.live.clear();
    world.seen.facts.inventory.clear();
    let objects = desired::tenant(&world.wanted, &read(plan()));
    match stands {
        Stands::Nothing => {}
        Stands::Right => objects.iter().for_each(|object| world.apply(object)),
        Stands::Wrong => {
            for object in &objects {
                world.apply(object);
            }
            world.live(Kind::ResourceQuota, "").manifest["spec"]["hard"]["pods"] = json!("1");
            world.live(Kind::RoleBinding, "").manifest["roleRef"]["name"] = json!("edit");
        }
        Stands::Foreign => {
            world.make(&objects[0]);
            world.namespace().manifest["metadata"]["labels"] = json!({});
            world.announce(&objects[0].identity);
        }
    }
}

/// Calls `check` with every combination.
fn every(mut check: impl FnMut(&mut World, Stands)) {
    for ledger in ledgers() {
        for stands in STANDS {
            let mut world = ledger.clone();
            stand(&mut world, stands);
            world.look();
            for (is_leaving, is_held) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                world.state = ObjectState { is_leaving, is_held, ..ObjectState::default() };
                check(&mut world, stands);
                let franchise = world.seen.franchise.take();
                check(&mut world, stands);
                world.seen.franchise = franchise;
            }
        }
    }
}

/// What objects may be made for: a period that is paid, a hold, or an order that costs nothing.
fn is_covered(world: &World) -> bool {
    let facts = &world.seen.facts;
    let order = facts.order.as_ref();
    facts.period.is_some() || order.is_some_and(|order| order.held || order.amount == 0)
}

#[test]
fn whatever_is_seen_no_step_breaks_the_order_of_pay_make_spend_forget() {
    let mut seen = 0;
    every(|world, stands| {
        let (steps, verdict) = decide(&world.wanted, world.state, &world.seen);
        let what = || format!("{stands:?} {:?} {:#?}: {steps:?}", world.state, world.seen.facts);
        for step in &steps {
            assert!(is_allowed(step, world, stands), "{}", what());
        }
        match verdict {
            Verdict::Again => assert!(!steps.is_empty(), "{}", what()),
            Verdict::Ready => {
                let stands = stands == Stands::Right && world.seen.facts.period.is_some();
                assert!(steps.is_empty() && stands && !world.state.is_leaving, "{}", what());
            }
            Verdict::Gone => assert!(world.state.is_leaving, "{}", what()),
            Verdict::Waiting(_) => {
                let removes = matches!(steps.as_slice(), [] | [Step::Remove(_)]);
                assert!(removes, "{}", what());
            }
        }
        assert!(moves_money_once(&steps), "{}", what());
        seen += 1;
    });
    assert_eq!(seen, 2 * 2 * 2 * 2 * 3 * 4 * 2 * 4 * 4 * 4 * 2);
}

fn is_allowed(step: &Step, world: &World, stands: Stands) -> bool {
    let (facts, is_leaving) = (&world.seen.facts, world.state.is_leaving);
    let serves = world.seen.franchise.is_some() && facts.sovereign.is_some();
    let is_ours = |live: &Live| world.seen.is_ours(&world.wanted, live);
    match step {
        Step::Hold => !world.state.is_held && !is_leaving && serves,
        Step::Claim => !is_leaving && serves && (facts.taken_by.is_none() || facts.claimed),
        Step::Order => !is_leaving && serves && facts.claimed && facts.period.is_none(),
        Step::Redeem(_) => !is_leaving && serves && facts.claimed && is_covered(world),
        Step::RedeemAndHold { .. } => {
            !is_leaving && serves && facts.claimed && !is_covered(world) && facts.offer.is_some()
        }
        Step::Apply(_) | Step::Record(_) => !is_leaving && serves && is_covered(world),
        Step::Capture(_) => {
            let stands = stands == Stands::Right && facts.period.is_none();
            !is_leaving && serves && is_covered(world) && stands
        }
        Step::Release(_) => facts.order.as_ref().is_some_and(|order| order.held),
        Step::Remove(objects) => objects
            .iter()
            .all(|live| is_ours(live) && (is_leaving || live.identity.kind != Kind::Namespace)),
        Step::Forget(gone) => {
            !gone.iter().any(|identity| world.seen.live.get(identity).is_some_and(is_ours))
        }
        Step::Abandon => is_leaving && world.seen.dark.is_some(),
        Step::Leave => is_leaving && !world.seen.live.values().any(is_ours),
        Step::LetGo => {
            let forgotten = facts.inventory.is_empty() && !facts.claimed;
            is_leaving && forgotten && !world.seen.live.values().any(is_ours)
        }
    }
}

/// One money step a turn, but that what is held for an old price goes back before a new order.
fn moves_money_once(steps: &[Step]) -> bool {
    let moves = |step: &&Step| {
        !matches!(step, Step::Hold | Step::LetGo | Step::Apply(_) | Step::Remove(_))
            && !matches!(step, Step::Record(_) | Step::Forget(_))
    };
    let moving: Vec<&Step> = steps.iter().filter(moves).collect();
    matches!(moving.as_slice(), [] | [_] | [Step::Release(_), Step::Order])
}

/// The cluster of a world does not answer: nothing is seen of it. Since when, the ledger knows, and
/// whether what stands there may be given up.
fn darken(world: &mut World, is_over: bool, is_given_up: bool) {
    let since = NOW.parse().unwrap();
    if let Some(accepted) = &mut world.seen.facts.sovereign {
        accepted.secret = Some("muscat".to_owned());
        accepted.dark_since = Some(since);
        // Its hour has passed, or has just begun.
        accepted.abandon_after = is_over.then_some(0);
    }
    world.wanted.is_given_up = is_given_up;
    let sovereign = world.wanted.sovereign.clone();
    world.seen.dark = Some(Reason::SovereignUnreachable { sovereign, since: second(since) });
    world.seen.live.clear();
}

#[test]
fn whatever_is_known_nothing_is_done_to_a_cluster_that_does_not_answer() {
    let mut abandoned = 0;
    every(|world, stands| {
        for (is_over, is_given_up) in [(false, false), (true, false), (false, true)] {
            let mut world = world.clone();
            darken(&mut world, is_over, is_given_up);
            let (steps, verdict) = decide(&world.wanted, world.state, &world.seen);
            let facts = &world.seen.facts;
            let what = || format!("{stands:?} {:?} {facts:#?}: {steps:?}", world.state);
            for step in &steps {
                let touches = matches!(
                    step,
                    Step::Apply(_) | Step::Remove(_) | Step::Record(_) | Step::Forget(_)
                );
                assert!(!touches && !matches!(step, Step::Capture(_)), "{}", what());
                let may_abandon = world.state.is_leaving && (is_over || is_given_up);
                assert!(may_abandon || *step != Step::Abandon, "{}", what());
                let stays = facts.inventory.is_empty() || !world.state.is_leaving;
                assert!(stays || !matches!(step, Step::Leave | Step::LetGo), "{}", what());
                abandoned += usize::from(*step == Step::Abandon);
            }
            assert!(moves_money_once(&steps), "{}", what());
            assert!(verdict != Verdict::Ready, "{}", what());
            let goes = verdict == Verdict::Gone;
            let held = world.state.is_held && (facts.claimed || !facts.inventory.is_empty());
            assert!(!goes || !held, "{}", what());
        }
    });
    assert!(abandoned > 0, "some are given up");
}

#[test]
fn a_visit_in_the_dark_comes_to_an_end() {
    let is_whole = |world: &World| {
        let facts = &world.seen.facts;
        facts.taken_by.is_none() && (facts.account.is_some() || facts.order.is_none())
    };
    for ledger in ledgers().into_iter().filter(is_whole) {
        for stands in STANDS {
            for (is_leaving, is_given_up) in [(false, false), (true, false), (true, true)] {
                let mut world = ledger.clone();
                stand(&mut world, stands);
                darken(&mut world, false, is_given_up);
                world.state = ObjectState { is_leaving, is_held: true, ..ObjectState::default() };
                let verdict = world.visit();
                let goes = is_leaving
                    && (world.seen.facts.inventory.is_empty()
                        || (is_given_up && world.seen.facts.sovereign.is_some()));
                assert_eq!(verdict == Verdict::Gone, goes, "{stands:?}: {verdict:?}");
                assert_eq!(world.turn().0, [], "{stands:?}: {verdict:?} was not the end");
            }
        }
    }
}

#[test]
fn whatever_is_seen_a_visit_comes_to_an_end() {
    // Where nobody else is in the way, and the books are whole: an order names an account.
    let is_whole = |world: &World| {
        let facts = &world.seen.facts;
        facts.taken_by.is_none() && (facts.account.is_some() || facts.order.is_none())
    };
    for ledger in ledgers().into_iter().filter(is_whole) {
        for stands in STANDS {
            for is_leaving in [false, true] {
                let mut world = ledger.clone();
                stand(&mut world, stands);
                world.state = ObjectState { is_leaving, is_held: true, ..ObjectState::default() };
                let mut verdict = world.visit();
                if is_leaving && verdict != Verdict::Gone {
                    verdict = world.visit();
                    assert_eq!(verdict, Verdict::Gone, "{stands:?}");
                }
                assert_eq!(world.turn().0, [], "{stands:?}: {verdict:?} was not the end");
            }
        }
    }
}

#[test]
fn of_a_mass_deletion_nothing_is_torn_down_or_given_back_before_a_person_says_so() {
    every(|world, _| {
        if !(world.state.is_leaving && world.state.is_held) {
            return;
        }
        for (ruling, allowed) in [(Ruling::Held, vec![]), (Ruling::Kept, vec![Step::LetGo])] {
            world.state.ruling = ruling;
            let (steps, verdict) = world.decide();
            let is_frozen = matches!(verdict, Verdict::Waiting(_));
            assert!(steps == allowed || is_frozen && steps.is_empty(), "{steps:?} {verdict:?}");
        }
    });
}
