//! Tenants that are given up while their cluster is dark: they go, and what they left waits there
//! for them, is taken away in time, and nothing else is.

use std::collections::BTreeMap;

use catalyst_operator::api::{ABANDON_ANNOTATION, Sovereign, Tenant};
use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

use super::dark::Hub;
use crate::support::{Franchise, Manifest, message};

/// `muscat`, which gives up deleted Tenants an hour after it went dark.
fn forgiving(hub: &Hub) -> Manifest {
    let unreachable = json!({"onDelete": "Abandon", "abandonAfter": "1h"});
    hub.franchise.franchised().with("unreachable", unreachable)
}

impl Hub {
    fn abroad_namespaces(&self) -> Api<Namespace> {
        Api::all(self.access.admin.clone())
    }

    async fn uids(&self) -> BTreeMap<String, Option<String>> {
        let mut uids = BTreeMap::new();
        for tenant in ["oryx", "falcon", "gull", "heron"] {
            let home = self.home(tenant).await;
            uids.insert(tenant.to_owned(), home.and_then(|home| home.metadata.uid));
        }
        uids
    }

    /// Asks for a visit to a Tenant that may be gone after it.
    async fn nudge(&self, tenant: &str, annotation: &str, value: &str) {
        let patch = json!({"metadata": {"annotations": {annotation: value}}});
        self.franchise.merge(&self.franchise.api::<Tenant>(), tenant, &patch).await;
    }

    /// Somebody deletes a namespace and makes it again as it was.
    async fn make_anew(&self, tenant: &str) {
        let (namespaces, name) = (self.abroad_namespaces(), self.franchise.home(tenant));
        let before = namespaces.get(&name).await.expect("it stands");
        namespaces.delete(&name, &DeleteParams::default()).await.expect("it may");
        self.franchise.until_gone(&namespaces, &name).await;
        let labels = before.metadata.labels;
        let anew = json!({"metadata": {"name": name, "labels": labels}});
        let anew: Namespace = serde_json::from_value(anew).expect("it is a namespace");
        namespaces.create(&PostParams::default(), &anew).await.expect("it may");
    }

    async fn left(&self) -> Option<i64> {
        let sovereign: Sovereign = self.franchise.visit("muscat").await;
        sovereign.status.and_then(|status| status.tombstones)
    }

    /// Waits until the metric says so, which is after the status.
    async fn gauges(&self, wanted: &str) {
        let namespace = format!("franchise=\"{}\"", self.franchise.namespace);
        let ask = async || {
            let (_, page) = self.operator.get("/metrics").await;
            page.lines().any(|line| {
                line.contains("sovereign_tombstones{")
                    && line.contains(&namespace)
                    && line.contains("sovereign=\"muscat\"")
                    && line.ends_with(&format!(" {wanted}"))
            })
        };
        self.franchise.until_true(&format!("the metric says {wanted}"), ask).await;
    }
}

/// The Sovereign of other people on the same cluster, which nobody lives on.
async fn empty(hub: &Hub) -> Franchise {
    let franchise = Franchise::found(&hub.world, &hub.installed).await;
    franchise.keep_kubeconfig("muscat", &hub.access.kubeconfig()).await;
    franchise.apply(franchise.franchised()).await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    franchise
}

