//! Whether this process can do its work: one gate per thing that it needs.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The gates, by name; each is open, or closed with a sentence that says why.
pub struct Readiness {
    gates: Mutex<BTreeMap<&'static str, Option<String>>>,
}

impl Readiness {
    /// All gates closed.
    #[must_use]
    pub fn new(gates: &[&'static str]) -> Self {
        let closed = |gate: &&'static str| (*gate, Some("not started yet".to_owned()));
        Self { gates: Mutex::new(gates.iter().map(closed).collect()) }
    }

    /// Opens a gate.
    pub fn pass(&self, gate: &'static str) {
        self.set(gate, None);
    }

    /// Closes a gate.
    pub fn block(&self, gate: &'static str, why: String) {
        self.set(gate, Some(why));
    }

    fn set(&self, gate: &'static str, why: Option<String>) {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner).insert(gate, why);
    }

    /// Whether these gates are open.
    #[must_use]
    pub fn are_open(&self, names: &[&'static str]) -> bool {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().all(|name| matches!(gates.get(name), Some(None)))
    }

    /// Whether every gate is open, and a line for each.
    #[must_use]
    pub fn report(&self) -> (bool, String) {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(gate, why): (&&'static str, &Option<String>)| match why {
            None => format!("[+] {gate}: ready\n"),
            Some(why) => format!("[-] {gate}: {why}\n"),
        };
        (gates.values().all(Option::is_none), gates.iter().map(line).collect())
    }
}
