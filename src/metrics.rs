//! What is counted, under names that stay. Labels are closed sets, franchises, Sovereigns, or
//! objects that are not ready; amounts are in minor units.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::store::Answer;

mod board;
mod described;
mod page;

use board::Board;
pub use board::{Place, Report};
pub use described::Described;
use described::{Labelled, Shape, labels, metrics};
pub use page::page;

/// What every name begins with.
const PREFIX: &str = "catalyst";

labels! {
    Visit { kind: &'static str, outcome: &'static str }
    Kind { kind: &'static str }
    Franchise { franchise: String }
    Sovereign { franchise: String, sovereign: String }
    Outcome { outcome: String }
    Build { version: &'static str }
    State { kind: &'static str, franchise: String, phase: String }
    Waiting { kind: &'static str, franchise: String, name: String, reason: String }
    Population { franchise: String, kind: &'static str }
    Refusal { franchise: String, reason: String }
    Purse { franchise: String, currency: String }
}

metrics! {
    build: Family<Build, Gauge> = "build_info", "1",
        "The version of the program";
    leader: Gauge = "leader", "0 or 1",
        "1 where this process acts: it holds the Lease, or runs without one";
    ledger_up: Gauge = "ledger_up", "0 or 1",
        "1 where this process can use the ledger, 0 where the database is out of reach or unfit";
    unsafe_durability: Gauge = "unsafe_durability", "0 or 1",
        "1 where money moves although the database may lose what it acknowledged";
    violations: Gauge = "ledger_violations", "rows",
        "Rows that the last audit of the ledger found broken";
    sealed: Gauge = "ledger_sealed_timestamp_seconds", "Unix time",
        "When the entries of the ledger were sealed and compared last";
    served: Family<Franchise, Gauge> = "franchise_served", "0 or 1",
        "1 where a franchise that this process was named grants its rights; none if it serves all";
    frozen: Family<Franchise, Gauge> = "frozen", "0 or 1",
        "1 where the money of a franchise waits for a person";
    answers: Family<Outcome, Counter> = "ledger_answers", "answers",
        "Answers of the ledger to the controllers, effects and refusals by their word";
    objects: Family<State, Gauge> = "objects", "objects",
        "Sovereigns and Tenants by phase, Vouchers by the reason of their condition Redeemable";
    waiting: Family<Waiting, Gauge> = "not_ready_since_timestamp_seconds", "Unix time",
        "Since when an object is not ready, and the reason; objects that are ready have no series";
    held: Family<Population, Gauge> = "mass_deletion_held", "objects",
        "Objects whose deletion is held because much of a franchise is deleted at once";
    credit: Family<Purse, Gauge> = "credit_minor_units", "minor units",
        "What the organizations of all Tenants can spend";
    granted: Family<Purse, Gauge> = "vouchers_granted_minor_units", "minor units",
        "What the Vouchers that stand granted so far";
    redeemed: Family<Franchise, Gauge> = "vouchers_redeemed", "redemptions",
        "How often the Vouchers that stand were redeemed so far";
    refused: Family<Refusal, Gauge> = "tenants_refused", "Tenants",
        "Tenants that name a voucher which they cannot redeem, by the reason of VouchersRedeemed";
    connected: Family<Sovereign, Gauge> = "sovereign_connected", "0 or 1",
        "1 where the cluster of a Sovereign can be used, 0 where it is dark";
    expiry: Family<Sovereign, Gauge> = "sovereign_credential_expiry_timestamp_seconds", "Unix time",
        "When the credentials for the cluster of a Sovereign expire; none where they do not";
    tombstones: Family<Sovereign, Gauge> = "sovereign_tombstones", "organizations",
        "Organizations that left something on the cluster of a Sovereign";
    bare: Family<Sovereign, Gauge> = "sovereign_tenants_without_object", "Tenants",
        "Tenants that run on, not renewed, whose object was kept or removed by force";
    visits: Family<Visit, Counter> = "reconcile", "visits",
        "Visits to objects, by kind and by what they came to: done, or the class of the failure";
    seconds: Family<Kind, Histogram> = "reconcile_seconds", "seconds",
        "How long a visit took, after its turn had come";
    queued: Family<Kind, Histogram> = "reconcile_wait_seconds", "seconds",
        "How long a visit waited for its turn";
    status_writes: Family<Kind, Counter> = "status_writes", "writes",
        "Statuses written";
}

impl Metrics {
    /// Metrics of this program.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self::default();
        metrics.build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        metrics
    }

    /// A visit ended that had waited for its turn.
    pub fn visited(
        &self,
        kind: &'static str,
        outcome: &'static str,
        (waited, took): (Duration, Duration),
    ) {
        self.visits.get_or_create(&Visit { kind, outcome }).inc();
        self.queued.get_or_create(&Kind { kind }).observe(waited.as_secs_f64());
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

    /// What the status of an object says now.
    pub fn reported(&self, kind: &'static str, place: &Place, report: Report) {
        self.board().put(kind, place, report);
    }

    /// An object is gone, or another process looks after it.
    pub fn forget(&self, kind: &'static str, place: &Place) {
        self.board().remove(kind, place);
        if kind == "Sovereign" {
            self.forget_sovereign(place);
        }
    }

    /// Whether this process acts now.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// Whether the ledger serves this process.
    pub fn serves(&self, serves: bool) {
        self.ledger_up.set(serves.into());
    }

    /// Whether a franchise that this process was named grants what is needed to serve it.
    pub fn serves_franchise(&self, franchise: &str, is_served: bool) {
        let franchise = franchise.to_owned();
        self.served.get_or_create(&Franchise { franchise }).set(is_served.into());
    }

    /// The entries of the ledger were sealed, at this Unix time.
    pub fn sealed(&self, at: i64) {
        self.sealed.set(at);
    }

    /// Whether the money of a franchise waits for a person.
    pub fn frozen(&self, franchise: &str, is_frozen: bool) {
        let franchise = Franchise { franchise: franchise.to_owned() };
        self.frozen.get_or_create(&franchise).set(is_frozen.into());
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
        let labels = Sovereign { franchise: namespace.clone(), sovereign: sovereign.clone() };
        self.connected.get_or_create(&labels).set(is_connected.into());
        self.tombstones.get_or_create(&labels).set(size(tombstones));
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
        let labels = Sovereign { franchise: namespace.clone(), sovereign: sovereign.clone() };
        self.connected.remove(&labels);
        self.expiry.remove(&labels);
        self.tombstones.remove(&labels);
    }

    /// How many Tenants run on each Sovereign without an object, on whichever they do.
    pub fn without_object(&self, counted: impl Iterator<Item = ((String, String), usize)>) {
        let _unread = self.board(); // Nobody reads them while some are missing.
        self.bare.clear();
        for ((franchise, sovereign), count) in counted {
            self.bare.get_or_create(&Sovereign { franchise, sovereign }).set(size(count));
        }
    }

    /// How many rows an audit found broken.
    pub fn violated(&self, rows: usize) {
        self.violations.set(size(rows));
    }

    /// Whether money moves although the database may lose what it acknowledged.
    pub fn is_unsafe(&self, is_unsafe: bool) {
        self.unsafe_durability.set(is_unsafe.into());
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        // Kept until the text is made: another request would add up the same sums again.
        let board = self.board();
        self.add_up(&board);
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _infallible = text::encode(&mut out, &self.registry);
        out
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_up(&self, board: &Board) {
        self.objects.clear();
        self.waiting.clear();
        self.held.clear();
        self.credit.clear();
        self.granted.clear();
        self.redeemed.clear();
        self.refused.clear();
        for ((kind, namespace, name), report) in board.reports() {
            let (kind, franchise) = (*kind, namespace.clone());
            let state = State { kind, franchise: franchise.clone(), phase: report.phase.clone() };
            self.objects.get_or_create(&state).inc();
            if let Some((reason, since)) = &report.waits {
                let (franchise, name, reason) = (franchise.clone(), name.clone(), reason.clone());
                self.waiting.get_or_create(&Waiting { kind, franchise, name, reason }).set(*since);
            }
            if report.is_held {
                let franchise = franchise.clone();
                self.held.get_or_create(&Population { franchise, kind }).inc();
            }
            let purse = |currency: &String| Purse {
                franchise: franchise.clone(),
                currency: currency.clone(),
            };
            if let Some((currency, minor)) = &report.credit {
                self.credit.get_or_create(&purse(currency)).inc_by(*minor);
            }
            if let Some((currency, minor)) = &report.granted {
                self.granted.get_or_create(&purse(currency)).inc_by(*minor);
            }
            if let Some(reason) = report.refused.clone() {
                let refusal = Refusal { franchise: franchise.clone(), reason };
                self.refused.get_or_create(&refusal).inc();
            }
            if let Some(redeemed) = report.redeemed {
                self.redeemed.get_or_create(&Franchise { franchise }).inc_by(redeemed);
            }
        }
    }
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
