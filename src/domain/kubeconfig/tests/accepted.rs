//! What is accepted, and what it means.

use super::*;

#[test]
fn the_same_written_in_other_ways_is_the_same() {
    let rows = [
        ("apiVersion: v1", "# A comment with 'a quote, & and * and !\napiVersion: v1"),
        ("apiVersion: v1", "---\napiVersion: v1"),
        ("apiVersion: v1", "--- # the first\napiVersion: v1"),
        ("apiVersion: v1", "\u{feff}apiVersion: v1"),
        ("apiVersion: v1", "\n\n  \napiVersion: 'v1' # quoted"),
        ("apiVersion: v1\n", ""),
        ("kind: Config\n", ""),
        ("kind: Config", "preferences: {}\nkind: Config"),
        ("kind: Config", "preferences:\n  colors: true\nkind: Config"),
        ("kind: Config", "preferences: null\nextensions: []\nkind: Config"),
        ("kind: Config", "extensions:\n- name: a\n  extension: {b: [1, 2]}\nkind: Config"),
        ("kind: Config", "\"kind\": \"Config\""),
        ("- name: nizwa", "- 'name'  :   nizwa"),
        ("- name: nizwa", "-\n  name: nizwa"),
        ("- name: nizwa\n  cluster:\n", "- name: nizwa\n\n  cluster: # here\n\n"),
        (TOKEN, "token: 'a-token'"),
        (TOKEN, "token: \"a-token\""),
        (TOKEN, "\"token\": \"a\\x2dtoken\""),
        (TOKEN, "token: \"a-token\\n\""),
        (TOKEN, "token: \"a-token\\r\\n\""),
        (TOKEN, "token: |\n      a-token"),
        (TOKEN, "token: |-\n      a-token"),
        (TOKEN, "token: >  # in a block\n      a-token"),
        (TOKEN, "token: a-token\n    extensions: null"),
        (TOKEN, "{token: a-token}"),
        (TOKEN, "{\n      \"token\":\"a-token\" # in brackets\n    }"),
        (
            TOKEN,
            "token: a-token\n    exec: null\n    tokenFile: ''\n    as: \"\"\n    as-groups: []",
        ),
        (TOKEN, "token: a-token\n    client-certificate: ''\n    client-key-data: ''"),
        (TOKEN, "token: a-token\n    username: ''\n    password: ~\n    as-user-extra: {}"),
        ("    server:", "    insecure-skip-tls-verify: false\n    server:"),
        ("    server:", "    proxy-url: \"\"\n    server:"),
        ("    server:", "    disable-compression: true\n    server:"),
        ("    server:", "    certificate-authority: ''\n    server:"),
        ("    server:", "    extensions: [{name: x, extension: {provider: y}}]\n    server:"),
        ("https://nizwa.example:6443", "'https://NIZWA.example:6443/'"),
        ("    user: operator", "    user: operator\n    namespace: kube-system"),
        ("    user: operator", "    user: operator\n    extensions: []"),
        ("current-context: main\n", ""),
        ("current-context: main", "current-context: ''"),
        ("current-context: main\n", "current-context: main"),
        ("current-context: main\n", "current-context: main\n# The end.\n\n"),
    ];
    for (from, to) in rows {
        let (base, found) = (base(), parsed(&edited(from, to)));
        let found = found.unwrap_or_else(|reason| panic!("{to}: {reason}"));
        assert!(found == base && found.digest() == base.digest(), "{to}");
    }
    for text in [
        fill(BASE).replace('\n', "\r\n"),
        fill(BASE).replace('\n', "\r"),
        fill(BASE).replace("<authority>", "|\n      <authority>"),
    ] {
        assert!(parsed(&text).expect("it is accepted") == base(), "{text}");
    }
}

#[test]
fn json_is_read_too() {
    let json = |indent: &str| {
        let text = r#"{
"apiVersion": "v1", "kind":"Config", "preferences": {},
"clusters": [{"name":"nizwa","cluster":{
"certificate-authority-data":"<authority>","server":"https:\/\/nizwa.example:6443"}}],
"users": [ {"name": "operator", "user": {"token": "a-token"}} ],
"contexts": [{"name":"main","context":{"cluster":"nizwa","user":"operator"}}],
"current-context": "main"
}"#;
        fill(&text.replace('\n', &format!("\n{indent}")))
    };
    for text in [json(""), json("    "), json("\t"), json("").replace('\n', "")] {
        assert!(parsed(&text).expect("it is accepted") == base(), "{text}");
    }
}

#[test]
fn it_says_where_whom_to_trust_and_who_we_are() {
    let found = base();
    assert_eq!(found.server.to_string(), "https://nizwa.example:6443");
    assert_eq!(found.authority.len(), 1);
    assert_eq!(found.tls_server_name, None);
    assert!(found.login == Login::Token("a-token".to_owned()));
    for (name, expected) in [
        ("kubernetes.default.svc", "kubernetes.default.svc"),
        ("KUBERNETES", "kubernetes"),
        ("10.0.0.1", "10.0.0.1"),
        ("'fd00:0::1'", "fd00::1"),
    ] {
        let text = edited("    server:", &format!("    tls-server-name: {name}\n    server:"));
        let found = parsed(&text).expect("it is accepted");
        assert_eq!(found.tls_server_name.as_deref(), Some(expected));
    }
    let two = base64([FIXTURES[0].1, "and another:\n", CLIENT].concat());
    let found = parsed(&edited("<authority>", &two)).expect("it is accepted");
    assert_eq!(found.authority.len(), 2);
}

