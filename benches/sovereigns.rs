//! Tenants on a cluster that is not the hub, by the real program with the rights of the charts: how
//! soon a change arrives there, what is asked at rest, what an idle Sovereign costs, how the return
//! of a dark one goes, and whether a dead or hostile one disturbs the others.
//! `BENCHMARKS.md` says what the figures mean.

#![allow(clippy::float_arithmetic, reason = "seconds and requests are no money")]

#[path = "support/changes.rs"]
mod changes;
#[allow(dead_code, reason = "another bench uses the rest")]
#[path = "support/common.rs"]
mod common;
#[path = "support/franchise.rs"]
mod franchise;
#[path = "support/network.rs"]
mod network;

use std::time::{Duration, Instant};

use changes::{Changes, Times};
use common::{
    Outcome,
    audit::{Audit, Requests},
    objects::{self, client},
    operator::{self, Kubectl, Operator},
    report::{Spread, say, tell},
    world::{self, World},
};
use franchise::{Access, Customers, Franchise};
use kube::Client;
use network::Weather;

/// Each has one Sovereign.
const FRANCHISES: usize = 10;
/// Healthy ones whose Tenants are changed, and how many each has.
const HEALTHY: (usize, usize) = (4, 5);
/// Tenants of the one that goes dark.
const DARK: usize = 100;
/// Tenants of the bad neighbour.
const NEIGHBOUR: usize = 10;
const ROUNDS: usize = 3;
const CHANGES: usize = 100;
/// Changes on each healthy Sovereign in one side of a pair.
const SIDE: usize = 60;
/// What becomes of the neighbour, pair by pair.
const NEIGHBOURS: [Weather; 6] = [
    Weather::Dead,
    Weather::Nonsense,
    Weather::Drip,
    Weather::Dead,
    Weather::Nonsense,
    Weather::Drip,
];
/// After this nothing is left to do.
const SETTLE: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_mins(1);

fn main() -> Outcome<()> {
    common::run(measure)
}

async fn measure() -> Outcome<()> {
    let world = &World::start(&["--cluster", "hub", "--cluster", "muscat", "--audit-reads"])?;
    let (hub, muscat) = (world.hub()?, world.cluster("muscat")?);
    let kubectl = Kubectl::of(world, hub);
    let operator = Operator::start(world, &kubectl).await?;
    let access = Access::granted(muscat, &Kubectl::of(world, muscat))?;
    let mut franchises = vec![];
    for n in 0..FRANCHISES {
        franchises.push(Franchise::found(n, &kubectl, &access).await?);
    }
    let hub = client(hub).await?;
    say("\n| figure | value (range) |\n|---|---|")?;
    idle(&hub, &kubectl, &operator, &franchises).await?;

    let [healthy @ .., dark, neighbour] = franchises.as_mut_slice() else {
        return Err("too few franchises".into());
    };
    let (sovereigns, each) = HEALTHY;
    let healthy = healthy.iter().take(sovereigns).map(|franchise| franchise.settle(each));
    let healthy = healthy.collect::<Outcome<Vec<_>>>()?;
    let (at_dark, at_neighbour) = (dark.settle(DARK)?, neighbour.settle(NEIGHBOUR)?);
    for customers in healthy.iter().chain([&at_dark, &at_neighbour]) {
        customers.await_all(&hub).await?;
    }
    let bench = Bench {
        changes: Changes::watch(hub.clone(), client(muscat).await?),
        hub,
        audits: [("hub", Audit::of(world.hub()?)), ("second", Audit::of(muscat))],
        healthy,
    };
    tokio::time::sleep(SETTLE).await;
    bench.change().await?;
    tokio::time::sleep(SETTLE).await;
    bench.rest().await?;
    bench.neighbour(neighbour, &at_neighbour, &access).await?;
    bench.dark(dark, &at_dark).await?;
    operator.stop().await
}

