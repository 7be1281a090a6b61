//! Deletion is one more desired state: nothing, and nothing that is not ours is touched.

use super::*;

fn went(world: &World) -> bool {
    let facts = &world.seen.facts;
    !world.state.is_held && !facts.claimed && facts.inventory.is_empty()
}

#[test]
fn before_the_capture_a_deletion_gives_the_hold_back() {
    let mut world = world().standing().leaving();
    assert_eq!(world.turn(), (vec![Step::Release(1)], Verdict::Again));
    let (steps, verdict) = world.turn();
    assert_eq!(names(&steps), ["Remove"]);
    assert!(matches!(verdict, Verdict::Waiting(Reason::TeardownPending { .. })));
    assert_eq!(names(&world.turn().0), ["Forget"]);
    assert_eq!(world.turn(), (vec![Step::Leave], Verdict::Again));
    assert_eq!(world.turn(), (vec![Step::LetGo], Verdict::Gone));
    assert!(went(&world) && world.seen.live.is_empty());
    assert_eq!(world.seen.facts.account.unwrap().spendable, CREDIT);
}

#[test]
fn after_the_capture_nothing_is_given_back() {
    let mut world = world().paid().leaving();
    let account = world.seen.facts.account.clone();
    assert_eq!(names(&world.turn().0), ["Remove"]);
    assert_eq!(world.visit(), Verdict::Gone);
    assert!(went(&world) && world.seen.facts.period.is_some());
    assert_eq!(world.seen.facts.account, account);
}

#[test]
fn only_the_namespace_is_removed_with_all_that_lies_in_it() {
    let mut world = world().paid().leaving();
    let namespace = world.namespace().clone();
    assert_eq!(world.turn().0, [Step::Remove(vec![namespace])]);
    assert!(world.seen.live.is_empty());
}

#[test]
fn a_namespace_that_hangs_is_named_with_what_holds_it() {
    let mut world = world().paid().leaving();
    world.namespace().leaving = true;
    world.namespace().manifest["status"] = json!({"phase": "Terminating", "conditions": [
        {"type": "NamespaceContentRemaining", "status": "True", "message": "1 pod remains"},
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "none"},
    ]});
    let what = "namespace tenant-kestrel (1 pod remains)".to_owned();
    assert_eq!(world.waits(), Reason::TeardownPending { what });
}

#[test]
fn a_namespace_of_somebody_else_is_never_removed() {
    let mut world = world().paid().leaving();
    world.namespace().uid = "uid-of-another".to_owned();
    world.namespace().manifest["metadata"]["labels"] = json!({});
    assert_eq!(world.visit(), Verdict::Gone);
    assert!(went(&world));
    assert_eq!(world.namespace().uid, "uid-of-another");
}

#[test]
fn a_tenant_that_lost_to_a_namespace_conflict_leaves_it_alone() {
    let mut world = world().held();
    let namespace = world.look().remove(0);
    world.make(&namespace);
    world.state.is_leaving = true;
    assert_eq!(world.visit(), Verdict::Gone);
    assert!(went(&world));
    assert_eq!(world.seen.live.len(), 1);
}

#[test]
fn what_was_made_before_a_crash_is_removed_too() {
    let mut world = world().held();
    let namespace = world.look().remove(0);
    world.announce(&namespace.identity);
    world.make(&namespace);
    world.state.is_leaving = true;
    assert_eq!(names(&world.turn().0), ["Release"]);
    assert_eq!(names(&world.turn().0), ["Remove"]);
    assert_eq!(world.visit(), Verdict::Gone);
}

#[test]
fn a_tenant_that_never_got_anything_goes_at_once() {
    let mut world = world().leaving();
    assert_eq!(world.turn(), (vec![], Verdict::Gone));
    world.state.is_held = true;
    assert_eq!(world.turn(), (vec![Step::LetGo], Verdict::Gone));
}

#[test]
fn a_namespace_that_is_no_franchise_any_more_still_tears_down() {
    let mut world = world().standing().leaving();
    world.seen.franchise = None;
    assert_eq!(names(&world.turn().0), ["Release"]);
    assert_eq!(names(&world.turn().0), ["Remove"]);
    assert_eq!(world.visit(), Verdict::Gone);
}

#[test]
fn a_sovereign_that_is_gone_does_not_keep_its_tenants() {
    let mut world = world().paid().leaving().told(|facts| facts.sovereign = None);
    world.visit();
    assert_eq!(world.visit(), Verdict::Gone);
}

#[test]
fn what_stands_on_another_cluster_is_neither_torn_down_nor_forgotten() {
    let mut world = world().paid().leaving();
    world.seen.cluster = "cluster-two".to_owned();
    let (known, seen) = ("cluster-one".to_owned(), "cluster-two".to_owned());
    assert_eq!(world.waits(), Reason::ClusterIdentityChanged { known, seen });
}
