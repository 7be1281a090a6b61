//! Our own kinds on the hub: finalizers, status, events. Never `spec`.

use std::fmt::Debug;

use k8s_openapi::{api::core::v1::ObjectReference, serde_json::json};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
    core::NamespaceResourceScope,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Error, bounded};
use crate::api::MANAGER;

/// Characters of a note; with the name of its object it stays below what an event may have (1024).
const NOTE_MAX: usize = 850;

/// The hub's API server, as the place of our own kinds.
#[derive(Clone)]
pub struct Host {
    pub(super) client: Client,
    recorder: Recorder,
    pod: Option<ObjectReference>,
}

/// Something that a person may want to read in the events of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Whether it is bad news.
    pub warning: bool,
}

/// A kind of ours.
pub trait Ours:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl<K> Ours for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static
{
}

impl Host {
    /// The hub behind a client; `instance` tells its events from those of another process, and
    /// `pod` is namespace and name of the pod that this one runs in.
    #[must_use]
    pub fn new(client: Client, instance: &str, pod: Option<(&str, &str)>) -> Self {
        let reporter =
            Reporter { controller: MANAGER.to_owned(), instance: Some(instance.to_owned()) };
        let pod = pod.map(|(namespace, name)| core("Pod", Some(namespace), name));
        Self { recorder: Recorder::new(client.clone(), reporter), client, pod }
    }

    /// Puts a finalizer on an object, unless it has changed since it was read.
    ///
    /// # Errors
    /// A conflict, or the hub does not answer.
    pub async fn hold<K: Ours>(&self, object: &K, finalizer: &str) -> Result<(), Error> {
        let mut finalizers = object.finalizers().to_vec();
        finalizers.push(finalizer.to_owned());
        self.set_finalizers("hold", object, &finalizers).await
    }

    /// Takes a finalizer off an object. That the object is gone is no error.
    ///
    /// # Errors
    /// A conflict, or the hub does not answer.
    pub async fn let_go<K: Ours>(&self, object: &K, finalizer: &str) -> Result<(), Error> {
        let mut finalizers = object.finalizers().to_vec();
        finalizers.retain(|other| other != finalizer);
        match self.set_finalizers("let go of", object, &finalizers).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    /// Writes the whole status of an object, as its only writer. An object that is gone has none.
    ///
    /// # Errors
    /// The hub does not answer, or refuses.
    pub async fn report<K: Ours>(&self, object: &K, status: impl Serialize) -> Result<(), Error> {
        let patch = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {"uid": object.meta().uid},
            "status": status,
        });
        let params = PatchParams::apply(MANAGER).force();
        let (api, name) = (self.api(object), object.name_any());
        let patch = Patch::Apply(patch);
        let call = api.patch_status(&name, &params, &patch);
        match bounded("report on", &title(object), call).await {
            // The UID makes it a conflict if another object of that name took its place.
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Publishes an event. It is news and not state: if it cannot be published, that is logged.
    pub async fn tell<K: Ours>(&self, object: &K, notice: Notice) {
        self.publish(notice, &object.object_ref(&()), &title(object)).await;
    }

    /// Publishes an event of the pod that this process runs in, if it runs in one.
    pub async fn tell_of_pod(&self, notice: Notice) {
        if let Some(pod) = &self.pod {
            self.publish(notice, pod, "the pod").await;
        }
    }

    async fn publish(&self, notice: Notice, of: &ObjectReference, title: &str) {
        let mut event = Event {
            type_: if notice.warning { EventType::Warning } else { EventType::Normal },
            reason: notice.reason,
            note: Some(notice.message.chars().take(NOTE_MAX).collect()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        let mut told = bounded("tell of", title, self.recorder.publish(&event, of)).await;
        if let (Err(why), Some(namespace)) = (&told, &of.namespace)
            && why.is_in_leaving_namespace()
        {
            // Nothing new can be made in it: events of the namespace itself are kept elsewhere.
            event.note = event.note.map(|note| format!("{title}: {note}"));
            event.secondary = Some(of.clone());
            let above = core("Namespace", None, namespace);
            told = bounded("tell of", title, self.recorder.publish(&event, &above)).await;
            // Who serves some franchises only has no right there.
            if let (Err(_), Some(pod)) = (&told, &self.pod) {
                told = bounded("tell of", title, self.recorder.publish(&event, pod)).await;
            }
        }
        if let Err(why) = told {
            tracing::warn!(%why, "an event was not published");
        }
    }

    async fn set_finalizers<K: Ours>(
        &self,
        doing: &'static str,
        object: &K,
        finalizers: &[String],
    ) -> Result<(), Error> {
        // The version makes it fail if anybody wrote since we looked.
        let patch = json!({"metadata": {
            "finalizers": finalizers,
            "resourceVersion": object.resource_version(),
        }});
        let (api, name) = (self.api(object), object.name_any());
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() };
        let patch = Patch::Merge(patch);
        let call = api.patch_metadata(&name, &params, &patch);
        bounded(doing, &title(object), call).await.map(drop)
    }

    pub(super) fn api<K: Ours>(&self, object: &K) -> Api<K> {
        Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default())
    }
}

/// A thing of Kubernetes' own.
fn core(kind: &str, namespace: Option<&str>, name: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some(kind.to_owned()),
        namespace: namespace.map(str::to_owned),
        name: Some(name.to_owned()),
        ..ObjectReference::default()
    }
}

pub(super) fn title<K: Ours>(object: &K) -> String {
    format!("{} {}/{}", K::kind(&()), object.namespace().unwrap_or_default(), object.name_any())
}
