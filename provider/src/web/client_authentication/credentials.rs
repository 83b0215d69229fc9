//! What a request says of its client, in one way only (RFC 6749 §2.3).

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use claviger_jose::{ClientSecret, Unverified};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::tenant::snapshot::TenantSnapshot;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::form::Form;
use crate::web::form_encoding::{Malformed, decode};

/// Some clients leave the padding off.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a request says who it comes from.
pub(super) enum Credentials<'f> {
    /// By a secret.
    Secret {
        /// `client_id`
        id: Cow<'f, str>,
        /// Of it.
        secret: Readings<ClientSecret>,
    },
    /// By a signed assertion.
    Assertion {
        /// `client_id`, which may be left to the assertion (RFC 7521 §4.2).
        id: Option<&'f str>,
        /// The JWT.
        jwt: &'f str,
    },
    /// By its name alone: a public client.
    Name(&'f str),
}

impl<'f> Credentials<'f> {
    /// Which client the request says that it comes from. A ServiceAccount says so only where it may be one
    /// client alone.
    pub(super) fn claimed(&self, tenant: &TenantSnapshot) -> Option<Arc<str>> {
        match self {
            Self::Secret { id, .. } => Some((&**id).into()),
            Self::Name(id) | Self::Assertion { id: Some(id), .. } => Some((*id).into()),
            Self::Assertion { id: None, jwt } => {
                let jwt = Unverified::parse(jwt).ok()?;
                let subject = jwt.subject_unverified()?;
                match tenant.accounts.get(subject).map(|clients| &**clients) {
                    Some([only]) => Some(Arc::clone(only)),
                    _ => Some(subject.into()),
                }
            }
        }
    }

    /// From the header or the body; from both is refused.
    pub(super) fn read(headers: &HeaderMap, form: &'f Form<'_>) -> Result<Self, OAuthError> {
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
            let (basic, secret) = basic(authorization).map_err(|Malformed| {
                let description = "the Authorization header is not that of client_secret_basic";
                OAuthError::new(ErrorCode::InvalidClient, description)
            })?;
            if id.is_some_and(|id| id != basic) {
                return invalid_request("client_id is not that of the Authorization header");
            }
            return Ok(Self::Secret { id: basic.into(), secret });
        }
        if assertion.is_some() {
            // RFC 6749 §5.2: a way to authenticate that is not served.
            if form.get("client_assertion_type").is_some_and(|other| other != JWT_BEARER) {
                return Err(OAuthError::invalid_client("client_assertion_type is not that of a JWT"));
            }
            if form.get("client_assertion_type").is_none() {
                return invalid_request("client_assertion_type is missing");
            }
            let Some(jwt) = form.get("client_assertion") else {
                return invalid_request("client_assertion is missing");
            };
            return Ok(Self::Assertion { id, jwt });
        }
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Self::Secret { id: id.into(), secret: Readings::of_form(secret) }),
            (Some(id), None) => Ok(Self::Name(id)),
            (None, Some(_)) => invalid_request("client_secret without client_id"),
            (None, None) => {
                let description = "client authentication is required";
                Err(OAuthError::new(ErrorCode::InvalidClient, description))
            }
        }
    }
}

/// What a request says, in each way that it can be read.
pub(super) struct Readings<T> {
    first: T,
    /// Where that is another one.
    second: Option<T>,
}

impl<T> Readings<T> {
    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// The same of each.
    pub(super) fn map<U>(&self, make: impl Fn(&T) -> U) -> Readings<U> {
        Readings { first: make(&self.first), second: self.second.as_ref().map(make) }
    }
}

impl Readings<ClientSecret> {
    fn of_form(secret: &str) -> Self {
        Self { first: ClientSecret::new(secret.to_owned()), second: None }
    }

    /// Form-encoded, as RFC 6749 §2.3.1 has it, and as it stands there: `curl -u`, Authlib and many more do not encode,
    /// and every second secret in base64 has a `+`. To guess two at once helps nobody.
    fn of_header(text: &[u8]) -> Result<Self, Malformed> {
        let plain = || std::str::from_utf8(text).map(|text| ClientSecret::new(text.to_owned())).map_err(|_| Malformed);
        Ok(match decode(text) {
            Ok(Cow::Borrowed(secret)) => Self::of_form(secret),
            Ok(Cow::Owned(secret)) => Self { first: ClientSecret::new(secret), second: Some(plain()?) },
            Err(Malformed) => Self { first: plain()?, second: None },
        })
    }
}

/// RFC 7617 §2.
fn basic(authorization: &HeaderValue) -> Result<(String, Readings<ClientSecret>), Malformed> {
    let (scheme, token) = authorization.as_bytes().split_at_checked(6).ok_or(Malformed)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return Err(Malformed);
    }
    let pair = Zeroizing::new(BASE64.decode(token.trim_ascii()).map_err(|_| Malformed)?);
    let colon = pair.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
    let id = decode(&pair[..colon])?.into_owned();
    let secret = Readings::of_header(&pair[colon + 1..])?;
    if id.is_empty() {
        return Err(Malformed);
    }
    Ok((id, secret))
}
