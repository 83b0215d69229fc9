//! `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1): by a secret, compared by its hash.

use std::hint::black_box;
use std::sync::LazyLock;

use claviger_jose::{ClientSecret, ClientSecretHash};
use jiff::Timestamp;

use super::credentials::Readings;
use crate::secret_use::{SecretUse, Uses};
use crate::tenant::oauth_client::{Authentication, Client, HeldSecret};
use crate::web::error::OAuthError;

/// What the secret of a client that does not exist is compared with.
static NOBODY: LazyLock<ClientSecretHash> = LazyLock::new(|| ClientSecretHash::of(&ClientSecret::generate()));

/// Whether `secret` is `client`'s. That it was used is noted.
pub(super) fn prove(
    client: Option<&Client>,
    secret: &Readings<ClientSecret>,
    uses: &Uses,
    now: Timestamp,
) -> Result<(), OAuthError> {
    if secret.iter().any(|secret| secret.expose().len() > ClientSecret::LONGEST) {
        return Err(OAuthError::invalid_client("the secret is too long"));
    }
    // Once, however many hashes the client has: their number is not to be learnt from the time.
    let presented = secret.map(ClientSecretHash::of);
    let secrets = match client.map(|client| &client.authentication) {
        Some(Authentication::Secret(secrets)) => secrets.as_slice(),
        Some(_) | None => &[],
    };
    if secrets.is_empty() {
        // Takes as long as for a client that exists.
        black_box(is_any(&presented, &NOBODY));
    }
    let detail = match (proof(secrets, &presented, now), client) {
        (Proof::Live(used), Some(client)) => {
            uses.note(&client.document, used, now);
            return Ok(());
        }
        (_, None) => "no such client",
        (Proof::Expired, _) => "the secret is expired",
        (Proof::None, Some(_)) => "no such secret",
    };
    Err(OAuthError::invalid_client(detail))
}

#[derive(Clone, Copy)]
enum Proof<'s> {
    None,
    Expired,
    Live(&'s SecretUse),
}

/// Every hash is compared, so that the time does not tell which one it was.
fn proof<'s>(secrets: &'s [HeldSecret], presented: &Readings<ClientSecretHash>, now: Timestamp) -> Proof<'s> {
    let mut proof = Proof::None;
    for HeldSecret { hash, expires_at, used } in secrets {
        let matches = is_any(presented, hash);
        if matches && !matches!(proof, Proof::Live(_)) {
            let live = expires_at.is_none_or(|end| now < end);
            proof = if live { Proof::Live(used) } else { Proof::Expired };
        }
    }
    proof
}

fn is_any(presented: &Readings<ClientSecretHash>, hash: &ClientSecretHash) -> bool {
    presented.iter().fold(false, |found, presented| found | (presented == hash))
}
