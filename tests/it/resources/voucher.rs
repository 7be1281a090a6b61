//! Vouchers: issued, redeemed, paused, edited and retired by applying and deleting objects.

use catalyst_operator::api::{Tenant, Voucher};

use crate::support::{Told, message, shared_franchise};

/// What became of the vouchers that a Tenant names.
fn outcomes(tenant: &Tenant) -> Vec<&str> {
    let status = tenant.status.as_ref().expect("it was visited");
    status.vouchers.iter().map(|voucher| voucher.reason.as_str()).collect()
}

fn redeemed(voucher: &Voucher) -> Option<i64> {
    voucher.status.as_ref()?.redeemed
}

#[tokio::test]
async fn a_voucher_is_issued_redeemed_and_its_credit_pays_for_a_tenant() {
    let franchise = shared_franchise().await;
    let voucher = franchise.issue(franchise.voucher("launch").with("maxRedemptions", 50)).await;
    assert_eq!(voucher.status.as_ref().unwrap().remaining, Some(50));

    let tenant = franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let status = tenant.status.as_ref().unwrap();
    assert_eq!(status.credit.as_deref(), Some("91.000 OMR"));
    assert_eq!(status.plan.as_deref(), Some("m"));
    assert_eq!(outcomes(&tenant), ["Redeemed"]);
    assert_eq!(status.vouchers[0].hint.as_deref(), Some("LAUNCH"));
    franchise.until::<Tenant>("kestrel", "Entitled=True Paid").await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=True AllRedeemed").await;

    let counted = |voucher: &Voucher| redeemed(voucher) == Some(1);
    let voucher = franchise.until_object(&franchise.api(), "launch", "1 redeemed", counted).await;
    let status = voucher.status.as_ref().unwrap();
    assert_eq!(status.remaining, Some(49));
    assert_eq!(status.redemptions.as_deref(), Some("1/50"));
    let paid = [("redeem".to_owned(), 100_000), ("capture".to_owned(), -9_000)];
    assert_eq!(franchise.entries("kestrel").await, paid);
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_tenant_may_name_a_voucher_instead_of_its_code() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("welcome").with("code", "SECRET-WELCOME-1")).await;
    let tenant = franchise.settle(franchise.tenant("bakkal").voucher_ref("welcome")).await;
    assert_eq!(outcomes(&tenant), ["Redeemed"]);
    assert_eq!(tenant.status.unwrap().vouchers[0].name.as_deref(), Some("welcome"));
}

#[tokio::test]
async fn two_tenants_redeem_the_same_code_each_for_itself() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 2)).await;
    for name in ["kestrel", "bakkal"] {
        let tenant = franchise.settle(franchise.tenant(name).code("launch")).await;
        assert_eq!(tenant.status.unwrap().credit.as_deref(), Some("91.000 OMR"));
    }
    let voucher = franchise.until::<Voucher>("launch", "Redeemable=False Exhausted").await;
    assert_eq!(redeemed(&voucher), Some(2));
    franchise.until::<Voucher>("launch", "Ready=True").await;

    franchise.apply(franchise.tenant("falcon").code("launch")).await;
    let falcon = franchise.until::<Tenant>("falcon", "VouchersRedeemed=False LimitReached").await;
    assert!(message(&falcon, "VouchersRedeemed").contains("all 2 redemptions"), "{falcon:?}");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_deleted_voucher_is_as_unknown_as_one_that_never_was() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.remove::<Voucher>("launch").await;
    let mut told = vec![];
    for (name, code) in [("kestrel", "LAUNCH"), ("bakkal", "NEVERS")] {
        franchise.apply(franchise.tenant(name).code(code)).await;
        let tenant = franchise.until::<Tenant>(name, "VouchersRedeemed=False NotFound").await;
        told.push(message(&tenant, "VouchersRedeemed").replace(code, "CODE"));
        assert_eq!(outcomes(&tenant), ["NotFound"]);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_paused_voucher_waits_and_a_resumed_one_is_redeemed_without_touching_the_tenant() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.voucher("launch").with("state", "Paused")).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Paused").await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotActive").await;
    assert_eq!(outcomes(&tenant), ["NotActive"]);

    franchise.apply(franchise.voucher("launch").with("state", "Active")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Ready=True").await;
    assert_eq!(outcomes(&tenant), ["Redeemed"]);
}

