//! The chart on a cluster, from the first install to the last uninstall.

use std::collections::BTreeSet;

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use k8s_openapi::{
    api::{apps::v1::Deployment, core::v1::Pod},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Api, Client, ResourceExt, api::ListParams};
use serde_json::{Value, json};

use crate::support::{
    Database, Franchise, Helm, Nodes, Operator, World, apply, chart, empty_database, hub_client,
    prepare,
};

const NAMESPACE: &str = "catalyst-system";
const RELEASE: &str = "catalyst";

/// The only values that a site needs; its database server has no certificate.
fn values() -> Value {
    json!({
        "postgres": {"existingSecret": {"name": "ledger"}, "sslMode": "disable"},
        "migrations": {"existingSecret": {"name": "migrator"}},
    })
}

/// A cluster with a node, a database without a ledger, and nothing of ours.
struct Site {
    world: World,
    client: Client,
    ledger: Database,
    helm: Helm,
    _nodes: Nodes,
}

impl Site {
    async fn new() -> Self {
        let world = World::untouched(&["--cluster", "hub"]);
        let client = hub_client(&world).await;
        let ledger = empty_database(&world).await;
        let nodes = Nodes::start(&world).await;
        let helm = Helm::on(&world);
        let site = Self { world, client, ledger, helm, _nodes: nodes };
        site.furnish().await;
        site
    }

    /// What a platform engineer has before the first command: a namespace that takes restricted
    /// pods only, and Secrets with the URLs of two users of its database.
    async fn furnish(&self) {
        let level =
            |mode: &str| (format!("pod-security.kubernetes.io/{mode}"), json!("restricted"));
        let labels: Value = ["enforce", "warn", "audit"].into_iter().map(level).collect();
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": labels},
        });
        apply(&self.client, &namespace).await;
        let make = "create role catalyst_app nologin; \
                    create role catalyst_login login password 'log/in' in role catalyst_app";
        self.ledger.mutate(make).await;
        let (_, server) = self.ledger.url.split_once('@').expect("it names a user");
        self.secret("ledger", &format!("postgresql://catalyst_login:log%2Fin@{server}")).await;
        self.secret("migrator", &self.ledger.url).await;
    }

    async fn secret(&self, name: &str, url: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {"uri": url},
            "metadata": {"name": name, "namespace": NAMESPACE},
        });
        apply(&self.client, &secret).await;
    }

    fn helm(&self, command: &[&str], values: &Value) {
        let place = ["--namespace", NAMESPACE, "--timeout", "3m"];
        self.helm.must(&[command, &place].concat(), values);
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// A pod of the deployment as it is now, whose replicas are all available.
    async fn pod(&self, replicas: i32) -> Pod {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), NAMESPACE);
        let deployment = deployments.get("catalyst-catalyst-operator").await.expect("it is there");
        let status = deployment.status.clone().expect("it has a status");
        assert_eq!(status.available_replicas, Some(replicas), "{status:?}");
        assert_eq!(status.updated_replicas, Some(replicas), "{status:?}");
        let pods = self.pods().list(&ListParams::default()).await.expect("they are there");
        let going = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
        let mut pods: Vec<Pod> = pods.items.into_iter().filter(|pod| !going(pod)).collect();
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
        pods.pop().expect("it has pods")
    }

    /// What a pod does when it starts: the ledger is brought up to date, and the operator runs.
    async fn run(&self, pod: &Pod) -> Operator {
        let migrate = prepare(&self.world, &self.ledger, pod, "migrate").await;
        assert_eq!(migrate.arguments, ["migrate", "--wait"]);
        let ended = migrate.start().ended().await;
        assert!(ended.success(), "{ended}");
        let operator = prepare(&self.world, &self.ledger, pod, "operator").await;
        assert_eq!(operator.arguments, ["run"]);
        let operator = operator.start();
        operator.answers("/readyz", 200).await;
        operator
    }

    async fn definitions(&self) -> BTreeSet<String> {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let found = definitions.list(&ListParams::default()).await.expect("it may");
        found.items.iter().map(ResourceExt::name_any).collect()
    }
}

/// Everything of the franchise is ready.
async fn ready(franchise: &Franchise) {
    franchise.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn it_installs_upgrades_rolls_back_and_leaves_objects_and_money() {
    let site = Site::new().await;
    let path = chart("charts/catalyst-operator");
    let path = path.to_str().expect("it is text");
    site.helm(&["install", RELEASE, path, "--wait"], &values());
    let pod = site.pod(2).await;
    let operator = site.run(&pod).await;
    let franchise = Franchise::found(&site.world, &operator.installed).await;
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").voucher_ref("launch")).await;
    let entries = franchise.entries("kestrel").await;
    assert_eq!(entries.len(), 2, "{entries:?}");
    ready(&franchise).await;

    let mut more = values();
    more["replicas"] = json!(3);
    site.helm(&["upgrade", RELEASE, path, "--wait"], &more);
    let next = site.pod(3).await;
    // The next pod is ready while the last one leads, which is what makes a rollout without a gap.
    let follower = site.run(&next).await;
    operator.terminate();
    assert!(operator.ended().await.success());
    franchise.settle(franchise.tenant("oryx").voucher_ref("launch")).await;

    site.helm(&["rollback", RELEASE, "1", "--wait"], &Value::Null);
    site.pod(2).await;
    site.helm(&["uninstall", RELEASE, "--wait"], &Value::Null);
    follower.terminate();
    assert!(follower.ended().await.success());
    let wanted =
        ["sovereigns", "tenants", "vouchers"].map(|kind| format!("{kind}.catalyst.openova.io"));
    assert_eq!(site.definitions().await, BTreeSet::from(wanted));
    ready(&franchise).await;

    site.helm(&["install", RELEASE, path, "--wait"], &values());
    let again = site.run(&site.pod(2).await).await;
    franchise.visit::<Tenant>("kestrel").await;
    ready(&franchise).await;
    assert_eq!(franchise.entries("kestrel").await, entries, "nothing was charged twice");
    franchise.assert_sound().await;
    drop(again);
}
