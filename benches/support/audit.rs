//! What the operator wrote, by the API server's own account.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::PathBuf,
};

use serde::Deserialize;

use super::{Outcome, operator::USER, world::World};

/// The audit log of the hub: a line for each write that was answered.
pub(crate) struct Audit(PathBuf);

/// A place in the log.
#[derive(Clone, Copy)]
pub(crate) struct Mark(u64);

/// How often what was written.
#[derive(Default)]
pub(crate) struct Writes(BTreeMap<String, usize>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: String,
    #[serde(rename = "requestURI")]
    uri: String,
    user: User,
    object_ref: Option<Reference>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
struct Reference {
    #[serde(default)]
    resource: String,
    subresource: Option<String>,
}

impl Audit {
    pub(crate) fn of(world: &World) -> Outcome<Self> {
        Ok(Self(world.hub()?.audit.clone()))
    }

    /// The end of the log as it is now.
    pub(crate) fn mark(&self) -> Outcome<Mark> {
        Ok(Mark(std::fs::metadata(&self.0)?.len()))
    }

    /// The operator's writes since then, less what is no state: its Lease, events, questions about
    /// rights, dry runs.
    pub(crate) fn since(&self, mark: Mark) -> Outcome<Writes> {
        let mut file = std::fs::File::open(&self.0)?;
        file.seek(SeekFrom::Start(mark.0))?;
        let mut writes = Writes::default();
        for line in BufReader::new(file).lines() {
            let Line { verb, uri, user, object_ref } = serde_json::from_str(&line?)?;
            let Reference { resource, subresource } = object_ref.unwrap_or_default();
            let is_state = !matches!(resource.as_str(), "leases" | "events")
                && !resource.ends_with("reviews")
                && !uri.contains("dryRun=");
            if user.username == USER && is_state {
                let part = subresource.map(|part| format!("/{part}")).unwrap_or_default();
                *writes.0.entry(format!("{verb} {resource}{part}")).or_default() += 1;
            }
        }
        Ok(writes)
    }
}

impl Writes {
    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }

    pub(crate) fn by_name(&self) -> &BTreeMap<String, usize> {
        &self.0
    }

    /// Takes away what was written later.
    pub(crate) fn subtract(&mut self, later: &Self) {
        for (name, times) in &later.0 {
            if let Some(all) = self.0.get_mut(name) {
                *all = all.saturating_sub(*times);
            }
        }
    }
}
