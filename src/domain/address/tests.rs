//! Addresses, judged.

use super::*;

const LOOPBACK: &str = "a loopback address";
const UNSPECIFIED: &str = "the unspecified address";
const LINK_LOCAL: &str = "a link-local address";
const MULTICAST: &str = "a multicast address";
const METADATA: &str = "the metadata address of a cloud";
const THIS_NETWORK: &str = "an address of this network";
const RESERVED: &str = "a reserved address";
const BROADCAST: &str = "the broadcast address";
const SITE_LOCAL: &str = "a site-local address, which are given up";
const TRANSLATED: &str = "an address that a translator turns into another";
const HUB: &str = "the hub's own API server";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

fn allowed(text: &str) -> Allowed {
    Allowed::parse(text).expect("a list of CIDRs")
}

/// What is said of a socket; nothing if it is allowed.
fn said(socket: SocketAddr, hub: &[SocketAddr], allowed: &Allowed) -> Option<String> {
    match judge(socket, hub, allowed) {
        Ok(()) => None,
        Err(Reason::AddressRefused { address, what }) => {
            assert_eq!(address, socket.ip().to_string());
            Some(what)
        }
        Err(reason) => panic!("{reason}"),
    }
}

#[test]
fn clusters_are_reached_through_public_and_private_networks() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.201",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.16.0.1",
        "192.0.0.193",
        "192.168.0.1",
        "223.255.255.255",
        "1.0.0.0",
        "2001:db8::1",
        "2606:4700::1111",
        "2a00::1",
        "fc00::1",
        "fd00::1",
        "fd00:ec3::254",
        "fd20:ce::253",
        "fe00::1",
        "fdff::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::",
        "2001:0:1:2:3:4:f5ff:fffe",
        "2001:1::7f00:1",
    ] {
        let socket = SocketAddr::new(address(text), 443);
        assert_eq!(said(socket, &[], &Allowed::default()), None, "{text}");
    }
}

#[test]
fn what_no_cluster_is_at_is_refused_however_it_is_written() {
    for (text, what) in [
        ("0.0.0.0", UNSPECIFIED),
        ("0.0.0.1", THIS_NETWORK),
        ("0.255.255.255", THIS_NETWORK),
        ("127.0.0.1", LOOPBACK),
        ("127.0.0.0", LOOPBACK),
        ("127.255.255.255", LOOPBACK),
        ("169.254.0.0", LINK_LOCAL),
        ("169.254.170.2", LINK_LOCAL),
        ("169.254.255.255", LINK_LOCAL),
        ("169.254.169.254", METADATA),
        ("100.100.100.200", METADATA),
        ("168.63.129.16", METADATA),
        ("192.0.0.192", METADATA),
        ("224.0.0.1", MULTICAST),
        ("239.255.255.255", MULTICAST),
        ("240.0.0.0", RESERVED),
        ("255.255.255.254", RESERVED),
        ("255.255.255.255", BROADCAST),
        ("::", UNSPECIFIED),
        ("::1", LOOPBACK),
        ("fe80::1", LINK_LOCAL),
        ("febf:ffff::1", LINK_LOCAL),
        ("fec0::1", SITE_LOCAL),
        ("feff::1", SITE_LOCAL),
        ("ff00::1", MULTICAST),
        ("ff02::1", MULTICAST),
        ("fd00:ec2::254", METADATA),
        ("fd00:ec2::23", METADATA),
        ("fd20:ce::254", METADATA),
        ("64:ff9b:1::7f00:1", TRANSLATED),
        // Mapped.
        ("::ffff:127.0.0.1", LOOPBACK),
        ("::ffff:0.0.0.0", UNSPECIFIED),
        ("::ffff:169.254.169.254", METADATA),
        ("::ffff:169.254.1.1", LINK_LOCAL),
        ("::ffff:e000:1", MULTICAST),
        ("::ffff:255.255.255.255", BROADCAST),
        ("::ffff:0:127.0.0.1", LOOPBACK),
        // Compatible.
        ("::127.0.0.1", LOOPBACK),
        ("::2", THIS_NETWORK),
        ("::169.254.169.254", METADATA),
        ("::240.0.0.1", RESERVED),
        // Translated.
        ("64:ff9b::127.0.0.1", LOOPBACK),
        ("64:ff9b::", UNSPECIFIED),
        ("64:ff9b::169.254.169.254", METADATA),
        ("64:ff9b::100.100.100.200", METADATA),
        // 6to4.
        ("2002:7f00:1::", LOOPBACK),
        ("2002:7f00:1:ffff::1", LOOPBACK),
        ("2002:a9fe:a9fe::1", METADATA),
        ("2002::1", UNSPECIFIED),
        // Teredo, with all bits turned over.
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", LOOPBACK),
        ("2001::5601:5601", METADATA),
    ] {
        for port in [1, 443, 6443] {
            let socket = SocketAddr::new(address(text), port);
            let found = said(socket, &[], &Allowed::default());
            assert_eq!(found.as_deref(), Some(what), "{text}");
        }
    }
}

