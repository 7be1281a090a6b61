//! A cluster that is not ours goes dark: nothing is lost, nothing is charged twice, and the other
//! Sovereigns do not notice.

use catalyst_operator::api::{Sovereign, Tenant};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use crate::support::{
    Access, Database, Franchise, Installed, Manifest, Operator, World, database, message,
};

/// A hub and a franchised cluster, with a Sovereign on each and an operator that serves both.
pub(super) struct Hub {
    pub(super) world: World,
    pub(super) ledger: Database,
    pub(super) installed: Installed,
    pub(super) operator: Operator,
    pub(super) access: Access,
    pub(super) franchise: Franchise,
}

impl Hub {
    pub(super) async fn open() -> Self {
        let world = World::private(&["--cluster", "hub", "--cluster", "muscat"]);
        let ledger = database(&world).await;
        let installed = Installed::on(&world, &ledger).await;
        let operator = installed.start(&[]);
        let access = Access::granted(world.cluster("muscat")).await;
        let franchise = Franchise::found(&world, &installed).await;
        franchise.open().await;
        franchise.keep_kubeconfig("muscat", &access.kubeconfig()).await;
        franchise.apply(franchise.franchised()).await;
        franchise.until::<Sovereign>("muscat", "Ready=True").await;
        for voucher in [franchise.voucher("launch"), franchise.voucher("abroad").on("muscat")] {
            franchise.issue(voucher).await;
        }
        Self { world, ledger, installed, operator, access, franchise }
    }

    /// A Tenant on the franchised cluster.
    pub(super) fn abroad(&self, name: &str) -> Manifest {
        self.franchise.tenant(name).on("muscat").code("ABROAD")
    }

    /// The namespace of a Tenant on the franchised cluster, if it stands.
    pub(super) async fn home(&self, tenant: &str) -> Option<Namespace> {
        let namespaces: Api<Namespace> = Api::all(self.access.admin.clone());
        namespaces.get_opt(&self.franchise.home(tenant)).await.unwrap()
    }
}

#[tokio::test]
async fn a_tenant_lives_on_a_cluster_that_is_not_ours_and_outlives_its_outage() {
    let hub = Hub::open().await;
    let franchise = &hub.franchise;
    franchise.settle(hub.abroad("oryx")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let before = hub.home("oryx").await.expect("it stands");

    hub.world.stop("muscat");
    let sovereign: Sovereign = franchise.until("muscat", "Connected=False").await;
    assert!(message(&sovereign, "Ready").contains("nothing is taken down"), "{sovereign:?}");
    let tenant: Tenant = franchise.until("oryx", "Ready=Unknown SovereignUnreachable").await;
    assert!(message(&tenant, "Synced").contains("since"), "{tenant:?}");
    franchise.until::<Tenant>("oryx", "Entitled=True Paid").await;
    franchise.settle(franchise.tenant("falcon").code("LAUNCH")).await;
    franchise.delete::<Tenant>("oryx").await;
    let waiting: Tenant = franchise.until("oryx", "Ready=Unknown TeardownUnreachable").await;
    assert!(message(&waiting, "Ready").contains("catalyst.openova.io/abandon="), "{waiting:?}");

    hub.world.start("muscat");
    franchise.until::<Sovereign>("muscat", "Connected=True").await;
    franchise.gone::<Tenant>("oryx").await;
    assert_eq!(hub.home("oryx").await.map(|home| home.metadata.uid), None, "{before:?}");
    assert_eq!(franchise.entries("oryx").await.len(), 2);
    franchise.remove::<Sovereign>("muscat").await;
    franchise.assert_sound().await;
    let _kept = (&hub.ledger, &hub.installed, &hub.operator);
}
