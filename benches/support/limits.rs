//! What the machine can do at best, whatever the design: commits of a single row.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::Barrier;

use super::{
    Only, Outcome,
    report::{Spread, record, say},
};

const CALLERS: usize = 32;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const TABLES: &str = "
    create schema limits;
    create table limits.line (line bigint generated always as identity primary key, n bigint);
    create table limits.row (one int primary key, n bigint) with (fillfactor = 20);
    insert into limits.row values (1, 0)";
const COMMITS: [(&str, &str, &str); 2] = [
    ("insert", "one row inserted and committed", "insert into limits.line (n) values ($1)"),
    (
        "update",
        "one hot row updated and committed",
        "update limits.row set n = n + $1 where one = 1",
    ),
];

/// Measures them, in turns.
pub(crate) async fn measure(url: &str, only: &Only) -> Outcome<()> {
    if !only.wants("limit") {
        return Ok(());
    }
    PgConnection::connect(url).await?.execute(TABLES).await?;
    let mut connections = vec![];
    for _ in 0..CALLERS {
        connections.push(PgConnection::connect(url).await?);
    }
    let mut rates = [vec![], vec![]];
    for _ in 0..ROUNDS {
        for (rates, (_, _, statement)) in rates.iter_mut().zip(COMMITS) {
            let (rate, used) = round(connections, statement).await?;
            connections = used;
            rates.push(rate);
        }
    }
    say(&format!(
        "\nThe machine's limits, {CALLERS} callers\n\n| figure | commits/s (range) |\n|---|---|"
    ))?;
    for (rates, (name, what, _)) in rates.into_iter().zip(COMMITS) {
        let (figure, rate) = (format!("limit.{name}.{CALLERS}.rate"), Spread::of(rates)?);
        record(&figure, rate)?;
        say(&format!("| {figure}: {what} | {} |", rate.text(0)))?;
    }
    Ok(())
}

/// Commits per second, and the connections for the next round.
#[allow(clippy::cast_precision_loss, reason = "thousands")]
async fn round(
    connections: Vec<PgConnection>,
    statement: &'static str,
) -> Outcome<(f64, Vec<PgConnection>)> {
    let barrier = Arc::new(Barrier::new(connections.len()));
    let callers = connections.into_iter().map(|mut connection| {
        let barrier = barrier.clone();
        tokio::spawn(async move {
            barrier.wait().await;
            let (begun, mut commits) = (Instant::now(), 0_usize);
            while begun.elapsed() < ROUND {
                sqlx::query(statement).bind(1_i64).execute(&mut connection).await?;
                commits += 1;
            }
            Ok::<_, sqlx::Error>((commits, connection))
        })
    });
    let (callers, begun): (Vec<_>, _) = (callers.collect(), Instant::now());
    let (mut commits, mut used) = (0, vec![]);
    for caller in callers {
        let (committed, connection) = caller.await??;
        commits += committed;
        used.push(connection);
    }
    Ok((commits as f64 / begun.elapsed().as_secs_f64(), used))
}
