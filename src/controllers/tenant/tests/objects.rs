//! What a Tenant does about its objects: conflicts, crashes, drift.

use super::*;

fn strip(live: &mut Live) {
    live.manifest["metadata"]["labels"] = json!({"team": "payments"});
}

#[test]
fn a_namespace_of_somebody_else_is_not_touched() {
    let mut world = world().held();
    let namespace = world.look().remove(0);
    world.make(&namespace);
    strip(world.namespace());
    let name = "tenant-kestrel".to_owned();
    assert_eq!(world.waits(), Reason::NamespaceConflict { name: name.clone() });
    // Not even with labels like ours: the inventory knows nothing of it.
    world.make(&namespace);
    assert_eq!(world.waits(), Reason::NamespaceConflict { name });
}

#[test]
fn after_a_crash_between_journal_and_record_what_has_our_labels_is_ours() {
    let mut world = world().held();
    for object in world.look() {
        world.announce(&object.identity);
        world.make(&object);
    }
    let (steps, verdict) = world.turn();
    assert_eq!((names(&steps), verdict), (vec!["Record".to_owned()], Verdict::Again));
    assert!(world.seen.facts.inventory.iter().all(|item| item.uid.is_some()));
    assert_eq!(world.visit(), Verdict::Ready);
}

#[test]
fn what_was_announced_and_has_other_labels_is_a_conflict() {
    let mut world = world().held();
    let namespace = world.look().remove(0);
    world.announce(&namespace.identity);
    world.make(&namespace);
    strip(world.namespace());
    assert!(matches!(world.waits(), Reason::NamespaceConflict { .. }));
}

#[test]
fn labels_that_a_person_stripped_are_drift_and_not_a_conflict() {
    let mut world = world().paid();
    strip(world.namespace());
    let (steps, _) = world.turn();
    assert_eq!(names(&steps), ["Apply"]);
    assert_eq!(world.visit(), Verdict::Ready);
}

#[test]
fn a_namespace_that_was_replaced_is_a_conflict() {
    let mut world = world().paid();
    world.namespace().uid = "uid-of-another".to_owned();
    strip(world.namespace());
    assert!(matches!(world.waits(), Reason::NamespaceConflict { .. }));
}

#[test]
fn an_object_made_again_under_another_uid_is_recorded() {
    let mut world = world().paid();
    world.live(Kind::ResourceQuota, "plan").uid = "uid-new".to_owned();
    let (steps, verdict) = world.turn();
    let [Step::Record(items)] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!((items[0].uid.as_deref(), verdict), (Some("uid-new"), Verdict::Again));
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

#[test]
fn a_namespace_on_its_way_out_is_waited_for() {
    let mut world = world().paid();
    world.namespace().leaving = true;
    let what = "namespace tenant-kestrel to be gone, before it is made again".to_owned();
    assert_eq!(world.waits(), Reason::Provisioning { what });
}

#[test]
fn an_object_on_its_way_out_does_not_stand() {
    for kind in [Kind::ResourceQuota, Kind::LimitRange, Kind::NetworkPolicy, Kind::RoleBinding] {
        let mut world = world().standing();
        world.live(kind, "").leaving = true;
        let reason = world.waits();
        assert!(matches!(reason, Reason::Provisioning { .. }), "{kind:?}: {reason:?}");
    }
}

#[test]
fn drift_of_every_kind_is_repaired_and_nothing_else_is_written() {
    let drifts: [(Kind, &str, Value); 5] = [
        (Kind::Namespace, "/metadata/labels/pod-security.kubernetes.io~1enforce", json!("x")),
        (Kind::ResourceQuota, "/spec/hard/pods", json!("21")),
        (Kind::LimitRange, "/spec/limits/0/default/cpu", json!("9")),
        (Kind::NetworkPolicy, "/spec/podSelector", json!({"matchLabels": {"a": "b"}})),
        (Kind::RoleBinding, "/subjects/0/name", json!("mallory")),
    ];
    for (kind, pointer, value) in drifts {
        let mut world = world().paid();
        *world.live(kind, "").manifest.pointer_mut(pointer).expect(pointer) = value;
        let (steps, verdict) = world.turn();
        let [Step::Apply(objects)] = steps.as_slice() else { panic!("{kind:?}: {steps:?}") };
        assert_eq!((objects.len(), objects[0].identity.kind), (1, kind));
        assert_eq!(verdict, Verdict::Again);
        assert_eq!(world.turn(), (vec![], Verdict::Ready));
    }
}

#[test]
fn an_object_that_is_gone_is_made_again() {
    for kind in [Kind::ResourceQuota, Kind::LimitRange, Kind::NetworkPolicy, Kind::RoleBinding] {
        let mut world = world().paid();
        let gone = world.live(kind, "").clone();
        world.seen.live.remove(&gone.identity);
        assert_eq!(names(&world.turn().0), ["Apply"]);
        assert_eq!(world.turn(), (vec![], Verdict::Ready));
    }
}

#[test]
fn what_others_add_to_a_namespace_stays() {
    let mut world = world().paid();
    world.namespace().manifest["metadata"]["labels"]["team"] = json!("payments");
    world.namespace().manifest["metadata"]["annotations"] = json!({"note": "ours too"});
    assert_eq!(world.decide(), (vec![], Verdict::Ready));
}

#[test]
fn the_binding_of_an_owner_who_left_is_removed_then_forgotten() {
    let mut world = world().paid();
    world.wanted.owners.clear();
    let binding = world.live(Kind::RoleBinding, "owner").clone();
    assert_eq!(world.turn(), (vec![Step::Remove(vec![binding.clone()])], Verdict::Again));
    assert_eq!(world.turn(), (vec![Step::Forget(vec![binding.identity])], Verdict::Again));
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

#[test]
fn a_binding_of_that_name_that_we_did_not_make_is_forgotten_and_not_removed() {
    let mut world = world().paid();
    world.wanted.owners.clear();
    let binding = world.live(Kind::RoleBinding, "owner");
    binding.uid = "uid-of-another".to_owned();
    strip(binding);
    let identity = binding.identity.clone();
    assert_eq!(world.turn(), (vec![Step::Forget(vec![identity])], Verdict::Again));
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

#[test]
fn a_binding_to_another_role_goes_and_comes_back() {
    let mut world = world().paid();
    world.live(Kind::RoleBinding, "owner").manifest["roleRef"]["name"] = json!("cluster-admin");
    assert_eq!(names(&world.turn().0), ["Remove"]);
    assert_eq!(names(&world.turn().0), ["Apply"]);
    assert_eq!(world.turn(), (vec![], Verdict::Ready));
}

#[test]
fn a_surplus_object_that_somebody_holds_is_waited_for() {
    let mut world = world().paid();
    world.wanted.owners.clear();
    world.live(Kind::RoleBinding, "owner").leaving = true;
    let reason = world.waits();
    assert!(matches!(reason, Reason::Provisioning { .. }), "{reason:?}");
}
