//! First words with a cluster that is not ours: who it is, whether we may use it, and whose it is.

use std::sync::Arc;

use k8s_openapi::{api::core::v1::ConfigMap, serde_json::json};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};

use super::{Guard, Tie, Trouble, remote};
use crate::{
    api::{ACCESS_NAMESPACE, HUB_NOTE, MANAGED_BY_LABEL, MANAGER},
    cluster::{Cluster, Error},
    domain::{kubeconfig::Kubeconfig, reason::Reason},
};

/// The oldest minor version of Kubernetes 1 that has all that we rely on.
const MINOR_MIN: u32 = 30;
/// What the note calls the hub.
const HUB: &str = "hub";

/// A way to a cluster, as the spec and the ledger say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How to reach it.
    pub kubeconfig: Arc<Kubeconfig>,
    /// The Secret that says so.
    pub secret: String,
    /// Which cluster it must be; any that is not taken if none.
    pub pinned: Option<String>,
}

/// What all links have in common.
pub(in crate::cluster) struct Surroundings {
    pub(in crate::cluster) guard: Guard,
    /// UID of the hub.
    pub(in crate::cluster) hub: String,
}

/// Connects to a cluster and makes sure that it is the right one. Until that is certain, nothing is
/// written to it; what is written then is the note that says whose it is.
///
/// # Errors
/// Why it cannot be used.
pub(super) async fn contact(
    offer: &Offer,
    around: &Surroundings,
    tie: Arc<Tie>,
) -> Result<Cluster, Trouble> {
    let client = remote::client(&offer.kubeconfig, &around.guard).await?;
    let said = |error: Error| Trouble::of(&error, &offer.secret);
    let cluster = Cluster::identify_tied(client, tie).await.map_err(said)?;
    if cluster.uid == around.hub {
        return Err(Trouble::Judged(Reason::SovereignIsHub {}));
    }
    if let Some(known) = offer.pinned.clone().filter(|pinned| *pinned != cluster.uid) {
        let seen = cluster.uid.clone();
        return Err(Trouble::Judged(Reason::ClusterIdentityChanged { known, seen }));
    }
    if let Some(least) = cluster.outdated() {
        let version = cluster.version.clone();
        return Err(Trouble::Judged(Reason::ClusterTooOld { version, least }));
    }
    match owner(&cluster, &around.hub).await.map_err(said)? {
        hub if hub == around.hub => Ok(cluster),
        hub => Err(Trouble::Judged(Reason::OwnedByAnotherHub { hub })),
    }
}

impl Cluster {
    /// The version of Kubernetes that is needed at least, if this one is older or cannot be read.
    #[must_use]
    pub fn outdated(&self) -> Option<String> {
        (!is_new_enough(&self.version)).then(|| format!("v1.{MINOR_MIN}"))
    }
}

fn is_new_enough(version: &str) -> bool {
    let minor = version.strip_prefix("v1.").and_then(|rest| rest.split('.').next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= MINOR_MIN)
}

/// The hub that the cluster belongs to: the first that wrote it down.
async fn owner(cluster: &Cluster, hub: &str) -> Result<String, Error> {
    const OBJECT: &str = "ConfigMap catalyst-system/catalyst-hub";
    let notes: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), ACCESS_NAMESPACE);
    let owner = |note: ConfigMap| note.data.unwrap_or_default().remove(HUB);
    let found = cluster.call("get", OBJECT, notes.get_opt(HUB_NOTE)).await?;
    if let Some(owner) = found.clone().and_then(owner) {
        return Ok(crate::domain::sentence::shown(&owner));
    }
    let note = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": HUB_NOTE,
            "labels": {MANAGED_BY_LABEL: MANAGER},
            // If it is there and says nothing, this makes sure that it still does not.
            "resourceVersion": found.as_ref().and_then(ResourceExt::resource_version),
        },
        "data": {HUB: hub},
    });
    let made = if found.is_some() {
        let params = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(&note);
        cluster.call("write", OBJECT, notes.patch(HUB_NOTE, &params, &patch)).await?
    } else {
        let note: ConfigMap = serde_json::from_value(note).unwrap_or_default();
        let params = PostParams::default();
        match cluster.call("create", OBJECT, notes.create(&params, &note)).await {
            // Another Sovereign was first, perhaps one of ours.
            Err(error) if error.is_conflict() => {
                cluster.call("get", OBJECT, notes.get(HUB_NOTE)).await?
            }
            made => made?,
        }
    };
    Ok(owner(made).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_judged_by_its_minor_number() {
        for version in ["v1.30.0", "v1.36.3", "v1.31.4+k3s1", "v1.100.0-eks-1"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["v1.29.9", "v1.9.11", "v0.31.0", "v2.31.0", "", "v1", "v1.", "1.31.0"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }
}
