//! What was reported last, per object: the copy of an object that a visit gets may be older than
//! the status that an earlier visit wrote.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// What was written last per object, by this process.
#[derive(Default)]
pub struct Published {
    last: Mutex<HashMap<String, Last>>,
}

struct Last {
    digest: u64,
    /// The version of the copy that it was written from, which lacks it.
    copy: Option<String>,
}

impl Published {
    /// Whether a status is there already, for all that this process knows: the copy has it and
    /// nothing else was written since, or it was written from this very copy.
    pub(super) fn stands<S: Serialize + PartialEq>(
        &self,
        object: &str,
        (copy, known): (Option<&str>, Option<&S>),
        status: &S,
    ) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.get(object) {
            None => known == Some(status),
            Some(last) => {
                let is_of_copy = copy.is_some() && last.copy.as_deref() == copy;
                last.digest == digest(status) && (is_of_copy || known == Some(status))
            }
        }
    }

    /// A status was written from a copy of the object.
    pub(super) fn wrote(&self, object: &str, copy: Option<&str>, status: &impl Serialize) {
        let wrote = Last { digest: digest(status), copy: copy.map(str::to_owned) };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(object.to_owned(), wrote);
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

    const NAME: &str = "Tenant a/b";

    #[test]
    fn a_status_that_went_there_and_back_is_written_again() {
        let published = Published::default();
        assert!(published.stands(NAME, (Some("1"), Some(&"first")), &"first"));
        published.wrote(NAME, Some("1"), &"second");
        assert!(!published.stands(NAME, (Some("1"), Some(&"first")), &"first"));
        assert!(published.stands(NAME, (Some("2"), Some(&"second")), &"second"));
        published.forget(NAME);
        assert!(published.stands(NAME, (Some("1"), Some(&"first")), &"first"));
    }

    #[test]
    fn a_status_is_written_once_from_a_copy_that_lags() {
        let published = Published::default();
        assert!(!published.stands(NAME, (Some("1"), Some(&"first")), &"second"));
        published.wrote(NAME, Some("1"), &"second");
        assert!(published.stands(NAME, (Some("1"), Some(&"first")), &"second"));
        assert!(!published.stands(NAME, (Some("3"), Some(&"first")), &"second"), "put back");
        assert!(!published.stands(NAME, (None, Some(&"first")), &"second"), "of no version");
    }
}
