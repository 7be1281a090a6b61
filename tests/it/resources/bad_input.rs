//! Mistakes that the schema cannot see: each is told with both values, the last good state stays
//! in force, and what waited goes on when the mistake is mended, by itself.

use catalyst_operator::api::{FRANCHISE_LABEL, IN_CLUSTER_LABEL, Sovereign, Tenant, Voucher};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    ResourceExt as _,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

use crate::support::{Franchise, Operator, Told, World, message, shared_franchise};

/// What a condition tells has all of these words.
fn assert_told(object: &impl Told, kind: &str, words: &[&str]) {
    let told = message(object, kind);
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told:?}");
    }
}

/// A namespace of the shared world that had this label and has it no more.
async fn without_label(label: &str) -> Franchise {
    let franchise = unopened().await;
    relabel(&franchise, label, None).await;
    franchise
}

/// A franchise without a Sovereign.
async fn unopened() -> Franchise {
    Franchise::found(World::shared(), &Operator::shared().await.installed).await
}

async fn relabel(franchise: &Franchise, label: &str, value: Option<&str>) {
    let labels = json!({"metadata": {"labels": {label: value}}});
    franchise.merge(&franchise.namespaces(), &franchise.namespace, &labels).await;
}

#[tokio::test]
async fn an_unknown_plan_is_named_beside_those_there_are() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").plan("xl").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Ready=False PlanNotFound").await;
    assert_told(&tenant, "Ready", &["catalyst-zero has no plan xl", "it has l, m, s"]);
    franchise.until::<Tenant>("kestrel", "Reconciling=True PlanNotFound").await;
    assert!(franchise.audited(&franchise.home("kestrel")).is_empty());

    franchise.apply(franchise.sovereign().selling("xl", "20.000 OMR")).await;
    let tenant: Tenant = franchise.woken().until("kestrel", "Ready=True").await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("80.000 OMR"));
}

#[tokio::test]
async fn a_holder_keeps_its_plan_when_it_asks_for_one_that_is_not_there() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.apply(franchise.tenant("kestrel").plan("xl").code("LAUNCH")).await;
    let tenant: Tenant = franchise.visit("kestrel").await;
    assert_eq!(tenant.status.unwrap().plan.as_deref(), Some("m"));
    franchise.until::<Tenant>("kestrel", "Entitled=True Paid").await;
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
}

#[tokio::test]
async fn an_unknown_voucher_keeps_nobody_from_paying_with_another() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let tenant = franchise.tenant("kestrel").code("NEVERS").code("LAUNCH").voucher_ref("none");
    let tenant = franchise.settle(tenant).await;
    assert_told(
        &tenant,
        "VouchersRedeemed",
        &["code NEVERS: there is no such voucher", "Voucher none"],
    );
    let outcomes: Vec<String> =
        tenant.status.unwrap().vouchers.into_iter().map(|voucher| voucher.reason).collect();
    assert_eq!(outcomes, ["NotFound", "Redeemed", "NotFound"]);
}

#[tokio::test]
async fn manifests_may_come_in_any_order() {
    let franchise = unopened().await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Ready=False SovereignNotFound").await;
    assert_told(&tenant, "Ready", &["Sovereign catalyst-zero is not in this namespace"]);
    franchise.until::<Tenant>("kestrel", "Reconciling=True SovereignNotFound").await;
    franchise.until::<Voucher>("launch", "Reconciling=True SovereignNotFound").await;

    franchise.apply(franchise.sovereign()).await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
}

#[tokio::test]
async fn manifests_may_come_as_flux_sends_them() {
    let franchise = unopened().await;
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_cap_below_what_is_redeemed_is_refused_and_the_rest_of_the_edit_taken() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 5)).await;
    for name in ["kestrel", "bakkal"] {
        franchise.settle(franchise.tenant(name).code("LAUNCH")).await;
    }
    let edit = franchise.voucher("launch").with("maxRedemptions", 1).with("state", "Paused");
    franchise.apply(edit).await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=False CapBelowRedeemed").await;
    assert_told(&voucher, "Ready", &["maxRedemptions 1 ", "2 redeemed", "2 is in force"]);
    franchise.until::<Voucher>("launch", "Redeemable=False Paused").await;
    franchise.apply(franchise.tenant("falcon").code("LAUNCH")).await;
    franchise.until::<Tenant>("falcon", "VouchersRedeemed=False NotActive").await;

    franchise.apply(franchise.voucher("launch").with("maxRedemptions", 2)).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Exhausted").await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_cap_cannot_be_taken_away() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 5)).await;
    let why = franchise.try_apply(franchise.voucher("launch")).await.unwrap_err();
    assert!(why.contains("maxRedemptions cannot be removed once set"), "{why}");

    // Nor by deleting the Voucher and applying it without.
    franchise.remove::<Voucher>("launch").await;
    franchise.apply(franchise.voucher("launch")).await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=False CapBelowRedeemed").await;
    assert_told(&voucher, "Ready", &["maxRedemptions unlimited", "5 is in force"]);
    assert_eq!(voucher.status.unwrap().remaining, Some(5));
}

