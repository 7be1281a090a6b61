//! `PostgreSQL`, and the only room that names sqlx.
//!
//! # What do we store, and who is the source of truth?
//! Money (lots, redemptions, counters, holds, orders, periods, balances) has its truth here and
//! nowhere else. Terms have theirs in `spec`; here stands each revision that was accepted.
//! Objects have theirs on their cluster; here stands what we made of them.
//!
//! Every operation is one statement that commits by itself, in a task that no caller can abort, so
//! that neither a lock nor a transaction ever waits for the network.

mod answer;
mod books;
mod coalesce;
mod door;
mod error;
mod follow;
pub mod schema;
mod seal;
mod session;
pub mod sql;

use std::{str::FromStr as _, time::Duration};

pub use answer::{Answer, Done, Refusal};
pub use books::{Statement, StatementLine, Violation};
pub use door::{Door, VoucherTerms};
pub use error::Error;
pub use follow::{Change, Followed, Follower};
use session::once;
use sqlx::{
    Executor as _,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

/// How long a caller waits for a connection before the ledger counts as unavailable.
const ACQUIRE_MAX: Duration = Duration::from_secs(4);
/// Session settings: the application role, and a bound on everything that could hang.
const SESSION: &str = "set role catalyst_app; set statement_timeout = '10s'; \
                       set idle_in_transaction_session_timeout = '10s'; set timezone = 'UTC'; \
                       set client_min_messages = 'error'";

/// A pool of connections that have no rights but to execute the ledger's functions.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Makes the pool; no connection is opened before the first call needs one.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn new(url: &str, connections_max: u32) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|source| Error::of("read the database URL", source))?
            .application_name("catalyst-operator");
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_MAX)
            // A ping before each use would double the wait; a dead connection shows itself and
            // every call may be made again under its key.
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION).await.map(drop) })
            })
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// The only way to money.
    #[must_use]
    pub fn door(&self) -> Door {
        Door::new(self.pool.clone())
    }

    /// Whether the database answers, has our schema, may be served by this program, and gave us
    /// no right to write a ledger table.
    ///
    /// # Errors
    /// The first of these that fails.
    pub async fn check(&self) -> Result<(), Error> {
        let check = sqlx::query_as(sql::CHECK);
        let (level, may_write): (i32, bool) =
            once(&self.pool, "look at the schema", |on| Box::pin(check.fetch_one(on))).await?;
        if may_write {
            return Err(Error::RoleUnsafe);
        }
        if level > crate::domain::facts::PROGRAM {
            return Err(Error::SchemaUnsupported { needed: level });
        }
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
