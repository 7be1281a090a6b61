//! The same account redeems a code once and pays for a period once, whatever is deleted, wiped,
//! applied again or restarted.

use catalyst_operator::api::{Tenant, Voucher};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use crate::support::{Franchise, shared_franchise};

/// One grant, and one charge for the running period.
async fn assert_once(franchise: &Franchise, tenant: &str) {
    let paid = [("redeem".to_owned(), 100_000), ("capture".to_owned(), -9_000)];
    assert_eq!(franchise.entries(tenant).await, paid);
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_tenant_that_is_deleted_and_applied_again_redeems_and_pays_nothing_more() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH");
    let first = franchise.settle(tenant.clone()).await.status.unwrap();
    franchise.remove::<Tenant>("kestrel").await;

    let again = franchise.settle(tenant).await.status.unwrap();
    assert_eq!((again.credit, again.paid_until), (first.credit, first.paid_until));
    assert_once(&franchise, "kestrel").await;
}

#[tokio::test]
async fn a_status_that_is_wiped_comes_back_and_moves_no_money() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let told = franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await.status;
    let wipe = json!({"status": null});
    let params = kube::api::PatchParams::default();
    let tenants = franchise.api::<Tenant>();
    let wiped = tenants.patch_status("kestrel", &params, &kube::api::Patch::Merge(&wipe)).await;
    assert_eq!(wiped.unwrap().status.unwrap_or_default().conditions, vec![]);

    let mut again = franchise.visit::<Tenant>("kestrel").await.status.unwrap();
    again.last_handled_reconcile_at = None;
    let mut told = told.unwrap();
    for condition in told.conditions.iter_mut().chain(&mut again.conditions) {
        condition.last_transition_time = Time(Timestamp::UNIX_EPOCH);
    }
    assert_eq!(again, told);
    assert_once(&franchise, "kestrel").await;
}

#[tokio::test]
async fn a_code_that_a_tenant_names_twice_by_two_ways_is_redeemed_once() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH").voucher_ref("launch");
    let tenant = franchise.settle(tenant).await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("91.000 OMR"));
    assert_once(&franchise, "kestrel").await;
}

#[tokio::test]
async fn a_code_that_is_taken_out_of_a_tenant_and_put_back_is_redeemed_once() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH");
    franchise.settle(tenant.clone()).await;
    let without = franchise.settle(franchise.tenant("kestrel")).await;
    assert_eq!(without.status.unwrap().credit.as_deref(), Some("91.000 OMR"));
    franchise.settle(tenant).await;
    assert_once(&franchise, "kestrel").await;
}

#[tokio::test]
async fn a_tenant_under_another_name_is_the_same_customer() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.remove::<Tenant>("kestrel").await;

    let organization = franchise.organization("kestrel");
    let renamed = franchise.tenant("kestrel-new").with("organization", organization);
    let tenant = franchise.settle(renamed.code("LAUNCH")).await;
    assert_eq!(tenant.status.unwrap().vouchers[0].reason, "Redeemed");
    assert_once(&franchise, "kestrel").await;
}

#[tokio::test]
async fn a_voucher_under_another_name_is_the_same_code() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.remove::<Voucher>("launch").await;

    let voucher = franchise.issue(franchise.voucher("again").with("code", "Launch")).await;
    assert_eq!(voucher.status.unwrap().redeemed, Some(1));
    let tenant = franchise.tenant("kestrel").code("LAUNCH").voucher_ref("again");
    franchise.settle(tenant).await;
    assert_once(&franchise, "kestrel").await;
}
