//! The life of a franchise in Git.

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use k8s_openapi::{
    api::{
        core::v1::{Namespace, ResourceQuota},
        rbac::v1::RoleBinding,
    },
    apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry,
};
use kube::{Api, ResourceExt as _, api::ListParams};
use serde_json::json;

use super::{Hub, PLANS, SOVEREIGNS, Scene, TENANTS, VOUCHER, VOUCHERS, attempts};
use crate::support::Repository;

#[tokio::test]
async fn the_first_apply_waits_for_the_operator_and_turns_green_by_itself() {
    let hub = Hub::new().await;
    let (scene, revision) = hub.bootstrap().await;
    for path in [SOVEREIGNS, VOUCHERS, TENANTS] {
        let told = scene.flux().told(path, "Ready=False DependencyNotReady", None).await;
        assert!(told.contains("flux-system/catalyst-operator"), "{told}");
    }

    // The definitions are there and nobody serves them yet: nothing is green.
    hub.charts_are_installed().await;
    let waits = "Ready=Unknown Progressing";
    for path in [SOVEREIGNS, VOUCHERS, TENANTS] {
        scene.flux().told(path, waits, Some(&revision)).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    for path in [SOVEREIGNS, VOUCHERS, TENANTS] {
        scene.flux().told(path, waits, Some(&revision)).await;
    }

    let _operator = hub.operator();
    scene.all_green(&revision).await;
    for path in [SOVEREIGNS, VOUCHERS, TENANTS] {
        let kustomization = scene.flux().kustomization(path).await.unwrap();
        assert_eq!(attempts(&kustomization), [("ReconciliationSucceeded", 1)], "{path}");
    }
    for (name, price) in PLANS {
        let amounts = scene.franchise.entries_of(name).await.into_iter().map(|(_, amount)| amount);
        assert_eq!(amounts.collect::<Vec<_>>(), [100_000, -price], "{name}");
    }
    nobody_writes_the_field_of_another(&scene).await;
}

/// Flux applies kinds of a group that it does not know by their names: a Tenant before its Voucher.
#[tokio::test]
async fn one_kustomization_of_all_kinds_turns_green_by_itself_too() {
    let hub = Hub::new().await;
    let _operator = hub.operator();
    let one = |platform: &Repository<'_>| {
        let file = "franchises/omantel/kustomizations.yaml";
        let kustomizations = platform.read(file);
        let (_, last) = kustomizations.rsplit_once("---\n").unwrap();
        platform.write(file, last);
        platform.edit(file, "path: ./tenants", "path: ./");
    };
    let (scene, revision) = hub.bootstrap_with(one).await;
    hub.charts_are_installed().await;
    scene.flux().green(TENANTS, &revision).await;
    scene.all_stands().await;
    let kustomization = scene.flux().kustomization(TENANTS).await.unwrap();
    assert_eq!(attempts(&kustomization), [("ReconciliationSucceeded", 1)]);
}

/// The operator writes finalizers and status, Flux the rest.
async fn nobody_writes_the_field_of_another(scene: &Scene<'_>) {
    let mut all = vec![];
    for (name, _) in PLANS {
        all.push(scene.franchise.read::<Tenant>(name).await.managed_fields().to_vec());
    }
    all.push(scene.franchise.read::<Voucher>(VOUCHER).await.managed_fields().to_vec());
    all.push(scene.franchise.read::<Sovereign>("catalyst-zero").await.managed_fields().to_vec());
    for entries in all {
        let mut writers: Vec<_> = entries.iter().filter_map(|it| it.manager.as_deref()).collect();
        writers.sort_unstable();
        writers.dedup();
        assert_eq!(writers, ["catalyst-operator", "kustomize-controller"]);
        for entry in &entries {
            let (fields, is_status) = fields(entry);
            if entry.manager.as_deref() == Some("kustomize-controller") {
                assert_eq!(fields, ["metadata.labels", "spec"]);
                assert!(!is_status);
            } else {
                let ours = if is_status { "status" } else { "metadata.finalizers" };
                assert_eq!(fields, [ours]);
            }
        }
    }
}

/// What an entry of managed fields is about, and whether it is about the status.
fn fields(entry: &ManagedFieldsEntry) -> (Vec<String>, bool) {
    let fields = entry.fields_v1.as_ref().unwrap().0.as_object().unwrap();
    let mut found = vec![];
    for (field, below) in fields {
        let field = field.trim_start_matches("f:");
        if field == "metadata" {
            let below = below.as_object().unwrap().keys().filter(|key| *key != ".");
            found.extend(below.map(|key| format!("metadata.{}", key.trim_start_matches("f:"))));
        } else {
            found.push(field.to_owned());
        }
    }
    (found, entry.subresource.as_deref() == Some("status"))
}

