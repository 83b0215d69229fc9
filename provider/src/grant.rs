//! Grants: what an authenticated client gets. A decision first; the store is written once it stands, and
//! before anything is issued.

pub(crate) mod audience;
pub(crate) mod authorization_code;
pub(crate) mod client_credentials;
pub(crate) mod describe;
pub(crate) mod person;
pub(crate) mod refresh_token;
pub(crate) mod scope;

use crate::tenant::oauth_client::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS, Client, REFRESH_TOKEN};
use crate::token::person::PersonGrant;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};

/// The grant types that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken,
}

impl GrantType {
    /// The one that `grant_type` names.
    pub(crate) fn parse(grant_type: &str) -> Result<Self, OAuthError> {
        match grant_type {
            AUTHORIZATION_CODE => Ok(Self::AuthorizationCode),
            CLIENT_CREDENTIALS => Ok(Self::ClientCredentials),
            REFRESH_TOKEN => Ok(Self::RefreshToken),
            _ => Err(OAuthError::new(ErrorCode::UnsupportedGrantType, "discovery names those that are served")),
        }
    }

    /// Whether `client` may use it.
    pub(crate) fn check_allowed(self, client: &Client) -> Result<(), OAuthError> {
        let declared = client.grant_types;
        let allowed = match self {
            Self::AuthorizationCode => declared.authorization_code,
            // A client that cannot prove who it is would hand tokens to anybody (RFC 6749 §4.4).
            Self::ClientCredentials => declared.client_credentials && !client.is_public(),
            Self::RefreshToken => declared.refresh_token,
        };
        let refused =
            || OAuthError::new(ErrorCode::UnauthorizedClient, format!("this client may not use {}", self.as_str()));
        allowed.then_some(()).ok_or_else(refused)
    }

    /// As `grant_type` has it, and the audit stream.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => AUTHORIZATION_CODE,
            Self::ClientCredentials => CLIENT_CREDENTIALS,
            Self::RefreshToken => REFRESH_TOKEN,
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
    /// The person's grant that it comes from; none where a client is there for itself.
    pub(crate) person: Option<&'a PersonGrant>,
}
