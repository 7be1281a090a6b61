//! What operating the product is like, by the real program with the rights of the chart: how soon
//! it is ready, what an upgrade costs those who are at rest, and how a large set arrives.
//! `BENCHMARKS.md` says what the figures mean.

#![allow(clippy::float_arithmetic, reason = "seconds and megabytes are no money")]

#[allow(dead_code, reason = "another bench uses the rest")]
#[path = "support/common.rs"]
mod common;
#[path = "support/flaps.rs"]
mod flaps;
#[path = "support/flux.rs"]
mod flux;
#[path = "support/install.rs"]
mod install;
/// Helm, Flux, nodes and pods are those that the tests work with.
#[allow(
    dead_code,
    unused_imports,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the tests use the rest, and may fail as tests do"
)]
#[path = "../tests/it"]
mod it {
    pub(crate) mod support;
}

use std::{
    ops::Range,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use common::{
    Only, Outcome,
    audit::Audit,
    customers::{FRANCHISE, found, tenant},
    objects::{await_ready, client},
    operator::{Installed, Kubectl, Operator, PROGRAM},
    report::{self, Spread, say, tell},
    world::World,
};
use flaps::Flaps;
use flux::Flux;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use it::support;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

const FIRST_STARTS: usize = 5;
const STARTS: usize = 7;
const HANDOVERS: usize = 5;
const FAILOVERS: usize = 3;
/// Tenants that are at rest meanwhile.
const AT_REST: usize = 100;
/// Sets that arrive at once in each of two ways, how many Tenants a set has, and how many requests
/// are on their way.
const PAIRS: usize = 3;
const SET: usize = 200;
const PARALLEL: usize = 16;
/// The one that is changed, and where its objects are.
const CHANGED: (&str, &str) = ("customer-0", "tenant-customer-0");
/// After this nothing is left to do.
const SETTLE: Duration = Duration::from_secs(8);
/// A process that is ready has a place in the line by now.
const STAND_BY: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const CHANGE_MAX: Duration = Duration::from_mins(1);

fn main() -> Outcome<()> {
    common::run(measure)
}

async fn measure() -> Outcome<()> {
    let only = Only::asked();
    say("\n| figure | value (range) |\n|---|---|")?;
    if only.wants("operator.install") {
        install::measure().await?;
    }
    let world = &World::start(&[])?;
    let kubectl = Kubectl::of(world, world.hub()?);
    let installed = Installed::on(world, &kubectl).await?;
    if only.wants("program") {
        program(world)?;
    }
    if only.wants("operator.first_start") {
        first_starts(world, &installed).await?;
    }

    let hub = client(world.hub()?).await?;
    let operator = installed.start("founding", &[])?;
    found(&kubectl, AT_REST + 2 * PAIRS * SET)?;
    await_ready::<Sovereign>(&hub, FRANCHISE, 1).await?;
    await_ready::<Voucher>(&hub, FRANCHISE, 1).await?;
    let mut bench = Bench { hub, audit: Audit::of(world.hub()?), installed, processes: 0 };
    bench.apply(0..AT_REST).await?;
    tokio::time::sleep(SETTLE).await;
    operator.stop().await?;
    if only.wants("operator.start") {
        bench.starts().await?;
    }
    let mut leader = bench.leader().await?;
    if only.wants("operator.handover") {
        leader = bench.handovers(leader).await?;
    }
    if only.wants("operator.failover") {
        leader = bench.failovers(leader).await?;
    }
    if only.wants("operator.apply") {
        bench.sets(&Flux::on(world, &kubectl).await?).await?;
    }
    leader.stop().await
}

/// How large the program is that is measured here, and an image of it.
#[allow(clippy::cast_precision_loss, reason = "some megabytes")]
fn program(world: &World) -> Outcome<()> {
    let image = world.directory().join("image.tar");
    let layout = concat!(env!("CARGO_MANIFEST_DIR"), "/image/layout");
    let made = Command::new(layout).arg(PROGRAM).arg(&image).output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned().into());
    }
    let megabytes = |file: &Path| Outcome::Ok(std::fs::metadata(file)?.len() as f64 / 1e6);
    let program = Spread::once(megabytes(PROGRAM.as_ref())?);
    tell("program.mb", "size of the program, MB", program)?;
    let image = Spread::once(megabytes(&image)?);
    tell("program.image_mb", "size of an image of it, compressed, MB", image)
}

