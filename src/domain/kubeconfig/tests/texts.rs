//! Texts that expand, hide something from whoever only looks, or are nested without end.

use super::*;

#[test]
fn what_refers_to_something_else_is_refused_wherever_it_hides() {
    let rows = [
        "a: &x b",
        "a: *x",
        "a: !x b",
        "a: !!str b",
        "a: ! b",
        "&x a: b",
        "*x : b",
        "!x",
        "- &x b",
        "- - *x",
        "--- &x b",
        "--- !x",
        "%TAG ! x\n--- a",
        "%YAML 1.1\n--- a",
        "a: [&x b]",
        "a: [b,*x]",
        "a: {b: &x c}",
        "a: {b:&x c, \"d\":*x}",
        "{\"a\":&x b}",
        "a:\n  &x b",
        "a:\n\n  # more\n  *x",
        "a: 'it''s' \nb: &x c",
        "a: \"it\\\"s\"\nb: *x",
        "a: b # it's\nc: &x d",
        "# it's\na: &x b # it's",
        "a: |\n  it's \"\nb: &x c\nd: '\"'",
        "a: |\n  it's\n b: &x",
        "a: |\n\nb: *x",
        "a: >-\n  b\n\n# c\nd: *x",
        "- a: |\n  b: &x c",
        "- a: |\n   b\n  c: &x d",
        "a: b & c",
        "a: {<<: b}",
        "a:\n  <<: {b: c}",
        "a: \u{e9}&x\n\u{e9}: &x b",
        "'a'&x: b",
        "[a]*x",
    ];
    for text in rows {
        assert_eq!(parsed(text), Err(Reason::KubeconfigHasAliases {}), "{text}");
    }
}

#[test]
fn what_only_looks_like_it_is_not() {
    for text in [
        "a: 'b & c * d ! e'",
        "a: \"&x *y !z\"",
        "a: b&c*d!e",
        "a: b- # &x *y !z",
        "# &x\na: b",
        "#*\na: [b, 'c, &x', \"d\\\", *x\"]",
        "a: |\n  &x\n  # b\n    *y\n\n  !z\nc: d",
        "a: |-\n  'b\nc: 'd'",
        "- a: >+ # it's\n    'b &c\n- d",
        "a: http://b&c",
    ] {
        let found = parsed(text).expect_err("it is no kubeconfig");
        assert_ne!(found.name(), "KubeconfigHasAliases", "{text}");
        assert!(!found.to_string().contains("can be read: line"), "{text}: {found}");
    }
}

#[test]
fn what_leaves_a_doubt_is_refused() {
    let rows = [
        "a: 'b\n  c'",
        "a: \"b\n  c\"",
        "a: \"b\\\n  c\"",
        "a: b\n  c",
        "a:\n  b\n  c",
        "a: [b\n  c]",
        "a: [b\n  'c, &x d', *x]",
        "a: b\n  'c'",
        "a: b's",
        "a: {b:\"c\"}",
        "? a\n: b",
        "{? a : b}",
        ": a",
        "a: |2\n  b",
        "a: |\n   \n  b",
        "a: |\n\t b",
        "a:\n  |\n  b",
        "|\n b",
        "[|\n b]",
        "a: 'b' ]",
        "a: [b]]",
        "a\n---\nb",
        "a: 'b'\n...\nc: d",
    ];
    for text in rows {
        let found = parsed(text).expect_err(text).to_string();
        assert!(found.contains("can be read: line "), "{text}: {found}");
    }
}

#[test]
fn a_bomb_does_not_go_off() {
    let fill = |text: &str| text.repeat(tree::SIZE_MAX / text.len());
    let lines = |text: &dyn Fn(usize) -> String, count: usize| (0..count).map(text).collect();
    let keys: String = lines(&|index| format!("k{index}: 1\n"), 6000);
    let deeper: String = lines(&|index| format!("{}a:\n", " ".repeat(index)), 350);
    let laughs: String = lines(
        &|index| {
            let alias = format!("*a{index},").repeat(9);
            format!("a{}: &a{} [{alias}]\n", index + 1, index + 1)
        },
        20,
    );
    let bombs: [(String, &str); 24] = [
        (format!("a0: &a0 b\n{laughs}"), "KubeconfigHasAliases"),
        (fill("["), "KubeconfigUnreadable"),
        (fill("{"), "KubeconfigUnreadable"),
        (fill("{a: "), "KubeconfigUnreadable"),
        (fill("]"), "KubeconfigUnreadable"),
        (fill("[]"), "KubeconfigUnreadable"),
        (fill("- "), "KubeconfigUnreadable"),
        (fill("? "), "KubeconfigUnreadable"),
        (fill(": "), "KubeconfigUnreadable"),
        (fill("a: "), "KubeconfigUnreadable"),
        (fill("'"), "KubeconfigUnreadable"),
        (fill("\""), "KubeconfigUnreadable"),
        (fill("\\"), "KubeconfigUnreadable"),
        (fill("\n"), "KubeconfigUnreadable"),
        (fill(" "), "KubeconfigUnreadable"),
        (fill("#"), "KubeconfigUnreadable"),
        (fill("- \n"), "KubeconfigUnreadable"),
        (fill("---\n"), "KubeconfigUnreadable"),
        (fill("&a "), "KubeconfigHasAliases"),
        (fill("!a "), "KubeconfigHasAliases"),
        (fill("a\n"), "KubeconfigUnreadable"),
        (format!("[{}1]", fill("1,").split_off(4)), "KubeconfigUnreadable"),
        (keys, "KubeconfigUnreadable"),
        (deeper, "KubeconfigUnreadable"),
    ];
    for (text, name) in bombs {
        let start: String = text.chars().take(20).collect();
        assert!(text.len() <= tree::SIZE_MAX, "{start}");
        assert_eq!(parsed(&text).expect_err(&start).name(), name, "{start}");
    }
    let many = |count: usize| base64(FIXTURES[0].1.repeat(count));
    assert!(parsed(&edited("<authority>", &many(80))).is_ok());
    let entries = format!("preferences: {{{}}}", "a: 1, ".repeat(9000));
    assert!(parsed(&edited("kind: Config", &entries)).is_err());
}
