//! A hundred Tenants from `kubectl apply` to all Ready, by the real program with the rights of the
//! chart: how long it takes, how much it writes, and whether it is quiet afterwards.
//! `BENCHMARKS.md` says what the figures mean. `TENANTS` says how many.

#![allow(clippy::float_arithmetic, reason = "seconds and writes are no money")]

#[allow(dead_code, reason = "another bench uses the rest")]
#[path = "support/common.rs"]
mod common;

use std::{
    fmt::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use common::{
    Outcome,
    audit::{Audit, Requests},
    customers::{FRANCHISE, found, tenant},
    objects::{await_ready, client},
    operator::{Kubectl, Operator},
    report::{Spread, record, say},
    world::World,
};

const DEFAULT_TENANTS: usize = 100;
/// Afterthoughts, such as a count on the Sovereign, belong to the Tenants that caused them.
const SETTLE: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_mins(2);

fn main() -> Outcome<()> {
    common::run(measure)
}

async fn measure() -> Outcome<()> {
    let tenants = match std::env::var("TENANTS") {
        Ok(text) => text.parse()?,
        Err(_) => DEFAULT_TENANTS,
    };
    let world = &World::start(&[])?;
    let kubectl = Kubectl::of(world, world.hub()?);
    let operator = Operator::start(world, &kubectl).await?;
    let client = client(world.hub()?).await?;
    found(&kubectl, tenants)?;
    await_ready::<Sovereign>(&client, FRANCHISE, 1).await?;
    await_ready::<Voucher>(&client, FRANCHISE, 1).await?;

    let audit = Audit::of(world.hub()?);
    let (manifest, start) = (manifest(world, tenants)?, audit.mark()?);
    let begun = Instant::now();
    kubectl.apply(&manifest)?;
    await_ready::<Tenant>(&client, FRANCHISE, tenants).await?;
    let took = begun.elapsed();
    tokio::time::sleep(SETTLE).await;
    let settled = audit.mark()?;
    tokio::time::sleep(IDLE).await;
    let idle = audit.writes_since(settled)?;
    let mut writes = audit.writes_since(start)?;
    writes.subtract(&idle);
    tell(tenants, took, &writes, &idle, &operator)?;
    operator.stop().await
}

#[allow(clippy::cast_precision_loss, reason = "thousands")]
fn tell(
    tenants: usize,
    took: Duration,
    writes: &Requests,
    idle: &Requests,
    operator: &Operator,
) -> Outcome<()> {
    say(&format!("\n{tenants} Tenants\n\n| figure | value |\n|---|---|"))?;
    let each = writes.total() as f64 / tenants as f64;
    for (name, value, what) in [
        ("seconds", took.as_secs_f64(), "from kubectl apply to all Ready"),
        ("writes_each", each, "writes of the operator per Tenant"),
        ("idle_writes", idle.total() as f64, "writes in the two minutes after"),
        ("rss_mib", operator.memory("VmRSS")?, "resident memory of the operator, MiB"),
        ("rss_peak_mib", operator.memory("VmHWM")?, "its highest"),
    ] {
        let figure = format!("tenants.{tenants}.{name}");
        record(&figure, Spread::once(value))?;
        say(&format!("| {figure}: {what} | {value:.2} |"))?;
    }
    say("\n| write | times |\n|---|---|")?;
    for (write, times) in writes.by_name() {
        say(&format!("| {write} | {times} |"))?;
    }
    for (write, times) in idle.by_name() {
        say(&format!("| idle: {write} | {times} |"))?;
    }
    Ok(())
}

/// One file with all Tenants, as it would come out of Git.
fn manifest(world: &World, tenants: usize) -> Outcome<PathBuf> {
    let mut text = String::new();
    for n in 0..tenants {
        let tenant = tenant(n);
        writeln!(text, "---\n{tenant}")?;
    }
    let path = world.directory().join("tenants.yaml");
    std::fs::write(&path, text)?;
    Ok(path)
}
