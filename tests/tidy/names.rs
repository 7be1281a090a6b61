//! One noun per concept, every reason has its use, every metric its help.

use catalyst_operator::{
    domain::reason::Reason,
    metrics::{Described, Metrics},
};

use super::{File, Finding, hold, words};

/// Words that mean nothing, or mean what another word of ours means.
const BANNED: [(&str, &str); 9] = [
    ("tier", "plan"),
    ("organisation", "organization"),
    ("promocode", "voucher"),
    ("bucket", "counter, or lot"),
    ("manager", "what it does"),
    ("helper", "what it does"),
    ("helpers", "what it does"),
    ("util", "what it does"),
    ("utils", "what it does"),
];

/// What comes before a name that we give.
const GIVES: [&str; 9] =
    ["fn", "struct", "enum", "trait", "mod", "type", "let", "table", "function"];

/// The lower-case words that a name is made of, and each with its follower: `PromoCode`.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![];
    let mut is_lower = false;
    for c in name.chars() {
        if c == '_' || parts.is_empty() || (c.is_uppercase() && is_lower) {
            parts.push(String::new());
        }
        is_lower = c.is_lowercase();
        if let Some(last) = parts.last_mut().filter(|_| c != '_') {
            last.extend(c.to_lowercase());
        }
    }
    let pairs: Vec<String> = parts.windows(2).map(<[String]>::concat).collect();
    parts.into_iter().chain(pairs).collect()
}

fn banned(files: &[File]) -> Vec<Finding> {
    let mut findings = vec![];
    for file in files.iter().filter(|file| file.is("rs") || file.is("sql")) {
        for (line, text) in file.code().lines().enumerate() {
            let given = words(text).zip(words(text).skip(1));
            for (_, name) in given.filter(|(word, _)| GIVES.contains(word)) {
                let parts = parts(name);
                let banned = BANNED.iter().find(|(word, _)| parts.iter().any(|it| it == word));
                findings.extend(banned.map(|(word, better)| {
                    let what = format!("{name} says {word}");
                    file.finding(line, &what, &format!("call it {better}"))
                }));
            }
        }
    }
    findings
}

/// Reasons that nothing gives, outside of tests and of their own table.
fn idle(files: &[File], names: &[&str]) -> Vec<Finding> {
    let is_source = |file: &&File| {
        file.is("rs")
            && file.path.starts_with("src/")
            && !file.is_test()
            && file.path != "src/domain/reason.rs"
    };
    let source = |file: &File| {
        file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
    };
    let source: String = files.iter().filter(is_source).map(source).collect();
    let is_used =
        |name: &str| source.split("Reason::").skip(1).any(|rest| words(rest).next() == Some(name));
    let idle = names.iter().filter(|name| !is_used(name));
    idle.map(|name| format!("src/domain/reason.rs: nothing gives {name}; take it out")).collect()
}

/// Metrics without a sentence of help, in what Prometheus reads.
fn helpless(text: &str) -> Vec<Finding> {
    let helps = |name: &str| {
        let start = format!("# HELP {name} ");
        text.lines().filter_map(|line| line.strip_prefix(&start)).any(|help| help.contains(' '))
    };
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = kinds.filter_map(|line| line.split(' ').next());
    let idle = names.filter(|name| !helps(name));
    idle.map(|name| format!("src/metrics.rs: {name} has no help; say what it counts")).collect()
}

#[test]
fn nouns_are_those_of_the_vocabulary() {
    hold(banned);
}

#[test]
fn every_reason_is_given_somewhere() {
    hold(|files| idle(files, Reason::NAMES));
}

#[test]
fn every_metric_says_what_it_counts() {
    let text = |Described { name, kind, meaning, .. }: &Described| {
        format!("# HELP {name} {meaning}\n# TYPE {name} {kind}\n")
    };
    let text: String = Metrics::ALL.iter().map(text).collect();
    assert!(text.contains("# TYPE leader gauge"), "no metric is found");
    assert_eq!(helpless(&text), [] as [&str; 0]);
}

#[test]
fn a_banned_noun_is_found_in_any_spelling() {
    for text in [
        "struct PlanTier;",
        "fn promo_code() {}",
        "enum PromoCode {}",
        "mod util;",
        "let lease_manager = 1;",
        "trait Helper {}",
    ] {
        assert_eq!(banned(&[File::of("src/a.rs", text)]).len(), 1, "{text}");
    }
    assert_eq!(banned(&[File::of("a.sql", "create table organisation (")]).len(), 1);
    for text in ["use tokio_util::x;", "fn frontier() {}", "// a Manager", "let managed = 1;"] {
        assert_eq!(banned(&[File::of("src/a.rs", text)]), [] as [&str; 0], "{text}");
    }
}

#[test]
fn an_idle_reason_and_a_helpless_metric_are_found() {
    let given = File::of("src/a.rs", "Reason::NotFound {}; // Reason::NotFoundYet\n");
    assert_eq!(idle(std::slice::from_ref(&given), &["NotFound", "Expired", "Not"]).len(), 2);
    let tested = File::of("src/a/tests.rs", "Reason::Expired");
    assert_eq!(idle(&[given, tested], &["Expired"]).len(), 1);
    let text = "# HELP a Counts things.\n# TYPE a counter\n# HELP b b\n# TYPE b gauge\n";
    assert_eq!(helpless(text).len(), 1);
}
