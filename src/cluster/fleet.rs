//! The clusters that Sovereigns run on. The hub is just the first.

use kube::Client;
use tokio::sync::OnceCell;

use super::{Cluster, Error};

/// Handles on clusters, by Sovereign.
pub struct Fleet {
    hub_client: Client,
    hub: OnceCell<Cluster>,
}

impl Fleet {
    /// A fleet of the hub alone.
    #[must_use]
    pub fn new(hub: Client) -> Self {
        Self { hub_client: hub, hub: OnceCell::new() }
    }

    /// The cluster that the operator serves.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn hub(&self) -> Result<&Cluster, Error> {
        self.hub.get_or_try_init(|| Cluster::identify(self.hub_client.clone())).await
    }

    /// The cluster of a Sovereign. Every Sovereign is the hub itself as long as `InCluster` is the
    /// only mode.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn cluster_of(&self, _namespace: &str, _sovereign: &str) -> Result<&Cluster, Error> {
        self.hub().await
    }
}
