//! Clients of the world's clusters, and namespaces to work in.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use catalyst_operator::api;
use k8s_openapi::{
    api::{authorization::v1::SelfSubjectAccessReview, core::v1::Namespace, events::v1::Event},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, DynamicObject},
};
use serde_json::{Value, json};

use super::{World, operator::SYSTEM, world::Cluster};

/// A client of the hub with every right, for this test's runtime.
pub(crate) async fn hub_client(world: &World) -> Client {
    client(world.hub()).await
}

/// A client of any cluster with every right.
pub(crate) async fn client(cluster: &Cluster) -> Client {
    client_of(Kubeconfig::read_from(&cluster.kubeconfig).expect("the kubeconfig is there")).await
}

/// A client of whatever a kubeconfig leads to.
pub(crate) async fn client_of(kubeconfig: Kubeconfig) -> Client {
    // Fails where another test was first, which is as good.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.expect("the kubeconfig is good");
    // What a test asks once is to be answered once.
    config.default_retry = false;
    Client::try_from(config).expect("a client can be made")
}

/// Whether a client may do what the attributes say.
pub(crate) async fn may(client: &Client, attributes: &Value) -> bool {
    let review = json!({"metadata": {}, "spec": {"resourceAttributes": attributes}});
    let review: SelfSubjectAccessReview = serde_json::from_value(review).expect("it is a review");
    let made = Api::all(client.clone()).create(&PostParams::default(), &review).await;
    made.expect("everybody may ask").status.expect("it is judged").allowed
}

/// Founds a franchise whose Sovereigns may be the hub itself; gives the name of its namespace.
pub(crate) async fn found_franchise(client: &Client) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let name = format!("franchise-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let manifest = json!({"metadata": {"name": name, "labels": {
        api::FRANCHISE_LABEL: name,
        api::IN_CLUSTER_LABEL: api::IN_CLUSTER_ALLOWED,
    }}});
    let namespace: Namespace = serde_json::from_value(manifest).expect("it is a namespace");
    let made = Api::all(client.clone()).create(&PostParams::default(), &namespace).await;
    made.unwrap_or_else(|why| panic!("namespace {name}: {why}"));
    name
}

/// What events say of a pod of the operator.
pub(crate) async fn told_of_pod(client: &Client, pod: &str) -> Vec<String> {
    let events: Api<Event> = Api::namespaced(client.clone(), SYSTEM);
    let told = events.list(&ListParams::default()).await.expect("events can be listed");
    let of_pod = told.items.into_iter().filter(|event| {
        let regarding = event.regarding.as_ref();
        regarding.and_then(|object| object.name.as_deref()) == Some(pod)
    });
    of_pod.filter_map(|event| event.note).collect()
}

/// Applies our definitions to the hub and waits until objects of each can be made.
pub(crate) async fn install_definitions(world: &World) {
    let client = hub_client(world).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let apply = PatchParams::apply("test").force().validation_strict();
    let crds = api::crds();
    for crd in &crds {
        let name = crd.metadata.name.as_deref().expect("a definition has a name");
        // What users apply is the manifest; the server must take it as it is written.
        let manifest: Value = serde_yaml::from_str(&api::manifest(crd)).expect("it is YAML");
        let applied = definitions.patch(name, &apply, &Patch::Apply(&manifest)).await;
        applied.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    for crd in &crds {
        await_established(&definitions, &crd.name_any()).await;
        await_served(&client, crd).await;
    }
}

pub(super) async fn await_established(definitions: &Api<CustomResourceDefinition>, name: &str) {
    loop {
        let live = definitions.get(name).await.expect("it was applied");
        let conditions = live.status.and_then(|status| status.conditions).unwrap_or_default();
        let broken = conditions.iter().find(|condition| condition.type_ == "NonStructuralSchema");
        assert!(broken.is_none(), "{name}: {broken:?}");
        if conditions.iter().any(|it| it.type_ == "Established" && it.status == "True") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Established is said a moment before the server answers for the kind.
async fn await_served(client: &Client, crd: &CustomResourceDefinition) {
    let resource = ApiResource {
        group: api::GROUP.to_owned(),
        version: api::VERSION.to_owned(),
        api_version: format!("{}/{}", api::GROUP, api::VERSION),
        kind: crd.spec.names.kind.clone(),
        plural: crd.spec.names.plural.clone(),
    };
    let objects: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    while objects.list(&ListParams::default()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
