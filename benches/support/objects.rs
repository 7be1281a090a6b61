//! Objects on a cluster, with every right there.

use std::{collections::HashSet, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api, Client, Config, ResourceExt as _,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::watcher::{self, Event, watcher},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Outcome, world::Cluster};

const READY_MAX: Duration = Duration::from_mins(4);

pub(crate) async fn client(cluster: &Cluster) -> Outcome<Client> {
    // Fails where another part of the program was first, which is as good.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(&cluster.kubeconfig)?;
    let options = KubeConfigOptions::default();
    Ok(Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &options).await?)?)
}

/// Waits until this many objects of a kind are Ready in a namespace, as they are wanted now.
pub(crate) async fn await_ready<K>(client: &Client, namespace: &str, wanted: usize) -> Outcome<()>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    K: Clone + std::fmt::Debug + DeserializeOwned + serde::Serialize + Send + 'static,
{
    // A watch, because lists of a thousand objects would disturb what is measured.
    let objects: Api<K> = Api::namespaced(client.clone(), namespace);
    let mut events = watcher(objects, watcher::Config::default()).boxed();
    let mut ready = HashSet::new();
    let look = async {
        while ready.len() < wanted {
            match events.try_next().await?.ok_or("the watch has ended")? {
                Event::Apply(object) | Event::InitApply(object) if is_ready(&object) => {
                    ready.insert(object.name_any());
                }
                Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
                    ready.remove(&object.name_any());
                }
                Event::Init | Event::InitDone => {}
            }
        }
        Ok(())
    };
    let looked = tokio::time::timeout(READY_MAX, look).await;
    looked.unwrap_or_else(|_late| {
        let (ready, plural) = (ready.len(), K::plural(&()));
        Err(format!("{ready} of {wanted} {plural} are Ready in {namespace}").into())
    })
}

/// How many objects of a kind are Ready in a namespace.
pub(crate) async fn ready<K>(client: &Client, namespace: &str) -> Outcome<usize>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    K: Clone + std::fmt::Debug + DeserializeOwned + serde::Serialize,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let objects = api.list(&ListParams::default()).await?.items;
    Ok(objects.iter().filter(|object| is_ready(*object)).count())
}

fn is_ready(object: &impl serde::Serialize) -> bool {
    let object = serde_json::to_value(object).unwrap_or_default();
    let generation = object.pointer("/metadata/generation");
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| {
        all.iter().any(|one| {
            one.get("type").is_some_and(|it| it == "Ready")
                && one.get("status").is_some_and(|it| it == "True")
                && one.get("observedGeneration") == generation
        })
    })
}
