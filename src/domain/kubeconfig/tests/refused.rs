//! What is refused, and why.

use super::*;

/// Edits of the accepted one, the reason that they are refused for, and what its message says.
const EDITS: [(&str, &str, &str, &str); 62] = [
    ("kind: Config", "kind: Pod", "KubeconfigUnreadable", "its kind is not Config"),
    ("kind: Config", "kind: [Config]", "KubeconfigUnreadable", "kind of it is not text"),
    ("apiVersion: v1", "apiVersion: v2", "KubeconfigUnreadable", "its apiVersion is not v1"),
    ("apiVersion: v1", "apiVersion: 1", "KubeconfigUnreadable", "put it in quotes"),
    ("kind: Config", "kind: Config\nkind: Config", "KubeconfigUnreadable", "duplicate entry"),
    ("kind: Config", "preferences: {a: 1, a: 2}", "KubeconfigUnreadable", "duplicate entry"),
    (TOKEN, "token: a\n    \"token\": b", "KubeconfigUnreadable", "duplicate entry"),
    ("kind: Config", "Kind: Config", "KubeconfigUnreadable", "it has the unknown field Kind"),
    ("kind: Config", "1: Config", "KubeconfigUnreadable", "a key that is not text"),
    ("kind: Config", "{a: b}: Config", "KubeconfigUnreadable", "a key that is not text"),
    ("kind: Config", "null: Config", "KubeconfigUnreadable", "a key that is not text"),
    ("kind: Config", "kind: Config\nwhat", "KubeconfigUnreadable", ""),
    ("kind: Config", " kind: Config", "KubeconfigUnreadable", "line 2"),
    ("kind: Config", "kind: Config\n---\na: b", "KubeconfigUnreadable", "another one"),
    ("kind: Config", "kind: Config\n...", "KubeconfigUnreadable", "ends the document"),
    ("kind: Config", "kind: \"Con\\u0007fig\"", "KubeconfigUnreadable", "kind has control"),
    ("kind: Config", "preferences: {\"a\\n\": b}", "KubeconfigUnreadable", "control characters"),
    ("kind: Config", "preferences: {a: [\"\\0\"]}", "KubeconfigUnreadable", "control characters"),
    ("kind: Config", "kind: Con\u{7}fig", "KubeconfigUnreadable", "control characters"),
    ("kind: Config", "# A line\u{2028}kind: Config", "KubeconfigUnreadable", "control characters"),
    ("kind: Config", "kind: Config\u{85}", "KubeconfigUnreadable", "control characters"),
    ("- name: nizwa", "- name: nizwa\n  b\u{e9}: 1", "KubeconfigUnreadable", "unknown field b?"),
    ("- name: nizwa", "- name: 1", "KubeconfigUnreadable", "name of clusters is not text"),
    ("- name: nizwa\n", "-\n", "KubeconfigUnreadable", "clusters has no name"),
    ("- name: operator", "- name: ''", "KubeconfigUnreadable", "users has no name"),
    ("- name: main\n", "-\n", "KubeconfigUnreadable", "contexts has no name"),
    (
        "    server:",
        "    servers: a\n    server:",
        "KubeconfigUnreadable",
        "cluster has the unknown",
    ),
    ("    server: https://nizwa.example:6443\n", "", "KubeconfigUnreadable", "no server"),
    (TOKEN, "bearer: x", "KubeconfigUnreadable", "user has the unknown field bearer"),
    (TOKEN, "token: 12345", "KubeconfigUnreadable", "token of user is not text: put it in quotes"),
    (TOKEN, "token: [a]", "KubeconfigUnreadable", "token of user is not text"),
    (
        "    cluster: nizwa",
        "    clusters: nizwa",
        "KubeconfigUnreadable",
        "context has the unknown",
    ),
    ("  user:\n    token: a-token", "  user: x", "KubeconfigUnreadable", "user is not a mapping"),
    ("  user:\n    token: a-token", "  more: x", "KubeconfigUnreadable", "unknown field more"),
    ("clusters:", "clusters:\n- name: b", "KubeconfigNotOne", "2 clusters"),
    ("users:", "users:\n- name: b", "KubeconfigNotOne", "2 users"),
    ("contexts:", "contexts:\n- name: b", "KubeconfigNotOne", "2 contexts"),
    (
        "    cluster: nizwa",
        "    cluster: muscat",
        "KubeconfigContextWrong",
        "cluster muscat, which",
    ),
    ("    cluster: nizwa\n", "", "KubeconfigContextWrong", "names no cluster"),
    ("    user: operator", "    user: root", "KubeconfigContextWrong", "user root, which"),
    ("context: main", "context: other", "KubeconfigContextWrong", "current-context is other"),
    ("https://nizwa.example", "http://nizwa.example", "KubeconfigPlainHttp", "http://nizwa"),
    ("https://nizwa.example", "nizwa.example", "KubeconfigServerUnusable", "begin with https"),
    ("    server:", "    tls-server-name: a_b\n    server:", "KubeconfigServerUnusable", "a DNS"),
    ("    server:", "    tls-server-name: '127.1'\n    server:", "KubeconfigServerUnusable", ""),
    ("nizwa.example:", "localhost:", "AddressRefused", "at localhost, the machine"),
    ("<authority>", "''", "KubeconfigNoAuthority", ""),
    ("<authority>", "null", "KubeconfigNoAuthority", ""),
    ("    certificate-authority-data: <authority>\n", "", "KubeconfigNoAuthority", ""),
    ("<authority>", "'-----BEGIN'", "KubeconfigAuthorityUnusable", "not base64"),
    ("<authority>", "<words>", "KubeconfigAuthorityUnusable", "no certificate"),
    ("<authority>", "<client-key>", "KubeconfigAuthorityUnusable", "no certificate"),
    (TOKEN, "{}", "KubeconfigNoLogin", ""),
    (TOKEN, "token: ''", "KubeconfigNoLogin", ""),
    (TOKEN, "token: \"\\n\"", "KubeconfigNoLogin", ""),
    (TOKEN, "token: a\n    client-key-data: b", "KubeconfigTwoLogins", ""),
    (TOKEN, "token: a token", "KubeconfigLoginBroken", "spaces"),
    (TOKEN, "token: \"a\\nb\"", "KubeconfigLoginBroken", "spaces"),
    (TOKEN, "token: m\u{fc}nchen", "KubeconfigLoginBroken", "not ASCII"),
    (
        TOKEN,
        "client-key-data: <client-key>",
        "KubeconfigLoginBroken",
        "certificate-data is missing",
    ),
    (TOKEN, "client-certificate-data: <client>", "KubeconfigLoginBroken", "key-data is missing"),
    (TOKEN, "token: &a b", "KubeconfigHasAliases", ""),
];

