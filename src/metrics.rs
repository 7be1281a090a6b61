//! What is counted, under names that stay. Labels are closed sets, or franchises; amounts are in
//! minor units.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::store::Answer;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Visit {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Franchise {
    franchise: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Population {
    franchise: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sovereign {
    namespace: String,
    sovereign: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

/// All metrics of a process.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    visits: Family<Visit, Counter>,
    seconds: Family<Kind, Histogram>,
    answers: Family<Outcome, Counter>,
    status_writes: Family<Kind, Counter>,
    leader: Gauge,
    frozen: Family<Franchise, Gauge>,
    held: Family<Population, Gauge>,
    connected: Family<Sovereign, Gauge>,
    expiry: Family<Sovereign, Gauge>,
    tombstones: Family<Sovereign, Gauge>,
    violations: Gauge,
    unsafe_durability: Gauge,
    build: Family<Build, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.002, 2.0, 14));
        let mut metrics = Self {
            registry: Arc::default(),
            visits: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            answers: Family::default(),
            status_writes: Family::default(),
            leader: Gauge::default(),
            frozen: Family::default(),
            held: Family::default(),
            connected: Family::default(),
            expiry: Family::default(),
            tombstones: Family::default(),
            violations: Gauge::default(),
            unsafe_durability: Gauge::default(),
            build: Family::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics.build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1.0);
        metrics
    }
}

impl Metrics {
    fn register(&self) -> Registry {
        let mut registry = Registry::with_prefix("catalyst");
        registry.register(
            "reconcile",
            "Visits to objects, by kind and by what they came to",
            self.visits.clone(),
        );
        registry.register("reconcile_seconds", "How long a visit took", self.seconds.clone());
        registry.register(
            "ledger_answers",
            "Answers of the ledger to the controllers, effects and refusals by their word",
            self.answers.clone(),
        );
        registry.register("status_writes", "Statuses written", self.status_writes.clone());
        registry.register("leader", "1 where this process leads", self.leader.clone());
        let frozen = "1 where the money of a franchise waits for a person";
        registry.register("frozen", frozen, self.frozen.clone());
        let held = "Objects whose deletion is held because much of a franchise is deleted at once";
        registry.register("mass_deletion_held", held, self.held.clone());
        let connected = "1 where the cluster of a Sovereign can be used, 0 where it is dark";
        registry.register("sovereign_connected", connected, self.connected.clone());
        let expiry = "When the credentials for the cluster of a Sovereign expire, in Unix time";
        let name = "sovereign_credential_expiry_timestamp_seconds";
        registry.register(name, expiry, self.expiry.clone());
        let tombstones = "Organizations that left something on the cluster of a Sovereign";
        registry.register("sovereign_tombstones", tombstones, self.tombstones.clone());
        let violations = "Rows that the last audit of the ledger found broken";
        registry.register("ledger_violations", violations, self.violations.clone());
        registry.register(
            "unsafe_durability",
            "1 where money moves although the database may lose what it acknowledged",
            self.unsafe_durability.clone(),
        );
        registry.register("build_info", "The version of the program", self.build.clone());
        registry
    }

    /// A visit ended.
    pub fn visited(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.visits.get_or_create(&Visit { kind, outcome }).inc();
        self.seconds.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
    }

    /// The ledger answered.
    pub fn answered(&self, answer: &Answer) {
        let outcome = match answer {
            Answer::Done(done) => done.outcome.clone(),
            Answer::Refused(refusal) => refusal.name().to_owned(),
        };
        self.answers.get_or_create(&Outcome { outcome }).inc();
    }

    /// A status was written.
    pub fn wrote_status(&self, kind: &'static str) {
        self.status_writes.get_or_create(&Kind { kind }).inc();
    }

    /// Whether this process leads now.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// Whether the money of a franchise waits for a person.
    pub fn frozen(&self, franchise: &str, is_frozen: bool) {
        let franchise = Franchise { franchise: franchise.to_owned() };
        self.frozen.get_or_create(&franchise).set(is_frozen.into());
    }

    /// How many objects of a kind a mass deletion holds in a franchise.
    pub fn mass_deletion_held(&self, (franchise, kind): &(String, &'static str), count: usize) {
        let labels = Population { franchise: franchise.clone(), kind };
        self.held.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How the cluster of a Sovereign stands: whether it can be used, until when in Unix time, and
    /// how many organizations left something there.
    pub fn sovereign(
        &self,
        (namespace, sovereign): &(String, String),
        is_connected: bool,
        expires: Option<i64>,
        tombstones: usize,
    ) {
        let labels = Sovereign { namespace: namespace.clone(), sovereign: sovereign.clone() };
        self.connected.get_or_create(&labels).set(is_connected.into());
        self.tombstones.get_or_create(&labels).set(i64::try_from(tombstones).unwrap_or(i64::MAX));
        match expires {
            Some(expires) => {
                self.expiry.get_or_create(&labels).set(expires);
            }
            None => {
                self.expiry.remove(&labels);
            }
        }
    }

    /// A Sovereign is gone, and what was counted of it.
    pub fn forget_sovereign(&self, (namespace, sovereign): &(String, String)) {
        let labels = Sovereign { namespace: namespace.clone(), sovereign: sovereign.clone() };
        self.connected.remove(&labels);
        self.expiry.remove(&labels);
        self.tombstones.remove(&labels);
    }

    /// How many rows an audit found broken.
    pub fn violated(&self, rows: usize) {
        self.violations.set(i64::try_from(rows).unwrap_or(i64::MAX));
    }

    /// Whether money moves although the database may lose what it acknowledged.
    pub fn is_unsafe(&self, is_unsafe: bool) {
        self.unsafe_durability.set(is_unsafe.into());
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _infallible = text::encode(&mut out, &self.registry);
        out
    }
}