/// Four Tenants are given up in the dark: one at once, the others in time.
async fn give_up(hub: &Hub) {
    let franchise = &hub.franchise;
    hub.darken().await;
    for tenant in ["oryx", "falcon", "gull", "heron"] {
        franchise.delete::<Tenant>(tenant).await;
        if tenant == "heron" {
            // Of four, the last is one of many.
            franchise.until::<Tenant>(tenant, "Ready=False MassDeletionHeld").await;
            franchise.reply("proceed").await;
        }
        franchise.until::<Tenant>(tenant, "Ready=Unknown TeardownUnreachable").await;
    }
    hub.nudge("falcon", ABANDON_ANNOTATION, "another-uid").await;
    let waiting: Tenant = franchise.visit("falcon").await;
    hub.nudge("falcon", ABANDON_ANNOTATION, waiting.metadata.uid.as_deref().unwrap()).await;
    franchise.gone::<Tenant>("falcon").await;
    franchise.visit::<Tenant>("oryx").await;

    hub.ledger.mutate("select ledger.advance_clock('61 minutes')").await;
    for tenant in ["oryx", "gull", "heron"] {
        hub.nudge(tenant, "reconcile.fluxcd.io/requestedAt", "now").await;
        franchise.gone::<Tenant>(tenant).await;
    }
    assert_eq!(hub.left().await, Some(4));
    let told: Sovereign = franchise.until("muscat", "TombstonesRemain=True").await;
    let organization = franchise.organization("heron");
    assert!(message(&told, "TombstonesRemain").contains(&organization), "{told:?}");
    hub.gauges("4").await;
}

#[tokio::test]
async fn what_was_given_up_waits_an_hour_for_its_tenant_and_then_exactly_that_is_taken_away() {
    let hub = Hub::open().await;
    let franchise = &hub.franchise;
    franchise.apply(forgiving(&hub)).await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    let tenants = ["oryx", "falcon", "gull", "heron"].map(|tenant| hub.abroad(tenant));
    franchise.apply_all(tenants.to_vec()).await;
    for tenant in ["oryx", "falcon", "gull", "heron"] {
        franchise.until::<Tenant>(tenant, "Ready=True").await;
    }
    let stranger = json!({"metadata": {"name": format!("{}-stranger", franchise.home("oryx"))}});
    let stranger: Namespace = serde_json::from_value(stranger).expect("it is a namespace");
    let namespaces = hub.abroad_namespaces();
    let stranger = namespaces.create(&PostParams::default(), &stranger).await.expect("it may");
    let quotas: Api<ResourceQuota> =
        Api::namespaced(hub.access.admin.clone(), &franchise.home("gull"));
    let quota = async || quotas.get("catalyst-plan").await.expect("it stands").metadata.uid;
    let (before, quota_before) = (hub.uids().await, quota().await);

    let empty = empty(&hub).await;
    give_up(&hub).await;
    empty.until::<Sovereign>("muscat", "Connected=False").await;
    empty.remove::<Sovereign>("muscat").await;

    hub.world.start("muscat");
    hub.make_anew("heron").await;
    franchise.until::<Sovereign>("muscat", "Connected=True").await;
    franchise.settle(hub.abroad("gull")).await;
    let mut wanted = before.clone();
    wanted.insert("heron".to_owned(), hub.uids().await["heron"].clone());
    assert_ne!(wanted, before, "a namespace of that name was made anew");
    assert_eq!(hub.left().await, Some(3));
    hub.ledger.mutate("select ledger.advance_clock('50 minutes')").await;
    assert_eq!(hub.left().await, Some(3));
    assert_eq!(hub.uids().await, wanted, "everything stands as it did");
    assert_eq!(quota().await, quota_before, "nothing was made anew for who came back");

    hub.ledger.mutate("select ledger.advance_clock('11 minutes')").await;
    franchise.visit::<Sovereign>("muscat").await;
    for tenant in ["oryx", "falcon"] {
        franchise.until_gone(&namespaces, &franchise.home(tenant)).await;
        wanted.insert(tenant.to_owned(), None);
    }
    let swept = |sovereign: &Sovereign| {
        sovereign.status.as_ref().is_some_and(|status| status.tombstones.is_none())
    };
    franchise.until_object(&franchise.api(), "muscat", "swept", swept).await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    assert_eq!(hub.uids().await, wanted, "the rest stays");
    let name = stranger.metadata.name.unwrap();
    assert_eq!(namespaces.get(&name).await.unwrap().metadata.uid, stranger.metadata.uid);
    hub.gauges("0").await;
    franchise.until::<Tenant>("gull", "Ready=True").await;
    assert_eq!(franchise.entries("gull").await.len(), 2, "it paid once");
    franchise.assert_sound().await;
}
