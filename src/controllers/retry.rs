//! When a failed visit is made again: soon at first, then at growing intervals, for ever.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

const DELAY_MIN: Duration = Duration::from_millis(250);
const DELAY_MAX: Duration = Duration::from_mins(1);
/// Objects that want nothing are visited all the same, in case a deletion was missed.
const RESYNC: Duration = Duration::from_mins(10);

/// How often each object failed in a row.
#[derive(Default)]
pub struct Retries {
    failures: Mutex<HashMap<String, u32>>,
}

impl Retries {
    /// The object's visit came to something.
    pub fn forget(&self, object: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }

    /// How often it failed in a row.
    pub fn failures(&self, object: &str) -> u32 {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(object).copied().unwrap_or_default()
    }

    /// How long to wait after one more failure.
    pub fn delay(&self, object: &str) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failures.entry(object.to_owned()).or_default();
        *failed = failed.saturating_add(1);
        let delay = DELAY_MIN.saturating_mul(1 << (*failed - 1).min(10)).min(DELAY_MAX);
        jitter(delay, &(object, *failed))
    }
}

/// When to visit an object again that wants nothing, or before, at the instant that it names.
#[must_use]
pub(super) fn resync(object: &str, until: Option<Duration>) -> Duration {
    let resync = jitter(RESYNC, &object);
    until.map_or(resync, |until| until.max(DELAY_MIN).min(resync))
}

/// Between three quarters and all of a duration, so that objects do not march in step.
fn jitter(duration: Duration, seed: &impl std::hash::Hash) -> Duration {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let quarter = duration / 4;
    let part = u32::try_from(hasher.finish() % 1024).unwrap_or_default();
    duration.saturating_sub(quarter * part / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_minute_and_start_again_after_a_success() {
        let retries = Retries::default();
        let delays: Vec<Duration> = (0..12).map(|_| retries.delay("tenant")).collect();
        assert!(delays[0] <= DELAY_MIN && delays[11] > DELAY_MAX / 2 && delays[11] <= DELAY_MAX);
        retries.forget("tenant");
        assert!(retries.delay("tenant") <= DELAY_MIN);
    }

    #[test]
    fn a_visit_comes_no_later_than_the_instant_that_is_named() {
        let soon = Duration::from_secs(3);
        assert_eq!(resync("tenant", Some(soon)), soon);
        assert!(resync("tenant", None) > RESYNC / 2);
    }
}
