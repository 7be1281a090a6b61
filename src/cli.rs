//! The commands.

use std::{collections::BTreeSet, net::SocketAddr, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    api,
    controllers::chain,
    domain::{
        money::{Currency, Money},
        seal::Sealed,
    },
    run::{self, Settings},
    store::{self, Answer, Statement, Store, schema},
};

/// One connection at a time is enough for a command.
const CONNECTIONS: u32 = 1;

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
    /// Print the three custom resource definitions, for kubectl apply -f -.
    Crds,
    /// Look at the ledger, and decide about it.
    #[command(subcommand)]
    Ledger(Ledger),
}

#[derive(clap::Args)]
struct Database {
    /// Where the ledger is, such as <postgresql://user:password@host/database?sslmode=verify-full>.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
}

#[derive(clap::Args)]
struct Run {
    #[command(flatten)]
    database: Database,
    /// The operator's own namespace, where the Lease of the leader and the anchors of the ledger
    /// are.
    #[arg(long, env = "POD_NAMESPACE", default_value = "catalyst-system")]
    namespace: String,
    /// Where /metrics, /livez and /readyz are served. A port in use gives way to a free one.
    #[arg(
        long,
        env = "CATALYST_METRICS_ADDR",
        default_value = "0.0.0.0:8080",
        value_name = "ADDR"
    )]
    metrics_addr: SocketAddr,
    /// Serve only these franchises, separated by commas; all of them if none is given.
    #[arg(long, env = "CATALYST_NAMESPACES", value_delimiter = ',', value_name = "NAMESPACES")]
    namespaces: Vec<String>,
    /// Whether to act only while holding the Lease. Without it, every process acts under the
    /// current epoch, and the ledger alone keeps them from doing a thing twice.
    #[arg(
        long,
        env = "CATALYST_LEADER_ELECT",
        default_value_t = true,
        action = clap::ArgAction::Set
    )]
    leader_elect: bool,
    /// How often the ledger is audited, in seconds.
    #[arg(long, env = "CATALYST_AUDIT_EVERY", default_value_t = 600, hide = true)]
    audit_every: u64,
}

#[derive(Subcommand)]
enum Ledger {
    /// Check the invariants of the ledger; name every row that breaks one, and fail if any does.
    Verify {
        #[command(flatten)]
        database: Database,
        /// Check the sealed blocks too, and with them every entry: name each that was edited,
        /// deleted or inserted after it was sealed.
        #[arg(long)]
        sealed: bool,
    },
    /// Let the money of a frozen franchise move again, and accept its ledger as it is.
    ///
    /// The decision is kept for ever. What was found stays found; only a change of it freezes the
    /// franchise again.
    Thaw {
        #[command(flatten)]
        database: Database,
        /// The franchise.
        namespace: String,
        /// Why its money may move again.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who decided.
        #[arg(long, value_name = "NAME")]
        actor: String,
    },
    /// Print the account of an organization.
    Statement {
        #[command(flatten)]
        database: Database,
        /// The customer, as NAMESPACE/ORGANIZATION.
        #[arg(value_parser = account)]
        account: (String, String),
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Text,
    Json,
}

fn account(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, organization)) if !namespace.is_empty() && !organization.is_empty() => {
            Ok((namespace.to_owned(), organization.to_owned()))
        }
        _ => Err("write NAMESPACE/ORGANIZATION, such as omantel/kestrel-rx".to_owned()),
    }
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
    #[error("the ledger would not thaw {0}: {1}")]
    NotThawed(String, &'static str),
    #[error("no account of {1} in franchise {0}")]
    NoAccount(String, String),
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
                namespace: run.namespace,
                metrics_addr: run.metrics_addr,
                namespaces: run.namespaces.into_iter().collect::<BTreeSet<_>>(),
                leader_elect: run.leader_elect,
                audit_every: Duration::from_secs(run.audit_every),
            };
            Ok(run::run(settings).await?)
        }
        Command::Migrate { database, test_clock } => {
            schema::migrate(&database.database_url, test_clock).await?;
            print("the ledger is up to date\n")
        }
        Command::Crds => {
            let manifests: Vec<String> = api::crds().iter().map(api::manifest).collect();
            print(&manifests.join("---\n"))
        }
        Command::Ledger(Ledger::Verify { database, sealed }) => {
            verify(&database.database_url, sealed).await
        }
        Command::Ledger(Ledger::Thaw { database, namespace, reason, actor }) => {
            thaw(&database.database_url, namespace, (&reason, &actor)).await
        }
        Command::Ledger(Ledger::Statement { database, account, output }) => {
            statement(&database.database_url, account, output).await
        }
    }
}