#[test]
fn a_certificate_is_kept_with_its_key_and_with_nothing_else() {
    let expected = Login::Certificate {
        chain_pem: CLIENT.as_bytes().to_vec(),
        key_pem: FIXTURES[4].1.as_bytes().to_vec(),
    };
    let around = base64(format!("subject=operator\r\n{}\r\n\r\n", CLIENT.trim()));
    for text in [
        edited(TOKEN, CERTIFICATE),
        edited(TOKEN, &CERTIFICATE.replace("<client>", "'<client>'")),
        edited(TOKEN, &CERTIFICATE.replace("<client>", &around)),
        edited(TOKEN, &format!("{CERTIFICATE}\n    token: ''")),
        edited(TOKEN, &CERTIFICATE.replace(": <", ": |\n      <")),
    ] {
        assert!(parsed(&text).expect("it is accepted").login == expected, "{text}");
    }
    let chain = base64([CLIENT, FIXTURES[0].1].concat());
    let found = parsed(&edited(TOKEN, &CERTIFICATE.replace("<client>", &chain)));
    let Ok(Kubeconfig { login: Login::Certificate { chain_pem, .. }, .. }) = found else {
        panic!("a chain is accepted")
    };
    assert_eq!(chain_pem, [CLIENT, FIXTURES[0].1].concat().into_bytes());
}

#[test]
fn credentials_say_while_they_are_good() {
    let token = |claims: &str| {
        use ::base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let text = format!("token: e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        edited(TOKEN, &text)
    };
    let (start, end) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let both = Some((Some(start), end));
    let for_ever = CERTIFICATE.replace("<client>", "<client-for-ever>");
    for (text, expected) in [
        (fill(BASE), None),
        (edited(TOKEN, "token: a.b.c"), None),
        (edited(TOKEN, "token: 'a.!!!.c'"), None),
        (token("{}"), None),
        (token(r#"{"iat":1767225600}"#), None),
        (token(r#"{"exp":"soon"}"#), None),
        (token(r#"{"exp":-99999999999999999}"#), None),
        (token("[1798761600]"), None),
        (token(r#"{"exp":1798761600}"#), Some((None, end))),
        (token(r#"{"exp":1798761600,"nbf":"x"}"#), Some((None, end))),
        (token(r#"{"exp":1798761600,"iat":1767225600}"#), both),
        (token(r#"{"exp":1798761600.75,"iat":1,"nbf":1767225600.5}"#), both),
        (edited(TOKEN, CERTIFICATE), both),
        (edited(TOKEN, &for_ever), Some((Some(start), "9999-12-30T22:00:00.999999999Z"))),
    ] {
        let found = parsed(&text).expect("it is accepted").validity();
        let instant = |text: &str| text.parse().expect("an instant");
        let expected = expected.map(|(from, until): (Option<&str>, &str)| Validity {
            from: from.map(instant),
            until: instant(until),
        });
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn every_part_counts_in_the_digest() {
    let texts = [
        fill(BASE),
        edited("nizwa.example:6443", "nizwa.example:6444"),
        edited("nizwa.example:6443", "nizwa.example:6443/a"),
        edited("    server:", "    tls-server-name: a\n    server:"),
        edited("<authority>", &base64([FIXTURES[0].1, CLIENT].concat())),
        edited("<authority>", "<client>"),
        edited(TOKEN, "token: a-tokem"),
        edited(TOKEN, CERTIFICATE),
        edited(TOKEN, &CERTIFICATE.replace("<client>", "<client-for-ever>")),
    ];
    let mut digests: Vec<_> =
        texts.iter().map(|text| parsed(text).expect("it is accepted").digest()).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), texts.len());
}

#[test]
fn the_first_key_that_is_there_is_opened() {
    let good = fill(BASE).into_bytes();
    let bad = b"no".to_vec();
    let open = |key: Option<&str>, data: &[(&str, &Vec<u8>)]| {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).clone()));
        let result = Kubeconfig::open("login", key, &data.collect());
        result.map(|_| ()).map_err(|reason| reason.name())
    };
    for (key, data, expected) in [
        (None, vec![("value", &good)], Ok(())),
        (None, vec![("config", &good)], Ok(())),
        (None, vec![("kubeconfig", &good), ("config", &bad)], Ok(())),
        (None, vec![("value", &bad), ("kubeconfig", &good)], Err("KubeconfigUnreadable")),
        (Some("mine"), vec![("mine", &good), ("value", &bad)], Ok(())),
        (Some("mine"), vec![("value", &good)], Err("SecretKeyMissing")),
        (None, vec![("mine", &good)], Err("SecretKeyMissing")),
        (None, vec![], Err("SecretKeyMissing")),
    ] {
        assert_eq!(open(key, &data), expected, "{key:?}");
    }
    let text = |key| {
        let missing = Kubeconfig::open("login", key, &BTreeMap::new());
        missing.expect_err("nothing is there").to_string()
    };
    assert!(text(None).starts_with("Secret login has no kubeconfig under value, kubeconfig or"));
    assert!(text(Some("mine")).starts_with("Secret login has no kubeconfig under mine:"));
}

#[test]
fn a_secret_is_not_printed() {
    let login = parsed(&edited(TOKEN, CERTIFICATE)).expect("it is accepted");
    for found in [&base(), &login] {
        let text = format!("{found:?} {:?} {:?}", found.login, found.digest());
        assert!(text.starts_with("Kubeconfig(https://nizwa.example:6443, "), "{text}");
        assert!(text.len() < 120 && !text.contains("a-token"), "{text}");
    }
}
