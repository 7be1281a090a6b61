//! What a kubeconfig could do to whoever uses it.

use super::*;

/// What is dangerous, the worst first: in the user or in the cluster, and what is said of it.
const DANGERS: [(&str, &str); 19] = [
    ("user: exec: {command: sh}", "KubeconfigExec"),
    ("user: auth-provider: {name: oidc}", "KubeconfigAuthProvider"),
    ("user: tokenFile: /var/run/token", "KubeconfigTokenFile"),
    ("user: client-certificate: a.pem", "KubeconfigFilePath"),
    ("user: client-key: a.pem", "KubeconfigFilePath"),
    ("cluster: certificate-authority: a.pem", "KubeconfigFilePath"),
    ("cluster: insecure-skip-tls-verify: true", "KubeconfigInsecure"),
    ("cluster: insecure-skip-tls-verify: 'false'", "KubeconfigInsecure"),
    ("cluster: insecure-skip-tls-verify: 1", "KubeconfigInsecure"),
    ("user: as: root", "KubeconfigImpersonates"),
    ("user: as-uid: '0'", "KubeconfigImpersonates"),
    ("user: as-groups: ['system:masters']", "KubeconfigImpersonates"),
    ("user: as-user-extra: {a: [b]}", "KubeconfigImpersonates"),
    ("user: username: root", "KubeconfigPassword"),
    ("user: password: word", "KubeconfigPassword"),
    ("cluster: proxy-url: 'http://carrier.example'", "KubeconfigProxy"),
    ("cluster: proxy-url: 'socks5://a'", "KubeconfigProxy"),
    ("user: tokenFile: false", "KubeconfigTokenFile"),
    ("cluster: proxy-url: {}x", "KubeconfigUnreadable"),
];

/// The accepted one with these fields in addition.
fn with(dangers: &[&str]) -> String {
    dangers.iter().fold(fill(BASE), |text, danger| {
        let (place, field) = danger.split_once(": ").expect("a place");
        text.replace(&format!("  {place}:\n"), &format!("  {place}:\n    {field}\n"))
    })
}

fn judged(text: &str) -> &'static str {
    parsed(text).expect_err(text).name()
}

#[test]
fn nothing_dangerous_is_ever_accepted() {
    for (danger, expected) in DANGERS {
        assert_eq!(judged(&with(&[danger])), expected, "{danger}");
    }
    let odd = ["exec: {}", "exec: ''", "exec: []", "exec: false", "auth-provider: {}"];
    for field in odd {
        let found = judged(&with(&[&format!("user: {field}")]));
        assert!(["KubeconfigExec", "KubeconfigAuthProvider"].contains(&found), "{field}: {found}");
    }
}

#[test]
fn the_most_dangerous_is_told_first() {
    let dangers = DANGERS.get(..17).expect("all that can be read");
    for (index, (worse, expected)) in dangers.iter().enumerate() {
        for (better, _) in dangers.iter().skip(index + 1) {
            let field = |danger: &str| danger.split(": ").nth(1).map(str::to_owned);
            if field(worse) != field(better) {
                assert_eq!(judged(&with(&[better, worse])), *expected, "{worse} and {better}");
            }
        }
    }
}

#[test]
fn what_is_dangerous_is_told_before_what_is_only_wrong() {
    for (from, to) in [
        ("kind: Config", "kind: Secret"),
        ("kind: Config", "unknown: 1"),
        ("users:", "users:\n- name: other\n  user: {token: b}"),
        ("    cluster: nizwa", "    cluster: muscat"),
        ("https://nizwa.example:6443", "http://nizwa.example"),
        ("certificate-authority-data: <authority>", "certificate-authority-data: ''"),
        (TOKEN, "token: 1"),
        (TOKEN, "unknown: 1"),
        ("- name: nizwa", "- unknown: nizwa"),
    ] {
        let text = edited(from, to).replace("  user:\n", "  user:\n    exec: {command: sh}\n");
        assert_eq!(judged(&text), "KubeconfigExec", "{to}");
    }
    let hidden = "users:\n- name: other\n  user: {exec: {command: sh}}";
    assert_eq!(judged(&edited("users:", hidden)), "KubeconfigExec");
    let hidden = "clusters:\n- cluster: {insecure-skip-tls-verify: true}";
    assert_eq!(judged(&edited("clusters:", hidden)), "KubeconfigInsecure");
}

#[test]
fn a_command_is_never_run() {
    let exec = "exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: sh\n      \
                args: ['-c', 'touch x']\n      interactiveMode: Never";
    let found = parsed(&edited(TOKEN, exec)).expect_err("it is refused");
    assert_eq!(found, Reason::KubeconfigExec {});
    assert!(found.to_string().contains("never does: use a token"), "{found}");
}

/// The reasons of this table, each given by a case of it.
pub(super) fn reasons() -> Vec<&'static str> {
    DANGERS.iter().map(|(_, reason)| *reason).collect()
}
