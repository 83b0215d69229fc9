//! `--tls`: HTTPS for this machine, by a CA of the state folder.
//!
//! Whoever trusts the CA gives power to its key, which lies in a folder of a laptop. So its
//! certificate says which names it may vouch for (RFC 5280 §4.2.1.10): loopback, and the external
//! URL's host. A key that is stolen can be used for nothing else.

mod issue;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use claviger_operator::clock::Clock;
use claviger_provider::tls::ServerTls;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use self::issue::{Authority, Leaf};
use crate::embedded::State;

/// Some browsers refuse a CA of somebody's own with more (825 days).
const AUTHORITY_LIFE: SignedDuration = SignedDuration::from_hours(24 * 800);
const LEAF_LIFE: SignedDuration = SignedDuration::from_hours(24 * 90);
/// What is left of a certificate when another is made.
const RENEW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A clock that a peer may have too late.
const SKEW: SignedDuration = SignedDuration::from_hours(1);
/// How often the certificate is looked at.
const LOOK: Duration = Duration::from_secs(3600);

/// What a certificate is good for beside loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A host name, in lower case.
    Dns(String),
    /// An address.
    Address(IpAddr),
}

impl Name {
    /// The host of `url`, unless it is loopback, which every certificate is good for.
    pub(super) fn of(url: &Url) -> Option<Self> {
        match url.host()? {
            Host::Domain("localhost") => None,
            Host::Domain(name) => Some(Self::Dns(name.to_owned())),
            Host::Ipv4(address) => Some(Self::Address(address.into())).filter(|_| !address.is_loopback()),
            Host::Ipv6(address) => Some(Self::Address(address.into())).filter(|_| !address.is_loopback()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Dns(name) => name.clone(),
            Self::Address(address) => address.to_string(),
        }
    }
}

/// The certificates of this process.
pub(super) struct Certificates {
    authority: Authority,
    name: Option<Name>,
    /// Until when the one that is served is good.
    until: Timestamp,
    tls: ServerTls,
    /// The CA's certificate, for whoever is to trust it.
    pub(super) ca: PathBuf,
    /// The CA was made now: nobody trusts it yet.
    pub(super) new_authority: bool,
}

impl Certificates {
    /// Takes up the state folder's CA, or makes one, and a certificate for loopback and `name`.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub(super) fn open(state: &State, name: Option<Name>, now: Timestamp) -> anyhow::Result<Self> {
        let kept = state.authority()?;
        // One that is damaged is no loss: it has to be trusted anew, which is told.
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Authority>(&bytes).ok());
        let text = name.as_ref().map(Name::text);
        let usable = kept.filter(|kept| kept.names == text && kept.not_after > now + LEAF_LIFE + RENEW);
        let new_authority = usable.is_none();
        let authority = match usable {
            Some(authority) => authority,
            None => {
                let made = Authority::new(name.as_ref(), now - SKEW, now + AUTHORITY_LIFE)?;
                let bytes = serde_json::to_vec_pretty(&made)?;
                state.keep_authority(&bytes, &made.certificate).context("cannot keep the CA")?;
                made
            }
        };
        let (tls, ca) = (ServerTls::new(), state.ca_path());
        let mut certificates = Self { authority, name, until: now, tls, ca, new_authority };
        certificates.renew(now)?;
        Ok(certificates)
    }

    /// What a person must know of them.
    pub(super) fn told(&self) -> String {
        let anew = if self.new_authority { " (new)" } else { "" };
        format!("CA to trust{anew}: {}\n", self.ca.display())
    }

    /// For the listener.
    pub(super) fn tls(&self) -> ServerTls {
        self.tls.clone()
    }

    /// Serves a new certificate.
    fn renew(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let until = self.authority.not_after.min(now + LEAF_LIFE);
        let leaf = Leaf::new(&self.authority, self.name.as_ref(), now - SKEW, until)?;
        self.tls.set(leaf.server_config()?);
        self.until = until;
        Ok(())
    }

    /// Keeps the certificate fresh until `shutdown`.
    pub(super) async fn keep(mut self, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let now = clock.now().wall;
            if self.until < now + RENEW
                && let Err(error) = self.renew(now)
            {
                tracing::warn!("the certificate is not renewed: {error:#}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
