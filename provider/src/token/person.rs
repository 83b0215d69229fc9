//! What a person granted, as tokens are made of it: at the code's redemption, and at every refresh.
//!
//! It is what stands in [`crate::store::NewGrant`]'s payload, and what a sealed code carries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::authorize::request::AuthorizationRequest;
use crate::claims::request::ClaimsRequest;
use crate::store::{Grant, Id, StoreError};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::Issuer;

/// Bytes of a payload; the store's bound.
const LONGEST: usize = 4 * 1024;
/// Bytes of a `sub`.
const LONGEST_SUBJECT: usize = 255;
/// Bytes of `acr` and `amr` of a login by password.
const ROOM_OF_LOGIN: usize = 64;
/// And of one at a UI of the tenant's own, which says what it has asked for.
const ROOM_OF_UI: usize = 2400;
/// The format. Fields may be added without another number: an older pod ignores them.
const VERSION: u8 = 1;

/// The facts of a grant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PersonGrant {
    /// Which: the code's ID too.
    pub(crate) id: Id,
    /// `sub`.
    pub(crate) subject: String,
    /// The session that it came from: `sid`.
    pub(crate) session: Id,
    /// `auth_time`: when the person logged in, whole seconds.
    pub(crate) authenticated_at: Timestamp,
    /// `acr`.
    pub(crate) acr: String,
    /// `amr` (RFC 8176).
    pub(crate) amr: Vec<String>,
    /// The granted scopes. A refresh may ask for fewer, never for more.
    pub(crate) scopes: Vec<String>,
    /// `aud` of its access tokens.
    pub(crate) audience: String,
    /// `nonce` of the authorization request.
    pub(crate) nonce: Option<String>,
    /// `claims` of the authorization request.
    pub(crate) claims: ClaimsRequest,
    /// Scopes that were not granted, of which `claims` asks for something: the person was shown them.
    pub(crate) claim_scopes: Vec<String>,
}

/// It does not fit into a grant's payload: the authorization request asks for too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is too large to be kept: shorten claims, scope or nonce")]
pub(crate) struct TooLarge;

/// The names are short: codes travel in URLs.
#[derive(Serialize, Deserialize)]
struct Wire {
    v: u8,
    g: String,
    s: String,
    i: String,
    t: i64,
    a: String,
    m: Vec<String>,
    c: String,
    d: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    q: ClaimsRequest,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    b: Vec<String>,
}

impl PersonGrant {
    /// The largest grant that can come of `request` at `issuer`: with bounds in place of what the login will
    /// tell.
    pub(crate) fn largest(request: &AuthorizationRequest, issuer: &Issuer) -> Self {
        let room = if issuer.login.ui.is_some() { ROOM_OF_UI } else { ROOM_OF_LOGIN };
        Self {
            id: Id::from_bytes([0; 16]),
            subject: "x".repeat(LONGEST_SUBJECT),
            session: Id::from_bytes([0; 16]),
            authenticated_at: Timestamp::MAX,
            acr: "x".repeat(room),
            amr: Vec::new(),
            scopes: request.scopes.clone(),
            audience: request.audience.clone(),
            nonce: request.nonce.clone(),
            claims: request.claims.clone(),
            claim_scopes: request.claim_scopes.clone(),
        }
    }

    /// The scopes of which `client` may have single claims: those that the person was shown, as far as the
    /// client may still have them. What it was given since, nobody was asked about.
    pub(crate) fn shown_scopes(&self, client: &Client) -> Vec<String> {
        let shown = self.scopes.iter().chain(&self.claim_scopes);
        shown.filter(|scope| client.scopes.contains(scope)).cloned().collect()
    }

    /// Whether `scope` was granted.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// As it is stored, at most 4 KiB.
    ///
    /// # Errors
    /// [`TooLarge`]. It is tried with the [`PersonGrant::largest`] when the authorization request comes.
    pub(crate) fn to_payload(&self) -> Result<Vec<u8>, TooLarge> {
        let Self { id, subject, session, authenticated_at, acr, amr, scopes, audience, nonce, claims, claim_scopes } =
            self;
        let wire = Wire {
            v: VERSION,
            g: id.to_string(),
            s: subject.clone(),
            i: session.to_string(),
            t: authenticated_at.as_second(),
            a: acr.clone(),
            m: amr.clone(),
            c: scopes.join(" "),
            d: audience.clone(),
            n: nonce.clone(),
            q: claims.clone(),
            b: claim_scopes.clone(),
        };
        let bytes = serde_json::to_vec(&wire).map_err(|_| TooLarge)?;
        if bytes.len() <= LONGEST { Ok(bytes) } else { Err(TooLarge) }
    }

