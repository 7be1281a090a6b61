//! What was reported last, per object: the copy of an object that a visit gets may be older than
//! the status that an earlier visit wrote.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// A digest of the last status written per object, by this process.
#[derive(Default)]
pub struct Published {
    last: Mutex<HashMap<String, u64>>,
}

impl Published {
    /// Whether an equal status stands for all that this process knows. Unknown counts as yes.
    pub(super) fn stands(&self, object: &str, status: &impl Serialize) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(object).is_none_or(|last| *last == digest(status))
    }

    /// A status was written.
    pub(super) fn wrote(&self, object: &str, status: &impl Serialize) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(object.to_owned(), digest(status));
    }

    /// The object is gone.
    pub(super) fn forget(&self, object: &str) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }
}

fn digest(status: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    // A status is plain data; one that could not be written would not be reported either.
    serde_json::to_string(status).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_went_there_and_back_is_written_again() {
        let published = Published::default();
        assert!(published.stands("Tenant a/b", &"first"));
        published.wrote("Tenant a/b", &"second");
        assert!(!published.stands("Tenant a/b", &"first"));
        assert!(published.stands("Tenant a/b", &"second"));
        published.forget("Tenant a/b");
        assert!(published.stands("Tenant a/b", &"first"));
    }
}
