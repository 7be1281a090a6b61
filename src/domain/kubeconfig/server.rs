//! The address of a server, read so that no two readers can mean two things by it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::tree::shown;
use crate::domain::reason::Reason;

/// The longest address of a server, in bytes.
const LENGTH_MAX: usize = 2048;
const PORT: u16 = 443;

/// Where a server is: `https://host:port/path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// The machine.
    pub host: Host,
    /// From 1; 443 where none is written.
    pub port: u16,
    /// Empty, or segments that each begin with a slash; none at the end.
    pub path: String,
}

/// The machine that a server is on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name, in lower case and without a dot at the end.
    Name(String),
    /// An address, as it is written: an IPv4 address in an IPv6 one stays there.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "https://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Server {
    /// Reads `https://host[:port][/path]`.
    pub(super) fn parse(text: &str) -> Result<Self, Reason> {
        let unusable = |why: &str| Reason::KubeconfigServerUnusable {
            server: shown(&without_secrets(text)),
            why: why.to_owned(),
        };
        if text.len() > LENGTH_MAX {
            return Err(unusable("it is longer than 2048 bytes"));
        }
        if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://")) {
            return Err(Reason::KubeconfigPlainHttp { server: shown(&without_secrets(text)) });
        }
        let rest = text.strip_prefix("https://");
        let rest = rest.ok_or_else(|| unusable("it does not begin with https://"))?;
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = place_of(place).map_err(unusable)?;
        if host == "localhost" || host.ends_with(".localhost") {
            let what = "the machine that the operator runs on".to_owned();
            return Err(Reason::AddressRefused { address: host, what });
        }
        let host = Host::parse(&host).map_err(unusable)?;
        let path = path_of(path).map_err(unusable)?;
        Ok(Self { host, port, path })
    }
}

/// The host, still as text and in lower case, and the port.
fn place_of(place: &str) -> Result<(String, u16), &'static str> {
    // Each of these means one thing to some readers and another to others.
    for (c, why) in [
        ('@', "it names a user"),
        ('?', "it has a query"),
        ('#', "it has a fragment"),
        ('\\', "it has a backslash"),
        ('%', "it has a percent sign"),
    ] {
        if place.contains(c) {
            return Err(why);
        }
    }
    if !place.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has spaces, or letters beyond a to z");
    }
    let (host, port) = match place.rfind(']') {
        Some(end) => place.split_at(end + 1),
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => PORT,
        None => return Err("something other than a port follows its host"),
        Some(digits) => port_of(digits).ok_or("its port is not a number from 1 to 65535")?,
    };
    if host.is_empty() { Err("it names no host") } else { Ok((host.to_ascii_lowercase(), port)) }
}

fn port_of(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| is_number)
}

fn path_of(path: &str) -> Result<String, &'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    for segment in path.split('/').skip(1) {
        let is_plain =
            segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
        if segment.is_empty() || [".", ".."].contains(&segment) || !is_plain {
            return Err("its path has more than plain words between slashes");
        }
    }
    Ok(path.to_owned())
}

impl Host {
    /// Reads a host as addresses have it: IPv6 in brackets.
    fn parse(host: &str) -> Result<Self, &'static str> {
        let Some(inner) = host.strip_prefix('[') else { return Self::bare(host) };
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        address.map(|address| Self::Address(address.into())).ok_or("its IPv6 address is none")
    }

    /// Reads a DNS name or an IPv4 address. What other readers take for an address, such as
    /// `127.1` or `0x7f000001`, is neither.
    fn bare(host: &str) -> Result<Self, &'static str> {
        let last = host.rsplit('.').next().unwrap_or_default();
        let is_hexadecimal = last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let is_decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        if is_hexadecimal || is_decimal {
            let address = host.parse::<Ipv4Addr>();
            let why = "its host is a number, and not four with dots between them";
            return address.map(|address| Self::Address(address.into())).map_err(|_| why);
        }
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err("its host is not a DNS name");
        }
        Ok(Self::Name(host.to_owned()))
    }

    /// Reads the name that a certificate is for: a DNS name or an address, without brackets.
    pub(super) fn of_certificate(text: &str) -> Option<String> {
        match text.parse::<Ipv6Addr>() {
            Ok(address) => Some(address.to_string()),
            Err(_) => Self::bare(&text.to_ascii_lowercase()).ok().map(|host| host.to_string()),
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The address without what may be a secret: a user before the host, and a query.
fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match (text.split_once("//"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}//...@{host}"),
        (None, Some((_, host))) => format!("...@{host}"),
        _ => text.to_owned(),
    }
}
