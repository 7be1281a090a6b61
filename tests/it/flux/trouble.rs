//! What cannot be is said by the Kustomization, which is where people look first.

use catalyst_operator::api::Tenant;

use super::{Hub, SOVEREIGNS, Scene, TENANTS, VOUCHERS};
use crate::support::{message, says};

#[tokio::test]
async fn what_stalls_and_what_may_not_be_is_said() {
    let hub = Hub::new().await;
    let _operator = hub.operator();
    let scene = hub.settled().await;
    a_tenant_that_cannot_pay_is_named(&scene).await;
    a_tenant_on_an_unknown_plan_is_waited_for_and_named(&scene).await;
    a_voucher_of_another_currency_is_named(&scene).await;
    a_franchise_founds_no_other(&scene).await;
    rights_that_are_taken_away_are_missed(&scene).await;
    scene.franchise.assert_sound().await;
}

async fn a_tenant_that_cannot_pay_is_named(scene: &Scene<'_>) {
    scene.files.write("tenants/heron-labs.yaml", &another_tenant(scene, "heron-labs", "l"));
    let revision = scene.files.push().await;
    let failed = "Ready=False HealthCheckFailed";
    let told = scene.flux().told(TENANTS, failed, Some(&revision)).await;
    let stalled =
        "failed early due to stalled resources: [Tenant/omantel/heron-labs status: 'Failed']";
    assert!(told.ends_with(stalled), "{told}");
    let tenant: Tenant = scene.franchise.read("heron-labs").await;
    assert!(says(&tenant, "Stalled=True CreditShort"), "{:?}", tenant.status);
    let told = message(&tenant, "Ready");
    assert!(told.contains("100.000 OMR of credit and plan l costs 120.000 OMR"), "{told}");

    scene.files.edit("tenants/heron-labs.yaml", "plan: l", "plan: m");
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
    assert_eq!(scene.phase::<Tenant>("heron-labs").await, "Ready");
}

/// It may come yet, so that it is waited for as long as Flux is told to.
async fn a_tenant_on_an_unknown_plan_is_waited_for_and_named(scene: &Scene<'_>) {
    let file = "franchises/omantel/kustomizations.yaml";
    scene.platform.edit(file, "timeout: 3m", "timeout: 30s");
    let revision = scene.platform.push().await;
    scene.flux().green("flux-system/omantel", &revision).await;
    scene.files.write("tenants/ibis.yaml", &another_tenant(scene, "ibis", "xxl"));
    let revision = scene.files.push().await;
    let failed = "Ready=False HealthCheckFailed";
    let told = scene.flux().told(TENANTS, failed, Some(&revision)).await;
    let waited = "timeout waiting for: [Tenant/omantel/ibis status: 'InProgress']";
    assert!(told.ends_with(waited), "{told}");
    let tenant: Tenant = scene.franchise.read("ibis").await;
    let told = message(&tenant, "Ready");
    assert!(told.contains("has no plan xxl"), "{told}");
    scene.files.remove("tenants/ibis.yaml");
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
}

fn another_tenant(scene: &Scene<'_>, name: &str, plan: &str) -> String {
    let tenant = scene.files.read("tenants/oryx-air.yaml").replace("oryx-air", name);
    tenant.replace("plan: m", &format!("plan: {plan}"))
}

async fn a_voucher_of_another_currency_is_named(scene: &Scene<'_>) {
    let voucher = scene.files.read("vouchers/omantel-launch-100.yaml");
    let voucher =
        voucher.replace("omantel-launch-100", "visitors").replace("100.000 OMR", "9.00 USD");
    scene.files.write("vouchers/visitors.yaml", &voucher);
    let revision = scene.files.push().await;
    let failed = "Ready=False HealthCheckFailed";
    let told = scene.flux().told(VOUCHERS, failed, Some(&revision)).await;
    assert!(told.contains("[Voucher/omantel/visitors status: 'Failed']"), "{told}");
    scene.files.remove("vouchers/visitors.yaml");
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
}

async fn a_franchise_founds_no_other(scene: &Scene<'_>) {
    let namespace = scene.platform.read("franchises/omantel/namespace.yaml");
    let file = "tenants/namespace.yaml";
    scene.files.write(file, &namespace.replace("name: omantel", "name: muscat"));
    let revision = scene.files.push().await;
    let told =
        scene.flux().told(TENANTS, "Ready=False ReconciliationFailed", Some(&revision)).await;
    let who = r#"User "system:serviceaccount:omantel:franchise" cannot"#;
    assert!(told.contains("Namespace/muscat") && told.contains(who), "{told}");
    scene.files.remove(file);
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
}

async fn rights_that_are_taken_away_are_missed(scene: &Scene<'_>) {
    let access = "franchises/omantel/access.yaml";
    scene.platform.edit(access, "[sovereigns, vouchers, tenants]", "[sovereigns, vouchers]");
    let revision = scene.platform.push().await;
    scene.flux().green("flux-system/omantel", &revision).await;
    scene.files.edit("tenants/bakkal.yaml", "Bakkal Groceries", "Bakkal");
    let revision = scene.files.push().await;
    let told =
        scene.flux().told(TENANTS, "Ready=False ReconciliationFailed", Some(&revision)).await;
    let who = r#"User "system:serviceaccount:omantel:franchise" cannot"#;
    assert!(told.contains(who) && told.contains(r#"resource "tenants""#), "{told}");
    for path in [SOVEREIGNS, VOUCHERS] {
        scene.flux().green(path, &revision).await;
    }
}
