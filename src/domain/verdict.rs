//! What a turn comes to, and the conditions that say so.

use super::reason::{Outlook, Reason};

/// What a turn comes to. Waiting is a verdict and not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The steps change what the next decision depends on: observe again at once.
    Again,
    /// All is as it should be.
    Ready,
    /// It is not, and why.
    Waiting(Reason),
    /// The object may go.
    Gone,
}

/// The status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// We cannot know.
    Unknown,
}

/// One condition before it has times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its type, such as `Entitled`.
    pub kind: &'static str,
    /// Whether it holds.
    pub status: Status,
    /// One word.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

impl Leaf {
    /// A condition that holds.
    #[must_use]
    pub fn holds(kind: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, status: Status::True, reason, message: message.into() }
    }

    /// A condition that does not hold, or cannot be known, for a reason.
    #[must_use]
    pub fn fails(kind: &'static str, reason: &Reason) -> Self {
        let status = match reason.outlook() {
            Outlook::Unknown => Status::Unknown,
            Outlook::Progressing | Outlook::Missing | Outlook::Stalled => Status::False,
        };
        Self { kind, status, reason: reason.name(), message: reason.to_string() }
    }

    /// A condition that cannot be judged because of a reason that is not its own.
    #[must_use]
    pub fn unknown(kind: &'static str, reason: &Reason) -> Self {
        Self { status: Status::Unknown, ..Self::fails(kind, reason) }
    }

    /// A condition that waits for what comes before it.
    #[must_use]
    pub fn pending(kind: &'static str) -> Self {
        let message = "waits for what comes before it".to_owned();
        Self { kind, status: Status::Unknown, reason: "Pending", message }
    }

    /// `holds` where there is no reason against it.
    #[must_use]
    pub fn of(kind: &'static str, good: (&'static str, &str), bad: Option<&Reason>) -> Self {
        bad.map_or_else(|| Self::holds(kind, good.0, good.1), |reason| Self::fails(kind, reason))
    }
}

impl Status {
    /// As Kubernetes spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}
