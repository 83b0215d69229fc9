//! Authorization codes (RFC 6749 §1.3.1): all that the token endpoint needs, sealed, so that nothing is
//! stored until one is redeemed. A large one is kept in the store, and the code names it.

use std::time::Duration;

use claviger_jose::{CodeChallenge, Purpose};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::person::PersonGrant;
use crate::handle::{self, NoHandle, Room};
use crate::provider::Provider;
use crate::store::{ClientKey, KeptKind, KeptRoom};
use crate::tenant::snapshot::TenantSnapshot;

/// Codes travel in URLs, some of which are short.
const ROOM: Room = Room { longest: 1024, kept: KeptRoom { kind: KeptKind::Code, most: 10_000 } };

/// What a code stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    /// To whom it was given.
    pub(crate) client: ClientKey,
    /// Where it was sent; the token request has to name it again (RFC 6749 §4.1.3).
    pub(crate) redirect_uri: String,
    /// PKCE (RFC 7636 §4.2), S256.
    pub(crate) challenge: Option<CodeChallenge>,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// What it is redeemed for.
    pub(crate) grant: PersonGrant,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    k: String,
    u: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<CodeChallenge>,
    e: i64,
    /// A grant's payload is JSON already.
    g: String,
}

impl Code {
    /// When a code that is made `now` ends.
    pub(crate) fn end(tenant: &TenantSnapshot, now: Timestamp) -> Timestamp {
        now.saturating_add(Duration::from_secs(tenant.issuer.lifetimes.authorization_code.into())).unwrap_or(now)
    }

    /// As it is sent.
    pub(crate) async fn seal(&self, provider: &Provider, tenant: &TenantSnapshot) -> Result<String, NoHandle> {
        let plain = self.to_bytes().ok_or(NoHandle::Unknown)?;
        handle::seal(provider, tenant, (Purpose::Code, ROOM), &plain, self.expires_at).await
    }

    /// The code that `text` is, in time or not.
    pub(crate) async fn open(text: &str, provider: &Provider, tenant: &TenantSnapshot) -> Result<Self, NoHandle> {
        let opened = handle::open(provider, tenant, Purpose::Code, text).await?;
        Self::from_bytes(opened.as_bytes()).ok_or(NoHandle::Unknown)
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        let wire = Wire {
            k: self.client.as_str().to_owned(),
            u: self.redirect_uri.clone(),
            p: self.challenge.clone(),
            e: self.expires_at.as_second(),
            g: String::from_utf8(self.grant.to_payload().ok()?).ok()?,
        };
        serde_json::to_vec(&wire).ok()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let Wire { k, u, p, e, g } = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            client: ClientKey::from_stored(&k),
            redirect_uri: u,
            challenge: p,
            expires_at: Timestamp::from_second(e).ok()?,
            grant: PersonGrant::from_payload(g.as_bytes())?,
        })
    }
}
