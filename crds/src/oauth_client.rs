//! OAuthClient: one relying party, in the application's namespace.

mod authentication;
mod parse;
mod parse_authentication;
mod parse_revoked;
mod spec;
mod status;

pub use authentication::*;
pub use parse::{LogoutEndpoint, ResourceServer, ValidOAuthClient, parse};
pub use parse_authentication::{
    Authentication, ClientKeys, ClientSecretSource, GeneratedSecret, SecretEntries, SecretRotation,
};
pub use parse_revoked::SecretRevocation;
pub use spec::*;
pub use status::{OAuthClientStatus, SecretPhase, SecretStatus};
