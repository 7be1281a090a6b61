//! Style as a test: what people would otherwise have to look for in a review. Each failure says
//! what to do. A rule is a pure function from files to findings, and is tried on bad snippets.

mod documents;
mod groups;
mod layers;
mod mutants;
mod names;
mod sql;
mod text;

use std::{fs, path::Path};

/// A tracked text, by its path from the root of the repository.
#[derive(Clone, Debug)]
struct File {
    path: String,
    text: String,
}

/// A place that breaks a rule, with what is wrong and how it is mended.
type Finding = String;

impl File {
    fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("tests/")
    }

    /// The text without comments and without what stands in quotes, in the same lines.
    fn code(&self) -> String {
        text::masked(&self.text)
    }

    fn finding(&self, line: usize, what: &str, fix: &str) -> Finding {
        format!("{}:{}: {what}; {fix}", self.path, line + 1)
    }
}

/// Everything that is tracked, but for what tools write.
fn files() -> Vec<File> {
    let mut found = vec![];
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut found);
    found.sort_by(|one: &File, other| one.path.cmp(&other.path));
    assert!(found.len() > 50, "the files were not found");
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("the folder can be read").map_while(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if ["target", ".git"].contains(&path.as_str()) || entry.path().is_symlink() {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push(File { path, text });
        }
    }
}

/// Fails with every finding of a rule.
fn hold(rule: impl Fn(&[File]) -> Vec<Finding>) {
    let findings = rule(&files());
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Where a word stands by itself in a text: line by line.
fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let has = |line: &str| words(line).any(|found| found == word);
    text.lines().enumerate().filter(|(_, line)| has(line)).map(|(line, _)| line).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
