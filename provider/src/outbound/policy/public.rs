//! Which addresses are public: from the IANA registries of special-purpose addresses (RFC 6890 and
//! what came since), read strictly. `Ipv4Addr::is_global` is not stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Everybody on the Internet can reach this address; so calling it gives nobody more than they have.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// A list of what is not: the rest of IPv4 is given out.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // "This network" (RFC 791): Linux connects 0.0.0.0 to loopback.
        [0, ..] => true,
        // Private (RFC 1918).
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => true,
        // Carrier-grade NAT (RFC 6598): in some clouds nodes, pods, or the metadata service.
        [100, 64..=127, ..] => true,
        // Loopback.
        [127, ..] => true,
        // Link-local (RFC 3927), and there the metadata service: 169.254.169.254.
        [169, 254, ..] => true,
        // IETF protocol assignments (RFC 6890); one cloud's metadata service is here.
        [192, 0, 0, _] => true,
        // Documentation (RFC 5737).
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Relays of 6to4 (RFC 7526: withdrawn).
        [192, 88, 99, _] => true,
        // Benchmarking (RFC 2544).
        [198, 18..=19, ..] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        // Given out, but inside Azure it is the host's own agent, beside the metadata service.
        [168, 63, 129, 16] => true,
        _ => false,
    };
    !special
}

/// The other way round: of IPv6 only 2000::/3 is given out, and NAT64 is how pods that have nothing
/// but IPv6 reach the rest.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 (RFC 6052): as public as the address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // IETF protocol assignments (RFC 2928), among them Teredo, benchmarking, ORCHID.
        [0x2001, 0..=0x1ff, ..] => false,
        // Documentation (RFC 3849, RFC 9637).
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // 6to4 (RFC 7526: withdrawn) leads to the IPv4 address inside.
        [0x2002, ..] => false,
        // Global unicast (RFC 4291). Outside it: loopback, unspecified, IPv4-compatible, local NAT64
        // (RFC 8215), discard, SRv6, unique-local, link-local, site-local, multicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
