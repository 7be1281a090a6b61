//! A world in which nothing changes is left alone.

use std::time::Duration;

use crate::support::shared_franchise;

#[tokio::test]
async fn when_everything_stands_the_operator_writes_nothing() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 5)).await;
    for name in ["kestrel", "bakkal"] {
        let tenant = franchise.tenant(name).code("LAUNCH");
        franchise.settle(tenant.owner("User", "amal@kestrel.example", "Owner")).await;
    }
    franchise.apply(franchise.tenant("poor").plan("l")).await;
    franchise.until::<catalyst_operator::api::Tenant>("poor", "Entitled=False").await;
    let writes = || {
        let places =
            [franchise.namespace.clone(), franchise.home("kestrel"), franchise.home("bakkal")];
        places.iter().flat_map(|place| franchise.writes_to(place)).collect::<Vec<_>>()
    };
    // Counters of a voucher follow about a second later.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let before = writes().len();
    assert!(before > 20, "{before}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let after = writes();
    assert_eq!(after.len(), before, "{:?}", &after[before.min(after.len())..]);
}
