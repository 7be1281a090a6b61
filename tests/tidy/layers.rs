//! The direction of imports, and who may touch the world.

use super::{File, Finding, hold, lines_with, words};

/// What a layer may import besides itself: ARCHITECTURE.md draws it.
const LAYERS: [(&str, &[&str]); 14] = [
    ("api", &[]),
    ("domain", &["api"]),
    ("desired", &["api", "domain"]),
    ("store", &["api", "domain"]),
    ("cluster", &["api", "domain", "clock"]),
    ("clock", &[]),
    ("metrics", &["store"]),
    ("readiness", &[]),
    ("telemetry", &[]),
    (
        "controllers",
        &["api", "domain", "desired", "store", "cluster", "clock", "metrics", "readiness"],
    ),
    ("http", &["metrics", "readiness"]),
    (
        "run",
        &[
            "api",
            "domain",
            "desired",
            "store",
            "cluster",
            "clock",
            "metrics",
            "readiness",
            "telemetry",
            "controllers",
            "http",
        ],
    ),
    (
        "cli",
        &[
            "api",
            "domain",
            "desired",
            "store",
            "cluster",
            "clock",
            "metrics",
            "readiness",
            "telemetry",
            "controllers",
            "http",
            "run",
        ],
    ),
    ("tests", &[]),
];

/// The layer of a file under `src`; none for the two roots, which name all of them.
fn layer(file: &File) -> Option<&str> {
    let path = file.path.strip_prefix("src/").filter(|_| file.is("rs"))?;
    let first = path.split('/').next()?;
    let layer = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main"].contains(&layer)).then_some(layer)
}

/// What a text imports by `crate::`, with the line: one name, or the first of each in a group.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = vec![];
    for (start, _) in code.match_indices("crate::") {
        let line = code.get(..start).unwrap_or_default().matches('\n').count();
        let rest = code.get(start + "crate::".len()..).unwrap_or_default();
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(words(rest).next().map(|name| (line, name.to_owned())));
            continue;
        };
        let (mut depth, mut item) = (1, String::new());
        for c in group.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 || (depth == 1 && c == ',') {
                found.extend(words(&item).next().map(|name| (line, name.to_owned())));
                item.clear();
            } else {
                item.push(c);
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

fn upward_imports(files: &[File]) -> Vec<Finding> {
    let mut findings = vec![];
    for file in files {
        let Some(layer) = layer(file) else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            findings.push(file.finding(0, &format!("{layer} is no layer"), "add it to the table"));
            continue;
        };
        for (line, name) in imports(&file.code()) {
            let is_module = LAYERS.iter().any(|(known, _)| *known == name);
            if is_module && name != layer && !allowed.contains(&name.as_str()) {
                let what = format!("{layer} imports {name}, which is not below it");
                findings.push(file.finding(line, &what, "move what is shared down a layer"));
            }
        }
    }
    findings
}

/// Words that only some places of `src` may use.
fn words_out_of_place(files: &[File]) -> Vec<Finding> {
    let is_in = |path: &str, layer: &str| {
        path == format!("src/{layer}.rs") || path.starts_with(&format!("src/{layer}/"))
    };
    let is_pure = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        ["api", "domain", "desired"].iter().any(|layer| is_in(path, layer))
            || ["decide.rs", "report.rs", "conditions.rs"].contains(&name)
    };
    let talks = |path: &str| {
        is_in(path, "cluster") || ["src/run.rs", "src/controllers/runner.rs"].contains(&path)
    };
    let mut findings = vec![];
    for file in files.iter().filter(|file| file.is("rs") && file.path.starts_with("src/")) {
        let (path, code) = (file.path.as_str(), file.code());
        let mut check = |word: &str, may: bool, fix: &str| {
            let lines = if may { vec![] } else { lines_with(&code, word) };
            let what = format!("{word} does not belong here");
            findings.extend(lines.into_iter().map(|line| file.finding(line, &what, fix)));
        };
        check("sqlx", is_in(path, "store"), "ask src/store for what you need");
        check("Client", talks(path), "ask src/cluster for what you need");
        check("Api", talks(path), "ask src/cluster for what you need");
        check("await", !is_pure(path), "take the answer as an argument: this file is pure");
        check("async", !is_pure(path), "make it a plain function: this file is pure");
    }
    findings
}

#[test]
fn imports_point_down() {
    hold(upward_imports);
}

#[test]
fn only_the_store_names_sqlx_only_the_cluster_talks_and_what_is_pure_awaits_nothing() {
    hold(words_out_of_place);
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    for (path, text) in [
        ("src/api/tenant.rs", "use crate::domain::money::Money;"),
        ("src/domain.rs", "fn f() { crate::store::open() }"),
        ("src/store/door.rs", "use crate::{\n    api::{A, B},\n    cluster::{self, Host},\n};"),
        ("src/cluster.rs", "use crate::{domain, controllers};"),
        ("src/run.rs", "use crate::cli;"),
        ("src/ledger.rs", ""),
    ] {
        assert_eq!(upward_imports(&[File::of(path, text)]).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/domain.rs", "use crate::{api::{self, store}, domain::cluster};"),
        ("src/domain.rs", "// crate::store\nconst A: &str = \"crate::store\";"),
        ("src/cli.rs", "use crate::{run, api, store};"),
        ("src/lib.rs", "use crate::cli;"),
    ] {
        assert_eq!(upward_imports(&[File::of(path, text)]), [] as [&str; 0], "{path}: {text}");
    }
}

#[test]
fn a_word_out_of_place_is_found() {
    for (path, text) in [
        ("src/metrics.rs", "use sqlx::PgPool;"),
        ("src/controllers/tenant/act.rs", "let api: Api<Namespace> = x;"),
        ("src/http.rs", "use kube::Client;"),
        ("src/controllers/tenant/decide.rs", "async fn f() {}"),
        ("src/domain/money.rs", "fn f() { g().await }"),
        ("src/controllers/conditions.rs", "fn f() { g().await }"),
    ] {
        assert_eq!(words_out_of_place(&[File::of(path, text)]).len(), 1, "{path}: {text}");
    }
    let fine = [
        File::of("src/store/door.rs", "use sqlx::PgPool; async fn f() {}"),
        File::of("src/cluster/host.rs", "use kube::{Api, Client};"),
        File::of("src/domain/code.rs", "/// Never async.\nconst X: &str = \"sqlx\";"),
    ];
    assert_eq!(words_out_of_place(&fine), [] as [&str; 0]);
}
