//! The audit log of an API server: every write, with who made it and when.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::Deserialize;

/// The writes to a namespace or of it, in order.
pub(super) fn entries(log: &Path, namespace: &str) -> Vec<Entry> {
    let log = fs::read_to_string(log).expect("there is an audit log");
    // The last line may be on its way.
    let (whole, _) = log.rsplit_once('\n').unwrap_or_default();
    let lines = whole.lines().filter(|line| line.contains(namespace));
    let entries = lines.map(|line| serde_json::from_str(line).expect("it is JSON"));
    entries.filter(|entry: &Entry| entry.is_of(namespace)).collect()
}

/// A line of the audit log: who wrote what, and when.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) user: User,
    pub(crate) verb: String,
    pub(crate) object_ref: Option<ObjectRef>,
    pub(crate) response_status: Option<ResponseStatus>,
    pub(crate) request_received_timestamp: Timestamp,
    pub(crate) stage_timestamp: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) username: String,
}

/// What was written.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectRef {
    pub(crate) resource: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
}

/// How it was answered.
#[derive(Debug, Deserialize)]
pub(crate) struct ResponseStatus {
    pub(crate) code: u16,
}

impl Entry {
    /// What it made, as its kind in the plural and its name, if it made something.
    pub(crate) fn made(&self) -> Option<(&str, &str)> {
        let object = self.object_ref.as_ref()?;
        let is_new = self.response_status.as_ref()?.code == 201;
        is_new.then_some((&object.resource, object.name.as_deref().unwrap_or_default()))
    }

    fn is_of(&self, namespace: &str) -> bool {
        self.object_ref.as_ref().is_some_and(|object| {
            object.namespace.as_deref() == Some(namespace)
                || (object.resource == "namespaces" && object.name.as_deref() == Some(namespace))
        })
    }
}
