//! Files and lines: how long, how called, and what no file may say.

use super::{File, Finding, hold, lines_with};

const LINES_MAX: usize = 400;
const COLUMNS_MAX: usize = 100;

/// What may stand at the top of the repository, besides what begins with a dot.
const TOP: [&str; 21] = [
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "benches",
    "build.rs",
    "charts",
    "crds",
    "docs",
    "examples",
    "image",
    "migrations",
    "rust-toolchain.toml",
    "src",
];

/// Blanks comments and the contents of quotes, and keeps the lines.
pub(crate) fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let (mut out, mut i) = (String::with_capacity(text.len()), 0);
    while i < chars.len() {
        let c = at(i);
        let end = if c == '/' && at(i + 1) == '/' {
            (i..chars.len()).find(|n| at(*n) == '\n').unwrap_or(chars.len())
        } else if c == 'r' && !at(i.wrapping_sub(1)).is_alphanumeric() && is_raw(&chars, i) {
            raw_end(&chars, i)
        } else if c == '"' {
            quote_end(&chars, i)
        } else if c == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            (i + 2 + usize::from(at(i + 1) == '\\')..chars.len())
                .find(|n| at(*n) == '\'')
                .unwrap_or(chars.len())
                + 1
        } else {
            out.push(c);
            i += 1;
            continue;
        };
        out.push(' ');
        out.extend((i..end.min(chars.len())).map(at).filter(|c| *c == '\n'));
        i = end;
    }
    out
}

fn is_raw(chars: &[char], start: usize) -> bool {
    chars.iter().skip(start + 1).find(|c| **c != '#') == Some(&'"')
}

