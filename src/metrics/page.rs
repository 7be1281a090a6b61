//! The page that documents the metrics.

use std::fmt::Write as _;

use super::{Described, Metrics, PREFIX};

const HEAD: &str = "\
<!-- Generated from src/metrics.rs by `UPDATE=1 cargo test --test manifests`. Do not edit. -->

# Metrics

Served at `/metrics` of every replica. The names, the labels and what they mean are frozen: a metric
may be added, and none is renamed, taken away or given another meaning.

Amounts are in minor units of their currency (1 OMR is 1000 of them). `franchise` is a hub
namespace.
Only the replica that acts knows objects and money, so add up over replicas with `max` or `sum`.

The alerts and the dashboard that read them are
[alerts.yaml](../charts/catalyst-operator/files/alerts.yaml) and
[dashboard.json](../charts/catalyst-operator/files/dashboard.json).

| Name | Type | Labels | Unit | Meaning |
|---|---|---|---|---|
";

/// The page, from the list that the metrics are registered from.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for metric in Metrics::ALL {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let Described { kind, unit, meaning, .. } = metric;
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            page,
            "| `{}` | {kind} | {} | {unit} | {meaning} |",
            metric.served(),
            labels.join(", "),
        );
    }
    page
}

impl Described {
    /// The name of its series; a histogram adds `_bucket`, `_sum` and `_count`.
    #[must_use]
    pub fn served(&self) -> String {
        let total = if self.kind == "counter" { "_total" } else { "" };
        format!("{PREFIX}_{}{total}", self.name)
    }
}
