//! Lanes of visits: as many at a time for each Sovereign, so that whoever waits for one cluster is
//! in nobody else's way. A visit that waits for its turn costs a few bytes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use kube::{Resource, ResourceExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api;

/// Visits at a time in a lane: enough to keep the ledger and an API server busy, few enough that
/// neither is flooded after an outage.
const VISITS_MAX: usize = 16;

/// Kind, namespace and Sovereign.
pub(super) type Lane = (&'static str, String, String);

/// The lanes that somebody is in.
#[derive(Default)]
pub struct Lanes {
    open: Mutex<HashMap<Lane, Weak<Semaphore>>>,
}

impl Lanes {
    /// Waits for a turn in a lane; it ends with the value.
    pub(super) async fn enter(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let turns = open.get(&lane).and_then(Weak::upgrade);
            turns.unwrap_or_else(|| {
                open.retain(|_, turns| turns.strong_count() > 0);
                let turns = Arc::new(Semaphore::new(VISITS_MAX));
                open.insert(lane, Arc::downgrade(&turns));
                turns
            })
        };
        // It is never closed.
        turns.acquire_owned().await.ok()
    }
}

/// A kind with lanes.
pub(super) trait Laned: Resource<DynamicType = ()> + Sized {
    /// The Sovereign whose lane it is in.
    fn sovereign(&self) -> String;

    /// Its lane.
    fn lane(&self) -> Lane {
        let kind = super::exit::kind_name::<Self>();
        (kind, self.namespace().unwrap_or_default(), self.sovereign())
    }
}

impl Laned for api::Tenant {
    fn sovereign(&self) -> String {
        self.spec.sovereign_ref.name.to_string()
    }
}

impl Laned for api::Sovereign {
    fn sovereign(&self) -> String {
        self.name_any()
    }
}

impl Laned for api::Voucher {
    /// Vouchers are no business of a cluster, and share what they wait for.
    fn lane(&self) -> Lane {
        (super::exit::kind_name::<Self>(), String::new(), String::new())
    }

    fn sovereign(&self) -> String {
        self.spec.sovereign_ref.name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(sovereign: &str) -> Lane {
        ("Tenant", "omantel".to_owned(), sovereign.to_owned())
    }

    #[tokio::test]
    async fn a_full_lane_is_in_nobody_elses_way_and_leaves_nothing_behind() {
        let lanes = Lanes::default();
        let mut full = vec![];
        for _ in 0..VISITS_MAX {
            full.push(lanes.enter(lane("muscat")).await);
        }
        let mut waits = std::pin::pin!(lanes.enter(lane("muscat")));
        assert!(futures::poll!(&mut waits).is_pending());
        assert!(lanes.enter(lane("nizwa")).await.is_some());
        full.pop();
        full.push(waits.await);
        drop(full);
        let _last = lanes.enter(lane("sohar")).await;
        assert_eq!(lanes.open.lock().unwrap().len(), 1);
    }
}
