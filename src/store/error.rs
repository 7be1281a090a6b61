//! What can go wrong between us and `PostgreSQL`. A refusal of the ledger is no error: it is an
//! [`super::Answer`].

use crate::domain::facts::PROGRAM;

/// Three classes that are never mixed: frozen, fenced and unavailable. What is left is a mistake
/// of ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An outage: the call may be made again, with the same key, and finds the one true outcome.
    #[error("cannot {doing}: the database is unavailable")]
    Unavailable {
        /// What we were doing.
        doing: &'static str,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// There is no ledger, or an older one, in this database.
    #[error(
        "cannot {doing}: the database has no ledger of this version; run catalyst-operator migrate"
    )]
    NoLedger {
        /// What we were doing.
        doing: &'static str,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The database wants a newer program.
    #[error("the database is served by programs of level {needed}; this one is of level {PROGRAM}")]
    SchemaUnsupported {
        /// The least level.
        needed: i32,
    },
    /// The application role could write a ledger table by itself.
    #[error("RoleUnsafe: role catalyst_app may write ledger tables; run catalyst-operator migrate")]
    RoleUnsafe,
    /// The server takes no writes.
    #[error(
        "the database takes no writes: it is a standby, or default_transaction_read_only is on; \
         let the URL name the primary"
    )]
    ReadOnly,
    /// The URL of the database is none.
    #[error(
        "the URL of the database cannot be read; it is postgresql://user:password@host/database, \
         where %23 stands for #, %2F for / and %40 for @ in a password"
    )]
    Url(#[source] sqlx::Error),
    /// The URL leads to another database than the one in use.
    #[error(
        "the URL leads to another database than before; this process ends, so that the next one \
         begins there with all that is looked at first"
    )]
    Moved,
    /// The server is older than the ledger's functions.
    #[error("the database is PostgreSQL {found}; the ledger needs {needed} or newer")]
    TooOld {
        /// Its major version.
        found: i32,
        /// The least major version.
        needed: i32,
    },
    /// The server may lose what it acknowledged.
    #[error("DurabilityUnsafe: {0}")]
    DurabilityUnsafe(String),
    /// The database belongs to another hub.
    #[error(
        "the database belongs to another hub than {seen}; if this one is to take over, run \
         catalyst-operator ledger adopt-hub {seen}"
    )]
    HubChanged {
        /// The hub that asked.
        seen: String,
    },
    /// Money of this franchise waits for a person.
    #[error("the ledger is frozen: {0}")]
    Frozen(String),
    /// Another leader is in charge: this process must not go on.
    #[error("fenced: another process leads now")]
    Fenced,
    /// A text has a character that no text of `PostgreSQL` can have. Nothing was done.
    #[error("cannot {doing}: a text holds NUL, or is not UTF-8")]
    TextInvalid {
        /// What we were doing.
        doing: &'static str,
    },
    /// A statement failed in a way that no good program meets.
    #[error("cannot {doing}")]
    Bug {
        /// What we were doing.
        doing: &'static str,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The ledger answered with a word that this program does not know.
    #[error("cannot {doing}: the ledger answered {answer}, which this program does not know")]
    Unknown {
        /// What we were doing.
        doing: &'static str,
        /// The answer.
        answer: String,
    },
    /// There is no such database, or its user may not make what a ledger stands on.
    #[error(
        "cannot prepare the database; give migrate the URL of one that exists, with a user who may \
         make roles and schemas in it"
    )]
    NotPrepared(#[source] sqlx::Error),
    /// The migrations failed.
    #[error("cannot migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

impl Error {
    /// Sorts what the driver said into its class.
    pub(super) fn of(doing: &'static str, source: sqlx::Error) -> Self {
        let code = source.as_database_error().and_then(|error| error.code().map(String::from));
        match code.as_deref() {
            // No such schema, table, function or column; no right to see them; no such role.
            Some("3F000" | "42P01" | "42883" | "42703" | "42501" | "22023" | "3D000") => {
                Self::NoLedger { doing, source }
            }
            Some("22021") => Self::TextInvalid { doing },
            // Classes: connection, transaction rollback, resources, intervention, system, and a
            // lock or a transaction that a standby or a setting refuses.
            Some(code)
                if ["08", "25", "28", "40", "53", "55", "57", "58"]
                    .iter()
                    .any(|class| code.starts_with(class)) =>
            {
                Self::Unavailable { doing, source }
            }
            Some(_) => Self::Bug { doing, source },
            None => match source {
                sqlx::Error::Decode(_)
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::Encode(_) => Self::Bug { doing, source },
                _ => Self::Unavailable { doing, source },
            },
        }
    }

    /// Whether the same call, made again at once, may well succeed: a twin was first, a lock was
    /// busy, or a pooled connection was dead.
    pub(super) fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Unavailable { source, .. } => match source {
                sqlx::Error::Database(error) => error
                    .code()
                    .is_some_and(|code| ["40001", "40P01", "55P03", "57P01"].contains(&&*code)),
                sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
                _ => false,
            },
            _ => false,
        }
    }
}
