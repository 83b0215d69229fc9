//! A client as requests need it: parsed once, when its document is read.

use std::sync::Arc;

use claviger_crds::published::{AccessTokenType, AudienceGrant, ClientAuthentication, ClientDocument};
use claviger_jose::ClientSecretHash;
use jiff::Timestamp;

use super::index::Unusable;

/// The grant type of RFC 6749 §4.4.
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A client of one tenant.
#[derive(Debug)]
pub(crate) struct Client {
    /// Name of the document that it comes from.
    pub(crate) document: Arc<str>,
    /// `client_id`.
    pub(crate) id: Arc<str>,
    /// Whether it may use [`CLIENT_CREDENTIALS`].
    pub(crate) client_credentials: bool,
    /// Granted scopes of no audience.
    pub(crate) scopes: Vec<String>,
    /// Granted audiences with their scopes; the first is the default.
    pub(crate) audiences: Vec<AudienceGrant>,
    /// `typ` of its access tokens.
    pub(crate) access_token_type: AccessTokenType,
    /// Seconds, if not the tenant's.
    pub(crate) access_token_lifetime: Option<u32>,
    /// Origins whose pages may read what it is answered.
    pub(crate) allowed_origins: Vec<String>,
    /// How it proves who it is.
    pub(crate) authentication: Authentication,
}

/// How a client proves who it is.
#[derive(Debug)]
pub(crate) enum Authentication {
    /// By one of these secrets.
    Secret(Vec<HeldSecret>),
    /// In a way that this release does not know: it can prove nothing.
    NotServed,
}

/// The hash of a secret, and until when it counts.
#[derive(Debug)]
pub(crate) struct HeldSecret {
    /// The hash.
    pub(crate) hash: ClientSecretHash,
    /// The end, if it has one.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Client {
    /// The client that `document`, called `name`, speaks of.
    pub(crate) fn parse(name: Arc<str>, document: &ClientDocument) -> Result<Self, Unusable> {
        Ok(Self {
            document: name,
            id: document.client_id.as_str().into(),
            client_credentials: document.grant_types.iter().any(|grant| grant == CLIENT_CREDENTIALS),
            scopes: document.scopes.clone(),
            audiences: document.audiences.clone(),
            access_token_type: document.access_token_type,
            access_token_lifetime: document.lifetimes.access_token,
            allowed_origins: document.allowed_origins.clone(),
            authentication: Authentication::parse(&document.authentication)?,
        })
    }

    /// Whether pages of `origin` may read what it is answered.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == origin)
    }
}

impl Authentication {
    fn parse(document: &ClientAuthentication) -> Result<Self, Unusable> {
        let ClientAuthentication::Secret { hashes } = document else { return Ok(Self::NotServed) };
        let secret = |secret: &claviger_crds::published::SecretHash| {
            let hash = secret.hash.parse().map_err(|_| Unusable::new("the hash of a client secret is unreadable"))?;
            Ok(HeldSecret { hash, expires_at: secret.expires_at })
        };
        hashes.iter().map(secret).collect::<Result<_, _>>().map(Self::Secret)
    }
}
