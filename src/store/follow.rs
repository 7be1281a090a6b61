//! Following the outbox: who is concerned by what was committed, by whatever process.

use std::time::Duration;

use sqlx::postgres::PgListener;

use super::{Error, Store, session::once, sql};
use crate::domain::code::Digest;

/// How long a follower waits for a notification before it looks all the same.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Something that was committed, by whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The counter of a Voucher object moved.
    Voucher(String, String),
    /// The account of a Tenant moved.
    Tenant(String, String),
    /// The terms of a Voucher object were accepted or retired.
    Terms(String, String),
    /// The terms behind a code were accepted or retired.
    Code(String, Digest),
    /// What a Sovereign sells was accepted.
    Sovereign(String, String),
    /// An organization fell asleep, and its name is free.
    Organization(String),
    /// A Sovereign has other Tenants than before.
    Hosted(String, String),
}

/// What a follower learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Exactly these, some perhaps for the second time.
    Changes(Vec<Change>),
    /// It could not look for a while or looks for the first time: anything may have changed.
    Anything,
}

/// A place in the outbox.
pub struct Follower {
    listener: PgListener,
    store: Store,
    point: Option<i64>,
}

type Row = (i64, Option<String>, Option<String>, Option<String>);

impl Store {
    /// A follower that begins now; its first answer is [`Followed::Anything`].
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn follow(&self) -> Result<Follower, Error> {
        let listen = async {
            let mut listener = PgListener::connect_with(&self.pool).await?;
            listener.listen("ledger").await?;
            Ok(listener)
        };
        let listener = listen.await.map_err(|source| Error::of("listen for changes", source))?;
        Ok(Follower { listener, store: self.clone(), point: None })
    }
}

impl Follower {
    /// Waits until something may have been committed and tells whom it concerns. Delivery is at
    /// least once: a change is told again if it was committed while an earlier answer was made.
    ///
    /// # Errors
    /// The database does not serve; the next answer continues at the same place.
    pub async fn next(&mut self) -> Result<Followed, Error> {
        let failed = |source| Error::of("follow the outbox", source);
        if self.point.is_some() {
            // A notification is only a hint to look, so a lost connection loses nothing.
            match tokio::time::timeout(LOOK_EVERY, self.listener.try_recv()).await {
                Ok(heard) => heard.map(drop).map_err(failed)?,
                Err(_elapsed) => {}
            }
        }
        let call = sqlx::query_as(sql::CHANGES).bind(self.point);
        let rows: Vec<Row> =
            once(&self.store.pool, "follow the outbox", |on| Box::pin(call.fetch_all(on))).await?;
        let first = self.point.is_none();
        self.point = rows.first().map(|row| row.0).or(self.point);
        if first {
            return Ok(Followed::Anything);
        }
        Ok(Followed::Changes(rows.into_iter().filter_map(change).collect()))
    }
}

fn change((_, kind, namespace, name): Row) -> Option<Change> {
    let name = name?;
    let namespace = namespace.unwrap_or_default();
    Some(match kind?.as_str() {
        "Voucher" => Change::Voucher(namespace, name),
        "Tenant" => Change::Tenant(namespace, name),
        "Terms" => Change::Terms(namespace, name),
        "Code" => Change::Code(namespace, Digest::from_hex(&name)?),
        "Sovereign" => Change::Sovereign(namespace, name),
        "Organization" => Change::Organization(name),
        "Hosted" => Change::Hosted(namespace, name),
        _ => return None,
    })
}
