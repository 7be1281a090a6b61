//! What the operator asked of a cluster, by the API server's own account.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::PathBuf,
};

use serde::Deserialize;

use super::{Outcome, operator::USER, world::Cluster};

/// How the operator asks whether a cluster still answers and is still the same.
const PROBE: &str = "/api/v1/namespaces/kube-system";

/// The audit log of a cluster: a line for each request that was answered.
pub(crate) struct Audit(PathBuf);

/// A place in the log.
#[derive(Clone, Copy)]
pub(crate) struct Mark(u64);

/// How often what was asked.
#[derive(Default)]
pub(crate) struct Requests(BTreeMap<String, usize>);

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
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    subresource: Option<String>,
}

impl Line {
    /// A change of state, which these are not: Leases, events, questions about rights, dry runs.
    fn is_write(&self) -> bool {
        let resource = self.object_ref.as_ref().map(|object| object.resource.as_str());
        let resource = resource.unwrap_or_default();
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
            && !matches!(resource, "leases" | "events")
            && !resource.ends_with("reviews")
            && !self.uri.contains("dryRun=")
    }

    fn name(self) -> String {
        if self.verb == "get" && self.uri == PROBE {
            return "probe".to_owned();
        }
        let Reference { resource, subresource, .. } = self.object_ref.unwrap_or_default();
        let part = subresource.map(|part| format!("/{part}")).unwrap_or_default();
        let dry = if self.uri.contains("dryRun=") { " (dry run)" } else { "" };
        format!("{} {resource}{part}{dry}", self.verb)
    }
}

impl Audit {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        Self(cluster.audit.clone())
    }

    /// The end of the log as it is now.
    pub(crate) fn mark(&self) -> Outcome<Mark> {
        Ok(Mark(std::fs::metadata(&self.0)?.len()))
    }

    /// The operator's writes since then.
    pub(crate) fn writes_since(&self, mark: Mark) -> Outcome<Requests> {
        self.count(mark, Line::is_write)
    }

    /// The operator's writes since then to all objects but one and those in its namespace.
    pub(crate) fn writes_besides(&self, mark: Mark, name: &str, home: &str) -> Outcome<Requests> {
        self.count(mark, |line| {
            let is_of = |object: &Reference| {
                object.name == name || object.name == home || object.namespace == home
            };
            line.is_write() && !line.object_ref.as_ref().is_some_and(is_of)
        })
    }

    /// All that the operator asked since then, as far as it is recorded.
    pub(crate) fn requests_since(&self, mark: Mark) -> Outcome<Requests> {
        self.count(mark, |_line| true)
    }

    fn count(&self, mark: Mark, counts: impl Fn(&Line) -> bool) -> Outcome<Requests> {
        let mut file = std::fs::File::open(&self.0)?;
        file.seek(SeekFrom::Start(mark.0))?;
        let mut requests = Requests::default();
        for line in BufReader::new(file).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            if line.user.username == USER && counts(&line) {
                *requests.0.entry(line.name()).or_default() += 1;
            }
        }
        Ok(requests)
    }
}

impl Requests {
    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }

    pub(crate) fn by_name(&self) -> &BTreeMap<String, usize> {
        &self.0
    }

    /// Takes away what was asked later.
    pub(crate) fn subtract(&mut self, later: &Self) {
        for (name, times) in &later.0 {
            if let Some(all) = self.0.get_mut(name) {
                *all = all.saturating_sub(*times);
            }
        }
    }
}
