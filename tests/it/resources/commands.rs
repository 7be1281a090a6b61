//! The commands of the program, on a ledger in use.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::{World, books_on, database, shared_franchise};

fn run(arguments: &[&str], database_url: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catalyst-operator"));
    command.args(arguments).env_clear();
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    command.output().expect("the program is there")
}

/// What a command prints that succeeds.
fn printed(arguments: &[&str], database_url: Option<&str>) -> String {
    let output = run(arguments, database_url);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn crds_prints_the_definitions_as_they_are_committed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let read = |name| fs::read_to_string(folder.join(format!("{name}.yaml"))).expect("it is there");
    let committed = ["sovereigns", "tenants", "vouchers"].map(read).join("---\n");
    assert!(printed(&["crds"], None) == committed);
}

#[test]
fn help_names_every_command() {
    let help = printed(&["--help"], None);
    for command in ["run", "migrate", "doctor", "crds", "ledger"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in {help}");
    }
    let help = printed(&["ledger", "--help"], None);
    for command in ["verify", "statement", "thaw"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in {help}");
    }
    let help = printed(&["run", "--help"], None);
    for name in [
        "DATABASE_URL",
        "POD_NAMESPACE",
        "POD_NAME",
        "CATALYST_MIGRATE_DATABASE_URL",
        "CATALYST_METRICS_ADDR",
        "CATALYST_NAMESPACES",
        "CATALYST_LEADER_ELECT",
    ] {
        assert!(help.contains(name), "{name} is not in {help}");
    }
}

#[test]
fn version_is_the_one_that_was_built() {
    let version = concat!("catalyst-operator ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(printed(&["--version"], None), version);
}

#[test]
fn a_command_without_its_database_says_what_is_missing() {
    let output = run(&["ledger", "verify"], None);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("--database-url"), "{said}");
}

#[tokio::test]
async fn verify_and_statement_tell_what_the_ledger_knows() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let ledger = franchise.ledger();
    let url = Some(ledger.url.as_str());
    assert_eq!(printed(&["ledger", "verify"], url), "every invariant holds\n");

    let account = format!("{}/{}", franchise.namespace, franchise.organization("kestrel"));
    let text = printed(&["ledger", "statement", &account], url);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    for (line, words) in [
        (0, vec!["Statement of", &franchise.organization("kestrel"), &franchise.namespace]),
        (3, vec!["0.000 OMR", "opening balance"]),
        (4, vec!["100.000 OMR", "voucher LAUNCH"]),
        (5, vec!["-9.000 OMR", "91.000 OMR", "plan m, period 1"]),
        (6, vec!["91.000 OMR", "closing balance"]),
    ] {
        for word in words {
            assert!(lines[line].contains(word), "{word:?} is not in line {line} of\n{text}");
        }
    }

    let json = printed(&["ledger", "statement", &account, "--output", "json"], url);
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["accounts"][0]["spendable"], 91_000);
    assert_eq!(json["accounts"][0]["lines"][1]["amount"], -9_000);
}

#[tokio::test]
async fn verify_checks_the_seals_and_names_the_row_and_thaw_asks_for_a_reason() {
    let ledger = database(World::shared()).await;
    let books = books_on(ledger).await;
    books.rich_organization("kestrel").await;
    let url = Some(books.database.url.as_str());
    let sealed = || printed(&["ledger", "verify", "--sealed"], url);
    assert_eq!(sealed(), "omantel: nothing is sealed\nevery invariant holds\n");
    while books.count("block").await == 0 {
        books.door.seal().await.unwrap();
    }
    let hash: String = books.database.one("select encode(hash, 'hex') from block").await;
    let printed = sealed();
    assert!(printed.starts_with("omantel: block 1 is the last, sealed 20"), "{printed}");
    assert!(
        printed.ends_with(&format!(", entries in all 1, hash {hash}\nevery invariant holds\n")),
        "{printed}"
    );

    let damage = "set session_replication_role = replica; \
                  update transfer set at = at + interval '1 day'; reset session_replication_role";
    books.database.mutate(damage).await;
    assert!(run(&["ledger", "verify"], url).status.success());
    let found = run(&["ledger", "verify", "--sealed"], url);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    let named = "omantel: a sealed entry is as it was: transfer 1 of block 1 was edited\n";
    assert!(!found.status.success() && said.ends_with(named), "{found:?}");

    assert!(!run(&["ledger", "thaw", "omantel"], url).status.success());
    let thaw = ["ledger", "thaw", "omantel", "--reason", "a test", "--actor", "amal"];
    let refused = run(&thaw, url);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("the franchise is not frozen"), "{said}");
    assert!(books.door.freeze(("omantel", None), "why").await.unwrap());
    let said = String::from_utf8(run(&thaw, url).stdout).unwrap();
    assert_eq!(said, "the money of omantel moves again\n");
}

#[tokio::test]
async fn a_statement_of_nobody_fails_and_says_so() {
    let franchise = shared_franchise().await;
    let account = format!("{}/nobody", franchise.namespace);
    let output = run(&["ledger", "statement", &account], Some(&franchise.ledger().url));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("no account of nobody"), "{said}");
}
