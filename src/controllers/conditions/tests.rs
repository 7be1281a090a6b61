//! Conditions as kstatus and people read them.

use super::*;

const CREATED: &str = "2026-09-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn meta() -> ObjectMeta {
    let created = Some(Time(at(CREATED)));
    ObjectMeta { creation_timestamp: created, generation: Some(3), ..ObjectMeta::default() }
}

/// One reason of each outlook.
fn reasons() -> [(Reason, Outlook); 4] {
    [
        (Reason::Unsettled {}, Outlook::Progressing),
        (Reason::NotFound {}, Outlook::Missing),
        (Reason::NotActive {}, Outlook::Stalled),
        (Reason::LedgerUnavailable { why: "x".to_owned() }, Outlook::Unknown),
    ]
}

fn conditions(verdict: &Verdict, now: &str) -> Vec<Condition> {
    let leaves = vec![Leaf::holds("Entitled", "Paid", "paid")];
    let leaves = summary(verdict, ("Ready", "all stands"), leaves, &meta(), at(now));
    timed(&[], leaves, Some(3), at(now))
}

fn types(conditions: &[Condition]) -> Vec<&str> {
    conditions.iter().map(|condition| condition.type_.as_str()).collect()
}

#[test]
fn what_is_ready_is_neither_reconciling_nor_stalled() {
    let ready = conditions(&Verdict::Ready, CREATED);
    assert_eq!(types(&ready), ["Ready", "Entitled"]);
    assert_eq!((ready[0].status.as_str(), ready[0].message.as_str()), ("True", "all stands"));
}

#[test]
fn what_is_not_ready_is_either_reconciling_or_stalled() {
    for (reason, outlook) in reasons() {
        assert_eq!(reason.outlook(), outlook);
        for now in [CREATED, "2026-09-01T00:04:59Z", "2026-09-01T00:05:00Z"] {
            let found = conditions(&Verdict::Waiting(reason.clone()), now);
            let last = if outlook == Outlook::Stalled
                || (outlook == Outlook::Missing && now == "2026-09-01T00:05:00Z")
            {
                "Stalled"
            } else {
                "Reconciling"
            };
            assert_eq!(types(&found), ["Ready", "Entitled", last], "{reason:?} at {now}");
            let status = if outlook == Outlook::Unknown { "Unknown" } else { "False" };
            assert_eq!(found[0].status, status);
            let same = |one: &Condition| (one.reason.clone(), one.message.clone());
            assert_eq!(same(&found[0]), same(&found[2]), "in its own words");
            assert_eq!((found[2].status.as_str(), found[2].observed_generation), ("True", Some(3)));
        }
    }
}

#[test]
fn a_transition_is_a_change_of_status_in_whole_seconds() {
    let known = conditions(&Verdict::Ready, "2026-09-01T00:00:01.75Z");
    assert_eq!(known[0].last_transition_time, Time(at("2026-09-01T00:00:01Z")));
    let leaves = vec![
        Leaf::fails("Ready", &Reason::NotActive {}),
        Leaf::holds("Entitled", "Held", "another reason"),
    ];
    let now = timed(&known, leaves, Some(4), at("2026-09-01T00:01:00Z"));
    assert_eq!(now[0].last_transition_time, Time(at("2026-09-01T00:01:00Z")));
    assert_eq!(now[1].last_transition_time, known[1].last_transition_time);
    assert_eq!((now[1].reason.as_str(), now[1].observed_generation), ("Held", Some(4)));
}

#[test]
fn a_failure_replaces_what_is_not_known_and_the_marks_and_keeps_the_rest() {
    let stalled = conditions(&Verdict::Waiting(Reason::NotActive {}), CREATED);
    let (away, now) = (Reason::LedgerUnavailable { why: "x".to_owned() }, at(CREATED));
    let failed = after_failure(&stalled, &[], &away, &meta(), now);
    assert_eq!(types(&failed), ["Ready", "Reconciling", "Entitled"]);
    assert_eq!(failed[2], stalled[1]);
    let failed = after_failure(&stalled, &["Entitled"], &away, &meta(), now);
    assert_eq!(types(&failed), ["Ready", "Entitled", "Reconciling"]);
    assert_eq!(failed[1].status, "Unknown");
    assert_eq!(after_failure(&failed, &["Entitled"], &away, &meta(), now), failed);
}

#[test]
fn news_is_a_change_of_status_or_reason_told_once() {
    let ready = conditions(&Verdict::Ready, CREATED);
    assert!(news(&ready, &ready).is_empty());
    let told: Vec<String> = news(&[], &ready).into_iter().map(|notice| notice.reason).collect();
    assert_eq!(told, ["Ready", "Paid"]);

    let short = Reason::CreditShort {
        available: "1.000 OMR".to_owned(),
        needed: "2.000 OMR".to_owned(),
        plan: "m".to_owned(),
    };
    let leaves = vec![Leaf::fails("Entitled", &short)];
    let verdict = Verdict::Waiting(short);
    let leaves = summary(&verdict, ("", ""), leaves, &meta(), at(CREATED));
    let now = timed(&ready, leaves, Some(3), at(CREATED));
    let told = news(&ready, &now);
    assert_eq!(told.len(), 1, "Ready and Entitled say the same: {told:?}");
    assert!(told[0].warning, "a person is needed");
}

#[test]
fn progress_is_no_warning_and_what_is_not_known_yet_is_no_news() {
    let verdict = Verdict::Waiting(Reason::Unsettled {});
    let leaves = summary(&verdict, ("", ""), vec![Leaf::pending("Entitled")], &meta(), at(CREATED));
    let told = news(&[], &timed(&[], leaves, Some(3), at(CREATED)));
    let told: Vec<(&str, bool)> =
        told.iter().map(|notice| (notice.reason.as_str(), notice.warning)).collect();
    assert_eq!(told, [("Unsettled", false)]);
}

#[test]
fn an_outage_is_told_as_a_warning() {
    let verdict = Verdict::Waiting(Reason::LedgerUnavailable { why: "x".to_owned() });
    let told = news(&conditions(&Verdict::Ready, CREATED), &conditions(&verdict, CREATED));
    assert!(told.len() == 1 && told[0].warning, "{told:?}");
}
