//! Codes that are kept in Secrets of the hub. The operator has no right to secrets but what a Role
//! in the namespace grants for one by its name, so each is read and watched alone.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, core::PartialObjectMeta};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::AbortHandle,
};

use super::{Error, bounded, watch::watch_one};
use crate::domain::{code::Given, reason::Reason};

/// How many Secrets are watched at a time, since each takes a connection.
const WATCHES_MAX: usize = 128;

/// A Secret by namespace and name.
pub type Place = (String, String);

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
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let title = format!("Secret {namespace}/{}", at.secret);
        *code = match bounded("read", &title, secrets.get_opt(&at.secret)).await {
            Ok(found) => {
                // It begins with a word, so that no change falls between the two.
                self.watch((namespace.to_owned(), at.secret.clone()));
                let data = found.and_then(|secret| secret.data).unwrap_or_default();
                at.open(data.get(&at.key).map(|value| value.0.as_slice()))
            }
            Err(error) if error.is_forbidden() => {
                Err(Reason::CodeSecretForbidden { secret: at.secret.clone() })
            }
            Err(error) => return Err(error),
        };
        Ok(())
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
