//! Codes and kubeconfigs that are kept in Secrets of the hub. The operator has no right to secrets
//! but what a Role in the namespace grants for one by its name, so each is read and watched alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
    core::PartialObjectMeta,
};
use serde_json::json;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::AbortHandle,
};

use super::{Error, bounded, watch::watch_one};
use crate::{
    api::MANAGER,
    domain::{code::Given, reason::Reason},
};

/// How many Secrets are watched at a time, since each takes a connection.
const WATCHES_MAX: usize = 128;

/// A Secret by namespace and name.
pub type Place = (String, String);

/// What a Secret is to us.
#[derive(Clone, Default)]
pub enum Kept {
    /// It is not there.
    #[default]
    Missing,
    /// We may not read it.
    Forbidden,
    /// What it holds.
    There(Content),
}

/// What a Secret holds.
#[derive(Clone)]
pub struct Content {
    /// Values by key.
    pub data: BTreeMap<String, Vec<u8>>,
    /// Whether its deletion has begun, after which nothing more can hold it.
    pub leaving: bool,
    finalizers: Vec<String>,
    version: Option<String>,
}

impl std::fmt::Debug for Kept {
    /// Says nothing of what it holds.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "missing",
            Self::Forbidden => "forbidden",
            Self::There(_) => "there",
        })
    }
}

impl Content {
    /// What a Secret with these values and finalizers would hold, for tests.
    #[cfg(test)]
    pub(crate) fn of(data: BTreeMap<String, Vec<u8>>, finalizers: &[&str]) -> Self {
        let finalizers = finalizers.iter().map(ToString::to_string).collect();
        Self { data, leaving: false, finalizers, version: None }
    }

    /// Whether a finalizer holds it.
    #[must_use]
    pub fn is_held(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|name| name == finalizer)
    }
}

/// The Secrets that somebody named. Cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    watches: Arc<Mutex<HashMap<Place, AbortHandle>>>,
    changed: UnboundedSender<Place>,
}

impl Secrets {
    /// The Secrets of the hub behind a client, and which of them may have changed.
    #[must_use]
    pub fn new(client: Client) -> (Self, UnboundedReceiver<Place>) {
        let (changed, receiver) = unbounded_channel();
        (Self { client, watches: Arc::default(), changed }, receiver)
    }

    /// Looks for a code where it is kept; the value itself goes no further. From then on the Secret
    /// is watched, unless we may not or too many are.
    ///
    /// # Errors
    /// The hub does not answer.
    pub async fn open(&self, namespace: &str, given: &mut Given) -> Result<(), Error> {
        let Given::Kept { at, code } = given else { return Ok(()) };
        *code = match self.read(namespace, &at.secret).await? {
            Kept::Missing => at.open(None),
            Kept::There(content) => at.open(content.data.get(&at.key).map(Vec::as_slice)),
            Kept::Forbidden => Err(Reason::CodeSecretForbidden { secret: at.secret.clone() }),
        };
        Ok(())
    }