/// Edits of the accepted one that has a certificate, which make its login a broken one.
const LOGINS: [(&str, &str, &str); 10] = [
    ("<client-key>", "<other-key>", "client-key-data is not the key of"),
    ("<client-key>", "<client>", "client-key-data has no private key"),
    ("<client-key>", "<words>", "client-key-data has no private key"),
    ("<client-key>", "'?'", "client-key-data is not base64"),
    ("<client>", "<words>", "client-certificate-data has no certificate"),
    ("<client>", "<client-key>", "client-certificate-data has no certificate"),
    ("<client>", "LS0", "client-certificate-data is not base64"),
    ("<client>", "<authority>", "client-key-data is not the key of"),
    ("<client>", "<client-version-1>", "of a kind that TLS does not use here"),
    ("<client>", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", "is not PEM"),
];

/// Kubeconfigs that are no edit of another one.
fn whole() -> Vec<(String, &'static str, &'static str)> {
    let key = FIXTURES[4].1;
    let two_keys = CERTIFICATE.replace("<client-key>", &base64([key, key].concat()));
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_x509 = CERTIFICATE.replace("<client>", &base64(certificate));
    let long = format!("token: {}", "a".repeat(16_385));
    let unreadable = "KubeconfigUnreadable";
    vec![
        (String::new(), unreadable, ""),
        (" \n\n".to_owned(), unreadable, ""),
        ("# Nothing".to_owned(), unreadable, ""),
        ("null".to_owned(), unreadable, "it is not a mapping"),
        ("a-token".to_owned(), unreadable, "it is not a mapping"),
        ("[]".to_owned(), unreadable, "it is not a mapping"),
        ("{}".to_owned(), "KubeconfigNotOne", "0 clusters"),
        ("clusters: {}".to_owned(), unreadable, "clusters is not a list"),
        ("clusters: []".to_owned(), "KubeconfigNotOne", "0 clusters"),
        ("clusters: [1]".to_owned(), unreadable, "clusters is not a mapping"),
        ("\0".to_owned(), unreadable, "control characters"),
        ("a".repeat(65_537), "KubeconfigTooLarge", "65537 bytes"),
        (edited(TOKEN, &long), "KubeconfigLoginBroken", "16385 bytes and may have 16384"),
        (edited(TOKEN, &format!("token: a\n    {CERTIFICATE}")), "KubeconfigTwoLogins", ""),
        (edited(TOKEN, &two_keys), "KubeconfigLoginBroken", "several private keys"),
        (edited(TOKEN, &no_x509), "KubeconfigLoginBroken", "not an X.509 certificate"),
        (
            edited("<authority>", &base64(certificate)),
            "KubeconfigAuthorityUnusable",
            "a certificate that is not X.509",
        ),
        (
            edited("<authority>", &base64("-----BEGIN CERTIFICATE-----\n")),
            "KubeconfigAuthorityUnusable",
            "it is not PEM",
        ),
    ]
}

#[test]
fn what_is_wrong_is_said() {
    let edits = EDITS.map(|(from, to, name, says)| (edited(from, to), name, says));
    let logins = LOGINS.map(|(from, to, says)| {
        let text = edited(TOKEN, &CERTIFICATE.replace(from, to));
        (text, "KubeconfigLoginBroken", says)
    });
    for (text, name, says) in edits.into_iter().chain(logins).chain(whole()) {
        let Err(found) = parsed(&text) else { panic!("it is accepted: {text}") };
        assert_eq!(found.name(), name, "{found}: {text}");
        assert!(found.to_string().contains(says), "{found}: {says}");
    }
    let text = [fill(BASE).as_bytes(), b"# \xff\n"].concat();
    let found = Kubeconfig::parse(&text).expect_err("it is refused").to_string();
    assert!(found.ends_with("it is not UTF-8"), "{found}");
}

#[test]
fn a_message_shows_little_of_what_somebody_else_wrote() {
    let name = format!("\"{}\\e\u{202e}\"", "a".repeat(30_000));
    for text in [
        edited("kind: Config", &format!("? {name}\n: b")),
        edited("    cluster: nizwa", &format!("    cluster: {}", "b".repeat(30_000))),
        edited("nizwa.example:6443", &"c".repeat(30_000)),
    ] {
        let found = parsed(&text).expect_err("it is refused").to_string();
        assert!(found.len() < 400 && found.chars().all(|c| !c.is_control()), "{found}");
    }
}

#[test]
fn every_reason_has_a_case() {
    let rows = dangers::reasons().into_iter().chain(EDITS.map(|(.., name, _)| name));
    let rows = rows.chain(whole().into_iter().map(|(_, name, _)| name));
    let covered: std::collections::BTreeSet<&str> = rows.collect();
    let of_kubeconfigs = Reason::NAMES.iter().filter(|name| name.starts_with("Kubeconfig"));
    let missing: Vec<_> = of_kubeconfigs.filter(|name| !covered.contains(*name)).collect();
    assert!(missing.is_empty(), "no case is refused for {missing:?}");
}
