//! Where something of ours may connect when somebody else says where: never to the machine it runs
//! on, to what tells a machine its secrets, or to the hub's own API server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::reason::Reason;

/// Addresses that answer a machine's questions about itself, with its credentials among them, in
/// the clouds where they are not link-local.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Addresses that the hub's administrator allows although they are refused by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<IpNet>);

/// A part of a list of addresses that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} {why}")]
pub struct Invalid {
    /// As it is written, without the spaces around it.
    pub part: String,
    /// What is wrong with it, and what to write.
    pub why: String,
}

impl Allowed {
    /// Reads CIDRs with commas between them, and spaces where one likes. An address without a
    /// length stands for itself; a text of nothing but spaces allows nothing.
    ///
    /// # Errors
    /// A part is no CIDR, or says more than its length covers.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|part| block(part.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the address, or the IPv4 address that hides in it, is in one of the CIDRs.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let is_in = |address: IpAddr| self.0.iter().any(|block| block.contains(&address));
        is_in(address) || is_in(bare(address))
    }

    /// Whether the address itself is listed, and not only a range around it.
    fn names(&self, address: IpAddr) -> bool {
        self.0.iter().any(|block| {
            block.prefix_len() == block.max_prefix_len() && bare(block.addr()) == bare(address)
        })
    }
}

/// One CIDR. The address in it is read by the strict rules of the standard library, which take no
/// leading zeros, since these mean octal numbers to others.
fn block(part: &str) -> Result<IpNet, Invalid> {
    let invalid = |why: &str| Invalid { part: part.to_owned(), why: why.to_owned() };
    let (address, length) = part.split_once('/').unzip();
    let address = address.unwrap_or(part).parse::<IpAddr>().ok();
    let block = address.and_then(|address| match length {
        None => Some(address.into()),
        Some(length) if length.starts_with('+') => None,
        Some(length) => IpNet::new(address, length.parse().ok()?).ok(),
    });
    let block = block.ok_or_else(|| invalid("is not a CIDR: write one such as 10.8.0.0/16"))?;
    if block.trunc() != block {
        return Err(invalid(&format!("has bits after its length: write {}", block.trunc())));
    }
    Ok(block)
}

/// Whether something of ours may connect there; `hub` are the sockets of the hub's own API server.
///
/// An IPv4 address that hides in an IPv6 one is judged as what it is. Private networks are allowed,
/// since clusters are peered through them. `allowed` lifts what is said of an address, and the
/// hub's sockets only where it lists their address itself, so that a range around the hub does not
/// open the hub.
///
/// # Errors
/// [`Reason::AddressRefused`], which says what kind of address it is.
pub fn judge(socket: SocketAddr, hub: &[SocketAddr], allowed: &Allowed) -> Result<(), Reason> {
    let address = socket.ip();
    let is_hub = |it: &SocketAddr| bare(it.ip()) == bare(address) && it.port() == socket.port();
    let what = if hub.iter().any(is_hub) && !allowed.names(address) {
        Some("the hub's own API server")
    } else if allowed.has(address) {
        None
    } else {
        kind(address)
    };
    let refused =
        |what: &str| Reason::AddressRefused { address: address.to_string(), what: what.to_owned() };
    what.map_or(Ok(()), |what| Err(refused(what)))
}

/// The IPv4 address that an IPv6 one stands for, or the address as it is.
fn bare(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(whole) => hidden(whole).map_or(address, IpAddr::V4),
    }
}

/// The IPv4 address to which a translator or a tunnel brings what is sent to an IPv6 address.
fn hidden(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let joined = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Mapped, compatible (which nobody uses any more), and translated by NAT64.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(joined(high, low))
        }
        // Translated without state, and 6to4.
        [0, 0, 0, 0, 0xffff, 0, high, low] | [0x2002, high, low, ..] => Some(joined(high, low)),
        // Teredo, which turns all bits over.
        [0x2001, 0, .., high, low] => Some(joined(!high, !low)),
        _ => None,
    }
}

/// What is said of an address where no cluster can be; none of all others.
fn kind(address: IpAddr) -> Option<&'static str> {
    let address = bare(address);
    if METADATA.contains(&address) {
        return Some("the metadata address of a cloud");
    }
    if address.is_unspecified() {
        return Some("the unspecified address");
    }
    if address.is_loopback() {
        return Some("a loopback address");
    }
    if address.is_multicast() {
        return Some("a multicast address");
    }
    match address {
        IpAddr::V4(address) if address.is_broadcast() => Some("the broadcast address"),
        IpAddr::V4(address) if address.is_link_local() => Some("a link-local address"),
        IpAddr::V4(address) => match address.octets() {
            [0, ..] => Some("an address of this network"),
            [240..=255, ..] => Some("a reserved address"),
            _ => None,
        },
        IpAddr::V6(address) => match address.segments() {
            [0xfe80..=0xfebf, ..] => Some("a link-local address"),
            [0xfec0..=0xfeff, ..] => Some("a site-local address, which are given up"),
            [0xfd00, 0xec2, ..] => Some("the metadata address of a cloud"),
            // Where a translator of a network puts an IPv4 address in it, only that network knows.
            [0x64, 0xff9b, 1, ..] => Some("an address that a translator turns into another"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests;
