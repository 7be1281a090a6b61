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
mod brake;
mod coalesce;
mod correct;
mod door;
mod error;
mod follow;
pub mod schema;
mod seal;
mod session;
mod sovereigns;
pub mod sql;

use std::{
    path::PathBuf,
    str::FromStr as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use answer::{Answer, Done, Refusal};
pub use books::{Statement, StatementAccount, StatementLine, Violation};
pub use correct::Why;
pub use door::{Door, VoucherTerms};
pub use error::Error;
pub use follow::{Change, Followed, Follower};
use session::once;
pub use sovereigns::Home;
use sqlx::{
    AssertSqlSafe, Executor as _,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

/// How long a caller waits for a connection before the ledger counts as unavailable.
const ACQUIRE_MAX: Duration = Duration::from_secs(4);
/// Session settings: the application role, and a bound on everything that could hang.
const SESSION: &str = "set role catalyst_app; set statement_timeout = '10s'; \
                       set idle_in_transaction_session_timeout = '10s'; set timezone = 'UTC'; \
                       set client_min_messages = 'error'";

/// Makes the sessions accept a server that may lose what it acknowledged.
const ALLOW_UNSAFE_DURABILITY: &str = "; set catalyst.allow_unsafe_durability = 'on'";

/// A pool of connections that have no rights but to execute the ledger's functions.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    allow_unsafe_durability: bool,
    place: Arc<Mutex<Option<Place>>>,
}

/// Which database it is, whoever asks.
#[derive(PartialEq, Eq)]
struct Place {
    host: String,
    socket: Option<PathBuf>,
    port: u16,
    database: Option<String>,
}

impl Place {
    fn of(options: &PgConnectOptions) -> Self {
        Self {
            host: options.get_host().to_owned(),
            socket: options.get_socket().cloned(),
            port: options.get_port(),
            database: options.get_database().map(str::to_owned),
        }
    }
}

impl Store {
    /// Makes the pool; no connection is opened before the first call needs one.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn new(url: &str, connections_max: u32) -> Result<Self, Error> {
        Self::with(url, connections_max, false)
    }

    /// The same, and if `allow_unsafe_durability` is set, money moves on a server that may lose
    /// what it acknowledged: for tests.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn with(
        url: &str,
        connections_max: u32,
        allow_unsafe_durability: bool,
    ) -> Result<Self, Error> {
        let store = Self::nowhere(connections_max, allow_unsafe_durability);
        store.turn_to(url)?;
        Ok(store)
    }

    /// The same before it is known where the database is; until then nothing is found there.
    #[must_use]
    pub fn nowhere(connections_max: u32, allow_unsafe_durability: bool) -> Self {
        let mut session = SESSION.to_owned();
        if allow_unsafe_durability {
            session.push_str(ALLOW_UNSAFE_DURABILITY);
        }
        let nowhere = PgConnectOptions::new_without_pgpass().host("nowhere.invalid");
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_MAX)
            // A ping before each use would double the wait; a dead connection shows itself and
            // every call may be made again under its key.
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let session = AssertSqlSafe(session.clone());
                Box::pin(async move { connection.execute(session).await.map(drop) })
            })
            .connect_lazy_with(nowhere);
        Self { pool, allow_unsafe_durability, place: Arc::default() }
    }

    /// Opens connections by this URL from now on, as another user or with another password than
    /// before; those that are open stay.
    ///
    /// # Errors
    /// The URL cannot be read, or it leads to another database: with connections to both, money
    /// would be in two. Nothing changes.
    pub fn turn_to(&self, url: &str) -> Result<(), Error> {
        let options = PgConnectOptions::from_str(url).map_err(Error::Url)?;
        let new = Place::of(&options);
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_some_and(|place| *place != new) {
            return Err(Error::Moved);
        }
        *place = Some(new);
        self.pool.set_connect_options(options.application_name("catalyst-operator"));
        Ok(())
    }

    /// The only way to money.
    #[must_use]
    pub fn door(&self) -> Door {
        Door::new(self.pool.clone())
    }

    /// That the database answers, has our schema, may be served by this program, gave us no right
    /// to write a ledger table, takes writes, and keeps what it acknowledges; gives whether it does
    /// not and this program was told to go on all the same.
    ///
    /// # Errors
    /// The first of these that fails.
    pub async fn check(&self) -> Result<bool, Error> {
        let check = sqlx::query_as(sql::CHECK);
        let (level, may_write, durability, is_read_only): (i32, bool, Option<String>, bool) =
            once(&self.pool, "look at the schema", |on| Box::pin(check.fetch_one(on))).await?;
        if is_read_only {
            return Err(Error::ReadOnly);
        }
        if may_write {
            return Err(Error::RoleUnsafe);
        }
        if level > crate::domain::facts::PROGRAM {
            return Err(Error::SchemaUnsupported { needed: level });
        }
        match durability {
            Some(why) if !self.allow_unsafe_durability => Err(Error::DurabilityUnsafe(why)),
            durability => Ok(durability.is_some()),
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
