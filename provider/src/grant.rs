//! Grants: what an authenticated client gets. A decision first; the store is written once it stands, and
//! before anything is issued.

pub(crate) mod audience;
pub(crate) mod authorization_code;
pub(crate) mod client_credentials;
pub(crate) mod describe;
pub(crate) mod jwt_bearer;
pub(crate) mod person;
pub(crate) mod refresh_token;
pub(crate) mod scope;
pub(crate) mod token_exchange;

use self::token_exchange::ExchangedFacts;
use crate::tenant::oauth_client::{
    AUTHORIZATION_CODE, CLIENT_CREDENTIALS, Client, JWT_BEARER, REFRESH_TOKEN, TOKEN_EXCHANGE,
};
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
    /// RFC 8693 §2.1.
    TokenExchange,
    /// RFC 7523 §2.1.
    JwtBearer,
}

impl GrantType {
    /// The one that `grant_type` names.
    pub(crate) fn parse(grant_type: &str) -> Result<Self, OAuthError> {
        match grant_type {
            AUTHORIZATION_CODE => Ok(Self::AuthorizationCode),
            CLIENT_CREDENTIALS => Ok(Self::ClientCredentials),
            REFRESH_TOKEN => Ok(Self::RefreshToken),
            TOKEN_EXCHANGE => Ok(Self::TokenExchange),
            JWT_BEARER => Ok(Self::JwtBearer),
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
            // Whoever got hold of somebody's token could make more of it.
            Self::TokenExchange => declared.token_exchange && !client.is_public(),
            Self::JwtBearer => declared.jwt_bearer,
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
            Self::TokenExchange => TOKEN_EXCHANGE,
            Self::JwtBearer => JWT_BEARER,
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
    /// Where it comes from.
    pub(crate) behind: Behind<'a>,
}

/// What an access token comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behind<'a> {
    /// A client is there for itself.
    Client,
    /// A person's grant.
    Person(&'a PersonGrant),
    /// Another token.
    Exchange(&'a ExchangedFacts),
}
