//! What the ledger says, and how it is read.

use serde_json::json;

use super::*;

fn standing(franchise: &serde_json::Value, least_program: i32) -> Standing {
    serde_json::from_value(json!({
        "now": "2026-09-01T00:00:00.000000Z", "least_program": least_program,
        "schema_version": 1, "franchise": franchise,
    }))
    .unwrap()
}

fn trouble(standing: &Standing, uid: Option<&str>) -> Option<&'static str> {
    standing.trouble("omantel", uid).map(|reason| reason.name())
}

#[test]
fn a_franchise_under_its_own_uid_has_no_trouble() {
    let founded = standing(&json!({"uid": "one", "frozen": null}), PROGRAM);
    assert_eq!(trouble(&founded, Some("one")), None);
    assert_eq!(trouble(&founded, None), None);
    assert_eq!(trouble(&standing(&json!(null), PROGRAM), Some("one")), None);
}

#[test]
fn another_namespace_of_the_same_name_freezes_its_money() {
    let founded = standing(&json!({"uid": "one", "frozen": null}), PROGRAM);
    let (known, seen) = ("one".to_owned(), "two".to_owned());
    let namespace = "omantel".to_owned();
    let reason = Reason::FranchiseIdentityChanged { namespace, known, seen };
    assert_eq!(founded.trouble("omantel", Some("two")), Some(reason));
}

#[test]
fn a_frozen_franchise_stays_frozen_without_its_label() {
    let frozen = standing(&json!({"uid": "one", "frozen": "balance"}), PROGRAM);
    assert_eq!(trouble(&frozen, Some("two")), Some("LedgerFrozen"));
    assert_eq!(trouble(&frozen, None), Some("LedgerFrozen"));
}

#[test]
fn an_old_program_serves_nobody() {
    let newer = standing(&json!(null), PROGRAM + 1);
    assert_eq!(trouble(&newer, None), Some("SchemaUnsupported"));
    let older = standing(&json!(null), PROGRAM - 1);
    assert_eq!(trouble(&older, None), None);
}

#[test]
fn an_item_is_written_as_the_journal_reads_it_and_read_as_it_is_answered() {
    let answer = json!({"cluster": "c", "kind": "Namespace", "namespace": "", "name": "n",
        "uid": null});
    let item: Item = serde_json::from_value(answer).unwrap();
    let written = json!({"kind": "Namespace", "namespace": "", "name": "n", "uid": null});
    assert_eq!(serde_json::to_value(&item).unwrap(), written);
}

#[test]
fn a_digest_that_is_none_is_refused() {
    for text in ["", "zz", &"0".repeat(63), &"g".repeat(64)] {
        assert!(serde_json::from_value::<Digest>(json!(text)).is_err(), "{text}");
    }
}
