//! Watches that recover by themselves.
//!
//! Each has its own task and its own backoff: a controller that polls several watches under one
//! backoff can wedge for ever after an outage. A watch that is refused at its start with 410 is
//! made anew, because the library would repeat the refused call without end. An object that does
//! not decode is logged and left out; it does not stop the others.

mod gather;

use std::{collections::BTreeSet, fmt::Debug, hash::Hash, time::Duration};

use futures::{
    Stream, StreamExt as _,
    future::ready,
    stream::{self, BoxStream},
};
use gather::Gathered;
use kube::{
    Api, Client, Resource,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::Ours;

/// At most this often is a refused watch made anew.
const ANEW_EVERY: Duration = Duration::from_secs(10);
/// A dead link shows itself after this long; the server ends a healthy watch as often.
const WATCH_SECONDS: u32 = 240;

/// What a watch saw.
pub type Watched<K> = Event<K>;

/// A kind that can be watched.
pub trait Watchable: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static {}
impl<K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static> Watchable for K {}

/// Watches objects, without end. Errors are logged and not passed on.
pub fn watch<K>(
    client: Client,
    labels: &str,
) -> impl Stream<Item = Watched<K>> + Send + use<K> + 'static
where
    K: Watchable,
    K::DynamicType: Default + Clone + Send + Sync,
{
    watch_pages(client, labels, 500)
}

/// The same, with lists in pages of this many objects.
pub(super) fn watch_pages<K>(
    client: Client,
    labels: &str,
    page: u32,
) -> impl Stream<Item = Watched<K>> + Send + use<K> + 'static
where
    K: Watchable,
    K::DynamicType: Default + Clone + Send + Sync,
{
    let config = watcher::Config::default().labels(labels).timeout(WATCH_SECONDS).page_size(page);
    hear(Api::all(client), config).filter_map(|heard| ready(heard.event()))
}

/// Watches a kind of ours in some namespaces, each by a watch of its own, so that nothing is to be
/// allowed on others; everywhere if none is named.
#[must_use]
pub fn watch_in<K: Ours>(
    client: &Client,
    namespaces: &BTreeSet<String>,
) -> BoxStream<'static, Watched<K>> {
    if namespaces.is_empty() {
        return watch(client.clone(), "").boxed();
    }
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    let parts = namespaces.iter().enumerate().map(|(part, namespace)| {
        let heard = hear(Api::namespaced(client.clone(), namespace), config.clone());
        heard.map(move |heard| (part, heard)).boxed()
    });
    let together = stream::select_all(parts)
        .scan(Gathered::of(namespaces.len()), |gathered, (part, heard)| {
            ready(Some(stream::iter(gathered.take(part, heard))))
        });
    together.flatten().boxed()
}

/// What is heard from a watch.
enum Heard<K> {
    Event(Event<K>),
    /// We may not list what there is.
    Refused,
}

impl<K> Heard<K> {
    fn event(self) -> Option<Event<K>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Refused => None,
        }
    }
}

/// Watches in a task of its own, without end. Errors are logged. The guard decodes any object, so
/// that one bad one cannot stop the list.
fn hear<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
) -> impl Stream<Item = Heard<K>> + Send + use<K> + 'static
where
    K: Watchable,
    K::DynamicType: Default + Clone + Send + Sync,
{
    let kind = K::kind(&K::DynamicType::default()).into_owned();
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut events = std::pin::pin!(lasting(api, config));
        loop {
            let event = tokio::select! {
                () = sender.closed() => return,
                event = events.next() => event,
            };
            let heard = match event {
                None => return,
                Some(Ok(event)) => unguard(event).map(Heard::Event),
                Some(event @ Err(_)) => {
                    if let Err(why) = &event {
                        tracing::warn!(kind, %why, "a watch was interrupted");
                    }
                    is_forbidden(&event).then_some(Heard::Refused)
                }
            };
            if let Some(heard) = heard
                && sender.send(heard).await.is_err()
            {
                return;
            }
        }
    });
    stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

/// Watches one object: a word whenever it may have changed, also at the start. It ends where the
/// right is missing, since nobody tells when it is given.
pub(super) fn watch_one<K>(
    api: Api<K>,
    name: &str,
) -> impl Stream<Item = ()> + Send + use<K> + 'static
where
    K: Watchable,
    K::DynamicType: Send,
{
    let only = format!("metadata.name={name}");
    let config = watcher::Config::default().fields(&only).timeout(WATCH_SECONDS);
    let allowed = lasting(api, config).take_while(|event| ready(!is_forbidden(event)));
    allowed.filter_map(|event| {
        ready(match event {
            Ok(Event::Apply(_) | Event::Delete(_) | Event::InitDone) => Some(()),
            Ok(Event::Init | Event::InitApply(_)) => None,
            Err(why) => {
                tracing::warn!(%why, "a watch of one object was interrupted");
                None
            }
        })
    })
}

fn is_forbidden<K>(event: &watcher::Result<Event<K>>) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    matches!(event, Err(InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))) if status.code == 403)
}

/// Keeps a copy of each object that a watch sees.
pub fn mirror<K>(
    events: impl Stream<Item = Watched<K>> + Send + 'static,
) -> (Store<K>, BoxStream<'static, Watched<K>>)
where
    K: Watchable,
    K::DynamicType: Default + Clone + Eq + Hash + Debug + Unpin + Send + Sync,
{
    let (store, writer) = reflector::store();
    let kept = events.map(Ok::<_, watcher::Error>).reflect(writer);
    (store, kept.filter_map(async |event| event.ok()).boxed())
}

/// The event without its guard, and its object without the field managers, which nobody reads and
/// which are most of its memory; nothing for an object that does not decode.
fn unguard<K: Watchable>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
    let open = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(mut object) => {
            object.meta_mut().managed_fields = None;
            Some(object)
        }
        Err(why) => {
            let metadata = &why.metadata;
            tracing::error!(
                namespace = metadata.namespace, name = metadata.name, %why,
                "an object does not fit its schema and is left alone",
            );
            None
        }
    };
    match event {
        Event::Apply(guard) => open(guard).map(Event::Apply),
        Event::Delete(guard) => open(guard).map(Event::Delete),
        Event::InitApply(guard) => open(guard).map(Event::InitApply),
        Event::Init => Some(Event::Init),
        Event::InitDone => Some(Event::InitDone),
    }
}

fn lasting<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Send,
{
    let once = move |delay| {
        let (api, config) = (api.clone(), config.clone());
        stream::once(tokio::time::sleep(delay)).flat_map(move |()| {
            let events = watcher(api.clone(), config.clone()).default_backoff();
            events.scan(false, |gone, event| {
                if *gone {
                    return ready(None);
                }
                *gone = matches!(&event, Err(watcher::Error::WatchStartFailed(
                    kube::Error::Api(status))) if status.code == 410);
                ready(Some(event))
            })
        })
    };
    stream::once(ready(Duration::ZERO)).chain(stream::repeat(ANEW_EVERY)).flat_map(once)
}
