//! Deletion: an object of ours goes when what it stands for is gone, and not before.

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{ResourceExt as _, api::PostParams};
use serde_json::json;

use crate::support::{Franchise, message, shared_franchise};

async fn standing() -> Franchise {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise
}

/// Puts an object into a Tenant's namespace that somebody else's finalizer keeps there.
async fn obstruct(franchise: &Franchise) {
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/backup"]}});
    let held: ConfigMap = serde_json::from_value(held).unwrap();
    let objects = franchise.at_home::<ConfigMap>("kestrel");
    objects.create(&PostParams::default(), &held).await.unwrap();
}

#[tokio::test]
async fn a_tenant_goes_only_when_its_namespace_is_gone() {
    let franchise = standing().await;
    obstruct(&franchise).await;
    franchise.delete::<Tenant>("kestrel").await;
    let told = |tenant: &Tenant| {
        let told = message(tenant, "Ready");
        told.contains(&franchise.home("kestrel")) && told.contains("example.com/backup")
    };
    let tenants = franchise.api::<Tenant>();
    let tenant = franchise.until_object(&tenants, "kestrel", "told what holds it", told).await;
    assert_eq!(tenant.finalizers(), ["catalyst.openova.io/tenant"]);
    assert!(message(&tenant, "Reconciling").contains("waiting until they are gone"));
    // The other controller's finalizer is not ours to strip.
    let objects = franchise.at_home::<ConfigMap>("kestrel");
    assert_eq!(objects.get("held").await.unwrap().finalizers(), ["example.com/backup"]);

    let free = json!({"metadata": {"finalizers": null}});
    franchise.merge(&objects, "held", &free).await;
    franchise.gone::<Tenant>("kestrel").await;
    let home = franchise.namespaces().get_opt(&franchise.home("kestrel")).await.unwrap();
    assert!(home.is_none(), "the Tenant went first: {home:?}");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn deleting_a_tenant_before_it_is_charged_gives_the_credit_back() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let home = franchise.home("kestrel");
    let stranger: Namespace = serde_json::from_value(json!({"metadata": {"name": home}})).unwrap();
    franchise.namespaces().create(&PostParams::default(), &stranger).await.unwrap();
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Entitled=True Held").await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("91.000 OMR"));

    franchise.remove::<Tenant>("kestrel").await;
    let ledger = franchise.ledger();
    let organization = franchise.organization("kestrel");
    let statement =
        ledger.store.statement(&franchise.namespace, &organization, None).await.unwrap();
    assert_eq!((statement.accounts[0].spendable, statement.accounts[0].held), (100_000, 0));
    assert!(franchise.namespaces().get(&home).await.unwrap().metadata.deletion_timestamp.is_none());
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_tenant_that_never_had_anything_goes_at_once() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.tenant("kestrel")).await;
    franchise.until::<Tenant>("kestrel", "Entitled=False CreditShort").await;
    franchise.woken().remove::<Tenant>("kestrel").await;
}

#[tokio::test]
async fn a_sovereign_waits_for_its_tenants_and_names_them() {
    let franchise = standing().await;
    franchise.delete::<Sovereign>("catalyst-zero").await;
    let waits = franchise.until::<Sovereign>("catalyst-zero", "Ready=False TenantsRemain").await;
    assert!(message(&waits, "Ready").contains("kestrel"), "{waits:?}");
    assert_eq!(waits.finalizers(), ["catalyst.openova.io/sovereign"]);
    // It serves until it is gone.
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.remove::<Tenant>("kestrel").await;
    franchise.woken().gone::<Sovereign>("catalyst-zero").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_sovereign_that_is_applied_again_goes_on_where_it_was() {
    let franchise = shared_franchise().await;
    franchise.remove::<Sovereign>("catalyst-zero").await;
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
}

#[tokio::test]
async fn deleting_a_voucher_keeps_its_history() {
    let franchise = standing().await;
    let entries = franchise.entries("kestrel").await;
    franchise.remove::<Voucher>("launch").await;
    assert_eq!(franchise.entries("kestrel").await, entries);
    let retired: String = franchise
        .ledger()
        .one(&format!(
            "select r.state || ' ' || c.used from voucher v \
             join voucher_counter c using (franchise, voucher) \
             join voucher_revision r using (franchise, voucher, revision) \
             join franchise f using (franchise) where f.namespace = '{}'",
            franchise.namespace
        ))
        .await;
    assert_eq!(retired, "Retired 1");
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn an_object_that_nobody_accepted_can_be_deleted() {
    let franchise = shared_franchise().await;
    let voucher = franchise.voucher("launch").with("credit", "100.00 USD");
    franchise.apply(voucher).await;
    franchise.until::<Voucher>("launch", "Ready=False CurrencyMismatch").await;
    franchise.woken().remove::<Voucher>("launch").await;
    franchise
        .apply(franchise.tenant("kestrel").with("sovereignRef", json!({"name": "none"})))
        .await;
    franchise.until::<Tenant>("kestrel", "Ready=False SovereignNotFound").await;
    franchise.woken().remove::<Tenant>("kestrel").await;
}
