//! The commands.

use std::{collections::BTreeSet, net::SocketAddr, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use crate::{
    api,
    domain::{address::Allowed, sentence::chain},
    run::{self, DatabaseUrl, Settings},
    store::{self, schema},
    telemetry::Format,
};

mod doctor;
mod ledger;
mod statement;

/// Turns Sovereigns, Tenants and Vouchers into paid, provisioned truth.
#[derive(Parser)]
#[command(name = "catalyst-operator", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator.
    Run(Box<Run>),
    /// Make or upgrade the ledger in a database. Safe to repeat.
    ///
    /// Needs a user that may create roles and schemas; `run` needs one that may only become
    /// `catalyst_app`.
    Migrate {
        #[command(flatten)]
        database: Database,
        /// Let ledger time be moved forward. For tests and demos only.
        #[arg(long)]
        test_clock: bool,
    },
    /// Look whether this installation can work: database, cluster, rights, definitions, policies.
    ///
    /// Prints a line for each and changes nothing. The chart runs it as `helm test`.
    Doctor {
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        scope: Scope,
    },
    /// Print the three custom resource definitions, for kubectl apply -f -.
    Crds,
    /// Look at the ledger, check it, and correct it.
    #[command(subcommand)]
    Ledger(ledger::Command),
}

#[derive(clap::Args)]
struct Database {
    /// Where the ledger is, such as <postgresql://user:password@host/database?sslmode=verify-full>.
    ///
    /// `file:PATH` stands for the URL in a file, and in any other URL `{PATH}` for what is in a
    /// file, such as the password.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: DatabaseUrl,
}

impl Database {
    fn url(&self) -> Result<String, Error> {
        self.database_url.read().map_err(Error::Setting)
    }
}

/// Where the operator is, and what it serves.
#[derive(clap::Args)]
struct Scope {
    /// The operator's own namespace, where the Lease of the leader and the anchors of the ledger
    /// are.
    #[arg(long, env = "POD_NAMESPACE", default_value = "catalyst-system")]
    namespace: String,
    /// Serve only these franchises, separated by commas; all of them if none is given.
    #[arg(long, env = "CATALYST_NAMESPACES", value_delimiter = ',', value_name = "NAMESPACES")]
    namespaces: Vec<String>,
}

#[derive(clap::Args)]
struct Run {
    #[command(flatten)]
    database: Database,
    /// The same database as a user that may make roles and schemas: the ledger is made or upgraded
    /// at the start, under a lock. Without it, `catalyst-operator migrate` has to be run.
    #[arg(long, env = "CATALYST_MIGRATE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    migrate_database_url: Option<DatabaseUrl>,
    /// The pod that this process runs in, which events of its own are about.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pod: Option<String>,
    #[command(flatten)]
    scope: Scope,
    /// Where /metrics, /livez and /readyz are served. A port in use gives way to a free one.
    #[arg(long, env = "CATALYST_METRICS_ADDR", default_value = "[::]:8080", value_name = "ADDR")]
    metrics_addr: SocketAddr,
    /// Whether to act only while holding the Lease. Without it, every process acts under the
    /// current epoch, and the ledger alone keeps them from doing a thing twice.
    #[arg(
        long,
        env = "CATALYST_LEADER_ELECT",
        default_value_t = true,
        action = clap::ArgAction::Set
    )]
    leader_elect: bool,
    /// Addresses that a kubeconfig of a Sovereign may name although they are refused by default,
    /// such as loopback ones: CIDRs, separated by commas.
    #[arg(
        long,
        env = "CATALYST_REMOTE_ALLOW_CIDRS",
        default_value = "",
        value_name = "CIDRS",
        value_parser = Allowed::parse,
        hide_default_value = true
    )]
    remote_allow_cidrs: Allowed,
    /// Move money although the database server may lose in a crash what it acknowledged. For tests
    /// only; a condition of every Sovereign and a metric say that it is on.
    #[arg(long, env = "CATALYST_ALLOW_UNSAFE_DURABILITY")]
    allow_unsafe_durability: bool,
    /// How often the ledger is audited, in seconds.
    #[arg(long, env = "CATALYST_AUDIT_EVERY", default_value_t = 600, hide = true)]
    audit_every: u64,
    /// How a line of the log is written; by default as text on a terminal and else as JSON.
    #[arg(long, env = "CATALYST_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    log_format: Option<Format>,
}

/// What can end a command.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Run(#[from] run::Error),
    #[error("cannot print")]
    Print(#[from] std::io::Error),
    #[error("{0} violations of the ledger's invariants")]
    Violations(usize),
    #[error("{0} of these are to be mended first")]
    Unhealthy(usize),
    #[error("no account of {1} in franchise {0}")]
    NoAccount(String, String),
    #[error("{0}")]
    Refused(&'static str),
    #[error("{0}")]
    Setting(String),
    #[error("cannot print JSON")]
    Json(#[from] serde_json::Error),
}

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return failed(&why),
    };
    match runtime.block_on(execute(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => failed(&why),
    }
}

fn failed(why: &dyn std::error::Error) -> ExitCode {
    use std::io::Write as _;
    // Nowhere is left to say that standard error is closed.
    let _closed = writeln!(std::io::stderr(), "catalyst-operator: {}", chain(why));
    ExitCode::FAILURE
}

async fn execute(command: Command) -> Result<(), Error> {
    match command {
        Command::Run(run) => {
            let settings = Settings {
                database_url: run.database.database_url,
                migrate_database_url: run.migrate_database_url,
                pod: run.pod,
                namespace: run.scope.namespace,
                metrics_addr: run.metrics_addr,
                namespaces: run.scope.namespaces.into_iter().collect::<BTreeSet<_>>(),
                leader_elect: run.leader_elect,
                remote_allow: run.remote_allow_cidrs,
                allow_unsafe_durability: run.allow_unsafe_durability,
                audit_every: Duration::from_secs(run.audit_every),
                log_format: run.log_format.unwrap_or_else(Format::of_stderr),
            };
            Ok(Box::pin(run::run(settings)).await?)
        }
        Command::Migrate { database, test_clock } => {
            schema::migrate(&database.url()?, test_clock).await?;
            print("the ledger is up to date\n")
        }
        Command::Doctor { database, scope } => {
            // One provider for both libraries that speak TLS; a second call finds the first.
            let _first = rustls::crypto::ring::default_provider().install_default();
            let findings = doctor::examine(&database.url()?, scope).await;
            print(&findings.iter().map(ToString::to_string).collect::<String>())?;
            match findings.iter().filter(|finding| finding.found.is_err()).count() {
                0 => Ok(()),
                wrong => Err(Error::Unhealthy(wrong)),
            }
        }
        Command::Crds => {
            let manifests: Vec<String> = api::crds().iter().map(api::manifest).collect();
            print(&manifests.join("---\n"))
        }
        Command::Ledger(command) => ledger::execute(command).await,
    }
}

fn print(text: &str) -> Result<(), Error> {
    use std::io::Write as _;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
