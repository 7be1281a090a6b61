//! Redemptions per second: ours, through the Door with all it does, against the predecessor's
//! transaction, on one server and in turns. `BENCHMARKS.md` says what the figures mean.
//!
//! `cargo bench --bench ledger -- hot.8` measures only the figures with that in their name;
//! `CONNECTIONS` says how many connections the Store may have.

#![allow(clippy::float_arithmetic, reason = "rates and ratios are no money")]

#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/limits.rs"]
mod limits;
#[path = "support/predecessor.rs"]
mod predecessor;
#[path = "support/relay.rs"]
mod relay;
#[allow(dead_code, reason = "the other bench uses the rest")]
#[path = "support/report.rs"]
mod report;
#[path = "support/rounds.rs"]
mod rounds;
#[allow(dead_code, reason = "the other bench uses the rest")]
#[path = "support/world.rs"]
mod world;

use std::{error::Error, net::ToSocketAddrs as _, sync::Arc};

use catalyst_operator::store::{Store, schema};
use report::{Spread, record, say};
use rounds::{Round, Shared, Side, Workload};
use sqlx::{Connection as _, Executor as _, PgConnection};
use world::World;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const DATABASE: &str = "bench";
/// How many times each side is measured for a figure.
const PAIRS: usize = 5;
/// As many connections as `run` opens.
const CONNECTIONS: u32 = 8;
const CALLERS: [usize; 3] = [1, 8, 32];
const HEAD: &str = "
| figure | ratio (range) | ours/s (range) | predecessor/s (range) | p50 ours, ms | p50 theirs, ms |
|---|---|---|---|---|---|";

fn main() -> Outcome<()> {
    // `cargo test --all-targets` runs this program, too, and has nothing to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let mut world = World::start()?;
    world.stop("hub")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&world))
}

async fn measure(world: &World) -> Outcome<()> {
    let connections = match std::env::var("CONNECTIONS") {
        Ok(text) => text.parse()?,
        Err(_) => CONNECTIONS,
    };
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let mut admin = PgConnection::connect(&world.database_url("postgres")?).await?;
    admin.execute("create database bench").await?;
    let direct = world.database_url(DATABASE)?;
    schema::migrate(&direct, false).await?;
    let mut bench = Bench { shared: Shared::prepare(&direct).await?, connections, only };

    say(&format!("Redemption, our Store with {connections} connections\n{HEAD}"))?;
    bench.network("", &direct).await?;
    bench.network(".1ms", &delayed(&direct)?).await?;
    limits::measure(&direct, bench.only.as_deref()).await?;

    let violations = Store::new(&direct, 1)?.verify().await?;
    if violations.is_empty() { Ok(()) } else { Err(format!("{violations:?}").into()) }
}

/// The URL of the same database a millisecond away.
fn delayed(direct: &str) -> Outcome<String> {
    let (_, address) = direct.rsplit_once('@').ok_or("no address in the URL")?;
    let (address, _) = address.split_once('/').ok_or("no database in the URL")?;
    let server = address.to_socket_addrs()?.next().ok_or("no address in the URL")?;
    Ok(direct.replace(address, &relay::start(server)?.to_string()))
}

struct Bench {
    shared: Shared,
    connections: u32,
    only: Option<String>,
}

impl Bench {
    /// All workloads over one network.
    async fn network(&mut self, suffix: &str, url: &str) -> Outcome<()> {
        for workload in [Workload::Hot, Workload::Spread] {
            for callers in CALLERS {
                let figure = format!("redeem.{}.{callers}", workload.name());
                if self.only.as_ref().is_none_or(|part| format!("{figure}{suffix}").contains(part))
                {
                    let pairs = self.pairs(workload, callers, url).await?;
                    tell(&figure, suffix, &pairs)?;
                }
            }
        }
        Ok(())
    }

    /// Rounds in turns, so that what disturbs the machine disturbs both sides; the first pair is
    /// for warming up.
    async fn pairs(
        &mut self,
        workload: Workload,
        callers: usize,
        url: &str,
    ) -> Outcome<Vec<(Round, Round)>> {
        let store = Store::new(url, self.connections)?;
        let ours = Arc::new(Side::ours(store.door(), callers));
        let theirs = Arc::new(Side::predecessor(url, callers).await?);
        let mut pairs = vec![];
        for _ in 0..=PAIRS {
            let ours = self.shared.round(workload, &ours).await?;
            pairs.push((ours, self.shared.round(workload, &theirs).await?));
        }
        store.close().await;
        pairs.remove(0);
        Ok(pairs)
    }
}

fn tell(figure: &str, suffix: &str, pairs: &[(Round, Round)]) -> Outcome<()> {
    let ratio = Spread::of(pairs.iter().map(|(ours, theirs)| ours.rate() / theirs.rate()))?;
    let p50_ratio = Spread::of(pairs.iter().map(|(ours, theirs)| ours.p50() / theirs.p50()))?;
    let ours = Spread::of(pairs.iter().map(|(ours, _)| ours.rate()))?;
    let theirs = Spread::of(pairs.iter().map(|(_, theirs)| theirs.rate()))?;
    let ours_p50 = Spread::of(pairs.iter().map(|(ours, _)| ours.p50()))?;
    let theirs_p50 = Spread::of(pairs.iter().map(|(_, theirs)| theirs.p50()))?;
    for (name, spread) in [
        ("ratio", ratio),
        ("p50_ratio", p50_ratio),
        ("rate", ours),
        ("predecessor_rate", theirs),
        ("p50_ms", ours_p50),
        ("predecessor_p50_ms", theirs_p50),
    ] {
        record(&format!("{figure}.{name}{suffix}"), spread)?;
    }
    say(&format!(
        "| {figure}{suffix} | {} | {} | {} | {:.2} | {:.2} |",
        ratio.text(2),
        ours.text(0),
        theirs.text(0),
        ours_p50.value,
        theirs_p50.value
    ))
}