#[tokio::test]
async fn files_are_edited_broken_and_removed() {
    let hub = Hub::new().await;
    let _operator = hub.operator();
    let scene = hub.settled().await;
    an_edit_is_in_force_when_it_is_green(&scene).await;
    an_edit_beside_git_is_taken_back(&scene).await;
    a_broken_file_changes_nothing(&scene).await;
    a_file_that_is_removed_takes_its_tenant_with_it(&scene).await;
    scene.franchise.assert_sound().await;
}

async fn an_edit_is_in_force_when_it_is_green(scene: &Scene<'_>) {
    scene.files.edit("tenants/bakkal.yaml", "plan: s", "plan: m");
    let owner = "- {kind: User, name: salim@bakkal.example, role: Owner}";
    let two = format!("{owner}\n    - {{kind: User, name: sara@bakkal.example, role: Viewer}}");
    scene.files.edit("tenants/bakkal.yaml", owner, &two);
    let revision = scene.files.push().await;
    scene.flux().green(TENANTS, &revision).await;

    let client = scene.franchise.client.clone();
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), "tenant-bakkal");
    let quotas = quotas.list(&ListParams::default()).await.unwrap();
    let pods = |quota: &ResourceQuota| json!(quota)["spec"]["hard"]["pods"].clone();
    assert_eq!(quotas.iter().map(pods).collect::<Vec<_>>(), ["40"]);
    let bindings: Api<RoleBinding> = Api::namespaced(client, "tenant-bakkal");
    let bindings = bindings.list(&ListParams::default()).await.unwrap();
    assert!(json!(bindings.items).to_string().contains("sara@bakkal.example"));
}

async fn an_edit_beside_git_is_taken_back(scene: &Scene<'_>) {
    let money = scene.money().await;
    scene.hub.kubectl(&[
        "patch",
        "tenant",
        "kestrel-rx",
        "--type=merge",
        "-p",
        r#"{"spec":{"plan":"s"}}"#,
    ]);
    let edited: Tenant = scene.franchise.until("kestrel-rx", "Ready=True").await;
    assert_eq!(edited.spec.plan.to_string(), "s");
    scene.flux().reconcile(TENANTS).await;
    let tenant: Tenant = scene.franchise.until("kestrel-rx", "Ready=True").await;
    assert_eq!(tenant.spec.plan.to_string(), "m");
    assert_eq!(scene.money().await, money);
}

async fn a_broken_file_changes_nothing(scene: &Scene<'_>) {
    let generations = || async {
        let mut all = vec![];
        for (name, _) in PLANS {
            all.push(scene.franchise.read::<Tenant>(name).await.metadata.generation);
        }
        all
    };
    let before = generations().await;
    scene.files.edit("tenants/oryx-air.yaml", "- code: OMANTEL-LAUNCH-100", "- {}");
    scene.files.edit("tenants/falcon-media.yaml", "displayName: Falcon Media", "displayName: F");
    let revision = scene.files.push().await;
    let failed = "Ready=False ReconciliationFailed";
    let told = scene.flux().told(TENANTS, failed, Some(&revision)).await;
    assert!(told.contains("Tenant/omantel/oryx-air dry-run failed"), "{told}");
    assert!(told.contains("exactly one of"), "{told}");
    assert_eq!(generations().await, before);
    // The other folders go on.
    scene.flux().green(VOUCHERS, &revision).await;

    scene.files.restore("omantel", "tenants/oryx-air.yaml");
    let revision = scene.files.push().await;
    scene.flux().green(TENANTS, &revision).await;
    let tenant: Tenant = scene.franchise.read("falcon-media").await;
    assert_eq!(tenant.spec.display_name.as_deref(), Some("F"));
}

async fn a_file_that_is_removed_takes_its_tenant_with_it(scene: &Scene<'_>) {
    let money = scene.money().await;
    scene.files.remove("tenants/oryx-air.yaml");
    let revision = scene.files.push().await;
    scene.flux().green(TENANTS, &revision).await;
    scene.franchise.gone::<Tenant>("oryx-air").await;
    assert_eq!(scene.money().await, money, "the account stays");
    let namespaces: Api<Namespace> = scene.franchise.namespaces();
    assert!(namespaces.get_opt("tenant-oryx-air").await.unwrap().is_none());
    let homes = scene.homes().await;
    assert!(homes[..3].iter().all(Option::is_some) && homes[3].is_none(), "{homes:?}");
}