/// Starts with an empty database, of which the program makes a ledger.
async fn first_starts(world: &World, installed: &Installed) -> Outcome<()> {
    let mut admin = PgConnection::connect(&world.database_url("postgres")?).await?;
    let mut rounds = vec![];
    for n in 0..FIRST_STARTS {
        let name = format!("first_{n}");
        admin.execute(AssertSqlSafe(format!("create database {name}"))).await?;
        let url = world.database_url(&name)?;
        let first = installed.with_empty_database(&name)?;
        let begun = Instant::now();
        let operator = first.start(&name, &[("CATALYST_MIGRATE_DATABASE_URL", &url)])?;
        operator.await_ready().await?;
        rounds.push(begun.elapsed().as_secs_f64());
        operator.stop().await?;
    }
    let what = "process start to ready, an empty database, s";
    tell("operator.first_start.seconds", what, Spread::of(rounds)?)
}

struct Bench {
    hub: Client,
    audit: Audit,
    installed: Installed,
    processes: usize,
}

/// How the work went from one process to another.
struct Handover {
    acting: Duration,
    applied: Duration,
    writes: usize,
    flaps: usize,
}

impl Bench {
    /// Applies Tenants as Flux does, until all are Ready.
    async fn apply(&self, numbers: Range<usize>) -> Outcome<Duration> {
        let tenants: Api<Tenant> = Api::namespaced(self.hub.clone(), FRANCHISE);
        let params = PatchParams::apply("kustomize-controller").force();
        let (tenants, params, all) = (&tenants, &params, numbers.end);
        let begun = Instant::now();
        stream::iter(numbers)
            .map(|n| async move {
                let name = format!("customer-{n}");
                tenants.patch(&name, params, &Patch::Apply(tenant(n))).await.map(drop)
            })
            .buffer_unordered(PARALLEL)
            .try_collect::<()>()
            .await?;
        await_ready::<Tenant>(&self.hub, FRANCHISE, all).await?;
        Ok(begun.elapsed())
    }

    /// One more process, which is ready.
    async fn process(&mut self) -> Outcome<Operator> {
        self.processes += 1;
        let operator = self.installed.start(&format!("operator-{}", self.processes), &[])?;
        operator.await_ready().await?;
        Ok(operator)
    }

    /// Sets of Tenants in turns: by one server-side apply after the other, and by Flux.
    async fn sets(&self, flux: &Flux<'_>) -> Outcome<()> {
        let [mut direct, mut ready, mut green, mut ratios] = [const { vec![] }; 4];
        for pair in 0..PAIRS {
            let first = AT_REST + 2 * pair * SET;
            tokio::time::sleep(SETTLE).await;
            let took = self.apply(first..first + SET).await?.as_secs_f64();
            tokio::time::sleep(SETTLE).await;
            let arrived = flux.apply(&self.hub, pair, first + SET..first + 2 * SET).await?;
            direct.push(took);
            ready.push(arrived.ready.as_secs_f64());
            green.push(arrived.green.as_secs_f64());
            ratios.push(arrived.ready.as_secs_f64() / took);
        }
        let what = |until| format!("{SET} Tenants at once, {until}");
        for (name, what, rounds) in [
            ("seconds", what("from the first request to all Ready, s"), direct),
            ("flux.seconds", what("from Flux's artifact to all Ready, s"), ready),
            ("flux.green_seconds", what("from it to the Kustomization Ready, s"), green),
            ("flux.ratio", what("all Ready by Flux, against requests"), ratios),
        ] {
            tell(&format!("operator.apply.{name}"), &what, Spread::of(rounds)?)?;
        }
        Ok(())
    }

    async fn starts(&mut self) -> Outcome<()> {
        let mut rounds = vec![];
        for _ in 0..STARTS {
            let begun = Instant::now();
            let operator = self.process().await?;
            rounds.push(begun.elapsed().as_secs_f64());
            operator.stop().await?;
        }
        let what = format!("process start to ready, {AT_REST} Tenants at rest, s");
        tell("operator.start.seconds", &what, Spread::of(rounds)?)
    }