    /// What [`PersonGrant::to_payload`] wrote; none of a release that wrote another format.
    pub(crate) fn from_payload(payload: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(payload).ok()?;
        let Wire { v: VERSION, g, s, i, t, a, m, c, d, n, q, b } = wire else { return None };
        Some(Self {
            id: Id::parse(&g)?,
            subject: s,
            session: Id::parse(&i)?,
            authenticated_at: Timestamp::from_second(t).ok()?,
            acr: a,
            amr: m,
            scopes: c.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            audience: d,
            nonce: n,
            claims: q,
            claim_scopes: b,
        })
    }

    /// The facts of a grant in the store.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`], also where the payload is that of another grant: the store answers
    /// for the row, and tokens must not speak of anybody else.
    pub(crate) fn of(grant: &Grant) -> Result<Self, StoreError> {
        let person = Self::from_payload(&grant.payload).ok_or(StoreError::Unreadable("the payload of a grant"))?;
        if (person.id, person.session, &person.subject) != (grant.id, grant.session, &grant.subject) {
            return Err(StoreError::Unreadable("the payload of another grant"));
        }
        Ok(person)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::store::ClientKey;
    use crate::token::fixture::person;

    fn row(person: &PersonGrant) -> Grant {
        Grant {
            id: person.id,
            client: ClientKey::new("shop", "shop", "shop.app"),
            subject: person.subject.clone(),
            session: person.session,
            offline: false,
            payload: person.to_payload().unwrap(),
            created_at: Timestamp::UNIX_EPOCH,
            generation: 0,
            refresh: None,
            rotated_at: None,
            over: false,
        }
    }

    #[test]
    fn a_payload_reads_back_and_fields_of_a_later_release_are_ignored() {
        let mut person = person();
        person.claims = ClaimsRequest::parse(r#"{"userinfo":{"email":{"essential":true}}}"#).unwrap();
        let payload = person.to_payload().unwrap();
        assert_eq!(PersonGrant::from_payload(&payload), Some(person.clone()));
        assert!(payload.len() < 300, "{}", String::from_utf8_lossy(&payload));

        let mut later: Value = serde_json::from_slice(&payload).unwrap();
        later["z"] = json!({"later": true});
        assert_eq!(PersonGrant::from_payload(later.to_string().as_bytes()), Some(person.clone()));
        later["v"] = json!(2);
        assert_eq!(PersonGrant::from_payload(later.to_string().as_bytes()), None, "another format");

        (person.nonce, person.claims, person.scopes) = (None, ClaimsRequest::default(), Vec::new());
        assert_eq!(PersonGrant::from_payload(&person.to_payload().unwrap()), Some(person));
    }

    #[test]
    fn what_is_no_payload_is_not_read() {
        let good: Value = serde_json::from_slice(&person().to_payload().unwrap()).unwrap();
        for (field, bad) in
            [("g", json!("1")), ("i", json!("")), ("t", json!(i64::MAX)), ("s", json!(null)), ("v", json!(0))]
        {
            let mut wire = good.clone();
            wire[field] = bad;
            assert_eq!(PersonGrant::from_payload(wire.to_string().as_bytes()), None, "{field}");
        }
        assert_eq!(PersonGrant::from_payload(b""), None);
    }

    #[test]
    fn a_payload_has_a_bound() {
        let mut person = person();
        let used = person.to_payload().unwrap().len() - person.acr.len();
        person.acr = "a".repeat(LONGEST - used);
        assert_eq!(person.to_payload().map(|payload| payload.len()), Ok(LONGEST));
        person.acr.push('a');
        assert_eq!(person.to_payload(), Err(TooLarge));
    }

    #[test]
    fn the_payload_of_another_grant_is_not_taken() {
        let person = person();
        assert_eq!(PersonGrant::of(&row(&person)), Ok(person.clone()));
        for other in [
            Grant { id: Id::random(), ..row(&person) },
            Grant { session: Id::random(), ..row(&person) },
            Grant { subject: "usr_bob".to_owned(), ..row(&person) },
            Grant { payload: b"{}".to_vec(), ..row(&person) },
        ] {
            assert!(matches!(PersonGrant::of(&other), Err(StoreError::Unreadable(_))));
        }
    }
}
