//! What can go wrong between us and an API server.

use kube::core::Status;

/// An API server answers and refuses, or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It answered, and refused.
    #[error("cannot {doing} {object}: {}", status.message)]
    Refused {
        /// What we were doing.
        doing: &'static str,
        /// To which object.
        object: String,
        /// What it said.
        status: Box<Status>,
    },
    /// The call may be made again.
    #[error("cannot {doing} {object}")]
    Unavailable {
        /// What we were doing.
        doing: &'static str,
        /// To which object.
        object: String,
        /// What the client said.
        source: kube::Error,
    },
    /// The cluster of a Sovereign did not give an answer this time. Its link judges whether it is
    /// dark; until then, nobody is told.
    #[error("{0}")]
    Faltering(Box<Error>),
    /// Another cluster answers than the one that was asked.
    #[error("cannot {doing} {object}: another cluster answers now")]
    Swapped {
        /// What we were doing.
        doing: &'static str,
        /// To which object.
        object: String,
    },
    /// It took longer than any call may.
    #[error("cannot {doing} {object}: no answer in time")]
    Silent {
        /// What we were doing.
        doing: &'static str,
        /// To which object.
        object: String,
    },
}

impl Error {
    /// Sorts what the client said.
    pub(super) fn of(doing: &'static str, object: &str, source: kube::Error) -> Self {
        let object = object.to_owned();
        match source {
            kube::Error::Api(status) if (400..429).contains(&status.code) => {
                Self::Refused { doing, object, status }
            }
            source => Self::Unavailable { doing, object, source },
        }
    }

    /// Whether somebody else wrote first: look again and decide anew.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if status.is_conflict())
    }

    /// Whether we have no right to do it.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if status.code == 403)
    }

    /// Whether it cannot be made because its namespace is being deleted.
    #[must_use]
    pub fn is_in_leaving_namespace(&self) -> bool {
        let Self::Refused { status, .. } = self else { return false };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
    }

    /// Whether the object is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if status.is_not_found())
    }
}
