//! Groups of tests: what `make test` leaves out, `make e2e` runs, and neither runs what the other
//! does.

use std::collections::BTreeSet;

use super::{File, Finding, hold};

/// The filters of the tests that a recipe runs, and of those that it skips.
fn filters<'a>(makefile: &'a str, target: &str) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let head = format!("{target}: ");
    let recipe = makefile.lines().skip_while(|line| !line.starts_with(&head)).skip(1);
    let recipe = recipe.take_while(|line| line.starts_with('\t') || line.starts_with(' '));
    let (mut run, mut skipped, mut last) = (BTreeSet::new(), BTreeSet::new(), "");
    for word in recipe.flat_map(str::split_whitespace) {
        if let Some(group) = word.strip_suffix("::") {
            if last == "--skip" { &mut skipped } else { &mut run }.insert(group);
        }
        last = word;
    }
    (run, skipped)
}

fn groups(files: &[File]) -> Vec<Finding> {
    let Some(file) = files.iter().find(|file| file.path == "Makefile") else { return vec![] };
    let ((run, skipped), (rest, _)) = (filters(&file.text, "test"), filters(&file.text, "e2e"));
    let lost = skipped.iter().filter(|group| !run.contains(*group) && !rest.contains(*group));
    let lost = lost.map(|group| {
        file.finding(0, &format!("nobody runs {group}"), "name it in the recipe of e2e")
    });
    let twice = rest.iter().filter(|group| !skipped.contains(*group));
    let twice = twice.map(|group| {
        file.finding(0, &format!("{group} runs twice"), "skip it in the recipe of test")
    });
    lost.chain(twice).collect()
}

#[test]
fn every_test_runs_in_one_of_two_commands() {
    hold(groups);
    let recipes = |rest: &str| {
        let text = format!(
            "test: setup\n\tcargo test -- --skip resources:: --skip flux::\n\tcargo test -- \\\n\
             \t    resources:: --skip resources::dark::\n\ne2e: setup\n\tcargo test -- {rest}\n\n"
        );
        groups(&[File::of("Makefile", &text)])
    };
    assert!(recipes("flux:: resources::dark::").is_empty());
    assert!(recipes("flux::")[0].contains("nobody runs resources::dark;"));
    assert!(recipes("flux:: resources::dark:: observe::")[0].contains("observe runs twice"));
}
