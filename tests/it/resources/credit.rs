//! Credit comes first: a Tenant that cannot pay is told so and gets nothing, and goes on at once
//! when credit comes, from wherever it comes.

use catalyst_operator::{
    api::Tenant,
    domain::code::Code,
    store::{Answer, Door},
};

use crate::support::{Franchise, message, shared_franchise, word};

/// A Tenant on the dearest plan with one code of 100 rial, which is not enough.
async fn poor_tenant(franchise: &Franchise) {
    franchise.issue(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").plan("l").code("LAUNCH")).await;
    franchise.until::<Tenant>("kestrel", "Entitled=False CreditShort").await;
}

#[tokio::test]
async fn a_tenant_that_cannot_pay_is_told_both_amounts_and_gets_nothing() {
    let franchise = shared_franchise().await;
    poor_tenant(&franchise).await;
    let tenant = franchise.visit::<Tenant>("kestrel").await;
    let told = message(&tenant, "Entitled");
    for part in ["100.000 OMR", "120.000 OMR", "add a voucher", "smaller plan"] {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    assert_eq!(message(&tenant, "Ready"), told);
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("100.000 OMR"));
    // Neither now nor for a moment before: the API server counts every write.
    let home = franchise.home("kestrel");
    assert!(franchise.audited(&home).is_empty(), "{:?}", franchise.audited(&home));
    assert!(franchise.namespaces().get_opt(&home).await.unwrap().is_none());
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_voucher_that_comes_later_wakes_the_tenants_that_name_its_code() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.tenant("kestrel").code("LATER")).await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotFound").await;
    let tenant = franchise.until::<Tenant>("kestrel", "Entitled=False CreditAwaited").await;
    for part in ["0.000 OMR", "9.000 OMR", "code LATER"] {
        assert!(message(&tenant, "Entitled").contains(part), "{part:?}: {tenant:?}");
    }
    franchise.apply(franchise.voucher("later")).await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_voucher_that_comes_later_wakes_the_tenants_that_name_it() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.tenant("kestrel").voucher_ref("later")).await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotFound").await;
    franchise.apply(franchise.voucher("later").with("code", "ANOTHER-NAME")).await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn one_more_voucher_in_the_spec_pays_for_a_tenant_that_was_short() {
    let franchise = shared_franchise().await;
    poor_tenant(&franchise).await;
    franchise.issue(franchise.voucher("more")).await;
    let tenant = franchise.tenant("kestrel").plan("l").code("LAUNCH").code("MORE");
    let tenant = franchise.settle(tenant).await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("80.000 OMR"));
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_smaller_plan_is_paid_from_what_there_is() {
    let franchise = shared_franchise().await;
    poor_tenant(&franchise).await;
    let tenant = franchise.settle(franchise.tenant("kestrel").plan("s").code("LAUNCH")).await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("95.000 OMR"));
}

#[tokio::test]
async fn a_price_that_falls_wakes_a_tenant_that_was_short() {
    let franchise = shared_franchise().await;
    poor_tenant(&franchise).await;
    franchise.apply(franchise.sovereign().selling("l", "99.000 OMR")).await;
    let tenant: Tenant = franchise.woken().until("kestrel", "Ready=True").await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("1.000 OMR"));
}

#[tokio::test]
async fn credit_from_outside_of_kubernetes_wakes_a_tenant_at_once() {
    let franchise = shared_franchise().await;
    poor_tenant(&franchise).await;
    franchise.issue(franchise.voucher("gift")).await;
    // Another program, such as a shop, on the same ledger: there is no event on the cluster.
    let door: Door = franchise.ledger().store.door();
    let (code, organization) = (Code::parse("GIFT").unwrap(), franchise.organization("kestrel"));
    let account = (organization.as_str(), "catalyst-zero", "m");
    let redeemed = door.redeem(&franchise.namespace, "shop/1", code.digest(), account).await;
    let redeemed = redeemed.unwrap();
    assert!(matches!(redeemed, Answer::Done(_)), "{}", word(&redeemed));
    let tenant: Tenant = franchise.woken().until("kestrel", "Ready=True").await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("80.000 OMR"));
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_plan_that_costs_nothing_needs_no_credit() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.sovereign().selling("free", "0.000 OMR")).await;
    let tenant = franchise.settle(franchise.tenant("kestrel").plan("free")).await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("0.000 OMR"));
    assert_eq!(franchise.entries("kestrel").await, []);
    franchise.assert_sound().await;
}
