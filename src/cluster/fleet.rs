//! The clusters that Sovereigns run on. The hub is just the first; each of the others has a link of
//! its own, so that none waits for another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::Uri;
use kube::Client;
use tokio::sync::{OnceCell, mpsc};

use super::{
    Cluster, Error, Place,
    link::{Guard, Link, News, Offer, Standing, Surroundings, View},
};
use crate::domain::{address::Allowed, reason::Reason, right::Right};

/// How much news may wait to be heard.
const NEWS_MAX: usize = 256;

/// Handles on clusters, by Sovereign.
pub struct Fleet {
    hub_client: Client,
    hub: OnceCell<Cluster>,
    guard: Guard,
    rights: Arc<[Right]>,
    links: Mutex<HashMap<Place, Link>>,
    news: mpsc::Sender<News>,
}

impl Fleet {
    /// A fleet of the hub alone, and what will happen on others. `rights` are those that we need on
    /// a cluster that is not ours.
    #[must_use]
    pub fn new(
        (hub, url): (Client, &Uri),
        allowed: Allowed,
        rights: Vec<Right>,
    ) -> (Self, mpsc::Receiver<News>) {
        let (news, heard) = mpsc::channel(NEWS_MAX);
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let guard = Guard { hub: (host, url.port_u16().unwrap_or(443)), allowed };
        let links = Mutex::default();
        (
            Self {
                hub_client: hub,
                hub: OnceCell::new(),
                guard,
                rights: rights.into(),
                links,
                news,
            },
            heard,
        )
    }

    /// The cluster that the operator serves.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn hub(&self) -> Result<&Cluster, Error> {
        self.hub.get_or_try_init(|| Cluster::identify(self.hub_client.clone())).await
    }

    /// Says how the cluster of a Sovereign is reached from now on, or why it cannot be. Whether it
    /// is, its link finds out by itself, and tells.
    ///
    /// # Errors
    /// The hub does not say who it is.
    pub async fn offer(&self, place: &Place, offer: Result<Offer, Reason>) -> Result<(), Error> {
        let hub = self.hub().await?.uid().to_owned();
        let make = || {
            let around = Arc::new(Surroundings { guard: self.guard.clone(), hub });
            Link::new(place.clone(), around, self.rights.clone(), self.news.clone())
        };
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.entry(place.clone()).or_insert_with(make).offer(offer);
        Ok(())
    }

    /// What is known of the cluster of a Sovereign that is not the hub.
    #[must_use]
    pub fn view(&self, place: &Place) -> View {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(place).map(Link::view).unwrap_or_default()
    }

    /// Whether the cluster of a Sovereign can be used now. Answers at once.
    ///
    /// # Errors
    /// It is the hub, and does not answer.
    pub async fn reach(&self, place: &Place, is_hub: bool) -> Result<Standing, Error> {
        if is_hub {
            Ok(Standing::Up(self.hub().await?.clone()))
        } else {
            Ok(self.view(place).standing)
        }
    }

    /// Ends the link of a Sovereign that is gone.
    pub fn forget(&self, place: &Place) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }
}
