//! Alerts and dashboard speak of metrics that there are.

use std::collections::BTreeSet;

use catalyst_operator::metrics::{Described, Metrics};
use regex::Regex;
use serde_json::Value;

use crate::support::ALERTS;

const DASHBOARD: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/charts/catalyst-operator/files/dashboard.json"
));

/// Every alert.
pub(super) fn alerts() -> Vec<Value> {
    let rules: Value = serde_yaml::from_str(ALERTS).expect("it is YAML");
    let groups = rules["groups"].as_array().expect("it has groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("it has rules"));
    rules.cloned().collect()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Title and expression of every query of the dashboard, for all franchises.
pub(super) fn queries() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels").clone();
    let of = |panel: &Value| {
        let title = text(&panel["title"]).to_owned();
        let targets = panel["targets"].as_array().expect("it asks").clone();
        let expression = |target: &Value| text(&target["expr"]).replace("$franchise", ".*");
        let queries = targets.iter().map(|target| (title.clone(), expression(target)));
        queries.collect::<Vec<_>>()
    };
    panels.iter().flat_map(of).collect()
}

fn names(expression: &str) -> BTreeSet<String> {
    let name = Regex::new(r"catalyst_\w+").expect("it is an expression");
    name.find_iter(expression)
        .map(|found| found.as_str().trim_end_matches("_bucket").to_owned())
        .collect()
}

#[test]
fn alerts_and_dashboard_ask_for_metrics_that_are_served() {
    let served: BTreeSet<String> = Metrics::ALL.iter().map(Described::served).collect();
    let alerts = alerts();
    let asked = alerts.iter().map(|alert| (text(&alert["alert"]).to_owned(), alert));
    let asked = asked.map(|(name, alert)| (name, text(&alert["expr"]).to_owned()));
    for (title, expression) in asked.chain(queries()) {
        let names = names(&expression);
        assert!(!names.is_empty(), "{title} asks for nothing of ours");
        let unknown: Vec<&String> = names.difference(&served).collect();
        assert!(unknown.is_empty(), "{title} asks for {unknown:?}");
    }
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    for alert in alerts() {
        let name = text(&alert["alert"]);
        assert!(name.starts_with("Catalyst"), "{name}");
        let severity = text(&alert["labels"]["severity"]);
        assert!(["critical", "warning"].contains(&severity), "{name} is {severity}");
        for part in ["summary", "description", "action"] {
            let said = text(&alert["annotations"][part]);
            assert!(said.split(' ').count() > 3, "{name} says as its {part}: {said}");
        }
    }
}
