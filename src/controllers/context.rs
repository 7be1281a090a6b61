//! What every turn has at hand.

use std::{collections::BTreeSet, sync::Arc};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store as Mirror},
};
use tokio_util::sync::CancellationToken;

use super::{Brake, Lanes, Ownership, Published, retry::Retries};
use crate::{
    api::{ACCEPT_FRANCHISE_ANNOTATION, IN_CLUSTER_ALLOWED, IN_CLUSTER_LABEL},
    cluster::{Fleet, Host, Notes, Secrets},
    metrics::Metrics,
    readiness::Readiness,
    store::{Door, Store},
};

/// What every turn has at hand. There is one per process.
pub struct Context {
    /// The books, for reading.
    pub store: Store,
    /// The door to money, for whoever has an epoch.
    pub door: Door,
    /// Our own kinds.
    pub host: Host,
    /// Where secret codes are kept.
    pub secrets: Secrets,
    /// What is written down for the next process.
    pub notes: Notes,
    /// The clusters of the Sovereigns.
    pub fleet: Fleet,
    /// What this process may act on.
    pub ownership: Ownership,
    /// The namespaces that are franchises.
    pub franchises: Mirror<PartialObjectMeta<Namespace>>,
    /// Only these namespaces are served; all where there is none.
    pub namespaces: BTreeSet<String>,
    /// What holds a mistaken mass deletion.
    pub brake: Brake,
    /// Whose turn it is.
    pub lanes: Lanes,
    /// Failures in a row.
    pub retries: Retries,
    /// What was reported last.
    pub published: Published,
    /// What is counted.
    pub metrics: Metrics,
    /// What this process still waits for.
    pub readiness: Arc<Readiness>,
    /// Another process leads: this one must end.
    pub fenced: CancellationToken,
}

/// A hub namespace that is a franchise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FranchiseNamespace {
    /// Its UID.
    pub uid: String,
    /// Whether its Sovereigns may be the hub itself.
    pub in_cluster: bool,
    /// Whether an administrator accepts that it has this UID now.
    pub is_accepted: bool,
    /// Whether it is on its way out.
    pub is_leaving: bool,
}

impl Context {
    /// The franchise of a namespace, if it is one.
    #[must_use]
    pub fn franchise(&self, namespace: &str) -> Option<FranchiseNamespace> {
        let found = self.franchises.get(&ObjectRef::new(namespace))?;
        let allowed = found.metadata.labels.as_ref()?.get(IN_CLUSTER_LABEL);
        let uid = found.metadata.uid.clone().unwrap_or_default();
        let accepted = found.metadata.annotations.as_ref();
        let accepted = accepted.and_then(|all| all.get(ACCEPT_FRANCHISE_ANNOTATION));
        Some(FranchiseNamespace {
            is_leaving: found.metadata.deletion_timestamp.is_some(),
            is_accepted: accepted.is_some_and(|accepted| *accepted == uid),
            uid,
            in_cluster: allowed.is_some_and(|allowed| allowed == IN_CLUSTER_ALLOWED),
        })
    }

    /// Whether this process serves a namespace at all.
    #[must_use]
    pub fn serves(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.contains(namespace)
    }
}
