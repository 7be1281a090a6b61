//! The only `now` of this program, for conditions and durations. Money has a clock of its own, in
//! the ledger.

use jiff::Timestamp;

/// The time of this machine.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