    /// A process that leads, and has looked at all.
    async fn leader(&mut self) -> Outcome<Operator> {
        let leader = self.process().await?;
        leader.await_logged("\"acting\"").await?;
        tokio::time::sleep(SETTLE).await;
        Ok(leader)
    }

    /// As a rolling upgrade does it; gives the process that leads in the end.
    async fn handovers(&mut self, mut leader: Operator) -> Outcome<Operator> {
        let mut rounds = vec![];
        for _ in 0..HANDOVERS {
            let next = self.process().await?;
            tokio::time::sleep(STAND_BY).await;
            rounds.push(self.hand_over(&next, || leader.terminate()).await?);
            leader.stop().await?;
            leader = next;
        }
        tell_all("operator.handover", "the leader is asked to stop", &rounds)?;
        Ok(leader)
    }

    /// The leader can do nothing about its end.
    async fn failovers(&mut self, mut leader: Operator) -> Outcome<Operator> {
        let mut rounds = vec![];
        for _ in 0..FAILOVERS {
            let next = self.process().await?;
            tokio::time::sleep(STAND_BY).await;
            rounds.push(self.hand_over(&next, || leader.crash()).await?);
            leader = next;
        }
        tell_all("operator.failover", "the leader is killed", &rounds)?;
        Ok(leader)
    }

    /// Ends the leader and looks at what comes of it, while one Tenant is changed.
    async fn hand_over(
        &self,
        next: &Operator,
        end: impl FnOnce() -> Outcome<()>,
    ) -> Outcome<Handover> {
        let flaps = Flaps::watch(&self.hub).await?;
        let mark = self.audit.mark()?;
        let begun = Instant::now();
        end()?;
        let person = format!("{}@example.om", begun.elapsed().as_nanos());
        self.hire(&person).await?;
        let acting = async {
            next.await_logged("\"acting\"").await?;
            Outcome::Ok(begun.elapsed())
        };
        let applied = async {
            self.await_hired(&person).await?;
            Outcome::Ok(begun.elapsed())
        };
        let (acting, applied) = tokio::try_join!(acting, applied)?;
        tokio::time::sleep(SETTLE).await;
        let (name, home) = CHANGED;
        let writes = self.audit.writes_besides(mark, name, home)?;
        let flaps = flaps.besides(&format!("Tenant {name}"))?;
        if self.audit.writes_since(mark)?.total() == writes.total() {
            return Err("the audit log does not even have what was changed".into());
        }
        for (write, times) in writes.by_name() {
            say(&format!("| unwanted: {write} | {times} |"))?;
        }
        Ok(Handover { acting, applied, writes: writes.total(), flaps })
    }

    async fn hire(&self, person: &str) -> Outcome<()> {
        let tenants: Api<Tenant> = Api::namespaced(self.hub.clone(), FRANCHISE);
        let owners = json!([
            {"kind": "User", "name": "owner@0.example", "role": "Owner"},
            {"kind": "User", "name": person, "role": "Member"},
        ]);
        let patch = Patch::Merge(json!({"spec": {"owners": owners}}));
        tenants.patch(CHANGED.0, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    async fn await_hired(&self, person: &str) -> Outcome<()> {
        let bindings: Api<RoleBinding> = Api::namespaced(self.hub.clone(), CHANGED.1);
        let until = Instant::now() + CHANGE_MAX;
        loop {
            let all = bindings.list(&ListParams::default()).await?;
            let subjects = all.items.into_iter().filter_map(|binding| binding.subjects).flatten();
            if subjects.into_iter().any(|subject| subject.name == person) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err("nothing came of a change during the hand-over".into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "few")]
fn tell_all(figure: &str, when: &str, rounds: &[Handover]) -> Outcome<()> {
    let of = |value: fn(&Handover) -> f64| Spread::of(rounds.iter().map(value));
    for (name, what, spread) in [
        ("acting_seconds", "until another acts, s", of(|round| round.acting.as_secs_f64())?),
        ("seconds", "until a change made then is applied, s", of(|r| r.applied.as_secs_f64())?),
        ("writes", "writes to what is at rest", of(|round| round.writes as f64)?),
        ("flaps", "changes of conditions there", of(|round| round.flaps as f64)?),
    ] {
        tell(&format!("{figure}.{name}"), &format!("{when}: {what}"), spread)?;
    }
    Ok(())
}
