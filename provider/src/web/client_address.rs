//! Where a request comes from: the peer of its connection, or who a trusted proxy says was its own.
//!
//! Each proxy adds the address of its peer at the right end of one header. So of N trusted proxies the
//! outermost wrote the Nth entry from the right; what stands left of that a client may have
//! written itself, and nobody reads it. The header is a setting too: a proxy that keeps one of
//! the two passes the other on as the client sent it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Once;

use http::{HeaderMap, HeaderName};

const FORWARDED: HeaderName = http::header::FORWARDED;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// So that it is told once.
static UNTRUSTED: Once = Once::new();

/// Where a request comes from. IPv4 is never in its IPv6 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(IpAddr);

/// The proxies between clients and this pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// How many there are on every way to this pod; with none no header is read.
    pub count: usize,
    /// What they write.
    pub header: ProxyHeader,
}

/// The header that proxies write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, which most write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ClientAddress {
    /// This one.
    pub(crate) fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// Of a request with these `headers` from `peer`. It is the peer too where the entry is missing or
    /// is no address: then somebody came another way, or the setting is wrong.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, proxies: TrustedProxies) -> Self {
        if proxies.may_be_missing(headers) {
            UNTRUSTED.call_once(|| {
                tracing::warn!(
                    "a login came with X-Forwarded-For or Forwarded, and no proxy is trusted (--trusted-proxies of claviger \
                     provider): if one wrote it, all people behind it are one address, and whoever guesses passwords slows \
                     all of them down"
                );
            });
        }
        Self::new(proxies.told(headers).unwrap_or(peer))
    }

    /// What throttles count: the address, or of IPv6 the /64, which is what one subscriber has at
    /// the least and can change addresses within as it likes.
    pub(crate) fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        }
    }
}

impl TrustedProxies {
    /// Whether somebody seems to be between clients and this pod of whom the settings do not know.
    fn may_be_missing(self, headers: &HeaderMap) -> bool {
        self.count == 0 && (headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED))
    }

    /// The address that the outermost proxy was asked from.
    fn told(self, headers: &HeaderMap) -> Option<IpAddr> {
        let name = match self.header {
            ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
            ProxyHeader::Forwarded => FORWARDED,
        };
        let mut before = self.count.checked_sub(1)?;
        // Lines of one header are one list (RFC 9110 §5.3).
        for line in headers.get_all(name).iter().rev() {
            let mut rest = Some(line.as_bytes());
            while let Some(list) = rest {
                let (left, entry) = split_last(list);
                if before == 0 {
                    let entry = std::str::from_utf8(entry).ok()?;
                    return match self.header {
                        ProxyHeader::XForwardedFor => node(entry.trim_ascii()),
                        ProxyHeader::Forwarded => forwarded_for(entry),
                    };
                }
                before -= 1;
                rest = left;
            }
        }
        None
    }
}

/// The last entry of `list`, and what is left of its comma. A comma in quotes parts nothing. It is read
/// from the right, so that a quote which a client opens, at the left, does not swallow a proxy's entry.
fn split_last(list: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    for (at, byte) in list.iter().enumerate().rev() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return (Some(&list[..at]), &list[at + 1..]),
            _ => {}
        }
    }
    (None, list)
}

