//! Redemptions per second: ours, through the Door with all it does, against the predecessor's
//! transaction, on one server and in turns. `BENCHMARKS.md` says what the figures mean.
//!
//! `cargo bench --bench ledger -- hot.8` measures only the figures with that in their name;
//! `CONNECTIONS` says how many connections the Store may have, `FLAT` how many transfers the large
//! ledger has.

#![allow(clippy::float_arithmetic, reason = "rates and ratios are no money")]

#[allow(dead_code, reason = "another bench uses the rest")]
#[path = "support/common.rs"]
mod common;
#[path = "support/cost.rs"]
mod cost;
#[path = "support/flat.rs"]
mod flat;
#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/limits.rs"]
mod limits;
#[path = "support/pay.rs"]
mod pay;
#[path = "support/predecessor.rs"]
mod predecessor;
#[path = "support/relay.rs"]
mod relay;
#[path = "support/rounds.rs"]
mod rounds;

use std::{net::ToSocketAddrs as _, sync::Arc, time::Duration};

use catalyst_operator::store::{Store, schema};
use common::{
    Only, Outcome,
    report::{self, Spread, record, say},
    world::World,
};
use rounds::{Round, Shared, Side, Workload};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// How many times each side is measured for a figure.
const PAIRS: usize = 5;
/// As many connections as `run` opens.
const CONNECTIONS: u32 = 8;
const WORKLOADS: [(Workload, &[usize]); 3] = [
    (Workload::Hot, &[1, 8, 32, 64, 256, 1024]),
    (Workload::Spread, &[1, 8, 32, 64, 256]),
    (Workload::Unlimited, &[256]),
];
/// Over the network that takes a millisecond, where the predecessor is a matter of arithmetic.
const DELAYED: [(Workload, &[usize]); 2] =
    [(Workload::Hot, &[1, 8, 32, 256]), (Workload::Spread, &[1, 256])];
const HEAD: &str = "
| figure | ratio (range) | ours/s (range) | predecessor/s (range) | p50 ours, theirs, ms \
| p99 ours, theirs, ms |
|---|---|---|---|---|---|";

fn main() -> Outcome<()> {
    common::run(measure)
}

async fn measure() -> Outcome<()> {
    let only = Only::asked();
    let mut world = World::start(&[])?;
    world.stop("hub")?;
    let world = &world;
    let connections = match std::env::var("CONNECTIONS") {
        Ok(text) => text.parse()?,
        Err(_) => CONNECTIONS,
    };
    let direct = make_database(world, "bench", "template1").await?;
    schema::migrate(&direct, false).await?;
    drop(Shared::prepare(&direct).await?);
    make_database(world, "prepared", "bench").await?;
    let copies = Copies { world, of: "prepared" };
    let mut bench = Bench { shared: Shared::open(&direct).await?, connections };

    say(&format!("Redemption, our Store with {connections} connections\n{HEAD}"))?;
    bench.network("", &direct, &WORKLOADS, &only).await?;
    bench.network(".1ms", &delayed(&direct)?, &DELAYED, &only).await?;
    if only.wants_all() {
        let bytes = Spread::once(bench.shared.bytes_per_redemption().await?);
        record("bytes.per_redemption", bytes)?;
        say(&format!("\nbytes.per_redemption, with indexes: {:.0}", bytes.value))?;
    }
    limits::measure(&direct, &only).await?;
    pay::measure(&copies.make("pay").await?, connections, &only).await?;
    cost::measure(&copies, connections, &only).await?;
    flat::measure(&copies, connections, &only).await?;
    verify(&direct).await
}

/// Databases in which both sides were prepared and nothing was redeemed.
struct Copies<'a> {
    world: &'a World,
    of: &'static str,
}

impl Copies<'_> {
    async fn make(&self, name: &str) -> Outcome<String> {
        make_database(self.world, name, self.of).await
    }
}

async fn make_database(world: &World, name: &str, template: &str) -> Outcome<String> {
    let mut admin = PgConnection::connect(&world.database_url("postgres")?).await?;
    let create = format!("create database {name} template {template}");
    // Whoever prepared the template may still be about to leave it.
    while let Err(busy) = admin.execute(AssertSqlSafe(create.clone())).await {
        match &busy {
            sqlx::Error::Database(why) if why.code().as_deref() == Some("55006") => {}
            _ => return Err(busy.into()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.database_url(name)
}

async fn verify(url: &str) -> Outcome<()> {
    let violations = Store::new(url, 1)?.verify().await?;
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
}

impl Bench {
    /// Workloads over one network.
    async fn network(
        &mut self,
        suffix: &str,
        url: &str,
        workloads: &[(Workload, &[usize])],
        only: &Only,
    ) -> Outcome<()> {
        for (workload, callers) in workloads {
            for callers in *callers {
                let figure = format!("redeem.{}.{callers}", workload.name());
                if only.wants(&format!("{figure}{suffix}")) {
                    tell(&figure, suffix, &self.pairs(*workload, *callers, url).await?)?;
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
        self.shared.check().await?;
        pairs.remove(0);
        Ok(pairs)
    }
}

fn tell(figure: &str, suffix: &str, pairs: &[(Round, Round)]) -> Outcome<()> {
    let ours = |of: fn(&Round) -> f64| Spread::of(pairs.iter().map(|(ours, _)| of(ours)));
    let theirs = |of: fn(&Round) -> f64| Spread::of(pairs.iter().map(|(_, theirs)| of(theirs)));
    let ratio = |of: fn(&Round) -> f64| {
        Spread::of(pairs.iter().map(|(ours, theirs)| of(ours) / of(theirs)))
    };
    let rates = (ratio(Round::rate)?, ours(Round::rate)?, theirs(Round::rate)?);
    let p50 = (ratio(Round::p50)?, ours(Round::p50)?, theirs(Round::p50)?);
    let p99 = (ratio(Round::p99)?, ours(Round::p99)?, theirs(Round::p99)?);
    for (name, spread) in [
        ("ratio", rates.0),
        ("rate", rates.1),
        ("predecessor_rate", rates.2),
        ("p50_ratio", p50.0),
        ("p50_ms", p50.1),
        ("predecessor_p50_ms", p50.2),
        ("p99_ratio", p99.0),
        ("p99_ms", p99.1),
        ("predecessor_p99_ms", p99.2),
    ] {
        record(&format!("{figure}.{name}{suffix}"), spread)?;
    }
    say(&format!(
        "| {figure}{suffix} | {} | {} | {} | {:.2}, {:.2} | {:.2}, {:.2} |",
        rates.0.text(2),
        rates.1.text(0),
        rates.2.text(0),
        p50.1.value,
        p50.2.value,
        p99.1.value,
        p99.2.value
    ))
}
