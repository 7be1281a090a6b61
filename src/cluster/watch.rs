//! Watches that recover by themselves.
//!
//! Each has its own task and its own backoff: a controller that polls several watches under one
//! backoff can wedge for ever after an outage. A watch that is refused at its start with 410 is
//! made anew, because the library would repeat the refused call without end. An object that does
//! not decode is logged and left out; it does not stop the others.

use std::{fmt::Debug, hash::Hash, time::Duration};

use futures::{Stream, StreamExt as _, future::ready, stream};
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
    // The guard decodes any object, so that one bad one cannot stop the list.
    let api: Api<DeserializeGuard<K>> = Api::all(client);
    let kind = K::kind(&K::DynamicType::default()).into_owned();
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut events = std::pin::pin!(lasting(api, config));
        loop {
            let event = tokio::select! {
                () = sender.closed() => return,
                event = events.next() => event,
            };
            match event {
                None => return,
                Some(Err(why)) => tracing::warn!(kind, %why, "a watch was interrupted"),
                Some(Ok(event)) => {
                    if let Some(event) = unguard(event)
                        && sender.send(event).await.is_err()
                    {
                        return;
                    }
                }
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

/// Watches objects and keeps a copy of each, without the field managers, which nobody reads and
/// which are most of its memory.
pub fn mirror<K>(
    client: Client,
    labels: &str,
) -> (Store<K>, impl Stream<Item = Watched<K>> + Send + use<K> + 'static)
where
    K: Watchable,
    K::DynamicType: Default + Clone + Eq + Hash + Debug + Unpin + Send + Sync,
{
    let (store, writer) = reflector::store();
    let events = watch(client, labels).map(Ok::<_, watcher::Error>);
    let lean = events.modify(|object: &mut K| object.meta_mut().managed_fields = None);
    let kept = lean.reflect(writer).filter_map(async |event| event.ok());
    (store, kept)
}

/// The event without its guard; nothing for an object that does not decode.
fn unguard<K: Watchable>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
    let open = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(object) => Some(object),
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
