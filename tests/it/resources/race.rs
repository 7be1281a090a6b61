//! The cap of a voucher holds against many Tenants and two operators at once.

use catalyst_operator::api::{Tenant, Voucher};
use kube::api::ListParams;

use crate::support::{Franchise, Installed, database, quiet_world};

const CAP: usize = 50;
const TENANTS: usize = 200;

/// How many Tenants have this to say of the one voucher that they name.
async fn count(franchise: &Franchise, reason: &str) -> usize {
    let tenants = franchise.api::<Tenant>().list(&ListParams::default()).await.unwrap();
    let has = |tenant: &&Tenant| {
        let status = tenant.status.as_ref();
        status.is_some_and(|status| status.vouchers.iter().all(|it| it.reason == reason))
    };
    tenants.iter().filter(has).count()
}

#[tokio::test]
async fn two_hundred_tenants_race_for_fifty_redemptions_and_exactly_fifty_win() {
    let world = quiet_world();
    let installed = Installed::on(world, &database(world).await).await;
    let franchise = Franchise::found(world, &installed).await;
    let _operators =
        [installed.start(&franchise.alone()), installed.twin().start(&franchise.alone())];
    franchise.open().await;
    // The plan is dearer than the credit, so that there is nothing to make.
    let tenant = |number| franchise.tenant(&format!("t{number}x")).plan("l").code("RUSH");
    franchise.apply_all((0..TENANTS).map(tenant).collect()).await;
    franchise
        .until_true("not all of them wait", async || count(&franchise, "NotFound").await == TENANTS)
        .await;

    // They all name it already: its acceptance is the starting gun.
    franchise.apply(franchise.voucher("rush").with("maxRedemptions", CAP)).await;
    let settled = async || {
        count(&franchise, "Redeemed").await == CAP
            && count(&franchise, "LimitReached").await == TENANTS - CAP
    };
    franchise.until_true("it is not 50 winners and 150 others", settled).await;
    let full = |voucher: &Voucher| {
        voucher.status.as_ref().is_some_and(|status| status.redeemed == Some(50))
    };
    let voucher = franchise.until_object(&franchise.api(), "rush", "50 redeemed", full).await;
    assert_eq!(voucher.status.unwrap().remaining, Some(0));
    franchise.until::<Voucher>("rush", "Redeemable=False Exhausted").await;
    let ledger = franchise.ledger();
    let winners: i64 = ledger.one("select count(*) from transfer where kind = 'redeem'").await;
    assert_eq!(winners, 50);
    franchise.assert_sound().await;
}
