//! Kubeconfigs, judged. A case is an edit of one that is accepted, so that what it is about can be
//! seen.

use super::*;

mod accepted;
mod dangers;
mod random;
mod refused;
mod servers;
mod texts;

/// A kubeconfig that is accepted. Words in angle brackets stand for what is in `fixtures`.
const BASE: &str = "\
apiVersion: v1
kind: Config
clusters:
- name: nizwa
  cluster:
    server: https://nizwa.example:6443
    certificate-authority-data: <authority>
users:
- name: operator
  user:
    token: a-token
contexts:
- name: main
  context:
    cluster: nizwa
    user: operator
current-context: main
";
const TOKEN: &str = "token: a-token";
const CERTIFICATE: &str = "client-certificate-data: <client>\n    client-key-data: <client-key>";

const CLIENT: &str = include_str!("fixtures/client.pem");
const FIXTURES: [(&str, &str); 7] = [
    ("<authority>", include_str!("fixtures/authority.pem")),
    ("<client>", CLIENT),
    ("<client-version-1>", include_str!("fixtures/client-version-1.pem")),
    ("<client-for-ever>", include_str!("fixtures/client-for-ever.pem")),
    ("<client-key>", include_str!("fixtures/client-key.pem")),
    ("<other-key>", include_str!("fixtures/other-key.pem")),
    ("<words>", "Not PEM.\n"),
];

fn base64(text: impl AsRef<[u8]>) -> String {
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

fn fill(text: &str) -> String {
    FIXTURES.iter().fold(text.to_owned(), |text, (name, pem)| text.replace(name, &base64(pem)))
}

/// The accepted one with one place of it written otherwise.
fn edited(from: &str, to: &str) -> String {
    assert_eq!(BASE.matches(from).count(), 1, "{from} is not at one place");
    fill(&BASE.replace(from, to))
}

fn parsed(text: &str) -> Result<Kubeconfig, Reason> {
    Kubeconfig::parse(text.as_bytes())
}

fn base() -> Kubeconfig {
    parsed(&fill(BASE)).expect("the base is accepted")
}
