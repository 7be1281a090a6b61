//! The commands on the ledger.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{Database, Error, print, statement};
use crate::{
    domain::{duration, instant::second, money::Money, seal::Sealed},
    store::{Answer, Refusal, Store, Why},
};

/// One connection at a time is enough for a command.
const CONNECTIONS: u32 = 1;

#[derive(Subcommand)]
pub(super) enum Command {
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
        account: Account,
        /// List the entries since this instant, such as 2026-09-01T00:00:00Z; all if none is given.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Give an organization credit without a voucher, such as a payment that came in.
    Credit {
        #[command(flatten)]
        database: Database,
        /// The customer, as NAMESPACE/ORGANIZATION.
        #[arg(value_parser = account)]
        account: Account,
        /// How much, such as "10.000 OMR".
        #[arg(value_parser = money)]
        amount: Money,
        /// How long it can be spent, such as 90d; for ever if it is not given.
        #[arg(long, value_parser = duration::seconds, value_name = "DURATION")]
        expires_after: Option<i64>,
        #[command(flatten)]
        because: Because,
    },
    /// Take an entry that granted credit back, once. What is left of it returns to where it came
    /// from; what was spent of it is owed by the organization.
    Reverse {
        #[command(flatten)]
        database: Database,
        /// The franchise.
        namespace: String,
        /// The number of the entry, as `ledger statement` has it.
        entry: i64,
        #[command(flatten)]
        because: Because,
    },
    /// Close the account of an organization that has no Tenant any more: what is left of its
    /// credit returns to where it came from. It cannot be opened again.
    Close {
        #[command(flatten)]
        database: Database,
        /// The customer, as NAMESPACE/ORGANIZATION.
        #[arg(value_parser = account)]
        account: Account,
        /// The currency of the account, such as OMR.
        currency: String,
        #[command(flatten)]
        because: Because,
    },
    /// Let another hub take over this database, by the UID of its namespace kube-system. The hub
    /// that had it is fenced, and the Sovereigns that are the hub itself come along.
    AdoptHub {
        #[command(flatten)]
        database: Database,
        /// The UID.
        uid: String,
    },
}

#[derive(Args)]
pub(super) struct Because {
    /// Why; the customer reads it in the statement.
    #[arg(long)]
    reason: String,
    /// Who you are.
    #[arg(long)]
    actor: String,
    /// A name for this act that no other has: repeated with the same input, nothing happens twice.
    #[arg(long)]
    key: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Output {
    Text,
    Json,
}

type Account = (String, String);

fn account(text: &str) -> Result<Account, String> {
    match text.split_once('/') {
        Some((namespace, organization)) if !namespace.is_empty() && !organization.is_empty() => {
            Ok((namespace.to_owned(), organization.to_owned()))
        }
        _ => Err("write NAMESPACE/ORGANIZATION, such as omantel/kestrel-rx".to_owned()),
    }
}

fn money(text: &str) -> Result<Money, String> {
    Money::parse(text).map_err(|why| why.to_string())
}

pub(super) async fn execute(command: Command) -> Result<(), Error> {
    let open = |database: Database| -> Result<Store, Error> {
        Ok(Store::new(&database.url()?, CONNECTIONS)?)
    };
    let answer = match command {
        Command::Verify { database, sealed } => return verify(&open(database)?, sealed).await,
        Command::Thaw { database, namespace, reason, actor } => {
            let answer = open(database)?.door().thaw(&namespace, &reason, &actor).await?;
            if matches!(answer, Answer::Done(_)) {
                return print(&format!("the money of {namespace} moves again\n"));
            }
            answer
        }
        Command::Statement { database, account, since, output } => {
            return print_statement(&open(database)?, account, since, output).await;
        }
        Command::Credit {
            database,
            account: (namespace, organization),
            amount,
            expires_after,
            because,
        } => {
            let account = (namespace.as_str(), organization.as_str());
            open(database)?.door().credit(account, &amount, expires_after, &because.into()).await?
        }
        Command::Reverse { database, namespace, entry, because } => {
            open(database)?.door().reverse(&namespace, entry, &because.into()).await?
        }
        Command::Close { database, account: (namespace, organization), currency, because } => {
            let account = (namespace.as_str(), organization.as_str());
            open(database)?.door().close(account, &currency, &because.into()).await?
        }
        Command::AdoptHub { database, uid } => open(database)?.door().adopt_hub(&uid).await?,
    };
    match answer {
        Answer::Done(done) => print(&format!("{}\n", done.response.unwrap_or(done.outcome))),
        Answer::Refused(refusal) => Err(Error::Refused(why(refusal))),
    }
}

impl From<Because> for Why {
    fn from(because: Because) -> Self {
        let Because { reason, actor, key } = because;
        Self { key, reason, actor }
    }
}

/// A refusal as the person at the keyboard reads it.
fn why(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoFranchise => "there is no such franchise in this ledger",
        Refusal::NoOrganization => "the organization has no account in this currency",
        Refusal::NotEligible => "the account is closed",
        Refusal::AmountInvalid => {
            "the amount is not from 1 to 10^15 minor units, or the balance would be beyond 10^18"
        }
        Refusal::KeyReused => {
            "another act was done under this key: look at the statement, and use another key for \
             another act"
        }
        Refusal::KeyInvalid => "a key has 1 to 150 bytes",
        Refusal::ReasonNeeded => "a reason has 1 to 500 characters and an actor 1 to 200",
        Refusal::NoEntry => "there is no such entry in this franchise",
        Refusal::NotReversible => {
            "only an entry that granted credit can be taken back: a voucher or a credit"
        }
        Refusal::AlreadyReversed => "the entry was taken back before",
        Refusal::CreditHeld => {
            "some of the credit is set aside for an order: wait until it is paid or released"
        }
        Refusal::NotFrozen => "the franchise is not frozen",
        Refusal::ClusterTaken => {
            "a Sovereign is on that cluster by a kubeconfig, or left something there: delete that \
             Sovereign first, and wait until its tombstones are gone. If the hub is lost, adopt \
             another cluster as the hub, where the operator can do this"
        }
        Refusal::TenantsRemain => "the organization has a Tenant: delete it first",
        other => other.name(),
    }
}

async fn verify(store: &Store, sealed: bool) -> Result<(), Error> {
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

async fn print_statement(
    store: &Store,
    (namespace, organization): Account,
    since: Option<Timestamp>,
    output: Output,
) -> Result<(), Error> {
    let statement = store.statement(&namespace, &organization, since).await?;
    if statement.accounts.is_empty() {
        return Err(Error::NoAccount(namespace, organization));
    }
    match output {
        Output::Json => print(&format!("{}\n", serde_json::to_string_pretty(&statement)?)),
        Output::Text => print(&statement::text(&statement)),
    }
}
