//! Making the ledger: roles, schema, migrations.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgConnection},
};

use super::Error;

/// The migrations, as they were when this program was built.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Roles and their members belong to the whole server, so that another database may make them at
/// the same moment, which no lock of ours can see; whoever comes second is content. So is who may
/// not grant what somebody else made: what is missing then shows itself at the first use.
const ROLE: &str = "do $$ begin create role {role} nologin; \
                    exception when duplicate_object or unique_violation then null; end $$; \
                    do $$ begin grant {role} to current_user; \
                    exception when unique_violation or internal_error \
                        or insufficient_privilege then null; end $$";
const PREPARE: &str = "create extension if not exists btree_gist; \
                       create schema if not exists ledger authorization catalyst_owner; \
                       set role catalyst_owner; set search_path = ledger";

/// The least major version of the server.
const SERVER_MIN: i32 = 15;
/// How long a server may take to let us in.
const CONNECT_MAX: Duration = Duration::from_secs(15);

/// Brings the ledger of a database to the version of this program, under a lock, and may be run
/// again. The user of the URL needs the right to make roles and schemas; `run` does not.
///
/// # Errors
/// The database does not serve, the user has too few rights, or a migration fails; what was
/// applied before it stays.
pub async fn migrate(url: &str, test_clock: bool) -> Result<(), Error> {
    let failed = |source| match Error::of("prepare the database", source) {
        // Nothing is missing that migrate would make.
        Error::NoLedger { source, .. } => Error::NotPrepared(source),
        other => other,
    };
    let options = PgConnectOptions::from_str(url).map_err(failed)?;
    let connected = tokio::time::timeout(CONNECT_MAX, PgConnection::connect_with(&options)).await;
    let too_late = |_elapsed| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    let mut connection = connected.unwrap_or_else(too_late).map_err(failed)?;
    let version = "select current_setting('server_version_num')::int / 10000";
    let found: i32 =
        sqlx::query_scalar(version).fetch_one(&mut connection).await.map_err(failed)?;
    if found < SERVER_MIN {
        return Err(Error::TooOld { found, needed: SERVER_MIN });
    }
    let lock = "select pg_advisory_lock(hashtext('catalyst-operator migrate'))";
    connection.execute(lock).await.map_err(failed)?;
    for role in ["catalyst_owner", "catalyst_app", "catalyst_read"] {
        let make = AssertSqlSafe(ROLE.replace("{role}", role));
        connection.execute(make).await.map_err(failed)?;
    }
    connection.execute(PREPARE).await.map_err(failed)?;
    match MIGRATIONS.run_direct(None, &mut connection, false).await {
        // A newer program was here: what it says of older ones decides whether this one serves.
        Err(MigrateError::VersionMissing(_)) => return connection.close().await.map_err(failed),
        migrated => migrated.map_err(Error::Migrate)?,
    }
    if test_clock {
        connection.execute("update ledger.clock set test = true").await.map_err(failed)?;
    }
    connection.close().await.map_err(failed)
}