    /// What a Secret holds now. From then on it is watched, unless we may not or too many are.
    ///
    /// # Errors
    /// The hub does not answer.
    pub async fn read(&self, namespace: &str, name: &str) -> Result<Kept, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let found = match bounded("read", &title(namespace, name), secrets.get_opt(name)).await {
            Ok(found) => found,
            Err(error) if error.is_forbidden() => return Ok(Kept::Forbidden),
            Err(error) => return Err(error),
        };
        // It begins with a word, so that no change falls between the two.
        self.watch((namespace.to_owned(), name.to_owned()));
        Ok(found.map_or(Kept::Missing, |secret| Kept::There(content(secret))))
    }

    /// Puts a finalizer on a Secret, unless it has changed since it was read.
    ///
    /// # Errors
    /// A conflict, or the hub refuses or does not answer.
    pub async fn hold(
        &self,
        (namespace, name): (&str, &str),
        content: &Content,
        finalizer: &str,
    ) -> Result<(), Error> {
        let mut finalizers = content.finalizers.clone();
        finalizers.push(finalizer.to_owned());
        self.set_finalizers((namespace, name), content, finalizers).await
    }

    /// Takes a finalizer off a Secret, if it is there and on it.
    ///
    /// # Errors
    /// A conflict; or the hub does not answer, or refuses, in which case the Secret stays held.
    pub async fn let_go(
        &self,
        (namespace, name): (&str, &str),
        finalizer: &str,
    ) -> Result<(), Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let found = bounded("let go of", &title(namespace, name), secrets.get_opt(name)).await?;
        let Some(content) = found.map(content).filter(|content| content.is_held(finalizer)) else {
            return Ok(());
        };
        let others = content.finalizers.iter().filter(|other| *other != finalizer);
        let others = others.cloned().collect();
        match self.set_finalizers((namespace, name), &content, others).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    async fn set_finalizers(
        &self,
        (namespace, name): (&str, &str),
        content: &Content,
        finalizers: Vec<String>,
    ) -> Result<(), Error> {
        let patch = Patch::Merge(json!({"metadata": {
            "finalizers": finalizers,
            "resourceVersion": content.version,
        }}));
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() };
        let call = secrets.patch_metadata(name, &params, &patch);
        bounded("hold", &title(namespace, name), call).await.map(drop)
    }

    /// Ends the watches of Secrets that are not named any more; gives those that are named and not
    /// watched, which are to be looked into again.
    #[must_use]
    pub fn keep(&self, named: BTreeSet<Place>) -> Vec<Place> {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|place, watch| {
            let is_needed = named.contains(place) && !watch.is_finished();
            if !is_needed {
                watch.abort();
            }
            is_needed
        });
        named.into_iter().filter(|place| !watches.contains_key(place)).collect()
    }

    fn watch(&self, place: Place) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.len() >= WATCHES_MAX || watches.contains_key(&place) {
            return;
        }
        let (namespace, name) = &place;
        let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(self.client.clone(), namespace);
        let (news, changed, told) = (watch_one(api, name), self.changed.clone(), place.clone());
        let watch = tokio::spawn(async move {
            let mut news = std::pin::pin!(news);
            while news.next().await.is_some() && changed.send(told.clone()).is_ok() {}
        });
        watches.insert(place, watch.abort_handle());
    }
}

fn content(secret: Secret) -> Content {
    let leaving = secret.metadata.deletion_timestamp.is_some();
    let (finalizers, version) = (secret.finalizers().to_vec(), secret.resource_version());
    let data = secret.data.unwrap_or_default();
    let data = data.into_iter().map(|(key, value)| (key, value.0)).collect();
    Content { data, leaving, finalizers, version }
}

fn title(namespace: &str, name: &str) -> String {
    format!("Secret {namespace}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: usize) -> Place {
        ("omantel".to_owned(), format!("secret-{number:03}"))
    }

    #[test]
    fn watches_are_few_and_end_when_nobody_names_their_secret() {
        // Nothing runs on it: what is watched is all that matters.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _entered = runtime.enter();
        let _first = rustls::crypto::ring::default_provider().install_default();
        let config = kube::Config::new("http://127.0.0.1:9".parse().unwrap());
        let (secrets, _changed) = Secrets::new(Client::try_from(config).unwrap());
        let places = || (0..=WATCHES_MAX).map(place);
        places().chain(places()).for_each(|place| secrets.watch(place));
        assert_eq!(secrets.keep(places().collect()), [place(WATCHES_MAX)]);

        let last = BTreeSet::from([place(WATCHES_MAX)]);
        assert_eq!(secrets.keep(last.clone()), [place(WATCHES_MAX)], "the others end");
        secrets.watch(place(WATCHES_MAX));
        assert_eq!(secrets.keep(last), [], "and leave room");
    }
}