/// `for` of a `forwarded-element` (RFC 7239 §4), if it has exactly one.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    // Backslashes would make reading from the right ambiguous, and no address has one.
    if element.contains('\\') {
        return None;
    }
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.trim_ascii().eq_ignore_ascii_case("for"));
    let (Some((_, value)), None) = (nodes.next(), nodes.next()) else { return None };
    let value = value.trim_ascii();
    node(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// An address, maybe in brackets, maybe with a port (RFC 7239 §6). Not `unknown`, not `_hidden`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PEER: &str = "10.0.0.1";

    fn address(header: ProxyHeader, count: usize, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        let (written, other) = match header {
            ProxyHeader::XForwardedFor => (X_FORWARDED_FOR, FORWARDED),
            ProxyHeader::Forwarded => (FORWARDED, X_FORWARDED_FOR),
        };
        for line in lines {
            headers.append(&written, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        // Whatever else a client sends is not asked.
        headers.append(&other, HeaderValue::from_static("for=6.6.6.6"));
        let proxies = TrustedProxies { count, header };
        ClientAddress::of(PEER.parse().unwrap(), &headers, proxies).0.to_string()
    }

    fn x_forwarded_for(count: usize, lines: &[&str]) -> String {
        address(ProxyHeader::XForwardedFor, count, lines)
    }

    fn forwarded(count: usize, lines: &[&str]) -> String {
        address(ProxyHeader::Forwarded, count, lines)
    }

    #[test]
    fn without_proxies_no_header_is_believed() {
        assert_eq!(x_forwarded_for(0, &["192.0.2.1"]), PEER);
        assert_eq!(forwarded(0, &["for=192.0.2.1"]), PEER);
        assert_eq!(ClientAddress::new("::ffff:192.0.2.1".parse().unwrap()).0.to_string(), "192.0.2.1");
    }

    #[test]
    fn a_proxy_that_the_settings_do_not_know_is_noticed() {
        let proxies = |count| TrustedProxies { count, header: ProxyHeader::XForwardedFor };
        let headers = |name| HeaderMap::from_iter([(name, HeaderValue::from_static("10.1.1.1"))]);
        assert!(proxies(0).may_be_missing(&headers(X_FORWARDED_FOR)));
        assert!(proxies(0).may_be_missing(&headers(FORWARDED)));
        assert!(!proxies(0).may_be_missing(&HeaderMap::new()));
        assert!(!proxies(1).may_be_missing(&headers(X_FORWARDED_FOR)));
    }

    #[test]
    fn what_a_client_wrote_itself_is_not_believed() {
        assert_eq!(x_forwarded_for(1, &["6.6.6.6, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(x_forwarded_for(1, &["6.6.6.6", "192.0.2.1"]), "192.0.2.1");
        assert_eq!(x_forwarded_for(2, &["6.6.6.6, 192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(x_forwarded_for(2, &["6.6.6.6,192.0.2.1", "10.0.0.2"]), "192.0.2.1");
        assert_eq!(x_forwarded_for(1, &["é\", , 192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn an_entry_that_is_missing_or_no_address_is_the_peer() {
        for lines in [&[][..], &[""], &["unknown"], &["192.0.2.1,"], &["192.0.2.1, _hidden"], &["é"], &["300.0.0.1"]] {
            assert_eq!(x_forwarded_for(1, lines), PEER, "{lines:?}");
        }
        assert_eq!(x_forwarded_for(3, &["6.6.6.6, 192.0.2.1"]), PEER);
        assert_eq!(x_forwarded_for(usize::MAX, &["192.0.2.1"]), PEER);
    }

    #[test]
    fn addresses_come_with_and_without_port_and_brackets() {
        for (text, plain) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(x_forwarded_for(1, &[text]), plain, "{text}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (lines, plain) in [
            (&["for=192.0.2.43, for=198.51.100.17"][..], "198.51.100.17"),
            (&["for=6.6.6.6;proto=http;by=203.0.113.43", "By=203.0.113.43; For=192.0.2.60 ;proto=https"], "192.0.2.60"),
            (&[r#"For="[2001:db8:cafe::17]:4711""#], "2001:db8:cafe::17"),
            (&[r#"for="192.0.2.43:47011";host="a,b""#], "192.0.2.43"),
            (&["for=_gazonk"], PEER),
            (&["for=unknown"], PEER),
            (&["proto=https"], PEER),
            (&["for=192.0.2.1;for=6.6.6.6"], PEER),
            (&[r#"for="192.0.2.1\"""#], PEER),
        ] {
            assert_eq!(forwarded(1, lines), plain, "{lines:?}");
        }
    }

    #[test]
    fn a_quote_that_a_client_opens_does_not_hide_what_a_proxy_wrote() {
        assert_eq!(forwarded(1, &[r#"for="6.6.6.6, for=192.0.2.1"#]), "192.0.2.1");
        assert_eq!(forwarded(1, &[r#"for=", for="[2001:db8::1]""#]), "2001:db8::1");
        assert_eq!(forwarded(2, &[r#"for=", for="[2001:db8::1]", for=10.0.0.2"#]), "2001:db8::1");
    }
}
