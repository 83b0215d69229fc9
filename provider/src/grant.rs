//! Grants: what an authenticated client gets. Pure: no I/O, no clock.

pub(crate) mod audience;
pub(crate) mod client_credentials;
pub(crate) mod scope;

use crate::tenant::oauth_client::CLIENT_CREDENTIALS;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};

/// The grant types that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    /// RFC 6749 §4.4.
    ClientCredentials,
}

impl GrantType {
    /// The one that `grant_type` names.
    pub(crate) fn parse(grant_type: &str) -> Result<Self, OAuthError> {
        match grant_type {
            CLIENT_CREDENTIALS => Ok(Self::ClientCredentials),
            _ => Err(OAuthError::new(ErrorCode::UnsupportedGrantType, "this release serves client_credentials only")),
        }
    }
}

/// What an access token may say.
#[derive(Debug)]
pub(crate) struct AccessGrant<'a> {
    /// To whom.
    pub(crate) client: &'a AuthenticatedClient,
    /// About whom.
    pub(crate) subject: &'a str,
    /// For which API, exactly one.
    pub(crate) audience: &'a str,
    /// Space-separated; empty where there is none.
    pub(crate) scope: String,
}
