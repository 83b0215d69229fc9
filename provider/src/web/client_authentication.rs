//! Who asks: `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1).
//!
//! [`authenticate`] alone makes an [`AuthenticatedClient`], and grants take nothing less.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use claviger_jose::{ClientSecret, ClientSecretHash};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::error::{ErrorCode, OAuthError};
use super::form::Form;
use super::form_encoding::{Malformed, decode};
use crate::tenant::oauth_client::{Authentication, Client, HeldSecret};
use crate::tenant::snapshot::TenantSnapshot;

/// Some clients leave the padding off.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the secret of a client that does not exist is compared with.
static NOBODY: LazyLock<ClientSecretHash> = LazyLock::new(|| ClientSecretHash::of(&ClientSecret::generate()));

/// A client that has proven who it is.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    /// Which one.
    pub(crate) fn client(&self) -> &Client {
        &self.0
    }
}

/// What a request says of its client.
struct Credentials<'f> {
    id: Cow<'f, str>,
    secret: ClientSecret,
}

/// The client that the request proves to come from.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    form: &Form<'_>,
    tenant: &TenantSnapshot,
    now: Timestamp,
) -> Result<AuthenticatedClient, OAuthError> {
    let Credentials { id, secret } = Credentials::read(headers, form)?;
    if secret.expose().len() > ClientSecret::LONGEST {
        return Err(OAuthError::invalid_client("the secret is too long"));
    }
    // Once, however many hashes the client has: their number is not to be learnt from the time.
    let presented = ClientSecretHash::of(&secret);
    let client = tenant.clients.get(&id);
    let secrets = match client.map(|client| &client.authentication) {
        Some(Authentication::Secret(secrets)) => secrets.as_slice(),
        Some(Authentication::NotServed) | None => &[],
    };
    if secrets.is_empty() {
        // Takes as long as for a client that exists.
        black_box(*NOBODY == presented);
    }
    let detail = match (proof(secrets, &presented, now), client) {
        (Proof::Live, Some(client)) => return Ok(AuthenticatedClient(Arc::clone(client))),
        (_, None) => "no such client",
        (Proof::Expired, _) => "the secret is expired",
        (Proof::None, Some(_)) => "no such secret",
    };
    Err(OAuthError::invalid_client(detail))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    None,
    Expired,
    Live,
}

/// Every hash is compared, so that the time does not tell which one it was.
fn proof(secrets: &[HeldSecret], presented: &ClientSecretHash, now: Timestamp) -> Proof {
    let mut proof = Proof::None;
    for HeldSecret { hash, expires_at } in secrets {
        let matches = hash == presented;
        if matches && proof != Proof::Live {
            let live = expires_at.is_none_or(|end| now < end);
            proof = if live { Proof::Live } else { Proof::Expired };
        }
    }
    proof
}

impl<'f> Credentials<'f> {
    /// From the header or the body; from both is refused (RFC 6749 §2.3).
    fn read(headers: &HeaderMap, form: &'f Form<'_>) -> Result<Self, OAuthError> {
        let invalid_request = |description| Err(OAuthError::new(ErrorCode::InvalidRequest, description));
        let mut authorizations = headers.get_all(AUTHORIZATION).iter();
        let (authorization, more) = (authorizations.next(), authorizations.next());
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        let assertion = form.get("client_assertion").or(form.get("client_assertion_type"));
        let ways = [authorization.is_some(), more.is_some(), secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return invalid_request("a client authenticates in one way only");
        }
        if let Some(authorization) = authorization {
            let basic = Self::basic(authorization).map_err(|Malformed| {
                let description = "the Authorization header is not that of client_secret_basic";
                OAuthError::new(ErrorCode::InvalidClient, description)
            })?;
            if id.is_some_and(|id| id != basic.id) {
                return invalid_request("client_id is not that of the Authorization header");
            }
            return Ok(basic);
        }
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Self { id: id.into(), secret: ClientSecret::new(secret.to_owned()) }),
            (None, Some(_)) => invalid_request("client_secret without client_id"),
            (_, None) => {
                let description = "client authentication is required: client_secret_basic or client_secret_post";
                Err(OAuthError::new(ErrorCode::InvalidClient, description))
            }
        }
    }

    /// RFC 7617 §2, and inside it both halves form-encoded (RFC 6749 §2.3.1).
    fn basic(authorization: &HeaderValue) -> Result<Self, Malformed> {
        let (scheme, token) = authorization.as_bytes().split_at_checked(6).ok_or(Malformed)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(Malformed);
        }
        let pair = Zeroizing::new(BASE64.decode(token.trim_ascii()).map_err(|_| Malformed)?);
        let colon = pair.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
        let id = decode(&pair[..colon])?.into_owned();
        let secret = decode(&pair[colon + 1..]).map(Cow::into_owned)?;
        if id.is_empty() {
            return Err(Malformed);
        }
        Ok(Self { id: id.into(), secret: ClientSecret::new(secret) })
    }
}