#[test]
fn the_administrator_allows_what_is_refused() {
    for (list, text, expected) in [
        ("127.0.0.0/8", "127.0.0.1", None),
        ("127.0.0.0/8", "::ffff:127.0.0.1", None),
        ("127.0.0.0/8", "64:ff9b::127.0.0.1", None),
        ("127.0.0.0/8", "::1", Some(LOOPBACK)),
        ("127.0.0.0/8", "169.254.169.254", Some(METADATA)),
        ("127.0.0.1", "127.0.0.1", None),
        ("127.0.0.1", "127.0.0.2", Some(LOOPBACK)),
        ("10.0.0.0/8, ::1/128", "::1", None),
        ("169.254.0.0/16", "169.254.169.254", None),
        ("0.0.0.0/0", "255.255.255.255", None),
        ("0.0.0.0/0", "ff02::1", Some(MULTICAST)),
        ("::/0", "ff02::1", None),
        ("64:ff9b:1::/48", "64:ff9b:1::1", None),
        ("64:ff9b::/96", "64:ff9b::127.0.0.1", None),
        ("64:ff9b::/96", "127.0.0.1", Some(LOOPBACK)),
    ] {
        let socket = SocketAddr::new(address(text), 443);
        let found = said(socket, &[], &allowed(list));
        assert_eq!(found.as_deref(), expected, "{text} with {list}");
    }
}

#[test]
fn the_hubs_own_server_is_refused_unless_it_is_listed_itself() {
    let hub = ["10.96.0.1:443", "127.0.0.1:6443", "[fd00::1]:443"].map(str::parse);
    let hub = hub.map(|socket| socket.expect("a socket"));
    for (list, text, expected) in [
        ("", "10.96.0.1:443", Some(HUB)),
        ("", "10.96.0.1:6443", None),
        ("", "10.96.0.2:443", None),
        ("", "[::ffff:10.96.0.1]:443", Some(HUB)),
        ("", "[64:ff9b::10.96.0.1]:443", Some(HUB)),
        ("", "[2002:a60:1::]:443", Some(HUB)),
        ("", "[fd00::1]:443", Some(HUB)),
        ("", "127.0.0.1:6443", Some(HUB)),
        ("", "127.0.0.1:6444", Some(LOOPBACK)),
        ("127.0.0.0/8", "127.0.0.1:6443", Some(HUB)),
        ("127.0.0.0/8", "127.0.0.1:6444", None),
        ("127.0.0.0/8,127.0.0.1", "127.0.0.1:6443", None),
        ("127.0.0.1/32", "127.0.0.1:6443", None),
        ("10.0.0.0/8", "10.96.0.1:443", Some(HUB)),
        ("10.96.0.1", "10.96.0.1:443", None),
        ("10.96.0.1", "[::ffff:10.96.0.1]:443", None),
        ("fd00::1/128", "[fd00::1]:443", None),
        ("10.96.0.1", "127.0.0.1:6443", Some(HUB)),
    ] {
        let found = said(text.parse().expect("a socket"), &hub, &allowed(list));
        assert_eq!(found.as_deref(), expected, "{text} with {list}");
    }
}

#[test]
fn a_list_is_read_with_spaces_and_a_bad_part_is_named() {
    for (text, address, expected) in [
        ("", "10.0.0.1", false),
        ("  ", "10.0.0.1", false),
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        (" 10.0.0.0/8 ,\n fd00::/8 ", "fd12::1", true),
        ("10.0.0.0/32", "10.0.0.0", true),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("fd00::/8", "10.1.1.1", false),
    ] {
        assert_eq!(allowed(text).has(self::address(address)), expected, "{text}");
    }
    for (text, says) in [
        (",", "\"\" is not a CIDR: write one such as 10.8.0.0/16"),
        ("10.0.0.0/8,", "\"\" is not a CIDR"),
        ("10.0.0.0/8, loopback", "\"loopback\" is not a CIDR"),
        ("10.0.0.0/33", "\"10.0.0.0/33\" is not a CIDR"),
        ("10.0.0.0/-1", "\"10.0.0.0/-1\" is not a CIDR"),
        ("10.0.0/8", "\"10.0.0/8\" is not a CIDR"),
        ("010.0.0.0/8", "\"010.0.0.0/8\" is not a CIDR"),
        ("10.0.0.0/8 fd00::/8", "\"10.0.0.0/8 fd00::/8\" is not a CIDR"),
        ("10.0.0.1/8", "\"10.0.0.1/8\" has bits after its length: write 10.0.0.0/8"),
        ("fd00::1/8", "\"fd00::1/8\" has bits after its length: write fd00::/8"),
    ] {
        let found = Allowed::parse(text).expect_err(text).to_string();
        assert!(found.starts_with(says), "{found}");
    }
}