#[tokio::test]
async fn a_voucher_in_another_currency_than_its_sovereign_is_told_both() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.voucher("launch").with("credit", "100.00 USD")).await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=False CurrencyMismatch").await;
    assert_told(&voucher, "Ready", &["100.00 USD", "OMR", "catalyst-zero"]);
    franchise.until::<Voucher>("launch", "Stalled=True CurrencyMismatch").await;
    franchise.until::<Voucher>("launch", "Redeemable=Unknown CurrencyMismatch").await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotFound").await;
}

#[tokio::test]
async fn an_amount_with_the_wrong_decimals_is_refused_as_it_is_typed() {
    let franchise = shared_franchise().await;
    let voucher = franchise.voucher("launch").with("credit", "100.00 OMR");
    let why = franchise.try_apply(voucher).await.unwrap_err();
    assert!(why.contains("100.00 OMR") && why.contains("decimals"), "{why}");
}

#[tokio::test]
async fn a_reserved_organization_is_refused_as_it_is_typed() {
    let franchise = shared_franchise().await;
    let tenant = franchise.tenant("kestrel").with("organization", "kube-system");
    let why = franchise.try_apply(tenant).await.unwrap_err();
    assert!(why.contains("kube-system") && why.contains("reserved"), "{why}");
}

#[tokio::test]
async fn the_second_voucher_of_a_code_waits_for_the_first_to_go() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("first").with("code", "LAUNCH")).await;
    franchise.apply(franchise.voucher("second").with("code", "launch ")).await;
    let second = franchise.until::<Voucher>("second", "Ready=False CodeTaken").await;
    assert_told(&second, "Ready", &["belongs to Voucher first"]);
    assert_eq!(second.status.unwrap().redeemed, None);
    franchise.remove::<Voucher>("first").await;
    franchise.woken().until::<Voucher>("second", "Ready=True").await;
    franchise.settle(franchise.tenant("kestrel").voucher_ref("second")).await;
}

#[tokio::test]
async fn a_code_that_comes_back_with_another_value_is_told_the_old_one() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.remove::<Voucher>("launch").await;
    franchise.apply(franchise.voucher("launch").with("credit", "200.000 OMR")).await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=False CodeRetired").await;
    assert_told(&voucher, "Ready", &["100.000 OMR on Sovereign catalyst-zero"]);
}

#[tokio::test]
async fn the_second_tenant_of_an_organization_waits_for_the_first_to_go() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let second = franchise.tenant("other").with("organization", franchise.organization("kestrel"));
    franchise.apply(second.code("LAUNCH")).await;
    let second = franchise.until::<Tenant>("other", "Ready=False OrganizationTaken").await;
    let words = [franchise.organization("kestrel"), "Tenant kestrel, which was first".to_owned()];
    assert_told(&second, "Ready", &words.each_ref().map(String::as_str));
    franchise.until::<Tenant>("other", "Stalled=True OrganizationTaken").await;

    franchise.remove::<Tenant>("kestrel").await;
    franchise.woken().until::<Tenant>("other", "Ready=True").await;
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
    franchise.assert_sound().await;
}

#[tokio::test]
async fn an_organization_of_another_franchise_on_the_same_cluster_is_taken_too() {
    let (first, second) = (shared_franchise().await, shared_franchise().await);
    first.issue(first.voucher("launch")).await;
    first.settle(first.tenant("kestrel").code("LAUNCH")).await;
    second.issue(second.voucher("launch")).await;
    let organization = first.organization("kestrel");
    second.apply(second.tenant("kestrel").with("organization", organization).code("LAUNCH")).await;
    let tenant = second.until::<Tenant>("kestrel", "Ready=False OrganizationTaken").await;
    assert_told(&tenant, "Ready", &["a Tenant of another franchise"]);
    // Which one is not this franchise's to know.
    assert!(!message(&tenant, "Ready").contains(&first.namespace), "{tenant:?}");
    first.remove::<Tenant>("kestrel").await;
    second.woken().until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_namespace_that_is_not_ours_is_not_touched() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let (namespaces, home) = (franchise.namespaces(), franchise.home("kestrel"));
    // It even looks like ours.
    let stranger: Namespace = serde_json::from_value(json!({"metadata": {"name": home, "labels": {
        "app.kubernetes.io/managed-by": "catalyst-operator",
        "catalyst.openova.io/franchise": franchise.namespace,
        "catalyst.openova.io/sovereign": "catalyst-zero",
        "catalyst.openova.io/tenant": "kestrel",
        "catalyst.openova.io/organization": franchise.organization("kestrel"),
    }}}))
    .unwrap();
    let before = namespaces.create(&PostParams::default(), &stranger).await.unwrap();
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Ready=False NamespaceConflict").await;
    assert_told(&tenant, "Ready", &[&home, "not touched"]);
    franchise.until::<Tenant>("kestrel", "Entitled=True Held").await;
    assert_eq!(franchise.entries("kestrel").await, [("redeem".to_owned(), 100_000)]);
    let after = namespaces.get(&home).await.unwrap();
    assert_eq!((after.uid(), after.labels()), (before.uid(), before.labels()));
    assert!(franchise.writes_to(&home).is_empty(), "{:?}", franchise.writes_to(&home));

    namespaces.delete(&home, &DeleteParams::default()).await.unwrap();
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
}

