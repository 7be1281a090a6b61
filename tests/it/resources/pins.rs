//! Money waits for a person where the namespace is another one, and for a better server where this
//! one may lose what it acknowledged; both say what is to be done.

use catalyst_operator::api::{ACCEPT_FRANCHISE_ANNOTATION, Sovereign, Tenant, Voucher};
use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::json;

use crate::support::{
    Database, Franchise, Installed, Told, World, database, message, quiet_world, says,
};

async fn founded() -> (Database, Installed, Franchise) {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    (ledger, installed, franchise)
}

/// The namespace of a franchise is deleted with all that is in it, and made anew; gives its UID.
async fn made_anew(franchise: &Franchise) -> String {
    let (namespaces, name) = (franchise.namespaces(), franchise.namespace.as_str());
    let before: Namespace = namespaces.get(name).await.unwrap();
    strip::<Sovereign>(franchise).await;
    strip::<Tenant>(franchise).await;
    strip::<Voucher>(franchise).await;
    namespaces.delete(name, &DeleteParams::default()).await.unwrap();
    // Kubernetes takes one namespace after the other, and other tests leave theirs, too.
    franchise.within(180).until_gone(&namespaces, name).await;
    let mut again = Namespace::default();
    again.metadata.name = Some(name.to_owned());
    again.metadata.labels = before.metadata.labels;
    namespaces.create(&PostParams::default(), &again).await.unwrap().uid().unwrap()
}

/// All objects of a kind are gone at once, whatever they wait for.
async fn strip<K: Told>(franchise: &Franchise) {
    let (objects, bare) = (franchise.api::<K>(), json!({"metadata": {"finalizers": null}}));
    for object in objects.list(&ListParams::default()).await.unwrap() {
        let name = object.name_any();
        objects.delete(&name, &DeleteParams::default()).await.unwrap();
        franchise.merge(&objects, &name, &bare).await;
        franchise.gone::<K>(&name).await;
    }
}

#[tokio::test]
async fn a_namespace_that_was_made_anew_waits_until_it_is_accepted_and_pays_nothing_again() {
    let (_ledger, installed, franchise) = founded().await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    operator.kill();
    let uid = made_anew(&franchise).await;

    let _operator = installed.start(&franchise.alone());
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let wait = "Ready=Unknown FranchiseIdentityChanged";
    let sovereign = franchise.until::<Sovereign>("catalyst-zero", wait).await;
    let told = message(&sovereign, "Ready");
    let accept = format!("catalyst.openova.io/accept-franchise-uid={uid}");
    assert!(told.contains(&accept), "{told}");
    franchise.until::<Voucher>("launch", wait).await;
    let tenant = franchise.until::<Tenant>("kestrel", wait).await;
    assert!(message(&tenant, "Entitled").contains(&accept), "{tenant:?}");

    let wrong = json!({"metadata": {"annotations": {ACCEPT_FRANCHISE_ANNOTATION: "x"}}});
    franchise.merge(&franchise.namespaces(), &franchise.namespace, &wrong).await;
    let sovereign = franchise.visit::<Sovereign>("catalyst-zero").await;
    assert!(says(&sovereign, wait), "{sovereign:?}");

    let right = json!({"metadata": {"annotations": {ACCEPT_FRANCHISE_ANNOTATION: uid}}});
    franchise.merge(&franchise.namespaces(), &franchise.namespace, &right).await;
    let soon = franchise.woken();
    soon.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    soon.until::<Voucher>("launch", "Ready=True").await;
    let tenant = soon.until::<Tenant>("kestrel", "Ready=True").await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("91.000 OMR"));
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_hub_that_was_built_anew_goes_on_where_the_last_one_was() {
    let (ledger, installed, franchise) = founded().await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    operator.kill();
    let mut namespace: Namespace = franchise.namespaces().get(&franchise.namespace).await.unwrap();
    namespace.metadata = ObjectMeta {
        name: namespace.metadata.name,
        labels: namespace.metadata.labels,
        ..ObjectMeta::default()
    };

    let world = World::private(&[]);
    let installed = Installed::on(&world, &ledger).await;
    let rebuilt = Franchise::found(&world, &installed).await.moved_to(franchise.namespace.clone());
    let made = rebuilt.namespaces().create(&PostParams::default(), &namespace).await.unwrap();
    let operator = installed.start(&rebuilt.alone());
    rebuilt.apply(rebuilt.sovereign()).await;
    rebuilt.apply(rebuilt.voucher("launch")).await;
    rebuilt.apply(rebuilt.tenant("kestrel").code("LAUNCH")).await;
    let tenant = rebuilt.until::<Tenant>("kestrel", "Ready=Unknown HubChanged").await;
    let hub = rebuilt.namespaces().get("kube-system").await.unwrap().uid().unwrap();
    let told = message(&tenant, "Ready");
    assert!(told.contains(&format!("catalyst-operator ledger adopt-hub {hub}")), "{told}");

    ledger.store.door().adopt_hub(&hub).await.unwrap();
    rebuilt.until::<Tenant>("kestrel", "Ready=Unknown FranchiseIdentityChanged").await;
    let uid = made.uid().unwrap();
    let accept = json!({"metadata": {"annotations": {ACCEPT_FRANCHISE_ANNOTATION: uid}}});
    rebuilt.merge(&rebuilt.namespaces(), &rebuilt.namespace, &accept).await;
    rebuilt.until::<Tenant>("kestrel", "Ready=True").await;
    assert!(rebuilt.namespaces().get_opt(&rebuilt.home("kestrel")).await.unwrap().is_some());
    assert_eq!(rebuilt.entries("kestrel").await.len(), 2, "nothing is paid again");
    rebuilt.remove::<Tenant>("kestrel").await;
    rebuilt.assert_sound().await;
    drop(operator);
}

