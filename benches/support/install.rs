//! The first `helm install` on a cluster that has nothing of ours but two Secrets: real Helm, a
//! real scheduler, nodes that are not there, and for each pod the real program beside them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};

use super::{
    Outcome,
    common::report::{Spread, tell},
    support::{chart, hub_client},
};

#[allow(dead_code, clippy::panic, reason = "the tests of the chart use the rest, and may fail")]
#[path = "../../tests/it/chart/site.rs"]
mod site;

use site::{RELEASE, Site, values};

const INSTALLS: usize = 3;
/// As many as the chart has by default.
const REPLICAS: usize = 2;
const PLACED_MAX: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Each counted from the start of the command.
struct Installed {
    /// The end of the command, which waits until all pods are available, of which kwok says so.
    helm: Duration,
    /// `/readyz` of each process answers 200, sorted.
    ready: Vec<Duration>,
}

pub(crate) async fn measure() -> Outcome<()> {
    let mut rounds = vec![];
    for _ in 0..INSTALLS {
        rounds.push(install().await?);
    }
    let first = |round: &Installed| round.ready.first().copied().unwrap_or_default();
    let all = |round: &Installed| round.ready.last().copied().unwrap_or_default();
    let of = |when: fn(&Installed) -> Duration| {
        Spread::of(rounds.iter().map(|round| when(round).as_secs_f64()))
    };
    for (name, what, spread) in [
        ("seconds", "a pod's process is ready, s", of(first)?),
        ("all_seconds", "both are, s", of(all)?),
        ("helm_seconds", "helm install --wait ends, s", of(|round| round.helm)?),
    ] {
        let what = format!("from the start of helm install until {what}");
        tell(&format!("operator.install.{name}"), &what, spread)?;
    }
    Ok(())
}

async fn install() -> Outcome<Installed> {
    let site = Arc::new(Site::new().await);
    let begun = Instant::now();
    let helm = {
        let (site, path) = (Arc::clone(&site), chart("charts/catalyst-operator"));
        tokio::task::spawn_blocking(move || {
            site.helm(&["install", RELEASE, &path.to_string_lossy(), "--wait"], &values());
            begun.elapsed()
        })
    };
    let pods = placed(&site).await?;
    let running = join_all(pods.iter().map(async |pod| {
        let process = site.run(pod).await;
        (begun.elapsed(), process)
    }));
    let running = running.await;
    let mut ready: Vec<_> = running.iter().map(|(ready, _)| *ready).collect();
    ready.sort();
    Ok(Installed { helm: helm.await?, ready })
}

/// Waits until all pods run, as far as their node says.
async fn placed(site: &Site) -> Outcome<Vec<Pod>> {
    let pods: Api<Pod> = Api::namespaced(hub_client(&site.world).await, "catalyst-system");
    let operators = ListParams::default().labels("app.kubernetes.io/component=operator");
    let until = Instant::now() + PLACED_MAX;
    loop {
        let mut running = pods.list(&operators).await?.items;
        running.retain(|pod| {
            pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Running"))
        });
        if running.len() == REPLICAS {
            return Ok(running);
        }
        if Instant::now() > until {
            return Err(format!("{} of {REPLICAS} pods run", running.len()).into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