async fn verify(url: &str, sealed: bool) -> Result<(), Error> {
    let store = Store::new(url, CONNECTIONS)?;
    let mut violations = store.verify().await?;
    if sealed {
        violations.extend(store.verify_sealed().await?);
        for franchise in store.seals(&[]).await?.franchises {
            print(&seals(&franchise))?;
        }
    }
    for violation in &violations {
        print(&format!("{}: {}: {}\n", violation.namespace, violation.invariant, violation.what))?;
    }
    if violations.is_empty() {
        print("every invariant holds\n")
    } else {
        Err(Error::Violations(violations.len()))
    }
}

/// Where the seals of a franchise are, in a line.
fn seals(franchise: &Sealed) -> String {
    let namespace = &franchise.namespace;
    match &franchise.head {
        Some(head) => format!(
            "{namespace}: block {} is the last, sealed {}, entries in all {}, hash {}\n",
            head.block,
            second(head.sealed_at),
            head.entries,
            head.hash
        ),
        None => format!("{namespace}: nothing is sealed\n"),
    }
}

async fn thaw(url: &str, namespace: String, (reason, actor): (&str, &str)) -> Result<(), Error> {
    let door = Store::new(url, CONNECTIONS)?.door();
    match door.thaw(&namespace, reason, actor).await? {
        Answer::Done(_) => print(&format!("the money of {namespace} moves again\n")),
        Answer::Refused(refusal) => Err(Error::NotThawed(namespace, refusal.name())),
    }
}

async fn statement(
    url: &str,
    (namespace, organization): (String, String),
    output: Output,
) -> Result<(), Error> {
    let statement = Store::new(url, CONNECTIONS)?.statement(&namespace, &organization).await?;
    if statement.accounts.is_empty() {
        return Err(Error::NoAccount(namespace, organization));
    }
    match output {
        Output::Json => print(&format!("{}\n", serde_json::to_string_pretty(&statement)?)),
        Output::Text => print(&text(&statement)),
    }
}

/// A statement as a customer would read it.
fn text(statement: &Statement) -> String {
    let mut lines = vec![format!(
        "Statement of {} in {}, as of {}",
        statement.organization,
        statement.franchise,
        second(statement.as_of)
    )];
    for account in &statement.accounts {
        let print = |minor: i64| match Currency::parse(&account.currency) {
            Ok(currency) => Money { minor, currency }.to_string(),
            Err(_) => format!("{minor} minor units of {}", account.currency),
        };
        let mut balance = 0_i64;
        lines.push(String::new());
        lines.push(format!("  {:20}  {:>20}  {:>20}  CAUSE", "DATE", "AMOUNT", "BALANCE"));
        lines.push(format!("  {:20}  {:>20}  {:>20}  opening balance", "", "", print(0)));
        for line in &account.lines {
            balance = balance.saturating_add(line.amount);
            lines.push(format!(
                "  {:20}  {:>20}  {:>20}  {}",
                second(line.at),
                print(line.amount),
                print(balance),
                line.cause.as_deref().unwrap_or(&line.kind),
            ));
        }
        lines.push(format!(
            "  {:20}  {:>20}  {:>20}  closing balance",
            "",
            "",
            print(account.posted)
        ));
        lines.push(format!(
            "  set aside {}, to spend {}",
            print(account.held),
            print(account.spendable)
        ));
        if let Some(until) = account.paid_until {
            lines.push(format!("  paid until {}", second(until)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn second(instant: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(instant.as_second()).unwrap_or(instant).to_string()
}

fn print(text: &str) -> Result<(), Error> {
    use std::io::Write as _;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
