//! Addresses of servers, as text.

use super::*;

const UNUSABLE: &str = "KubeconfigServerUnusable";

/// Addresses that are refused, and for which reason.
const REFUSED: [(&str, &str); 86] = [
    ("http://a", "KubeconfigPlainHttp"),
    ("HTTP://a:6443", "KubeconfigPlainHttp"),
    ("http://user:word@a", "KubeconfigPlainHttp"),
    ("https://localhost", "AddressRefused"),
    ("https://LocalHost:6443", "AddressRefused"),
    ("https://a.localhost", "AddressRefused"),
    ("https://localhost./", UNUSABLE),
    ("", UNUSABLE),
    ("a", UNUSABLE),
    ("a:6443", UNUSABLE),
    ("//a", UNUSABLE),
    ("https:a", UNUSABLE),
    ("https:/a", UNUSABLE),
    ("https:\\\\a", UNUSABLE),
    ("HTTPS://a", UNUSABLE),
    (" https://a", UNUSABLE),
    ("https://a ", UNUSABLE),
    ("https://a\n", UNUSABLE),
    ("file:///etc/passwd", UNUSABLE),
    ("unix:///run/x", UNUSABLE),
    ("https://", UNUSABLE),
    ("https:///a", UNUSABLE),
    ("https://:6443", UNUSABLE),
    ("https://user@a", UNUSABLE),
    ("https://user:word@a", UNUSABLE),
    ("https://a@b@c", UNUSABLE),
    ("https://a?b", UNUSABLE),
    ("https://a#b", UNUSABLE),
    ("https://a\\b", UNUSABLE),
    ("https://a\\@b", UNUSABLE),
    ("https://%61", UNUSABLE),
    ("https://a/%2e%2e/b", UNUSABLE),
    ("https://a/?b=c", UNUSABLE),
    ("https://a/#b", UNUSABLE),
    ("https://a/b\\c", UNUSABLE),
    ("https://a/b c", UNUSABLE),
    ("https://a/./b", UNUSABLE),
    ("https://a/../b", UNUSABLE),
    ("https://a/b/..", UNUSABLE),
    ("https://a//", UNUSABLE),
    ("https://a//b", UNUSABLE),
    ("https://a/b;c", UNUSABLE),
    ("https://a/@b", UNUSABLE),
    ("https://a:", UNUSABLE),
    ("https://a:0", UNUSABLE),
    ("https://a:0443", UNUSABLE),
    ("https://a:65536", UNUSABLE),
    ("https://a:+1", UNUSABLE),
    ("https://a:-1", UNUSABLE),
    ("https://a:1:2", UNUSABLE),
    ("https://a:b", UNUSABLE),
    ("https://a.", UNUSABLE),
    ("https://.a", UNUSABLE),
    ("https://a..b", UNUSABLE),
    ("https://-a", UNUSABLE),
    ("https://a-", UNUSABLE),
    ("https://a_b", UNUSABLE),
    ("https://*.a", UNUSABLE),
    ("https://münchen", UNUSABLE),
    ("https://ａ", UNUSABLE),
    ("https://①.①.①.①", UNUSABLE),
    ("https://2130706433", UNUSABLE),
    ("https://0x7f000001", UNUSABLE),
    ("https://0x", UNUSABLE),
    ("https://a.0X7F", UNUSABLE),
    ("https://0177.0.0.1", UNUSABLE),
    ("https://127.1", UNUSABLE),
    ("https://127.0.0.1.", UNUSABLE),
    ("https://1.2.3", UNUSABLE),
    ("https://1.2.3.4.5", UNUSABLE),
    ("https://1.2.3.256", UNUSABLE),
    ("https://01.2.3.4", UNUSABLE),
    ("https://1.2.3.0x4", UNUSABLE),
    ("https://a.1", UNUSABLE),
    ("https://::1", UNUSABLE),
    ("https://[::1", UNUSABLE),
    ("https://::1]", UNUSABLE),
    ("https://[::1]x", UNUSABLE),
    ("https://[::1]:", UNUSABLE),
    ("https://[[::1]]", UNUSABLE),
    ("https://[fe80::1%25eth0]", UNUSABLE),
    ("https://[fe80::1%eth0]", UNUSABLE),
    ("https://[1.2.3.4]", UNUSABLE),
    ("https://[::ffff:1.2.3.04]", UNUSABLE),
    ("https://[a]", UNUSABLE),
    ("https://[]", UNUSABLE),
];

#[test]
fn an_address_means_one_place() {
    let long = format!("{}.{}", "a".repeat(63), "b".repeat(63));
    let rows: [(&str, &str); 26] = [
        ("https://a", "https://a:443"),
        ("https://a/", "https://a:443"),
        ("https://a:443", "https://a:443"),
        ("https://a:1", "https://a:1"),
        ("https://a:65535", "https://a:65535"),
        ("https://API.Nizwa.Example", "https://api.nizwa.example:443"),
        ("https://a-b.c--d.e1", "https://a-b.c--d.e1:443"),
        ("https://1a.2b", "https://1a.2b:443"),
        ("https://1.2.3.4.example", "https://1.2.3.4.example:443"),
        ("https://0x7g", "https://0x7g:443"),
        ("https://xn--mnchen-3ya.de", "https://xn--mnchen-3ya.de:443"),
        ("https://notlocalhost", "https://notlocalhost:443"),
        ("https://localhost.example", "https://localhost.example:443"),
        (&format!("https://{long}"), &format!("https://{long}:443")),
        ("https://10.0.0.1:6443", "https://10.0.0.1:6443"),
        ("https://255.255.255.255", "https://255.255.255.255:443"),
        ("https://127.0.0.1", "https://127.0.0.1:443"),
        ("https://[fd00::1]", "https://[fd00::1]:443"),
        ("https://[FD00:0:0::1]:6443/", "https://[fd00::1]:6443"),
        ("https://[::ffff:10.0.0.1]:1", "https://[::ffff:10.0.0.1]:1"),
        ("https://[::]", "https://[::]:443"),
        ("https://a/k8s/clusters/c-1", "https://a:443/k8s/clusters/c-1"),
        ("https://a:8/x/", "https://a:8/x"),
        ("https://a/A_b~c.d-e", "https://a:443/A_b~c.d-e"),
        ("https://a/...", "https://a:443/..."),
        ("https://a/.well", "https://a:443/.well"),
    ];
    for (text, expected) in rows {
        let server = Server::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(server.to_string(), expected);
        assert_eq!(Server::parse(expected).as_ref(), Ok(&server), "{expected}");
    }
}

#[test]
fn an_address_that_could_mean_two_places_is_refused() {
    let (label, name) = ("a".repeat(64), format!("{}a", "a.".repeat(127)));
    for (text, expected) in REFUSED {
        let found = Server::parse(text).expect_err(text);
        assert_eq!(found.name(), expected, "{text}: {found}");
    }
    for text in [label, name, "a".repeat(4000)] {
        let found = Server::parse(&format!("https://{text}")).expect_err(&text);
        assert_eq!(found.name(), UNUSABLE, "{text}");
        assert!(found.to_string().len() < 300, "{found}");
    }
}

#[test]
fn what_is_shown_of_an_address_is_no_secret() {
    for text in ["https://user:word@a", "user:word@a", "https://a?word", "http://u:word@a#word"] {
        let found = Server::parse(text).expect_err(text).to_string();
        assert!(!found.contains("word"), "{found}");
    }
    let found = Server::parse("https://a\u{202e}b\u{7}").expect_err("it is refused");
    assert!(found.to_string().contains("https://a?b?"), "{found}");
}
