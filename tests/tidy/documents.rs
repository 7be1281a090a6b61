//! What the documents name is there.

use super::{File, Finding, hold, words};

/// Where tables name the tests that hold what they say, in their last column.
const DOCUMENT: &str = "SECURITY.md";

fn missing_tests(files: &[File]) -> Vec<Finding> {
    let mut findings = vec![];
    let is_test = |name: &str| {
        let given = format!("fn {name}(");
        files.iter().any(|file| file.is("rs") && file.text.contains(&given))
    };
    for file in files.iter().filter(|file| file.path == DOCUMENT) {
        for (line, text) in file.text.lines().enumerate().filter(|(_, text)| text.starts_with('|'))
        {
            let last = text.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
            let names = words(last).filter(|word| word.contains('_'));
            findings.extend(names.filter(|name| !is_test(name)).map(|name| {
                file.finding(
                    line,
                    &format!("there is no test {name}"),
                    "name the one that holds it",
                )
            }));
        }
    }
    findings
}

#[test]
fn every_test_that_is_named_exists() {
    hold(missing_tests);
}

#[test]
fn a_test_that_is_gone_is_found() {
    let document = File::of(DOCUMENT, "| it | does | held by |\n| a_b | `x` | `it_holds` |\n");
    let test = |name: &str| File::of("tests/a.rs", &format!("async fn {name}() {{"));
    assert_eq!(missing_tests(&[document.clone(), test("it_holds")]).len(), 0);
    assert_eq!(missing_tests(&[document, test("it_held")]).len(), 1);
}
