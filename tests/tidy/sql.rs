//! The migrations: numbered, every constraint named, and every word that the ledger answers with
//! known to the door, and the other way round.

use std::collections::BTreeSet;

use super::{File, Finding, hold, words};

const DOOR: &str = "src/store/answer.rs";

/// SQL without comments and without what stands in quotes, in the same lines.
fn masked(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let code = line.split("--").next().unwrap_or_default();
        code.split('\'').step_by(2).collect::<Vec<_>>().join("''")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn migrations(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| file.path.starts_with("migrations/") && file.is("sql"))
}

fn gaps(files: &[File]) -> Vec<Finding> {
    let wrong = migrations(files).zip(1..).filter_map(|(file, number)| {
        let expected = format!("migrations/{number:04}_");
        let fix = format!("number it {number:04}");
        (!file.path.starts_with(&expected)).then(|| file.finding(0, "a gap before it", &fix))
    });
    wrong.collect()
}

fn anonymous_constraints(files: &[File]) -> Vec<Finding> {
    let mut findings = vec![];
    for file in migrations(files) {
        let code = masked(&file.text);
        let lines = code.lines().enumerate();
        let words: Vec<(usize, &str)> =
            lines.flat_map(|(line, text)| words(text).map(move |word| (line, word))).collect();
        for (at, (line, word)) in words.iter().enumerate() {
            let is = |back: usize, wanted: &str| {
                at.checked_sub(back).and_then(|at| words.get(at)).is_some_and(|it| it.1 == wanted)
            };
            let next = words.get(at + 1).map(|it| it.1);
            let is_constraint = match *word {
                "check" | "exclude" => true,
                "unique" => next != Some("index"),
                "primary" | "foreign" => next == Some("key"),
                _ => false,
            };
            if is_constraint && !is(2, "constraint") {
                let what = format!("a {word} without a name");
                let fix = "write `constraint it_says_what_holds` before it";
                findings.push(file.finding(*line, &what, fix));
            }
        }
    }
    findings
}

/// Words in quotes in the answers that a migration gives: what `outcome` or `refusal` becomes, by
/// an assignment, or as the first column of a query.
fn answers(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let assigned = ["outcome :=", "refusal :="].map(|name| text.split(name).skip(1));
    let assigned = assigned.into_iter().flatten().filter_map(|rest| rest.split(';').next());
    let mut queries: Vec<&str> = text.split(" as outcome").collect();
    let _rest = queries.pop();
    let queries = queries.into_iter().filter_map(|query| query.rsplit("select case").next());
    for value in assigned.chain(queries) {
        let parts: Vec<&str> = value.split('\'').collect();
        for pair in parts.chunks_exact(2) {
            let [before, word] = pair else { continue };
            let before = before.trim_end();
            let leads = before.is_empty() || before.ends_with("then") || before.ends_with("else");
            if leads {
                found.insert((*word).to_owned());
            }
        }
        if value.contains("initcap") || value.contains("upper(") {
            found.insert(format!("a word made by {}", value.trim()));
        }
    }
    found
}

/// The words of the door: effects and refusals.
fn known(door: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let between = |start: &str, end: &str| {
        let rest = door.split(start).nth(1).unwrap_or_default();
        rest.split(end).next().unwrap_or_default().to_owned()
    };
    let set = |text: &str| words(text).map(str::to_owned).collect::<BTreeSet<_>>();
    let effects = between("const EFFECTS: ", "];");
    let effects = effects.split(" = [").nth(1).unwrap_or_default();
    (set(effects), set(&between("\nrefusals! {", "}")))
}

fn unknown_words(files: &[File]) -> Vec<Finding> {
    let Some(door) = files.iter().find(|file| file.path == DOOR) else {
        return vec![format!("{DOOR} is not there; say in tests/tidy/sql.rs where it went")];
    };
    let (effects, refusals) = known(&door.text);
    let mut findings = vec![];
    if effects.is_empty() || refusals.is_empty() {
        findings.push(door.finding(0, "no words are found", "mend `known` in tests/tidy/sql.rs"));
    }
    let mut said = BTreeSet::new();
    for file in migrations(files) {
        for word in answers(&file.text) {
            let is_known = effects.contains(&word)
                || refusals.contains(&word)
                || ["Fenced", "Frozen:"].contains(&word.as_str());
            if !is_known {
                let what = format!("the door does not know the answer {word}");
                findings.push(file.finding(0, &what, "add it to EFFECTS or to the refusals"));
            }
            said.insert(word);
        }
    }
    for word in effects.union(&refusals).filter(|word| !said.contains(*word)) {
        let what = format!("no migration answers {word}");
        findings.push(door.finding(0, &what, "take the word out"));
    }
    findings
}

#[test]
fn migrations_are_numbered_without_gaps() {
    hold(gaps);
}

#[test]
fn every_constraint_has_a_name() {
    hold(anonymous_constraints);
}

#[test]
fn the_door_knows_the_ledgers_words_and_the_ledger_the_doors() {
    hold(unknown_words);
}

fn migration(text: &str) -> File {
    File::of("migrations/0001_a.sql", text)
}

#[test]
fn a_gap_and_an_anonymous_constraint_are_found() {
    let file = |path: &str| File::of(path, "");
    assert_eq!(gaps(&[file("migrations/0001_a.sql"), file("migrations/0003_b.sql")]).len(), 1);
    assert_eq!(gaps(&[file("migrations/0001_a.sql"), file("migrations/0002_b.sql")]).len(), 0);
    for text in [
        "create table a (b int check (b > 0));",
        "create table a (b int primary key);",
        "create table a (b int,\n    unique (b));",
        "create table a (foreign key (b) references c);",
    ] {
        assert_eq!(anonymous_constraints(&[migration(text)]).len(), 1, "{text}");
    }
    for text in [
        "create table a (b int constraint b_is_positive\n    check (b > 0));",
        "create unique index a on b (c);",
        "-- check (x)\nselect 'unique';",
        "constraint once unique nulls not distinct (a)",
    ] {
        assert_eq!(anonymous_constraints(&[migration(text)]), [] as [&str; 0], "{text}");
    }
}

#[test]
fn a_word_that_only_one_side_knows_is_found() {
    let door = "macro_rules! refusals {}\nrefusals! {\n    Short, NoHold,\n}\n\
                const EFFECTS: [&str; 1] = [\n    \"Held\",\n];\n";
    let door = File::of(DOOR, door);
    let whole = "outcome := case when a in ('X') then 'Short' else 'Held' end; \
                 refusal := 'Fenced'; outcome := 'NoHold';";
    assert_eq!(unknown_words(&[door.clone(), migration(whole)]), [] as [&str; 0]);
    for text in [
        whole.replace("'NoHold'", "f.refusal"),
        whole.replace("'Held'", "'Kept'").replace("'Short'", "'Held'"),
        format!("{whole} outcome := 'Gone';"),
        format!("{whole} outcome := initcap(x);"),
    ] {
        assert!(!unknown_words(&[door.clone(), migration(&text)]).is_empty(), "{text}");
    }
    assert_eq!(unknown_words(&[migration(whole)]).len(), 1);
}