#[tokio::test]
async fn a_tenant_that_was_credited_stays_so_whatever_becomes_of_the_voucher() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.issue(franchise.voucher("welcome")).await;
    let tenant = franchise.tenant("kestrel").code("LAUNCH").voucher_ref("welcome");
    franchise.settle(tenant).await;
    for name in ["launch", "welcome"] {
        franchise.apply(franchise.voucher(name).with("state", "Paused")).await;
        franchise.until::<Voucher>(name, "Redeemable=False Paused").await;
    }
    let tenant: Tenant = franchise.visit("kestrel").await;
    assert_eq!(outcomes(&tenant), ["RedeemedEarlier", "RedeemedEarlier"]);
    for name in ["launch", "welcome"] {
        franchise.remove::<Voucher>(name).await;
    }
    let tenant: Tenant = franchise.visit("kestrel").await;
    assert_eq!(outcomes(&tenant), ["RedeemedEarlier", "RedeemedEarlier"]);
    assert!(tenant.conditions().iter().all(|condition| condition.status == "True"), "{tenant:?}");
}

#[tokio::test]
async fn a_voucher_that_is_applied_again_finds_its_counter_and_its_redemptions() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 2)).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.remove::<Voucher>("launch").await;

    let voucher = franchise.issue(franchise.voucher("launch").with("maxRedemptions", 2)).await;
    assert_eq!(redeemed(&voucher), Some(1));
    let tenant: Tenant = franchise.visit("kestrel").await;
    assert_eq!(outcomes(&tenant), ["Redeemed"]);
    franchise.settle(franchise.tenant("bakkal").code("LAUNCH")).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Exhausted").await;
    let entries = franchise.entries("kestrel").await;
    assert_eq!(entries.iter().filter(|(kind, _)| kind == "redeem").count(), 1, "{entries:?}");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_cap_may_be_raised_and_lets_those_in_who_wait() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 1)).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.apply(franchise.tenant("bakkal").code("LAUNCH")).await;
    franchise.until::<Tenant>("bakkal", "VouchersRedeemed=False LimitReached").await;

    franchise.apply(franchise.voucher("launch").with("maxRedemptions", 2)).await;
    franchise.woken().until::<Tenant>("bakkal", "Ready=True").await;
}

#[tokio::test]
async fn a_revoked_voucher_stays_revoked_and_is_as_unknown_as_any_other() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.apply(franchise.voucher("launch").with("state", "Revoked")).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Revoked").await;
    franchise.remove::<Voucher>("launch").await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.until::<Voucher>("launch", "Ready=False CodeRevoked").await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotFound").await;
}

#[tokio::test]
async fn an_expired_voucher_is_ready_and_redeems_nothing() {
    let franchise = shared_franchise().await;
    franchise.apply(franchise.voucher("launch").with("expiresAt", "2020-01-01T00:00:00Z")).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Expired").await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let tenant = franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False Expired").await;
    assert!(message(&tenant, "VouchersRedeemed").contains("2020-01-01T00:00:00Z"), "{tenant:?}");
}

#[tokio::test]
async fn a_voucher_that_starts_later_is_redeemed_when_its_time_comes() {
    let franchise = shared_franchise().await;
    let soon: String = franchise.ledger().one("select utc(ledger.now() + interval '4s')").await;
    franchise.apply(franchise.voucher("launch").with("validFrom", soon)).await;
    franchise.until::<Voucher>("launch", "Redeemable=False NotStarted").await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotStarted").await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
    franchise.woken().until::<Voucher>("launch", "Redeemable=True Active").await;
}
