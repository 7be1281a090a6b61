//! The writes of a process on all its ways, in the order in which they are seen, and what happens
//! at one of them.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::watch;

use crate::support::background::runtime;

/// How long a process has, to take the answer after which it ends.
const AFTERMATH: Duration = Duration::from_millis(20);

/// At which write something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Its number, from 1 on.
    pub(crate) at: usize,
    pub(crate) when: When,
}

/// Where a write is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The server never sees it.
    Before,
    /// The server has answered, and nobody hears of it.
    During,
    /// The answer has arrived.
    After,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Passes,
    /// It comes from a process that is about to end, and never arrives.
    Lost,
    /// The process ends at it.
    Strikes(When),
}

type Strike = Box<dyn FnOnce() + Send>;

/// Shared by all relays of one process.
pub(crate) struct Recorder {
    state: Mutex<State>,
    /// Whether the plan was carried out.
    struck: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    writes: Vec<String>,
    plan: Option<(Plan, Strike)>,
    is_ending: bool,
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), struck: watch::Sender::new(false) })
    }

    /// What is to be called at a write. Until it returns, no other write arrives.
    pub(crate) fn plan(&self, plan: Plan, strike: impl FnOnce() + Send + 'static) {
        self.state().plan = Some((plan, Box::new(strike)));
    }

    /// Every write so far, as its method and path or the function of the ledger.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.state().writes.clone()
    }

    /// Whether the plan was carried out.
    pub(crate) fn is_struck(&self) -> bool {
        *self.struck.borrow()
    }

    /// Waits until the plan was carried out.
    pub(crate) async fn struck(&self) {
        let mut struck = self.struck.subscribe();
        struck.wait_for(|is_so| *is_so).await.expect("the recorder is here");
    }

    /// Notes a write that is about to be made, and says what becomes of it.
    pub(super) fn enter(&self, write: String) -> Fate {
        let mut state = self.state();
        if state.is_ending {
            return Fate::Lost;
        }
        state.writes.push(write);
        let Some((plan, _)) = &state.plan else { return Fate::Passes };
        if plan.at != state.writes.len() {
            return Fate::Passes;
        }
        let when = plan.when;
        state.is_ending = when == When::Before;
        Fate::Strikes(when)
    }

    /// Carries out the plan, in a task of its own: who calls it is cut off with the connection of
    /// the process that ends.
    pub(super) async fn strike(self: &Arc<Self>) {
        let recorder = self.clone();
        let done = runtime().spawn(async move { recorder.carry_out().await });
        done.await.expect("it does not panic");
    }

    async fn carry_out(&self) {
        let (plan, strike) = {
            let mut state = self.state();
            state.is_ending = true;
            state.plan.take().expect("it is carried out once")
        };
        if plan.when == When::After {
            tokio::time::sleep(AFTERMATH).await;
        }
        // It waits until the process is gone.
        tokio::task::spawn_blocking(strike).await.expect("it does not panic");
        self.state().is_ending = false;
        self.struck.send_replace(true);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }
}