/// The end of `r"..."`, or with as many `#` as it began with.
fn raw_end(chars: &[char], start: usize) -> usize {
    let hashes = chars.iter().skip(start + 1).take_while(|c| **c == '#').count();
    let closes = |n: &usize| {
        chars.get(*n) == Some(&'"')
            && chars.iter().skip(n + 1).take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (start + hashes + 2..chars.len()).find(closes).map_or(chars.len(), |n| n + hashes + 1)
}

fn quote_end(chars: &[char], start: usize) -> usize {
    let mut n = start + 1;
    while n < chars.len() && chars.get(n) != Some(&'"') {
        n += if chars.get(n) == Some(&'\\') { 2 } else { 1 };
    }
    n + 1
}

fn long(files: &[File]) -> Vec<Finding> {
    let mut findings = vec![];
    for file in files {
        let is_generated = file.text.starts_with("<!-- Generated");
        if !(file.is("rs") || file.is("sql") || file.is("md")) || is_generated {
            continue;
        }
        let lines = file.text.lines().count();
        if file.is("rs") && lines > LINES_MAX {
            let what = format!("{lines} lines, {LINES_MAX} are allowed");
            findings.push(file.finding(LINES_MAX, &what, "split it by subject"));
        }
        let mut is_drawing = false;
        for (line, text) in file.text.lines().enumerate() {
            is_drawing ^= file.is("md") && text.starts_with("```");
            let columns = text.chars().count();
            let is_table = file.is("md") && text.starts_with('|');
            if columns > COLUMNS_MAX && !is_table && !is_drawing {
                let what = format!("{columns} columns, {COLUMNS_MAX} are allowed");
                findings.push(file.finding(line, &what, "break the line"));
            }
        }
    }
    findings
}

fn undocumented(files: &[File]) -> Vec<Finding> {
    let is_bare = |file: &&File| {
        let first = file.text.lines().find(|line| !line.is_empty());
        file.is("rs") && !first.is_some_and(|line| line.starts_with("//! "))
    };
    let finding = |file: &File| {
        let fix = "begin the file with //! and what the module is for";
        file.finding(0, "the module does not say what it is for", fix)
    };
    files.iter().filter(is_bare).map(finding).collect()
}

/// Leftovers of work in progress, and paths of one machine.
fn leftovers(files: &[File]) -> Vec<Finding> {
    let (fix_me, to_do) = (concat!("FIX", "ME"), concat!("TO", "DO"));
    let homes = ["home", "Users", "root", "work", "mnt"].map(|name| format!("/{name}/"));
    let begins = |line: &str, home: &str| {
        line.match_indices(home).any(|(at, _)| {
            let before = line.get(..at).and_then(|before| before.chars().last());
            before.is_none_or(|c| !c.is_alphanumeric() && !"/._-*)}$".contains(c))
        })
    };
    let mut findings = vec![];
    for file in files {
        if file.is("rs") {
            for name in ["dbg", "todo", "unimplemented"] {
                let called = file.code().replace(&format!("{name}!"), "\u{1}");
                let lines = called.lines().enumerate().filter(|(_, line)| line.contains('\u{1}'));
                let what = format!("{name}! is left over");
                findings.extend(lines.map(|(line, _)| file.finding(line, &what, "take it out")));
            }
        }
        for line in lines_with(&file.text, fix_me) {
            findings.push(file.finding(line, fix_me, "mend it, or open an issue"));
        }
        for line in lines_with(&file.text, to_do) {
            let text = file.text.lines().nth(line).unwrap_or_default();
            if !text.contains(&format!("{to_do}(#")) {
                let what = format!("a bare {to_do}");
                findings.push(file.finding(line, &what, "name its issue, as in (#12)"));
            }
        }
        for (line, text) in file.text.lines().enumerate() {
            if homes.iter().any(|home| begins(text, home)) {
                let fix = "say it from the root of the repository";
                findings.push(file.finding(line, "a path of one machine", fix));
            }
        }
    }
    findings
}

fn misplaced(files: &[File]) -> Vec<Finding> {
    let finding = |file: &File| {
        let top = file.path.split('/').next().unwrap_or_default();
        if file.path.ends_with("/mod.rs") && file.is("rs") {
            Some(file.finding(0, "a mod.rs", "call it by the name of its folder, beside it"))
        } else if !top.starts_with('.') && top != "tests" && !TOP.contains(&top) {
            Some(file.finding(0, "not expected at the top", "find it a place in a folder"))
        } else {
            None
        }
    };
    files.iter().filter_map(finding).collect()
}

#[test]
fn files_and_lines_are_short() {
    hold(long);
}

#[test]
fn every_module_says_what_it_is_for() {
    hold(undocumented);
}

#[test]
fn nothing_is_left_over() {
    hold(leftovers);
}

#[test]
fn every_file_has_its_place() {
    hold(misplaced);
}

#[test]
fn comments_and_quotes_are_masked_and_code_is_not() {
    let text = "let a = \"x \\\" // y\"; // z\nlet b = 'c'; fn f<'a>(r: &'a str) {}\n";
    assert_eq!(masked(text), "let a =  ;  \nlet b =  ; fn f<'a>(r: &'a str) {}\n");
    assert_eq!(masked("r#\"a\"b\n\"#; r\"\\\"; '\\''; '\"'; x"), " \n;  ;  ;  ; x");
}

#[test]
fn what_is_long_undocumented_or_misplaced_is_found() {
    let wide = format!("//! {}", "x".repeat(97));
    let tall = "//! x\n".repeat(401);
    for (path, text, found) in [
        ("src/a.rs", wide.as_str(), 1),
        ("a.sql", &wide, 1),
        ("README.md", &wide, 1),
        ("README.md", &format!("| {wide} |"), 0),
        ("README.md", &format!("```text\n{wide}\n```\n{wide}"), 1),
        ("x.yaml", &wide, 0),
        ("src/a.rs", &tall, 1),
        ("src/a.rs", tall.strip_prefix("//! x\n").unwrap_or_default(), 0),
    ] {
        assert_eq!(long(&[File::of(path, text)]).len(), found, "{path}");
    }
    assert_eq!(undocumented(&[File::of("src/a.rs", "use x;"), File::of("src/b.rs", "")]).len(), 2);
    assert_eq!(undocumented(&[File::of("src/a.rs", "\n//! A module.")]).len(), 0);
    let places = ["src/a/mod.rs", "notes/a.md", "notes.txt"].map(|path| File::of(path, ""));
    assert_eq!(misplaced(&places).len(), 3);
    let places = ["src/a.rs", ".ci/run", "tests/it/main.rs", "Makefile"].map(|it| File::of(it, ""));
    assert_eq!(misplaced(&places).len(), 0);
}

#[test]
fn what_is_left_over_is_found() {
    let to_do = concat!("TO", "DO");
    for text in [
        "fn f() { dbg!(x); }".to_owned(),
        "fn f() { todo!() }".to_owned(),
        concat!("// FIX", "ME later").to_owned(),
        format!("// {to_do}: later"),
        concat!("see /ho", "me/somebody/x").to_owned(),
        concat!("path=/wo", "rk/main").to_owned(),
    ] {
        assert_eq!(leftovers(&[File::of("src/a.rs", &text)]).len(), 1, "{text}");
    }
    for text in [
        format!("// {to_do}(#12): later"),
        "const A: &str = \"dbg!\";".to_owned(),
        "https://example.com/a/work-x".to_owned(),
    ] {
        assert_eq!(leftovers(&[File::of("src/a.rs", &text)]), [] as [&str; 0], "{text}");
    }
}