/// Ten Sovereigns that are connected and have no Tenants.
async fn idle(
    hub: &Client,
    kubectl: &Kubectl,
    operator: &Operator,
    franchises: &[Franchise<'_>],
) -> Outcome<()> {
    tokio::time::sleep(SETTLE).await;
    let without = operator.memory("VmRSS")?;
    let sovereigns: Vec<_> = franchises.iter().map(Franchise::sovereign).collect();
    kubectl.apply_all(&sovereigns)?;
    for franchise in franchises {
        franchise.await_sovereign(hub).await?;
    }
    tokio::time::sleep(SETTLE).await;
    let with = operator.memory("VmRSS")?;
    let each = Spread::once((with - without) / f64::from(u32::try_from(franchises.len())?));
    tell("sovereigns.idle.rss_mib", "memory per idle Sovereign, MiB", each)
}

struct Bench {
    hub: Client,
    changes: Changes,
    audits: [(&'static str, Audit); 2],
    healthy: Vec<Customers>,
}

impl Bench {
    /// From a spec on the hub to the object on the second cluster, one change after the other.
    async fn change(&self) -> Outcome<()> {
        let one = self.healthy.get(..1).unwrap_or_default();
        let mut rounds = vec![];
        for _ in 0..ROUNDS {
            rounds.push(self.changes.round(one, CHANGES).await?);
        }
        for percent in [50, 99] {
            let figure = format!("sovereigns.change.p{percent}_ms");
            let spread = Spread::of(rounds.iter().map(|round| round.percentile(percent)))?;
            tell(&figure, "spec change to applied, 20 ms each way", spread)?;
        }
        Ok(())
    }

    /// What is asked of the second cluster while nothing happens.
    async fn rest(&self) -> Outcome<()> {
        let [_, (_, second)] = &self.audits;
        let mark = second.mark()?;
        tokio::time::sleep(MINUTE).await;
        let requests = second.requests_since(mark)?;
        let [mut others, mut expected] = [0, 0];
        for (request, times) in requests.by_name() {
            let is_expected = request == "probe" || request.starts_with("watch ");
            *(if is_expected { &mut expected } else { &mut others }) += times;
        }
        let what = format!("requests in a minute at rest, besides {expected} probes and watches");
        tell("sovereigns.rest.requests", &what, Spread::once(f64::from(u32::try_from(others)?)))?;
        list("at rest", &requests)
    }

    /// Changes on healthy Sovereigns, in pairs: the neighbour is well, then it is not.
    async fn neighbour(
        &self,
        neighbour: &mut Franchise<'_>,
        customers: &Customers,
        access: &Access,
    ) -> Outcome<()> {
        say("\n| neighbour | p50, p99 beside a good one, ms | beside this one |\n|---|---|---|")?;
        let mut pairs = vec![];
        for weather in NEIGHBOURS {
            let good = self.side(customers).await?;
            customers.await_all(&self.hub).await?;
            neighbour.network.turn(weather);
            let bad = self.side(customers).await?;
            if customers.settled(&self.hub).await? > 0 {
                return Err(format!("{weather:?} does not disturb the neighbour").into());
            }
            let text =
                |times: &Times| format!("{:.0}, {:.0}", times.percentile(50), times.percentile(99));
            say(&format!("| {weather:?} | {} | {} |", text(&good), text(&bad)))?;
            pairs.push((good, bad));
            neighbour.renew_network(access).await?;
            customers.await_all(&self.hub).await?;
        }
        say("\n| figure | value (range) |\n|---|---|")?;
        for percent in [50, 99] {
            let ratios =
                pairs.iter().map(|(good, bad)| bad.percentile(percent) / good.percentile(percent));
            let figure = format!("sovereigns.neighbour.p{percent}_ratio");
            tell(&figure, "changes beside a bad Sovereign, against none", Spread::of(ratios)?)?;
        }
        Ok(())
    }

    /// Changes on the healthy ones, while there is something to do at the neighbour, too.
    async fn side(&self, neighbours: &Customers) -> Outcome<Times> {
        self.changes.change_all(neighbours, NEIGHBOUR).await?;
        self.changes.round(&self.healthy, SIDE).await
    }

    /// A minute without the second cluster, in which half of the Tenants change.
    async fn dark(&self, franchise: &Franchise<'_>, customers: &Customers) -> Outcome<()> {
        let gone = Instant::now();
        franchise.network.turn(Weather::Dead);
        self.changes.change_all(customers, DARK / 2).await?;
        tokio::time::sleep(MINUTE.saturating_sub(gone.elapsed())).await;
        let ready = customers.settled(&self.hub).await?;
        if ready > 0 {
            return Err(format!("{ready} Tenants claim to be Ready on a dark cluster").into());
        }
        let [hub, second] = &self.audits;
        let marks = [hub.1.mark()?, second.1.mark()?];
        let back = Instant::now();
        franchise.network.turn(Weather::Fair);
        customers.await_all(&self.hub).await?;
        let took = back.elapsed();
        tokio::time::sleep(SETTLE).await;
        let mut total = 0;
        let mut lists = vec![];
        for ((name, audit), mark) in self.audits.iter().zip(marks) {
            let writes = audit.writes_since(mark)?;
            total += writes.total();
            lists.push((format!("after the return, {name}"), writes));
        }
        let what = "from the return of a Sovereign to its Tenants settled, s";
        tell("sovereigns.return.seconds", what, Spread::once(took.as_secs_f64()))?;
        let writes = Spread::once(f64::from(u32::try_from(total)?));
        tell("sovereigns.return.writes", "writes to both clusters after it", writes)?;
        lists.iter().try_for_each(|(when, writes)| list(when, writes))
    }
}

fn list(when: &str, requests: &Requests) -> Outcome<()> {
    for (request, times) in requests.by_name() {
        say(&format!("| {when}: {request} | {times} |"))?;
    }
    Ok(())
}
