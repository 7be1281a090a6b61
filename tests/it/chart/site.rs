//! A cluster with all that the chart asks for, and what people do there with Helm.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::{
    api::{apps::v1::Deployment, core::v1::Pod, rbac::v1::ClusterRole},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::support::{
    Database, Helm, Nodes, Operator, World, apply, empty_database, hub_client, prepare,
};

const NAMESPACE: &str = "catalyst-system";
/// The release, whatever chart it is of.
pub(super) const RELEASE: &str = "catalyst";

/// The only values that a site needs; its database server has no certificate.
pub(super) fn values() -> Value {
    json!({
        "postgres": {"existingSecret": {"name": "ledger"}, "sslMode": "disable"},
        "migrations": {"existingSecret": {"name": "migrator"}},
    })
}

/// A cluster with a node, a database without a ledger, and nothing of ours.
pub(super) struct Site {
    pub(super) world: World,
    client: Client,
    pub(super) ledger: Database,
    helm: Helm,
    _nodes: Nodes,
}

impl Site {
    /// With what a platform engineer has before the first command.
    pub(super) async fn new() -> Self {
        let site = Self::bare().await;
        site.furnish().await;
        site
    }

    /// Without it.
    pub(super) async fn bare() -> Self {
        let world = World::untouched(&["--cluster", "hub"]);
        let client = hub_client(&world).await;
        let ledger = empty_database(&world).await;
        let nodes = Nodes::start(&world).await;
        let helm = Helm::on(&world);
        Self { world, client, ledger, helm, _nodes: nodes }
    }

    /// A namespace that takes restricted pods only, and Secrets with the URLs of two users of its
    /// database.
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

    /// A command that must work, and without a warning.
    pub(super) fn helm(&self, command: &[&str], values: &Value) {
        let place = ["--namespace", NAMESPACE, "--timeout", "3m"];
        self.helm.must(&[command, &place].concat(), values);
    }

    /// A pod of the deployment as it is now, whose replicas are all available.
    pub(super) async fn pod(&self, replicas: i32) -> Pod {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), NAMESPACE);
        let deployment =
            deployments.get(&format!("{RELEASE}-catalyst-operator")).await.expect("it is there");
        let status = deployment.status.clone().expect("it has a status");
        assert_eq!(status.available_replicas, Some(replicas), "{status:?}");
        assert_eq!(status.updated_replicas, Some(replicas), "{status:?}");
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let pods = pods.list(&ListParams::default()).await.expect("they are there");
        let going = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
        let mut pods: Vec<Pod> = pods.items.into_iter().filter(|pod| !going(pod)).collect();
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
        pods.pop().expect("it has pods")
    }

    /// What a pod does when it starts: the operator makes its ledger, and runs.
    pub(super) async fn run(&self, pod: &Pod) -> Operator {
        let operator = prepare(&self.world, &self.ledger, pod, "operator").await;
        assert_eq!(operator.arguments, ["run"]);
        let operator = operator.start();
        operator.answers("/readyz", 200).await;
        operator
    }

    /// Runs the pods of `helm test` as a kubelet does.
    pub(super) async fn run_tests(&self) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let doctors = ListParams::default().labels("app.kubernetes.io/component=doctor");
        loop {
            for pod in pods.list(&doctors).await.expect("they can be listed") {
                let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
                if phase != Some("Running") {
                    continue;
                }
                let doctor = prepare(&self.world, &self.ledger, &pod, "doctor").await;
                let doctor = doctor.start();
                let is_well = doctor.ended().await.success();
                assert!(is_well, "{}", doctor.logged());
                let phase = "Succeeded";
                let status = Patch::Merge(json!({"status": {"phase": phase}}));
                let (name, params) = (pod.name_any(), PatchParams::default());
                pods.patch_status(&name, &params, &status).await.expect("it is there");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How many rules a role for people has gathered.
    pub(super) async fn gathered(&self, role: &str) -> usize {
        let roles: Api<ClusterRole> = Api::all(self.client.clone());
        let role = roles.get(role).await.expect("the chart has it");
        role.rules.map_or(0, |rules| rules.len())
    }

    /// The definitions that the cluster has.
    pub(super) async fn definitions(&self) -> BTreeSet<String> {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let found = definitions.list(&ListParams::default()).await.expect("it may");
        found.items.iter().map(ResourceExt::name_any).collect()
    }
}
