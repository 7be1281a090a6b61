//! One statement on one connection, with an end: whatever lies between us and the server may
//! swallow an answer for ever, and the server's own time-outs do not help against that.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{
    PgConnection,
    postgres::{PgPool, Postgres},
};

use super::Error;

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
