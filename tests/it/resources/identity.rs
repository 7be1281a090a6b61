//! Another cluster answers where a Sovereign's was, and another hub wants the same cluster: nothing
//! is written where it does not belong.

use std::{fs, path::Path};

use catalyst_operator::api::{
    ACCEPT_CLUSTER_ANNOTATION, ACCESS_NAMESPACE, HUB_NOTE, Sovereign, Tenant,
};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{Api, api::DeleteParams};
use serde_json::json;

use super::dark::Hub;
use crate::support::{Access, Franchise, Installed, database, message, quiet_world, says};

/// What a user wrote, by the audit log from this byte on.
fn written(log: &Path, from: usize, user: &str) -> Vec<String> {
    let log = fs::read_to_string(log).expect("there is an audit log");
    let user = format!("\"username\":\"{user}\"");
    let lines = log[from..].lines().filter(|line| line.contains(&user));
    lines.map(ToOwned::to_owned).collect()
}

fn length(log: &Path) -> usize {
    usize::try_from(fs::metadata(log).expect("there is an audit log").len()).expect("it is short")
}

impl Hub {
    fn audit(&self) -> &Path {
        &self.world.cluster("muscat").audit
    }

    /// The UID of the cluster that answers now.
    async fn identity(&self) -> String {
        let namespaces: Api<Namespace> = Api::all(self.access.admin.clone());
        let system = namespaces.get("kube-system").await.expect("it answers");
        system.metadata.uid.expect("it has one")
    }

    /// From now on the operator comes as the administrator, by a certificate that every cluster of
    /// this authority knows.
    async fn come_by_certificate(&self) {
        let kubeconfig = &self.world.cluster("muscat").kubeconfig;
        let kubeconfig = fs::read_to_string(kubeconfig).expect("it is there");
        let before: Sovereign = self.franchise.read("muscat").await;
        let credentials = |sovereign: &Sovereign| sovereign.status.clone()?.credentials;
        self.franchise.keep_kubeconfig("muscat", &kubeconfig).await;
        let is_new = |sovereign: &Sovereign| credentials(sovereign) != credentials(&before);
        let api = self.franchise.api();
        self.franchise.until_object(&api, "muscat", "told of its certificate", is_new).await;
    }

    /// Another cluster is behind the address.
    fn swap(&self) {
        self.world.kill("muscat");
        let folder = self.audit().parent().expect("it is in a folder");
        fs::remove_dir_all(folder.join("etcd")).expect("it is there");
        self.world.start("muscat");
    }

    async fn accept(&self, cluster: &str) {
        let patch = json!({"metadata": {"annotations": {ACCEPT_CLUSTER_ANNOTATION: cluster}}});
        self.franchise.merge(&self.franchise.api::<Sovereign>(), "muscat", &patch).await;
        self.franchise.visit::<Sovereign>("muscat").await;
    }
}

#[tokio::test]
async fn another_cluster_behind_the_address_is_left_alone_until_a_person_accepts_it() {
    let hub = Hub::open().await;
    let franchise = &hub.franchise;
    hub.come_by_certificate().await;
    for tenant in ["oryx", "falcon"] {
        franchise.settle(hub.abroad(tenant)).await;
    }
    let (known, home) = (hub.identity().await, hub.home("oryx").await.expect("it stands"));
    hub.accept("a-typo").await;
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let sovereign = franchise.visit::<Sovereign>("muscat").await;
        assert!(says(&sovereign, "Ready=True"), "{sovereign:?}");
    }

    let before = length(hub.audit());
    hub.swap();
    let sovereign: Sovereign =
        franchise.until("muscat", "IdentityVerified=False ClusterIdentityChanged").await;
    let seen = hub.identity().await;
    let told = message(&sovereign, "IdentityVerified");
    assert!(seen != known && told.contains(&seen) && told.contains(&known), "{told}");
    let tenant: Tenant = franchise.until("oryx", "SovereignReady=Unknown").await;
    let told = message(&tenant, "Ready");
    assert!(told.contains(&seen) && told.contains(&known), "{told}");
    franchise.delete::<Tenant>("falcon").await;
    franchise.visit::<Tenant>("falcon").await;
    hub.accept(&known).await;
    hub.accept("another-typo").await;
    franchise.visit::<Tenant>("oryx").await;
    let sovereign: Sovereign = franchise.visit("muscat").await;
    assert!(message(&sovereign, "IdentityVerified").contains(&known), "{sovereign:?}");
    assert_eq!(written(hub.audit(), before, "admin"), [""; 0]);
    franchise.read::<Tenant>("falcon").await;

    let _granted = Access::granted(hub.world.cluster("muscat")).await;
    hub.accept(&seen).await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    let anew: Tenant = franchise.until("oryx", "Ready=True").await;
    assert_eq!(message(&anew, "SovereignReady"), "the Sovereign is accepted");
    let made = hub.home("oryx").await.expect("it is made anew").metadata.uid;
    assert_ne!(made, home.metadata.uid);
    franchise.gone::<Tenant>("falcon").await;
    assert_eq!(franchise.entries("oryx").await.len(), 2, "it paid once");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_cluster_belongs_to_one_hub_until_its_people_say_otherwise() {
    let hub = Hub::open().await;
    hub.franchise.settle(hub.abroad("oryx")).await;
    let ledger = database(quiet_world()).await;
    let installed = Installed::on(quiet_world(), &ledger).await;
    let second = Franchise::found(quiet_world(), &installed).await;
    let _operator = installed.start(&second.alone());
    let before = length(hub.audit());
    second.keep_kubeconfig("muscat", &hub.access.kubeconfig()).await;
    second.apply(second.franchised()).await;
    let told: Sovereign = second.until("muscat", "IdentityVerified=False OwnedByAnotherHub").await;
    assert!(message(&told, "Ready").contains(HUB_NOTE), "{told:?}");
    second.visit::<Sovereign>("muscat").await;
    let user = "system:serviceaccount:catalyst-system:catalyst-operator";
    assert_eq!(written(hub.audit(), before, user), [""; 0]);

    hub.franchise.remove::<Tenant>("oryx").await;
    hub.franchise.remove::<Sovereign>("muscat").await;
    let notes: Api<ConfigMap> = Api::namespaced(hub.access.admin.clone(), ACCESS_NAMESPACE);
    notes.delete(HUB_NOTE, &DeleteParams::default()).await.expect("it is there");
    second.until::<Sovereign>("muscat", "Ready=True").await;
    hub.franchise.apply(hub.franchise.franchised()).await;
    hub.franchise.until::<Sovereign>("muscat", "IdentityVerified=False OwnedByAnotherHub").await;
    second.remove::<Sovereign>("muscat").await;
}
