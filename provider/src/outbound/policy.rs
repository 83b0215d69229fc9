//! Whom outbound calls may reach. Pure: it judges URLs and addresses, and resolves nothing.

mod public;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::{Host, Url};

use self::public::is_public;
use super::error::Refusal;

/// No URL of a client is longer.
pub(super) const URL_LENGTH: usize = 2048;

/// Something that may be called though it is not public, or not over https: a host name, with
/// whatever address it has, or a network, whatever it is called. It holds for every port, so that it
/// reads the same for names and for IPv6; who needs it finer has network policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// This name and no other: not its subdomains. Lower case, without the final dot.
    Host(String),
    /// The addresses of this network.
    Network(IpNet),
}

/// Why a text is no [`Allow`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// None of the forms.
    #[error("{0:?} is no host name, address or network (no scheme, port or wildcard)")]
    Form(String),
    /// More was written than the prefix keeps: a slip in either.
    #[error("{0} has bits beyond its prefix: {1} is the network")]
    Bits(IpNet, IpNet),
    /// An IPv4 network in IPv6 clothes would never match.
    #[error("{0} is an IPv4 network: write it as one")]
    Mapped(IpNet),
}

/// The rule of outbound calls: public addresses over https, and what is allowed beside that.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    allow: Vec<Allow>,
}

/// A URL that the policy lets pass. If its host is a name, its addresses are still to be judged, when
/// they are connected to.
#[derive(Clone, Debug)]
pub struct Target {
    url: Url,
}

// === impl Allow ===

impl FromStr for Allow {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(IpNet::from(address.to_canonical())));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return match network {
                _ if network.trunc() != network => Err(AllowError::Bits(network, network.trunc())),
                IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
                    Err(AllowError::Mapped(network))
                }
                _ => Ok(Self::Network(network)),
            };
        }
        // As a URL's host is read, so that it is the same name that is compared.
        match Host::parse(text) {
            Ok(Host::Domain(name)) if name.bytes().all(is_name) && !normal(&name).is_empty() => {
                Ok(Self::Host(normal(&name)))
            }
            _ => Err(AllowError::Form(text.to_owned())),
        }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => f.write_str(name),
            Self::Network(network) => network.fmt(f),
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// DNS reads `host.` and `HOST` as `host`.
fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

// === impl Policy ===

impl Policy {
    /// Public https, and what `allow` names.
    pub fn new(allow: Vec<Allow>) -> Self {
        Self { allow }
    }

    /// `address`, as an address of `host`, may be called over https.
    pub fn permits(&self, host: &str, address: IpAddr) -> bool {
        is_public(address) || self.allows(host, address)
    }

    /// `host` or `address` is on the allow-list, which plain http needs as well.
    pub fn allows(&self, host: &str, address: IpAddr) -> bool {
        // The kernel connects to a mapped address as to the IPv4 address.
        let address = address.to_canonical();
        self.allows_host(host) || self.networks().any(|network| network.contains(&address))
    }

    /// What can be judged of `url` before its host is resolved. An address in its place is judged
    /// here for good: no resolver is asked for it.
    pub fn check(&self, url: &str) -> Result<Target, Refusal> {
        if url.len() > URL_LENGTH {
            return Err(Refusal::TooLong);
        }
        let url = Url::parse(url).map_err(|_| Refusal::Unreadable)?;
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        let host = url.host().ok_or(Refusal::Unreadable)?;
        match literal(&host) {
            Some(address) if plain && !self.allows("", address) => return Err(Refusal::Plain),
            Some(address) if !plain && !self.permits("", address) => return Err(Refusal::Address),
            None if plain && !self.may_be_plain(&host) => return Err(Refusal::Plain),
            _ => {}
        }
        Ok(Target { url })
    }

    /// Over plain http a name passes if it is allowed, or if it may have an address that is.
    fn may_be_plain(&self, host: &Host<&str>) -> bool {
        self.networks().next().is_some() || matches!(host, Host::Domain(name) if self.allows_host(name))
    }

    fn allows_host(&self, host: &str) -> bool {
        let host = normal(host);
        self.allow.iter().any(|allow| matches!(allow, Allow::Host(name) if *name == host))
    }

    fn networks(&self) -> impl Iterator<Item = &IpNet> {
        self.allow.iter().filter_map(|allow| match allow {
            Allow::Network(network) => Some(network),
            Allow::Host(_) => None,
        })
    }
}

/// The address that stands in a URL in place of a name. `Url` has already read every spelling that
/// is one (`0x7f.1`, `2130706433`, `127.0.0.1.`).
fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
    }
}

// === impl Target ===

impl Target {
    /// The connection is not encrypted.
    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    pub(super) fn into_url(self) -> Url {
        self.url
    }
}
