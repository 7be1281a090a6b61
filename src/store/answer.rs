//! What the ledger answers: an effect, a refusal, or one of the two words that stop the caller.

use super::Error;

/// What the ledger did, or why it would not. Neither is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The effect stands, now or since an earlier call under the same key.
    Done(Done),
    /// Nothing was done.
    Refused(Refusal),
}

/// An effect that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The word for it, such as `Redeemed`.
    pub outcome: String,
    /// The stored answer: the same bytes for the same key, for ever.
    pub response: Option<String>,
}

macro_rules! refusals {
    ($($name:ident),* $(,)?) => {
        /// Why the ledger would not, in the fixed order in which redemptions are judged, then the
        /// rest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the ledger's functions say what each word means")]
        pub enum Refusal { $($name),* }

        impl Refusal {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the ledger.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

refusals! {
    NotFound, NotActive, NotStarted, Expired, NotEligible, LimitReached, BudgetExhausted,
    AlreadyRedeemed, KeyReused, KeyInvalid, Short, NoOrder, NoHold, HoldLapsed, OrderHeld,
    NoOrganization,
    UnknownPlan, SovereignNotFound, CurrencyMismatch, CurrencyChanged, UnknownCurrency,
    CodeTaken, CodeRetired, CodeChanged, StaleSpec, OrganizationTaken, ObjectsRemain,
    TenantsRemain, NoFranchise, FranchiseIdentityChanged, ClusterIdentityChanged, HubChanged,
    PeriodEnded, ReasonNeeded, AmountInvalid, NoEntry, NotReversible, AlreadyReversed, CreditHeld,
    NotFrozen, OtherServer, ClusterTaken, SovereignAnswers, TooEarly,
}

/// The words for effects that stand.
const EFFECTS: [&str; 27] = [
    "Abandoned",
    "Accepted",
    "Captured",
    "Claimed",
    "Closed",
    "Condemned",
    "Credited",
    "Darkened",
    "DeletionAdmitted",
    "DeletionAnswered",
    "DeletionHeld",
    "Forgotten",
    "Held",
    "Journaled",
    "Left",
    "Ordered",
    "Paid",
    "Pinned",
    "Reached",
    "Redeemed",
    "Released",
    "Retired",
    "Reversed",
    "Sealed",
    "SuccessorExpected",
    "WordForgotten",
    "Thawed",
];

/// Sorts an answer into effect, refusal and the two that stop the caller.
pub(super) fn read(
    doing: &'static str,
    outcome: String,
    response: Option<String>,
) -> Result<Answer, Error> {
    if outcome == "Fenced" {
        return Err(Error::Fenced);
    }
    if let Some(why) = outcome.strip_prefix("Frozen:") {
        return Err(Error::Frozen(why.to_owned()));
    }
    if EFFECTS.contains(&outcome.as_str()) {
        return Ok(Answer::Done(Done { outcome, response }));
    }
    match Refusal::ALL.iter().find(|refusal| refusal.name() == outcome) {
        Some(refusal) => Ok(Answer::Refused(*refusal)),
        None => Err(Error::Unknown { doing, answer: outcome }),
    }
}
