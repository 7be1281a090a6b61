//! What can end a turn early. One exhaustive class decides retry, event, metric and condition.

use crate::{
    cluster,
    domain::{reason::Reason, sentence::chain},
    store,
};

/// A turn that could not be finished. It is reported all the same.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// What is written cannot be used, which the schema should have said.
    #[error("the spec cannot be used: {0}")]
    Spec(#[from] Reason),
    /// A cluster that was there a moment ago.
    #[error("the cluster cannot be used any more")]
    OutOfReach,
    /// We lead, and the ledger has not said under which epoch.
    #[error("no epoch yet: {0}")]
    NoEpoch(Reason),
}

/// What an error means for the one who retries, counts and reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// An outage: retried for ever, nothing is refused or taken down.
    Unavailable,
    /// Money waits for a person.
    Frozen,
    /// Somebody else wrote first: decide anew at once.
    Conflict,
    /// The other side says no.
    Refused,
    /// Another process leads: this one ends.
    Fenced,
    /// A mistake of ours.
    Bug,
}

impl Class {
    /// The word in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Frozen => "frozen",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Fenced => "fenced",
            Self::Bug => "bug",
        }
    }
}

impl Error {
    /// Its class.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Store(error) => match error {
                store::Error::Unavailable { .. }
                | store::Error::NoLedger { .. }
                | store::Error::ReadOnly
                | store::Error::Url(_)
                | store::Error::Moved
                | store::Error::TooOld { .. } => Class::Unavailable,
                store::Error::SchemaUnsupported { .. }
                | store::Error::RoleUnsafe
                | store::Error::DurabilityUnsafe(_)
                | store::Error::HubChanged { .. }
                | store::Error::Frozen(_) => Class::Frozen,
                store::Error::Fenced => Class::Fenced,
                store::Error::TextInvalid { .. }
                | store::Error::Bug { .. }
                | store::Error::Unknown { .. }
                | store::Error::NotPrepared(_)
                | store::Error::Migrate(_) => Class::Bug,
            },
            Self::Cluster(error) if error.is_conflict() => Class::Conflict,
            Self::Spec(_) | Self::Cluster(cluster::Error::Refused { .. }) => Class::Refused,
            Self::NoEpoch(_)
            | Self::OutOfReach
            | Self::Cluster(
                cluster::Error::Unavailable { .. }
                | cluster::Error::Silent { .. }
                | cluster::Error::Swapped { .. }
                | cluster::Error::Faltering(_),
            ) => Class::Unavailable,
        }
    }

    /// Whether it says nothing of the cluster of a Sovereign that its link does not judge better.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::OutOfReach | Self::Cluster(cluster::Error::Faltering(_)))
    }

    /// What to say of it in a condition.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let why = chain(self);
        match self {
            Self::Spec(reason) | Self::NoEpoch(reason) => reason.clone(),
            Self::Store(store::Error::Frozen(why)) => Reason::LedgerFrozen { why: why.clone() },
            Self::Store(store::Error::DurabilityUnsafe(why)) => {
                Reason::DurabilityUnsafe { why: why.clone() }
            }
            Self::Store(store::Error::HubChanged { seen }) => {
                Reason::HubChanged { seen: seen.clone() }
            }
            Self::Store(store::Error::RoleUnsafe) => Reason::LedgerFrozen { why },
            Self::Store(_) => Reason::LedgerUnavailable { why },
            Self::Cluster(cluster::Error::Refused { .. }) => Reason::ClusterRefused { why },
            Self::Cluster(_) | Self::OutOfReach => Reason::ClusterUnavailable { why },
        }
    }
}
