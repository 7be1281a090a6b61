//! The guarantees of the ledger: each stated by number, each with a mutant, each mutant with a test
//! that is there to see it.

use std::collections::BTreeSet;

use super::{File, Finding, hold};

const DOCUMENT: &str = "ARCHITECTURE.md";
const FOLDER: &str = "tests/mutants/";
/// Held by a rule of this program and not by the database, with a bad snippet for a mutant.
const HELD_HERE: [&str; 1] = ["I28"];

/// The numbers in the table of invariants, with their lines.
fn numbers(document: &File) -> Vec<(usize, String)> {
    let rows = document.text.lines().enumerate().filter_map(|(line, text)| {
        let cell = text.strip_prefix("| I")?.split(' ').next()?;
        cell.parse::<u32>().ok().map(|number| (line, format!("I{number}")))
    });
    rows.collect()
}

/// The guarantee that a mutant takes away, and the tests that see it: one on each line that a
/// mutant begins with.
fn header(mutant: &File) -> Vec<(&str, &str)> {
    let lines = mutant.text.lines().map_while(|line| line.strip_prefix("-- "));
    lines.filter_map(|line| line.split_once(" red: ")).collect()
}

fn is_there(files: &[File], test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let path = format!("tests/it/{}.rs", module.replace("::", "/"));
    let begins = format!("\nasync fn {name}() {{");
    files.iter().any(|file| file.path == path && file.text.contains(&begins))
}

fn unproven(files: &[File]) -> Vec<Finding> {
    let Some(document) = files.iter().find(|file| file.path == DOCUMENT) else { return vec![] };
    let mutants = files.iter().filter(|file| file.path.starts_with(FOLDER) && file.is("sql"));
    let (mut findings, mut killed) = (vec![], BTreeSet::new());
    for mutant in mutants.filter(|file| file.path != format!("{FOLDER}mutate.sql")) {
        let header = header(mutant);
        if header.is_empty() {
            let fix = "begin it with `-- I4 red: ` and the test that must fail";
            findings.push(mutant.finding(0, "a mutant that names no guarantee", fix));
        }
        for (number, test) in header {
            if !is_there(files, test) {
                let what = format!("there is no test {test}");
                findings.push(mutant.finding(0, &what, "name the one that sees this mutant"));
            }
            killed.insert(number.to_owned());
        }
    }
    let numbers = numbers(document);
    for (line, number) in &numbers {
        if !killed.remove(number) && !HELD_HERE.contains(&number.as_str()) {
            let what = format!("nothing proves {number}");
            findings.push(document.finding(*line, &what, &format!("write a mutant in {FOLDER}")));
        }
    }
    for number in killed {
        let what = format!("mutants take away {number}, which nobody promised");
        findings.push(document.finding(0, &what, "add it to the table of invariants"));
    }
    findings
}

/// Where a controller reads a status that somebody may have written. Only what reports the next
/// one may, to keep the times at which conditions changed, and to publish nothing twice.
fn status_as_input(files: &[File]) -> Vec<Finding> {
    let reads = |file: &File| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        !["report.rs", "reported.rs", "conditions.rs"].contains(&name) && !file.is_test()
    };
    let mut findings = vec![];
    for file in files.iter().filter(|file| file.is("rs") && file.path.starts_with("src/")) {
        if !reads(file) {
            continue;
        }
        for (line, text) in file.code().lines().enumerate() {
            let is_end = |c: char| !c.is_alphanumeric() && c != '_' && c != '(';
            let mut fields = text.split(".status").skip(1).filter(|rest| rest.starts_with(is_end));
            if fields.next().is_some() && !text.contains("publish(") {
                let fix = "ask the ledger or the cluster: a status is never an input";
                findings.push(file.finding(line, "a status that is read", fix));
            }
        }
    }
    findings
}

#[test]
fn every_guarantee_has_a_mutant_and_every_mutant_a_test() {
    hold(unproven);
}

#[test]
fn a_status_is_never_an_input() {
    hold(status_as_input);
}

#[test]
fn what_is_unproven_is_found() {
    let document = File::of(DOCUMENT, "| I1 | no balance | x |\n| I2 | one answer | y |\n");
    let test = File::of("tests/it/ledger/a.rs", "#[tokio::test]\nasync fn it_holds() {\n");
    let mutant = |text: &str| File::of("tests/mutants/i01_a.sql", text);
    let found = |text: &str| unproven(&[document.clone(), test.clone(), mutant(text)]).len();
    assert_eq!(found("-- I1 red: ledger::a::it_holds\n"), 1, "I2 is left");
    assert_eq!(found("-- I1 red: ledger::a::it_holds\n-- I1 red: ledger::a::it_went\n"), 2);
    assert_eq!(found("-- I3 red: ledger::a::it_holds\n"), 3);
    assert_eq!(found("drop index x;"), 3);
}

#[test]
fn a_status_that_is_read_is_found() {
    let found = |path: &str, text: &str| status_as_input(&[File::of(path, text)]).len();
    assert_eq!(found("src/controllers/tenant/decide.rs", "let a = object.status.clone();"), 1);
    assert_eq!(found("src/controllers/tenant/act.rs", "if tenant.status == b {}"), 1);
    assert_eq!(found("src/controllers/tenant/report.rs", "object.status.clone()"), 0);
    assert_eq!(found("src/cluster/host.rs", "command.status(); answer.status_code"), 0);
}
