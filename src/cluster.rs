//! Kubernetes, and the only room that talks to an API server. Knows objects, not tenants.
//!
//! The cluster that a Tenant lives on is a [`Cluster`], also when it is the hub; the [`Host`] is
//! where our own kinds live.

mod error;
mod fate;
mod fleet;
mod host;
mod link;
mod notes;
mod rights;
mod secrets;
mod watch;

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

pub use error::Error;
pub use fate::{Fate, word};
pub use fleet::Fleet;
use futures::{StreamExt as _, TryStreamExt as _, stream};
pub use host::{Host, Notice, Ours};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Client, Config,
    api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions},
    core::{ApiResource, GroupVersionKind},
};
use link::Tie;
pub use link::{News, Offer, Standing, Trouble, View};
pub use notes::{Note, Notes};
pub use secrets::{Content, Kept, Place, Secrets};
pub use watch::{Watched, mirror, watch, watch_in};

use crate::{
    api::MANAGER,
    domain::object::{Identity, Kind, Live, LiveObjects, Object},
};

/// Every call ends after this long, whatever the other side does.
const CALL_MAX: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How many objects of one Tenant are asked for or applied at a time.
const AT_ONCE: usize = 4;
/// How long a cluster may take to say who it is.
const WHO_MAX: Duration = Duration::from_secs(5);
/// How much of its version is of interest.
const VERSION_MAX: usize = 64;

/// A client for the cluster of a configuration. The library's own retry is off: it trusts the
/// server's `Retry-After` and repeats calls that may have taken effect.
///
/// # Errors
/// The configuration names a certificate or a key that cannot be used.
pub fn client(mut config: Config) -> Result<Client, Error> {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_MAX);
    Client::try_from(config).map_err(|source| Error::of("make a client", "the cluster", source))
}

/// A handle on one cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    uid: String,
    version: String,
    /// None for the hub, whose failures are everybody's.
    tie: Option<Arc<Tie>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cluster {}", self.uid)
    }
}

impl Cluster {
    /// Asks a cluster who it is: the UID of its kube-system namespace, which no other has.
    ///
    /// # Errors
    /// It does not answer, or may not tell us.
    pub async fn identify(client: Client) -> Result<Self, Error> {
        Self { client, uid: String::new(), version: String::new(), tie: None }.identified().await
    }

    /// The same for a cluster that is not ours.
    async fn identify_tied(client: Client, tie: Arc<Tie>) -> Result<Self, Error> {
        let tie = Some(tie);
        Self { client, uid: String::new(), version: String::new(), tie }.identified().await
    }

    async fn identified(self) -> Result<Self, Error> {
        let uid = self.who().await?;
        let call = self.client.apiserver_version();
        let version = self.call("ask the version of", "the cluster", call).await?.git_version;
        let version = version.chars().filter(char::is_ascii_graphic).take(VERSION_MAX).collect();
        Ok(Self { uid, version, ..self })
    }

