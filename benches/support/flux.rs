//! Tenants that arrive by Flux: the real kustomize-controller, under the rights of the example.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use catalyst_operator::api::Tenant;
use kube::Client;
use serde_json::json;

use super::{
    Outcome,
    common::{
        customers::{FRANCHISE, tenant},
        objects::await_ready,
        operator::Kubectl,
        world::World,
    },
    support,
};

/// As whom Flux applies the franchise's files.
const ACCESS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/flux/franchises/omantel/access.yaml");
/// The repositories, one for each set.
const SETS: [&str; 3] = ["set-0", "set-1", "set-2"];
/// By now the controller knows a new repository, and waits for its artifact.
const KNOWN: Duration = Duration::from_secs(4);

pub(crate) struct Flux<'a> {
    flux: support::Flux,
    kubectl: &'a Kubectl,
}

/// When a set was there, counted from the moment at which its artifact was offered.
pub(crate) struct Arrived {
    /// Every Tenant is Ready.
    pub(crate) ready: Duration,
    /// The Kustomization says so.
    pub(crate) green: Duration,
}

impl<'a> Flux<'a> {
    pub(crate) async fn on(world: &World, kubectl: &'a Kubectl) -> Outcome<Self> {
        kubectl.apply(ACCESS.as_ref())?;
        let flux = support::Flux::on(&world.hub()?.kubeconfig).await;
        Ok(Self { flux, kubectl })
    }

    /// One more repository with Tenants, a file each, until all Tenants that there are are Ready.
    pub(crate) async fn apply(
        &self,
        hub: &Client,
        set: usize,
        numbers: Range<usize>,
    ) -> Outcome<Arrived> {
        let name = SETS.get(set).ok_or("there are more sets than repositories")?;
        let repository = self.flux.repository(FRANCHISE, name, "omantel");
        let all = numbers.end;
        for n in numbers {
            repository.write(&format!("set/{n}.yaml"), &tenant(n).to_string());
        }
        let metadata = json!({"name": name, "namespace": FRANCHISE});
        self.kubectl.apply_all(&[
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
                "metadata": metadata,
                "spec": {"url": "https://git.omantel.example.om/catalyst", "interval": "1m"}}),
            json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": metadata,
            "spec": {
                "serviceAccountName": "franchise",
                "sourceRef": {"kind": "GitRepository", "name": name},
                "path": "./set", "prune": true, "deletionPolicy": "Orphan", "wait": true,
                "interval": "10m", "retryInterval": "1m", "timeout": "3m",
            }}),
        ])?;
        tokio::time::sleep(KNOWN).await;
        let begun = Instant::now();
        let revision = repository.push().await;
        let ready = async {
            await_ready::<Tenant>(hub, FRANCHISE, all).await?;
            Outcome::Ok(begun.elapsed())
        };
        let green = async {
            self.flux.green(&format!("{FRANCHISE}/{name}"), &revision).await;
            Ok(begun.elapsed())
        };
        let (ready, green) = tokio::try_join!(ready, green)?;
        Ok(Arrived { ready, green })
    }
}
