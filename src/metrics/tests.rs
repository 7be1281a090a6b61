//! What is served, as text.

use super::*;

fn report(phase: &str, waits: Option<(&str, i64)>, credit: i64) -> Report {
    Report {
        phase: phase.to_owned(),
        waits: waits.map(|(reason, since)| (reason.to_owned(), since)),
        credit: Some(("OMR".to_owned(), credit)),
        ..Report::default()
    }
}

fn place(name: &str) -> Place {
    ("omantel".to_owned(), name.to_owned())
}

#[test]
fn reports_are_added_up_anew_each_time_and_what_is_gone_is_not_counted() {
    let metrics = Metrics::new();
    metrics.reported("Tenant", &place("one"), report("Ready", None, 5_000));
    metrics.reported("Tenant", &place("two"), report("Ready", None, 7_000));
    metrics.reported("Tenant", &place("poor"), report("Pending", Some(("CreditShort", 42)), 1));
    for _ in 0..2 {
        let text = metrics.text();
        for line in [
            "catalyst_objects{kind=\"Tenant\",franchise=\"omantel\",phase=\"Ready\"} 2",
            "catalyst_credit_minor_units{franchise=\"omantel\",currency=\"OMR\"} 12001",
            "catalyst_not_ready_since_timestamp_seconds{kind=\"Tenant\",franchise=\"omantel\",\
             name=\"poor\",reason=\"CreditShort\"} 42",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
    metrics.reported("Tenant", &place("poor"), report("Ready", None, 1));
    metrics.forget("Tenant", &place("one"));
    let text = metrics.text();
    assert!(!text.contains("CreditShort"), "{text}");
    assert!(text.contains("phase=\"Ready\"} 2\n") && text.contains("\"OMR\"} 7001\n"), "{text}");
}

#[test]
fn what_is_documented_is_what_is_served() {
    let metrics = Metrics::new();
    let counted = Report {
        granted: Some(("OMR".to_owned(), 1)),
        redeemed: Some(1),
        is_held: true,
        refused: Some("NotFound".to_owned()),
        ..report("Pending", Some(("CreditShort", 42)), 1)
    };
    metrics.reported("Tenant", &place("one"), counted);
    metrics.answers.get_or_create(&Outcome { outcome: "Redeemed".to_owned() }).inc();
    metrics.serves_franchise("omantel", true);
    metrics.frozen("omantel", true);
    metrics.sovereign(&place("muscat"), true, Some(42), 0);
    metrics.without_object(std::iter::once((place("muscat"), 0)));
    metrics.visited("Tenant", "done", (Duration::ZERO, Duration::ZERO));
    metrics.wrote_status("Tenant");
    let served = metrics.text();
    let served: Vec<&str> =
        served.lines().filter_map(|line| line.strip_prefix("# TYPE catalyst_")).collect();
    let documented: Vec<String> =
        Metrics::ALL.iter().map(|metric| format!("{} {}", metric.name, metric.kind)).collect();
    assert_eq!(served, documented);
}
