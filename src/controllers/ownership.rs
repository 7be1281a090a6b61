//! Who may act: the holder of the Lease, under the epoch that it got from `PostgreSQL`.

use tokio::sync::watch;

use super::Error;
use crate::domain::reason::Reason;

#[derive(Clone, Debug)]
enum State {
    Standby,
    /// Leads, and the ledger has given no epoch yet.
    Waiting(Reason),
    Leads(i64),
}

/// What this process may act on. Every turn asks; today one Lease answers for all Sovereigns.
pub struct Ownership {
    state: watch::Sender<State>,
}

impl Default for Ownership {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::Standby) }
    }
}

impl Ownership {
    /// The epoch under which this process may act for a Sovereign; none where another one does.
    ///
    /// # Errors
    /// This process leads, and the ledger has not answered yet.
    pub fn epoch_for(&self, _namespace: &str, _sovereign: &str) -> Result<Option<i64>, Error> {
        match &*self.state.borrow() {
            State::Standby => Ok(None),
            State::Leads(epoch) => Ok(Some(*epoch)),
            State::Waiting(why) => Err(Error::NoEpoch(why.clone())),
        }
    }

    /// This process leads and waits for the ledger, because of `why`.
    pub fn wait(&self, why: Reason) {
        self.state.send_replace(State::Waiting(why));
    }

    /// This process leads under an epoch.
    pub fn lead(&self, epoch: i64) {
        self.state.send_replace(State::Leads(epoch));
    }

    /// Whether this process leads, with or without an epoch.
    #[must_use]
    pub fn leads(&self) -> bool {
        !matches!(*self.state.borrow(), State::Standby)
    }
}
