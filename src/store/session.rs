//! One statement on one connection, with an end: whatever lies between us and the server may
//! swallow an answer for ever, and the server's own time-outs do not help against that.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{
    PgConnection,
    postgres::{PgArguments, PgPool, Postgres},
    query::QueryAs,
};

use super::{Answer, Error, answer::read};

/// How often a call is made again when a twin was first or a lock was busy.
const TRIES_MAX: u32 = 8;

/// Longer than the server lets a statement run, so that its answer comes first if there is one.
const CALL_MAX: Duration = Duration::from_secs(15);

/// Runs one statement in a task of its own: a caller that goes away neither aborts it nor leaves a
/// half-read connection in the pool. A connection on which no answer came is closed.
pub(super) async fn once<T: Send + 'static>(
    pool: &PgPool,
    doing: &'static str,
    call: impl FnOnce(&mut PgConnection) -> BoxFuture<'_, sqlx::Result<T>> + Send + 'static,
) -> Result<T, Error> {
    let pool = pool.clone();
    let task = tokio::spawn(async move {
        let mut connection: sqlx::pool::PoolConnection<Postgres> = pool.acquire().await?;
        let answer = tokio::time::timeout(CALL_MAX, call(&mut connection)).await;
        answer.unwrap_or_else(|_elapsed| {
            drop(connection.detach());
            Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
        })
    });
    let answer = task.await.unwrap_or_else(|why| Err(sqlx::Error::Io(std::io::Error::other(why))));
    answer.map_err(|source| Error::of(doing, source))
}

/// A call of a function of the ledger: its word, and what it says besides.
pub(super) type Call = QueryAs<'static, Postgres, (String, Option<String>), PgArguments>;

/// Makes a call until it is answered: again while a twin or a lock is in the way.
pub(super) async fn persist(
    pool: &PgPool,
    doing: &'static str,
    make: impl Fn() -> Call,
) -> Result<Answer, Error> {
    let mut tried = 0;
    loop {
        tried += 1;
        let call = make();
        match once(pool, doing, |on| Box::pin(call.fetch_one(on))).await {
            Err(error) if error.is_worth_another_try() && tried < TRIES_MAX => {
                tokio::time::sleep(Duration::from_millis(1 << tried)).await;
            }
            Err(error) => return Err(error),
            Ok((outcome, response)) => return read(doing, outcome, response),
        }
    }
}
