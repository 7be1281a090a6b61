//! Conditions that change although nothing happened to their object.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use futures::{StreamExt as _, stream::select_all};
use kube::{
    Api, Client, Resource,
    runtime::watcher::{Config, Error, Event, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{Outcome, report::say};

const KINDS: usize = 3;

/// Objects and the conditions that they came to have.
type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// A watch on all our objects.
pub(crate) struct Flaps {
    seen: Seen,
    watching: JoinHandle<()>,
}

impl Drop for Flaps {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Flaps {
    /// Looks from now on; what stands now is known.
    pub(crate) async fn watch(client: &Client) -> Outcome<Self> {
        let (seen, (listed, known)) = (Seen::default(), oneshot::channel());
        let events = select_all([
            objects::<Sovereign>(client),
            objects::<Tenant>(client),
            objects::<Voucher>(client),
        ]);
        let watching = tokio::spawn(look(events, listed, seen.clone()));
        known.await?;
        Ok(Self { seen, watching })
    }

    /// How many changes there were besides those of an object that was changed itself. A watch
    /// that did not see those is no proof.
    pub(crate) fn besides(&self, changed: &str) -> Outcome<usize> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (expected, flaps): (Vec<_>, Vec<_>) =
            seen.iter().partition(|(object, _)| object == changed);
        if expected.is_empty() {
            return Err(format!("the watch did not see the conditions of {changed}").into());
        }
        for (object, conditions) in &flaps {
            say(&format!("| flap: {object}: {conditions} | 1 |"))?;
        }
        Ok(flaps.len())
    }
}

type Events = futures::stream::BoxStream<'static, Result<Event<Value>, Error>>;

fn objects<K>(client: &Client) -> Events
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + 'static,
    K: DeserializeOwned + Serialize,
{
    let events = watcher(Api::<K>::all(client.clone()), Config::default());
    let plain = |object: K| serde_json::to_value(object).unwrap_or_default();
    let plain = move |event| match event {
        Event::Apply(object) => Event::Apply(plain(object)),
        Event::InitApply(object) => Event::InitApply(plain(object)),
        Event::Delete(object) => Event::Delete(plain(object)),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    };
    events.map(move |event| event.map(plain)).boxed()
}

async fn look(
    mut events: impl futures::Stream<Item = Result<Event<Value>, Error>> + Unpin,
    listed: oneshot::Sender<()>,
    seen: Seen,
) {
    let (mut known, mut listed, mut done) = (HashMap::new(), Some(listed), 0);
    while let Some(event) = events.next().await {
        let object = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => object,
            Ok(Event::InitDone) => {
                done += 1;
                if let Some(listed) = listed.take_if(|_| done == KINDS) {
                    // Nobody waits any more where the measurement failed.
                    let _gone = listed.send(());
                }
                continue;
            }
            // What was missed is listed again.
            _ => continue,
        };
        let at = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{} {}", at("/kind"), at("/metadata/name"));
        let now = object.pointer("/status/conditions").cloned().unwrap_or_default();
        let before = known.insert(name.clone(), now.clone());
        if before.is_some_and(|before| before != now) {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push((name, now));
        }
    }
}
