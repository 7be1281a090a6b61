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
