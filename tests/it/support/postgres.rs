//! A database for each test, cloned from one that was migrated once.

use std::{
    process::{Command, Output},
    str::FromStr as _,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use catalyst_operator::store::{Store, schema};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::Mutex;

use super::World;

const TEMPLATE: &str = "template_ledger";
/// The environment variable that names a file of `tests/mutants/`, to be done to every ledger.
const MUTANT: &str = "MUTANT";
/// What mutants are written with.
const MUTATE: &str = include_str!("../../mutants/mutate.sql");
/// How many connections a test's Store has, unless it makes one of its own.
const CONNECTIONS: u32 = 8;

/// A ledger of its own, with the test clock.
pub(crate) struct Database {
    /// Its URL, as the superuser.
    pub(crate) url: String,
    /// The superuser, to look and to damage; `search_path` is `ledger`.
    pub(crate) admin: PgPool,
    /// The program's own way in.
    pub(crate) store: Store,
}

/// Makes the database that all others are cloned from.
pub(super) async fn make_template(world: &World) {
    create(world, TEMPLATE, "template1").await;
    let url = world.database_url(TEMPLATE);
    schema::migrate(&url, true).await.expect("the template migrates");
    let Ok(mutant) = std::env::var(MUTANT) else { return };
    let sql = std::fs::read_to_string(&mutant).unwrap_or_else(|why| panic!("{mutant}: {why}"));
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL serves");
    for sql in [MUTATE, &sql] {
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        done.unwrap_or_else(|why| panic!("{mutant}: {why}"));
    }
    connection.close().await.expect("PostgreSQL serves");
}

/// A fresh ledger. Call it once in a test: its Store belongs to the test's runtime.
pub(crate) async fn database(world: &World) -> Database {
    Database::open(empty_or_clone(world, TEMPLATE).await)
}

/// A database without a ledger.
pub(crate) async fn empty_database(world: &World) -> Database {
    Database::open(empty_or_clone(world, "template1").await)
}

/// A copy of a ledger as it is now, as a backup is that was restored on the same server.
pub(crate) async fn copy(world: &World, ledger: &Database) -> Database {
    let (_, name) = ledger.url.rsplit_once('/').expect("it ends with a database");
    // A database is copied while nobody uses it.
    ledger.admin.close().await;
    ledger.store.close().await;
    let admin = PgConnection::connect(&world.database_url("postgres")).await;
    let end = format!(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'"
    );
    admin.expect("PostgreSQL serves").execute(AssertSqlSafe(end)).await.expect("it may");
    Database::open(empty_or_clone(world, name).await)
}

async fn empty_or_clone(world: &World, template: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let name = format!("t_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    create(world, &name, template).await;
    world.database_url(&name)
}

async fn create(world: &World, name: &str, template: &str) {
    // Two copies of one template at a time refuse each other.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let mut connection =
        PgConnection::connect(&world.database_url("postgres")).await.expect("PostgreSQL serves");
    let _turn = ONE_AT_A_TIME.lock().await;
    // A process that shared this server before may have left one of that name.
    for sql in [
        format!("drop database if exists {name}"),
        format!("create database {name} template {template}"),
    ] {
        connection.execute(AssertSqlSafe(sql)).await.expect("the database can be made");
    }
}

impl Database {
    /// A database that is there already.
    pub(crate) fn open(url: String) -> Self {
        let options = PgConnectOptions::from_str(&url)
            .expect("it is a URL")
            .application_name("admin")
            .options([("search_path", "ledger,public"), ("synchronous_commit", "local")]);
        let admin = PgPoolOptions::new().max_connections(4).connect_lazy_with(options);
        let store = Store::new(&url, CONNECTIONS).expect("it is a URL");
        Self { url, admin, store }
    }

    /// Ends a database of which a test makes many.
    pub(crate) async fn end(self) {
        self.store.close().await;
        self.admin.close().await;
        let (server, name) = self.url.rsplit_once('/').expect("it ends with a database");
        let mut connection =
            PgConnection::connect(&format!("{server}/postgres")).await.expect("PostgreSQL serves");
        let drop = format!("drop database {name} with (force)");
        connection.execute(AssertSqlSafe(drop)).await.expect("nobody uses it");
    }

    /// Another Store on the same database, as another process would have.
    pub(crate) fn another_store(&self, connections: u32) -> Store {
        Store::new(&self.url, connections).expect("it is a URL")
    }

    /// Changes the schema or the data as the superuser: a mutant, or damage.
    pub(crate) async fn mutate(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.admin).await;
        done.unwrap_or_else(|why| panic!("{sql}: {why}"));
    }

    /// Runs `catalyst-operator ledger` on it with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_catalyst-operator"));
        command.arg("ledger").args(arguments).env_clear().env("DATABASE_URL", &self.url);
        command.output().expect("the program is there")
    }

    /// What a `catalyst-operator ledger` prints that succeeds.
    pub(crate) fn printed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// Replaces a part of a function of the ledger: a mutant that keeps up with the original.
    pub(crate) async fn mutate_function(&self, function: &str, part: &str, by: &str) {
        let definition: String =
            self.one(&format!("select pg_get_functiondef('ledger.{function}'::regproc)")).await;
        assert!(definition.contains(part), "{function} has no part {part:?} to take away");
        self.mutate(&definition.replace(part, by)).await;
    }

    /// The one value that a query of the superuser gives.
    pub(crate) async fn one<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let one = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&self.admin).await;
        one.unwrap_or_else(|why| panic!("{sql}: {why}"))
    }

    /// Every row of every table of the ledger, as text.
    pub(crate) async fn dump(&self) -> String {
        let tables: Vec<String> = self
            .one("select array_agg(tablename::text) from pg_tables where schemaname = 'ledger'")
            .await;
        let mut dump = String::new();
        for table in tables {
            let rows =
                format!("select coalesce(string_agg(t::text, ' '), '') from ledger.{table} t");
            dump += &self.one::<String>(&rows).await;
        }
        dump
    }

    /// Opens all connections of these Stores, so that a race is run by the ledger and not by the
    /// making of connections. They wait for a lock until the last of them is there.
    pub(crate) async fn open_all(&self, stores: &[(&Store, u32)]) {
        // How many make a connection at a time; each has only so long for it.
        const WAVE: u32 = 20;
        self.mutate("alter function current_epoch_v1() reset lock_timeout").await;
        let mut gate = self.admin.begin().await.expect("PostgreSQL serves");
        gate.execute("lock table leadership in access exclusive mode").await.expect("it is free");
        let (mut opened, mut waiting) = (0, vec![]);
        for (store, connections) in stores {
            for _ in 0..*connections {
                let door = store.door();
                waiting.push(tokio::spawn(async move { door.current_epoch().await }));
                opened += 1;
                if opened % WAVE == 0 {
                    self.await_waiting(opened).await;
                }
            }
        }
        self.await_waiting(opened).await;
        gate.rollback().await.expect("PostgreSQL serves");
        for opened in waiting {
            opened.await.expect("it does not panic").expect("the connection serves");
        }
    }

    /// Until so many calls of the program wait for a lock.
    pub(crate) async fn await_waiting(&self, wanted: u32) {
        let count = "select count(*) from pg_stat_activity where datname = current_database() \
                     and application_name = 'catalyst-operator' and wait_event_type = 'Lock'";
        let all = async {
            while self.one::<i64>(count).await < i64::from(wanted) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let opened = tokio::time::timeout(Duration::from_mins(1), all).await;
        opened.unwrap_or_else(|_late| panic!("{wanted} calls do not wait for a lock"));
    }
}
