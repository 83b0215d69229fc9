//! For which API the new token is, and with which scopes: pure. Never more scope than the old one has, and never
//! more than the client was granted there.

use claviger_crds::published::AudienceGrant;

use super::subject::VerifiedSubject;
use crate::grant::audience::{self, Asked};
use crate::tenant::metadata::STANDARD_SCOPES;
use crate::tenant::oauth_client::Client;
use crate::web::error::{ErrorCode, OAuthError};

/// What an exchange never gives: there is no ID token and no refresh token by it.
const NEVER: [&str; 2] = ["openid", "offline_access"];

/// The API that is asked for, else the first that has all scopes asked for, else the first.
pub(super) fn api<'a>(apis: &[&'a AudienceGrant], asked: &Asked<'_>) -> Result<&'a AudienceGrant, OAuthError> {
    let refused = || {
        let description = "the resource or audience is none that this client may get a token for by such an exchange";
        OAuthError::new(ErrorCode::InvalidTarget, description)
    };
    let found = match audience::one_target(&asked.targets)? {
        Some(target) => apis.iter().find(|api| api.audience == target),
        None => {
            let scopes = asked.scopes.as_deref().unwrap_or_default();
            let has_all = |api: &&&AudienceGrant| scopes.iter().all(|scope| has(api, scope) || is_standard(scope));
            apis.iter().find(has_all).or(apis.first())
        }
    };
    found.copied().ok_or_else(refused)
}

/// The scopes of a token for `api`: those asked for, else all that both the old token and the client have.
pub(super) fn scope(
    requester: &Client,
    api: &AudienceGrant,
    subject: &VerifiedSubject,
    asked: &Asked<'_>,
) -> Result<String, OAuthError> {
    let may_have = |scope: &str| may_have(requester, api, subject, scope);
    match &asked.scopes {
        Some(scopes) => {
            if let Some(beyond) = scopes.iter().find(|scope| !may_have(scope)) {
                let description = format!("{beyond} is not in the old token, or not granted to this client there");
                return Err(OAuthError::new(ErrorCode::InvalidScope, description));
            }
            Ok(scopes.join(" "))
        }
        None => {
            let all = match &subject.scope {
                Some(scopes) => scopes,
                None => &api.scopes,
            };
            let kept: Vec<&str> = all.iter().map(String::as_str).filter(|scope| may_have(scope)).collect();
            Ok(kept.join(" "))
        }
    }
}

fn may_have(requester: &Client, api: &AudienceGrant, subject: &VerifiedSubject, scope: &str) -> bool {
    let within = subject.scope.as_ref().is_none_or(|scopes| scopes.iter().any(|had| had == scope));
    let granted = has(api, scope) || requester.scopes.iter().any(|own| own == scope);
    // What is about a person is told of one who has logged in and let it be told.
    let about_somebody = !is_standard(scope) || subject.person.is_some();
    within && granted && about_somebody && !NEVER.contains(&scope)
}

fn has(api: &AudienceGrant, scope: &str) -> bool {
    api.scopes.iter().any(|granted| granted == scope)
}

fn is_standard(scope: &str) -> bool {
    STANDARD_SCOPES.contains(&scope)
}
