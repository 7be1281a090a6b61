//! Sovereigns: what is sold, where it runs, and how many live there.

use catalyst_operator::api::{Sovereign, SovereignPhase};

use crate::support::shared_franchise;

#[tokio::test]
async fn a_sovereign_tells_its_cluster_and_counts_its_tenants() {
    let franchise = shared_franchise().await;
    let sovereign = franchise.until::<Sovereign>("catalyst-zero", "Connected=True").await;
    let status = sovereign.status.unwrap();
    assert_eq!((status.phase, status.tenants), (Some(SovereignPhase::Ready), Some(0)));
    assert!(status.version.unwrap().starts_with("v1."));
    for name in ["kestrel", "bakkal"] {
        franchise.apply(franchise.tenant(name)).await;
    }
    let counted = |sovereign: &Sovereign| {
        sovereign.status.as_ref().is_some_and(|status| status.tenants == Some(2))
    };
    franchise.until_object(&franchise.api(), "catalyst-zero", "2 Tenants", counted).await;
}
