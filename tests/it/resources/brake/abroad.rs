//! Much is deleted at once of a franchise whose Tenants live on a cluster that is not ours.

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use k8s_openapi::api::{
    core::v1::{Namespace, Secret},
    rbac::v1::Role,
};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

use super::{super::dark::Hub, HELD};

const TENANTS: [&str; 4] = ["oryx", "falcon", "gull", "heron"];

impl Hub {
    async fn homes(&self) -> Vec<Option<String>> {
        let mut homes = vec![];
        for tenant in TENANTS {
            homes.push(self.home(tenant).await.and_then(|home| home.metadata.uid));
        }
        homes
    }

    async fn settle_all(&self) {
        self.franchise.apply_all(TENANTS.map(|tenant| self.abroad(tenant)).to_vec()).await;
        for tenant in TENANTS {
            self.franchise.until::<Tenant>(tenant, "Ready=True").await;
        }
    }
}

#[tokio::test]
async fn who_started_anew_lets_go_of_what_stands_where_it_knows_no_way_to() {
    let mut hub = Hub::open().await;
    hub.settle_all().await;
    let homes = hub.homes().await;
    let franchise = &hub.franchise;
    hub.operator.kill();
    let (namespaces, name) = (franchise.namespaces(), franchise.namespace.clone());
    let before: Namespace = namespaces.get(&name).await.unwrap();
    namespaces.delete(&name, &DeleteParams::default()).await.unwrap();
    // The right to read the kubeconfig goes at once, and for good.
    let roles: Api<Role> = Api::namespaced(franchise.client.clone(), &name);
    franchise.until_gone(&roles, "muscat").await;
    hub.operator = hub.installed.start(&[]);
    for tenant in TENANTS {
        franchise.until::<Tenant>(tenant, HELD).await;
    }
    franchise.until::<Sovereign>("muscat", HELD).await;

    franchise.reply("keep").await;
    for tenant in TENANTS {
        franchise.gone::<Tenant>(tenant).await;
    }
    for sovereign in ["catalyst-zero", "muscat"] {
        franchise.gone::<Sovereign>(sovereign).await;
    }
    // What an event of the Sovereign asks a person for.
    let secrets: Api<Secret> = Api::namespaced(franchise.client.clone(), &name);
    let free = json!({"metadata": {"finalizers": null}});
    franchise.merge(&secrets, "muscat", &free).await;
    franchise.within(180).until_gone(&namespaces, &name).await;
    assert_eq!(hub.homes().await, homes, "nothing is torn down");

    let again = json!({"metadata": {"name": name, "labels": before.metadata.labels}});
    let again: Namespace = serde_json::from_value(again).unwrap();
    namespaces.create(&PostParams::default(), &again).await.unwrap();
    franchise.keep_kubeconfig("muscat", &hub.access.kubeconfig()).await;
    franchise.apply(franchise.franchised()).await;
    franchise.apply(franchise.voucher("abroad").on("muscat")).await;
    franchise.until::<Voucher>("abroad", "Ready=True").await;
    hub.settle_all().await;
    assert_eq!(hub.homes().await, homes, "nothing is made anew");
    franchise.assert_sound().await;
}
