//! What ties a handle to the link that keeps it: each call is counted there, and few run at a time.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Notify, Semaphore};

use super::Pulse;
use crate::cluster::{Error, bounded};

/// How many calls one cluster is asked at a time, so that a slow one holds few of our connections
/// and a good one is not flooded when it comes back.
const CALLS_MAX: usize = 8;

/// Between the calls to one cluster and the link that watches over it.
pub(in crate::cluster) struct Tie {
    pulse: Mutex<Pulse>,
    turns: Semaphore,
    /// Somebody saw something that the link should look into at once.
    pub(in crate::cluster) doubt: Notify,
    /// Somebody was refused for want of a right.
    pub(super) forbidden: Notify,
}

impl Default for Tie {
    fn default() -> Self {
        Self {
            pulse: Mutex::default(),
            turns: Semaphore::new(CALLS_MAX),
            doubt: Notify::new(),
            forbidden: Notify::new(),
        }
    }
}

impl Tie {
    /// Makes a call when it is its turn, with an end, and notes what it says of the cluster.
    ///
    /// # Errors
    /// It refuses, or does not answer.
    pub(in crate::cluster) async fn call<T>(
        &self,
        doing: &'static str,
        object: &str,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        // It is never closed.
        let _turn = self.turns.acquire().await.ok();
        let answer = bounded(doing, object, call).await;
        match &answer {
            Ok(_) => self.pulse(Pulse::served),
            Err(Error::Refused { status, .. }) if status.code != 401 => {
                self.pulse(Pulse::served);
                if status.code == 403 {
                    self.forbidden.notify_one();
                }
            }
            Err(_) => {
                self.pulse(Pulse::complained);
                self.doubt.notify_one();
            }
        }
        answer
    }

    /// Looks at the pulse, or feels it.
    pub(super) fn pulse<T>(&self, feel: impl FnOnce(&mut Pulse) -> T) -> T {
        feel(&mut self.pulse.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
