//! ID tokens (OpenID Connect Core 1.0 §2, §3.1.3.6): to the client, that a person logged in.
//!
//! They hold what Core demands, `jti`, `sid`, `groups` where granted, and what the client declared or asked
//! for by the `claims` parameter; never `tenant_id`. No `azp` either: it is due only where `aud` is
//! not the client alone, and here it always is.

use claviger_crds::published::IdTokenClaims;
use claviger_jose::{Algorithm, TokenType};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::jti;
use super::person::PersonGrant;
use crate::claims::Release;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::{Issuer, Signing};
use crate::tenant::user::User;
use crate::web::error::{ErrorCode, OAuthError};

/// Room for the claims of most tokens.
const CLAIMS: usize = 768;

/// At which step of its grant a token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The code was redeemed.
    Redemption,
    /// A refresh. The answer to no authorization request, so that it has no `nonce` (§12.2).
    Refresh,
}

/// What an ID token is made of.
pub(crate) struct IdTokenGrant<'a> {
    /// The facts.
    pub(crate) person: &'a PersonGrant,
    /// The account that they speak of, as it is now.
    pub(crate) user: &'a User,
    /// The scopes of this answer: those granted, or at a refresh fewer.
    pub(crate) scopes: &'a [String],
    /// The left half of the access token's hash, by [`IdTokenKey::algorithm`] (§3.1.3.6).
    pub(crate) at_hash: &'a str,
    /// When.
    pub(crate) moment: Moment,
}

/// What signs the ID tokens of one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdTokenKey<'a> {
    issuer: &'a Issuer,
    client: &'a Client,
    signing: &'a Signing,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [String],
    at_hash: &'a str,
    /// It leads back to the grant where the token is brought to be exchanged.
    jti: String,
    sid: String,
    #[serde(flatten)]
    person: Map<String, Value>,
}

impl<'a> IdTokenKey<'a> {
    /// The key of the algorithm that `client` registered, else the tenant's default.
    ///
    /// # Errors
    /// There is no such key: the tenant's fault, not the request's.
    pub(crate) fn of(issuer: &'a Issuer, client: &'a Client) -> Result<Self, OAuthError> {
        let missing = || match client.id_token_algorithm {
            Some(pinned) => format!("the tenant has no {pinned} key, which this client's ID tokens need"),
            None => "the tenant has no key yet".to_owned(),
        };
        let signing = issuer.signing_for(client);
        let signing = signing.ok_or_else(|| OAuthError::new(ErrorCode::TemporarilyUnavailable, missing()))?;
        Ok(Self { issuer, client, signing })
    }

    /// Its algorithm, which is that of `at_hash`.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.signing.algorithm()
    }

    /// Signs what `grant` says.
    pub(crate) fn issue(&self, grant: &IdTokenGrant<'_>, now: Timestamp) -> Result<String, OAuthError> {
        let failed = || OAuthError::new(ErrorCode::ServerError, "an internal error");
        let Self { issuer, client, signing } = *self;
        let person = grant.person;
        // Else the token would speak of two people.
        if *person.subject != *grant.user.subject {
            return Err(failed());
        }
        let lifetime = client.lifetimes.id_token.unwrap_or(issuer.lifetimes.id_token).min(signing.max_token_lifetime);
        let iat = now.as_second();
        let claims = Claims {
            iss: &issuer.url,
            sub: &person.subject,
            aud: &client.id,
            exp: iat + i64::from(lifetime),
            iat,
            auth_time: person.authenticated_at.as_second(),
            nonce: person.nonce.as_deref().filter(|_| grant.moment == Moment::Redemption),
            acr: &person.acr,
            amr: &person.amr,
            at_hash: grant.at_hash,
            jti: jti::of_grant(person.id),
            sid: person.session.to_string(),
            person: self.about(grant)?,
        };
        let mut bytes = Vec::with_capacity(CLAIMS);
        serde_json::to_writer(&mut bytes, &claims).map_err(|_| failed())?;
        signing.sign(TokenType::IdToken, &bytes).map_err(|_| failed())
    }

    /// The claims about the person beside those that Core demands.
    fn about(&self, grant: &IdTokenGrant<'_>) -> Result<Map<String, Value>, OAuthError> {
        let within = grant.person.shown_scopes(self.client);
        let release = Release { granted: grant.scopes, within: &within, declared: &self.issuer.scopes };
        let mut claims = match self.client.id_token_claims {
            IdTokenClaims::Scopes => release.of_scopes(grant.user),
            // kubectl and Argo CD read it here.
            IdTokenClaims::Minimal => {
                release.groups(grant.user).map(|groups| ("groups".to_owned(), groups)).into_iter().collect()
            }
        };
        let asked = &grant.person.claims.id_token;
        release.add_asked(&mut claims, grant.user, asked).map_err(|_| {
            // The login of another person had to fail before there was a code.
            OAuthError::new(ErrorCode::ServerError, "the claims parameter asked for another person")
        })?;
        Ok(claims)
    }
}

#[cfg(test)]
mod tests;