#[tokio::test]
async fn a_tenant_goes_on_when_a_strangers_namespace_is_out_of_its_way() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    let (namespaces, home) = (franchise.namespaces(), franchise.home("kestrel"));
    let stranger: Namespace = serde_json::from_value(json!({"metadata": {"name": home}})).unwrap();
    namespaces.create(&PostParams::default(), &stranger).await.unwrap();
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.until::<Tenant>("kestrel", "Ready=False NamespaceConflict").await;

    namespaces.delete(&home, &DeleteParams::default()).await.unwrap();
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_namespace_is_no_franchise_until_it_is_labelled() {
    let franchise = without_label(FRANCHISE_LABEL).await;
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Ready=False NotAFranchise").await;
    assert_told(&tenant, "Ready", &[&franchise.namespace, "catalyst.openova.io/franchise"]);
    franchise.until::<Voucher>("launch", "Ready=False NotAFranchise").await;
    let sovereign =
        franchise.until::<Sovereign>("catalyst-zero", "Stalled=True NotAFranchise").await;
    assert!(sovereign.finalizers().is_empty());

    relabel(&franchise, FRANCHISE_LABEL, Some("omantel")).await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_franchise_that_loses_its_label_keeps_what_it_has_and_gets_nothing_new() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    relabel(&franchise, FRANCHISE_LABEL, None).await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=False NotAFranchise").await;
    assert!(franchise.namespaces().get_opt(&franchise.home("kestrel")).await.unwrap().is_some());
    franchise.apply(franchise.tenant("bakkal").code("LAUNCH")).await;
    franchise.until::<Tenant>("bakkal", "Ready=False NotAFranchise").await;

    relabel(&franchise, FRANCHISE_LABEL, Some("omantel")).await;
    franchise.woken().until::<Tenant>("bakkal", "Ready=True").await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn the_namespace_of_a_tenant_is_no_franchise() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let home = franchise.moved_to(franchise.home("kestrel"));
    home.apply(home.sovereign()).await;
    home.until::<Sovereign>("catalyst-zero", "Ready=False NotAFranchise").await;
}

#[tokio::test]
async fn a_sovereign_may_be_the_hub_only_where_the_namespace_allows_it() {
    let franchise = without_label(IN_CLUSTER_LABEL).await;
    franchise.apply(franchise.sovereign()).await;
    let sovereign =
        franchise.until::<Sovereign>("catalyst-zero", "Ready=False InClusterNotAllowed").await;
    let words = [franchise.namespace.as_str(), "catalyst.openova.io/in-cluster=allowed"];
    assert_told(&sovereign, "Ready", &words);
    relabel(&franchise, IN_CLUSTER_LABEL, Some("allowed")).await;
    franchise.woken().until::<Sovereign>("catalyst-zero", "Ready=True").await;
}

#[tokio::test]
async fn a_price_that_changes_does_not_touch_a_paid_period() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.apply(franchise.sovereign().selling("m", "50.000 OMR")).await;
    franchise.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    let tenant: Tenant = franchise.visit("kestrel").await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("91.000 OMR"));
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
    let quotas = franchise.at_home::<k8s_openapi::api::core::v1::ResourceQuota>("kestrel");
    let quota = serde_json::to_value(quotas.get("catalyst-plan").await.unwrap()).unwrap();
    assert_eq!(quota["spec"]["hard"]["pods"], "4");

    // Who comes now pays the price of now.
    let tenant = franchise.settle(franchise.tenant("bakkal").code("LAUNCH")).await;
    assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("50.000 OMR"));
}

#[tokio::test]
async fn a_plan_that_is_withdrawn_stays_in_force_for_its_holders() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.sovereign().selling("special", "1.000 OMR")).await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").plan("special").code("LAUNCH")).await;
    franchise.open().await;
    let tenant: Tenant = franchise.visit("kestrel").await;
    assert_eq!(tenant.status.as_ref().unwrap().plan.as_deref(), Some("special"));
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.apply(franchise.tenant("bakkal").plan("special").code("LAUNCH")).await;
    franchise.until::<Tenant>("bakkal", "Ready=False PlanNotFound").await;
}
