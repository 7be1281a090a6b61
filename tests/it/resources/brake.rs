//! Much is deleted at once, as by a folder that was pruned, a namespace or a definition that was
//! deleted: nothing is torn down or retired before a person says that it was meant.

mod abroad;

use std::time::Duration;

use catalyst_operator::api::{Sovereign, TENANT_FINALIZER, Tenant, Voucher, crds};
use k8s_openapi::{
    api::{
        core::v1::{ConfigMap, Namespace},
        events::v1::Event,
        rbac::v1::ClusterRole,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::support::{
    Database, Franchise, Installed, Manifest, Operator, World, database, hub_client,
    install_definitions, message, quiet_world,
};

const HELD: &str = "Ready=False MassDeletionHeld";
const TENANTS: [&str; 5] = ["heron", "kestrel", "merlin", "osprey", "plover"];

/// A franchise with five Tenants and one Voucher, and an operator of its own.
struct Scene {
    ledger: Database,
    installed: Installed,
    franchise: Franchise,
    operator: Operator,
}

fn written(franchise: &Franchise) -> Vec<Manifest> {
    TENANTS.iter().map(|name| franchise.tenant(name).code("LAUNCH")).collect()
}

impl Scene {
    async fn open(world: &World) -> Self {
        let ledger = database(world).await;
        let installed = Installed::on(world, &ledger).await;
        let franchise = Franchise::found(world, &installed).await;
        let operator = installed.start(&franchise.alone());
        franchise.open().await;
        franchise.issue(franchise.voucher("launch")).await;
        franchise.apply_all(written(&franchise)).await;
        for name in TENANTS {
            franchise.until::<Tenant>(name, "Ready=True").await;
        }
        Self { ledger, installed, franchise, operator }
    }

    /// What a prune of the folder does.
    async fn prune(&self) {
        for name in TENANTS {
            self.franchise.delete::<Tenant>(name).await;
        }
        self.franchise.delete::<Voucher>("launch").await;
    }

    async fn all_are_held(&self) {
        for name in TENANTS {
            let tenant = self.franchise.until::<Tenant>(name, HELD).await;
            let told = message(&tenant, "Ready");
            let command = format!(
                "namespace {} catalyst.openova.io/mass-deletion=keep",
                self.franchise.namespace
            );
            assert!(told.contains(&command) && told.contains("=proceed"), "{told}");
        }
        self.franchise.until::<Voucher>("launch", HELD).await;
    }

    async fn all_are_gone(&self) {
        for name in TENANTS {
            self.franchise.gone::<Tenant>(name).await;
        }
        self.franchise.gone::<Voucher>("launch").await;
    }

    /// UIDs of the namespaces that the Tenants live in; none for one that is away or on its way.
    async fn homes(&self) -> Vec<Option<String>> {
        let mut homes = vec![];
        for name in TENANTS {
            let home = self.franchise.namespaces().get_opt(&self.franchise.home(name)).await;
            let home = home.unwrap().filter(|home| home.metadata.deletion_timestamp.is_none());
            homes.push(home.and_then(|home| home.uid()));
        }
        homes
    }

    async fn money(&self) -> Vec<Vec<(String, i64)>> {
        let mut all = vec![];
        for name in TENANTS {
            all.push(self.franchise.entries(name).await);
        }
        all
    }

    async fn is_retired(&self) -> bool {
        let retired = "select exists (select from ledger.voucher_revision where state = 'Retired')";
        self.ledger.one(retired).await
    }

    /// So many Tenants run on without an object, as the metric says once they were counted.
    async fn tells_of_bare(&self, count: u32) {
        let line = format!(
            "catalyst_sovereign_tenants_without_object{{franchise=\"{}\",\
             sovereign=\"catalyst-zero\"}} {count}\n",
            self.franchise.namespace
        );
        let told = async || self.operator.answers("/metrics", 200).await.contains(&line);
        self.franchise.until_true(&line, told).await;
    }

    async fn restore(&self) {
        self.franchise.apply(self.franchise.sovereign()).await;
        self.franchise.apply(self.franchise.voucher("launch")).await;
        self.franchise.apply_all(written(&self.franchise)).await;
        self.franchise.until::<Voucher>("launch", "Ready=True").await;
        for name in TENANTS {
            self.franchise.until::<Tenant>(name, "Ready=True").await;
        }
    }
}

#[tokio::test]
async fn a_pruned_folder_is_held_and_comes_back_as_it_was() {
    let mut scene = Scene::open(quiet_world()).await;
    let (homes, money) = (scene.homes().await, scene.money().await);
    // Somebody else holds one of them, too.
    let theirs = json!({"metadata": {"finalizers": [TENANT_FINALIZER, "example.com/backup"]}});
    let (tenants, theirs_too) = (scene.franchise.api::<Tenant>(), TENANTS[1]);
    scene.franchise.merge(&tenants, theirs_too, &theirs).await;
    scene.prune().await;
    scene.all_are_held().await;
    let page = scene.operator.answers("/metrics", 200).await;
    let namespace = &scene.franchise.namespace;
    for (kind, count) in [("Tenant", 5), ("Voucher", 1)] {
        let line = format!(
            "catalyst_mass_deletion_held{{franchise=\"{namespace}\",kind=\"{kind}\"}} {count}"
        );
        assert!(page.contains(&line), "{line}\n{page}");
    }
    let events: Api<Event> = Api::namespaced(scene.franchise.client.clone(), namespace);
    scene
        .franchise
        .until_true("an event tells of it", async || {
            let told = events.list(&ListParams::default()).await.unwrap();
            told.iter().any(|event| event.reason.as_deref() == Some("MassDeletionHeld"))
        })
        .await;

    // Another process holds them as well, and what is no answer is none.
    scene.operator.kill();
    scene.operator = scene.installed.start(&scene.franchise.alone());
    scene.franchise.reply("yes").await;
    scene.franchise.visit::<Tenant>("heron").await;
    scene.all_are_held().await;
    assert_eq!(scene.homes().await, homes);

    scene.franchise.reply("keep").await;
    let tenant = scene.franchise.until::<Tenant>(theirs_too, "Ready=False FinalizersRemain").await;
    assert!(message(&tenant, "Ready").contains("example.com/backup"));
    let free = json!({"metadata": {"finalizers": null}});
    scene.franchise.merge(&tenants, theirs_too, &free).await;
    scene.all_are_gone().await;
    assert_eq!(scene.homes().await, homes, "nothing is torn down");
    assert!(!scene.is_retired().await);
    scene.tells_of_bare(5).await;
    // What is put back before the mistake is over goes with the rest of it, and waits as they did.
    let [straggler, ..] = TENANTS;
    scene.franchise.apply(scene.franchise.tenant(straggler).code("LAUNCH")).await;
    scene.franchise.until::<Tenant>(straggler, "Ready=True").await;
    scene.franchise.delete::<Tenant>(straggler).await;
    scene.franchise.until::<Tenant>(straggler, HELD).await;
    scene.franchise.reply("").await;
    scene.franchise.reply("keep").await;
    scene.franchise.gone::<Tenant>(straggler).await;
    scene.restore().await;
    scene.tells_of_bare(0).await;
    assert_eq!(scene.homes().await, homes);
    assert_eq!(scene.money().await, money, "nothing is paid again");
    scene.franchise.assert_sound().await;
}

#[tokio::test]
async fn a_prune_that_was_meant_proceeds() {
    let scene = Scene::open(quiet_world()).await;
    // One that was forgotten.
    scene.franchise.reply("proceed").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.prune().await;
    scene.all_are_held().await;
    // Whoever forgot it writes something else, which Kubernetes notes as their last write.
    let note = json!({"metadata": {"annotations": {"incident": "42"}}});
    let namespaces = scene.franchise.namespaces();
    scene.franchise.merge(&namespaces, &scene.franchise.namespace, &note).await;
    scene.franchise.visit::<Tenant>("heron").await;
    scene.all_are_held().await;
    assert!(scene.homes().await.iter().all(Option::is_some), "nothing is torn down");
    scene.franchise.reply("").await;
    scene.franchise.reply("proceed").await;
    scene.all_are_gone().await;
    assert_eq!(scene.homes().await, vec![None; TENANTS.len()]);
    assert!(scene.is_retired().await);
    let page = scene.operator.answers("/metrics", 200).await;
    assert!(!page.contains("catalyst_mass_deletion_held{"), "{page}");
    scene.franchise.assert_sound().await;
}

#[tokio::test]
async fn what_was_answered_is_carried_out_whatever_is_said_later() {
    let scene = Scene::open(quiet_world()).await;
    let franchise = &scene.franchise;
    let [slow, quick, ..] = TENANTS;
    let objects = franchise.at_home::<ConfigMap>(slow);
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/backup"]}});
    let held: ConfigMap = serde_json::from_value(held).unwrap();
    objects.create(&PostParams::default(), &held).await.unwrap();
    scene.prune().await;
    scene.all_are_held().await;
    franchise.reply("proceed").await;
    for name in &TENANTS[1..] {
        franchise.gone::<Tenant>(name).await;
    }
    franchise.until::<Tenant>(slow, "Ready=False TeardownPending").await;
    for word in ["", "keep"] {
        franchise.reply(word).await;
        let tenant = franchise.visit::<Tenant>(slow).await;
        let told = message(&tenant, "Ready");
        assert!(told.starts_with("waiting until they are gone"), "{told}");
    }
    // What was meant counts for no other: this one goes at once, as a single one does.
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant(quick).code("LAUNCH")).await;
    franchise.remove::<Tenant>(quick).await;
    let free = json!({"metadata": {"finalizers": null}});
    franchise.merge(&objects, "held", &free).await;
    franchise.gone::<Tenant>(slow).await;
    assert_eq!(scene.homes().await, vec![None; TENANTS.len()]);
    franchise.assert_sound().await;
    let log = scene.operator.logged();
    let ready = |line: &&str| line.contains("\"reason\":\"Ready\"") && line.contains(slow);
    assert_eq!(log.lines().filter(ready).count(), 1, "it is not told to be ready when it goes");
}

#[tokio::test]
async fn nothing_is_judged_before_all_that_goes_with_it_is_seen() {
    let world = World::private(&[]);
    let mut scene = Scene::open(&world).await;
    scene.operator.kill();
    scene.prune().await;
    // The next process sees the Voucher long before the Tenants that go with it.
    let roles: Api<ClusterRole> = Api::all(hub_client(&world).await);
    let name = "catalyst-operator-franchise";
    let role = roles.get(name).await.unwrap();
    let mut less = role.clone();
    for resources in less.rules.iter_mut().flatten().filter_map(|rule| rule.resources.as_mut()) {
        resources.retain(|resource| resource != "tenants");
    }
    roles.replace(name, &PostParams::default(), &less).await.unwrap();
    scene.operator = scene.installed.start(&scene.franchise.alone());
    scene.operator.logs("acting").await;
    // A deletion that nobody waits with is carried out after two seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let again = json!({"rules": role.rules});
    roles.patch(name, &PatchParams::default(), &Patch::Merge(&again)).await.unwrap();
    scene.all_are_held().await;
    assert!(!scene.is_retired().await);
}

#[tokio::test]
async fn a_few_go_at_once_and_one_after_the_other_is_held_too() {
    let scene = Scene::open(quiet_world()).await;
    for name in &TENANTS[..3] {
        scene.franchise.remove::<Tenant>(name).await;
    }
    scene.franchise.delete::<Tenant>(TENANTS[3]).await;
    scene.franchise.until::<Tenant>(TENANTS[3], HELD).await;
    let homes = scene.homes().await;
    assert!(homes[..3].iter().all(Option::is_none) && homes[3..].iter().all(Option::is_some));
    scene.franchise.read::<Tenant>(TENANTS[4]).await;
}

#[tokio::test]
async fn a_deleted_namespace_is_held_and_the_next_of_its_name_is_the_same_franchise() {
    let scene = Scene::open(quiet_world()).await;
    let franchise = &scene.franchise;
    let (homes, money) = (scene.homes().await, scene.money().await);
    let (namespaces, name) = (franchise.namespaces(), franchise.namespace.clone());
    let before: Namespace = namespaces.get(&name).await.unwrap();
    namespaces.delete(&name, &DeleteParams::default()).await.unwrap();
    scene.all_are_held().await;
    franchise.until::<Sovereign>("catalyst-zero", HELD).await;
    assert_eq!(scene.homes().await, homes);
    // No event can be made in a namespace that goes.
    let events: Api<Event> = Api::namespaced(franchise.client.clone(), "default");
    let about = format!("Tenant {name}/heron: nothing is torn down or retired: ");
    let told = async || {
        let told = events.list(&ListParams::default()).await.unwrap();
        told.iter().any(|event| {
            event.reason.as_deref() == Some("MassDeletionHeld")
                && event.regarding.as_ref().and_then(|of| of.name.as_ref()) == Some(&name)
                && event.note.as_ref().is_some_and(|note| note.starts_with(&about))
        })
    };
    franchise.until_true("an event of the namespace tells of it", told).await;

    scene.franchise.reply("keep").await;
    // Kubernetes takes one namespace after the other, and other tests leave theirs, too.
    franchise.within(180).until_gone(&namespaces, &name).await;
    let again = json!({"metadata": {"name": name, "labels": before.metadata.labels}});
    let again: Namespace = serde_json::from_value(again).unwrap();
    namespaces.create(&PostParams::default(), &again).await.unwrap();
    scene.restore().await;
    assert_eq!(scene.homes().await, homes, "nothing is torn down");
    assert_eq!(scene.money().await, money, "nothing is paid again");
    assert!(!scene.is_retired().await);
    let expects = "select expects_successor from ledger.franchise";
    assert!(!scene.ledger.one::<bool>(expects).await, "it is accepted once");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_deleted_definition_takes_nothing_with_it() {
    let world = World::private(&[]);
    let scene = Scene::open(&world).await;
    let franchise = &scene.franchise;
    let (homes, money) = (scene.homes().await, scene.money().await);
    let definitions: Api<CustomResourceDefinition> = Api::all(hub_client(&world).await);
    for definition in crds() {
        definitions.delete(&definition.name_any(), &DeleteParams::default()).await.unwrap();
    }
    scene.all_are_held().await;
    assert_eq!(scene.homes().await, homes);

    scene.franchise.reply("keep").await;
    for definition in crds() {
        franchise.until_gone(&definitions, &definition.name_any()).await;
    }
    install_definitions(&world).await;
    scene.restore().await;
    assert_eq!(scene.homes().await, homes, "nothing is torn down");
    assert_eq!(scene.money().await, money, "nothing is paid again");
    franchise.assert_sound().await;
}
