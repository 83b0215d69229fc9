//! OAuthClient: one relying party, in the application's namespace.

mod authentication;
mod parse;
mod parse_authentication;
mod parse_revoked;
mod parse_token_exchange;
mod spec;
mod status;
mod token_exchange;

pub use authentication::*;
pub use parse::{LogoutEndpoint, ResourceServer, ValidOAuthClient, parse};
pub(crate) use parse_authentication::parse_jwks;
pub use parse_authentication::{
    Authentication, ClientKeys, ClientSecretSource, GeneratedSecret, SecretEntries, SecretRotation,
};
pub use parse_revoked::SecretRevocation;
pub use parse_token_exchange::TokenExchangeRule;
pub use spec::*;
pub use status::{OAuthClientStatus, SecretPhase, SecretStatus};
pub use token_exchange::*;