async fn set_for_the_database(ledger: &Database, value: &str) {
    let name: String = ledger.one("select current_database()::text").await;
    ledger.mutate(&format!("alter database {name} set synchronous_commit = {value}")).await;
}

#[tokio::test]
async fn a_server_that_may_lose_money_moves_none_and_says_what_to_set() {
    let (ledger, installed, franchise) = founded().await;
    set_for_the_database(&ledger, "off").await;
    let operator = installed.start(&franchise.alone());
    operator.logs("the ledger does not serve").await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("[-] ledger: DurabilityUnsafe: synchronous_commit is off"), "{page}");
    assert!(page.contains("set synchronous_commit = on"), "{page}");
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let wait = "Ready=Unknown DurabilityUnsafe";
    let sovereign = franchise.until::<Sovereign>("catalyst-zero", wait).await;
    assert!(message(&sovereign, "Ready").contains("set synchronous_commit = on"), "{sovereign:?}");
    franchise.until::<Voucher>("launch", wait).await;
    let tenant = franchise.until::<Tenant>("kestrel", wait).await;
    assert!(message(&tenant, "Entitled").contains("set synchronous_commit = on"), "{tenant:?}");
    let metrics = operator.answers("/metrics", 200).await;
    assert!(metrics.contains("catalyst_unsafe_durability 0"), "{metrics}");
    assert_eq!(ledger.one::<i64>("select count(*) from franchise").await, 0);

    set_for_the_database(&ledger, "on").await;
    operator.kill();
    let operator = installed.start(&franchise.alone());
    operator.answers("/readyz", 200).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_program_that_was_told_to_go_on_all_the_same_shows_it_everywhere() {
    let (ledger, installed, franchise) = founded().await;
    set_for_the_database(&ledger, "off").await;
    let [namespaces, elect] = franchise.alone();
    let allow = ("CATALYST_ALLOW_UNSAFE_DURABILITY", "true");
    let operator = installed.start(&[namespaces, elect, allow]);
    operator.answers("/readyz", 200).await;
    franchise.open().await;
    let sovereign: Sovereign = franchise.until("catalyst-zero", "DurabilityUnsafe=True").await;
    let told = message(&sovereign, "DurabilityUnsafe");
    assert!(told.contains("synchronous_commit is off"), "{told}");
    let metrics = operator.answers("/metrics", 200).await;
    assert!(metrics.contains("catalyst_unsafe_durability 1"), "{metrics}");
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
}