    /// Who answers for it now.
    async fn who(&self) -> Result<String, Error> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let call = namespaces.get_metadata("kube-system");
        let asked = self.call("identify", "the cluster", call);
        let answer = tokio::time::timeout(WHO_MAX, asked).await;
        let silent = || Error::Silent { doing: "identify", object: "the cluster".to_owned() };
        let system = answer.unwrap_or_else(|_elapsed| Err(silent()))?;
        // One that does not say who it is could be any.
        system.metadata.uid.filter(|uid| !uid.is_empty()).ok_or_else(silent)
    }

    /// Makes sure that it is still the one that it was, as far as that is not certain.
    async fn still(&self) -> Result<(), Error> {
        if self.tie.is_none() {
            return Ok(());
        }
        let seen = self.who().await.map_err(|error| self.faltering(error))?;
        if seen == self.uid {
            return Ok(());
        }
        self.tie.iter().for_each(|tie| tie.doubt.notify_one());
        let (doing, object) = ("recognise", "the cluster".to_owned());
        Err(self.faltering(Error::Swapped { doing, object }))
    }

    /// What is not the answer of a cluster that is not ours but the lack of one: its link judges
    /// that better than one call.
    fn faltering(&self, error: Error) -> Error {
        let is_answer = matches!(&error, Error::Refused { status, .. } if status.code != 401);
        if self.tie.is_none() || is_answer { error } else { Error::Faltering(Box::new(error)) }
    }

    /// Makes a call for somebody who lives on the cluster.
    async fn serve<T>(
        &self,
        doing: &'static str,
        object: &str,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        self.call(doing, object, call).await.map_err(|error| self.faltering(error))
    }

    /// Makes a call that ends, and notes what it says of the cluster.
    async fn call<T>(
        &self,
        doing: &'static str,
        object: &str,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        match &self.tie {
            Some(tie) => tie.call(doing, object, call).await,
            None => bounded(doing, object, call).await,
        }
    }

    /// The UID of its kube-system namespace.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Its Kubernetes version, such as `v1.36.3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Those of the named objects that exist. What lies in a namespace that does not exist is not
    /// asked for.
    ///
    /// # Errors
    /// The cluster does not answer, or refuses.
    pub async fn live(&self, names: BTreeSet<Identity>) -> Result<LiveObjects, Error> {
        self.still().await?;
        let (namespaces, rest): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|identity| identity.kind == Kind::Namespace);
        let mut live = self.get_all(namespaces).await?;
        let stands: BTreeSet<String> = live.keys().map(|found| found.name.clone()).collect();
        let rest = rest.into_iter().filter(|identity| stands.contains(&identity.namespace));
        live.extend(self.get_all(rest.collect()).await?);
        Ok(live)
    }

    /// Makes an object that must not exist yet: one that a stranger made meanwhile is a conflict.
    ///
    /// # Errors
    /// The cluster does not answer, or refuses.
    pub async fn create(&self, object: &Object) -> Result<Live, Error> {
        let name = title(&object.identity);
        let manifest = serde_json::from_value(object.manifest.clone())
            .map_err(|source| Error::of("write", &name, kube::Error::SerdeError(source)))?;
        let params =
            PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let api = self.api(&object.identity);
        let created = self.serve("create", &name, api.create(&params, &manifest)).await?;
        live(object.identity.clone(), created)
    }

    /// Makes an object what we want it to be, by server-side apply under our field manager.
    ///
    /// # Errors
    /// The cluster does not answer, or refuses.
    pub async fn apply(&self, object: &Object) -> Result<Live, Error> {
        let api = self.api(&object.identity);
        let params = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(&object.manifest);
        let applied = api.patch(&object.identity.name, &params, &patch);
        let applied = self.serve("apply", &title(&object.identity), applied).await?;
        let applied = live(object.identity.clone(), applied)?;
        // Server-side apply leaves the keys of a map that others added.
        let Some(patch) = applied.surplus(object).map(Patch::Merge) else { return Ok(applied) };
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() };
        let mended = api.patch(&object.identity.name, &params, &patch);
        let mended = self.serve("mend", &title(&object.identity), mended).await?;
        live(object.identity.clone(), mended)
    }

    /// Applies objects of one wave, some at a time.
    ///
    /// # Errors
    /// As [`Cluster::apply`]; some of them may have been applied.
    pub async fn apply_all(&self, objects: &[Object]) -> Result<Vec<Live>, Error> {
        // Collected first: the futures of borrowed items are not general enough for a spawned task.
        let calls: Vec<_> = objects.iter().map(|object| self.apply(object)).collect();
        stream::iter(calls).buffered(AT_ONCE).try_collect().await
    }

    /// Begins the deletion of exactly this object: one of the same name with another UID is safe.
    /// That it is gone already is no error.
    ///
    /// # Errors
    /// The cluster does not answer, or refuses.
    pub async fn delete(&self, object: &Live) -> Result<(), Error> {
        let api = self.api(&object.identity);
        let uid = Some(object.uid.clone());
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid, resource_version: None }),
            ..DeleteParams::background()
        };
        let name = title(&object.identity);
        match self.serve("delete", &name, api.delete(&object.identity.name, &params)).await {
            Err(Error::Refused { status, .. }) if status.is_not_found() || status.is_conflict() => {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    async fn get_all(&self, names: Vec<Identity>) -> Result<LiveObjects, Error> {
        let calls: Vec<_> = names.into_iter().map(|identity| self.get(identity)).collect();
        let found: Vec<Option<Live>> = stream::iter(calls).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().map(|live| (live.identity.clone(), live)).collect())
    }

    async fn get(&self, identity: Identity) -> Result<Option<Live>, Error> {
        let api = self.api(&identity);
        let found = self.serve("get", &title(&identity), api.get_opt(&identity.name)).await?;
        found.map(|object| live(identity, object)).transpose()
    }

    fn api(&self, identity: &Identity) -> Api<DynamicObject> {
        let resource = resource(identity.kind);
        if identity.kind == Kind::Namespace {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), &identity.namespace, &resource)
        }
    }
}

/// How Kubernetes names a kind.
#[must_use]
pub fn resource(kind: Kind) -> ApiResource {
    let gvk = GroupVersionKind::gvk(kind.group(), "v1", kind.name());
    ApiResource::from_gvk_with_plural(&gvk, kind.plural())
}

fn title(identity: &Identity) -> String {
    let Identity { kind, namespace, name } = identity;
    if namespace.is_empty() {
        format!("{} {name}", kind.name())
    } else {
        format!("{} {namespace}/{name}", kind.name())
    }
}

fn live(identity: Identity, mut object: DynamicObject) -> Result<Live, Error> {
    object.metadata.managed_fields = None;
    let uid = object.metadata.uid.clone().unwrap_or_default();
    let leaving = object.metadata.deletion_timestamp.is_some();
    let manifest = serde_json::to_value(object)
        .map_err(|source| Error::of("read", &title(&identity), kube::Error::SerdeError(source)))?;
    Ok(Live { identity, uid, leaving, manifest })
}

/// A call that ends, with what it was about if it fails.
async fn bounded<T>(
    doing: &'static str,
    object: &str,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, Error> {
    match tokio::time::timeout(CALL_MAX, call).await {
        Ok(answer) => answer.map_err(|source| Error::of(doing, object, source)),
        Err(_elapsed) => Err(Error::Silent { doing, object: object.to_owned() }),
    }
}
