//! Whom the client means.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::authorize::parameters::Parameters;
use crate::authorize::prompt::Prompt;
use crate::authorize::refusal::{AuthorizationError, AuthorizationErrorCode};
use crate::tenant::snapshot::Issuer;
use crate::token::hint;

/// `sub` of `id_token_hint`. One that is no ID token of ours is ignored where a person will see on a page
/// who is logged in; with `prompt=none` nobody would see that it is not who was meant.
pub(super) fn check_hint(
    parameters: &Parameters<'_>,
    prompt: &BTreeSet<Prompt>,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<Option<String>, AuthorizationError> {
    let Some(text) = parameters.get("id_token_hint") else { return Ok(None) };
    match hint::verify(text, issuer, now) {
        None if prompt.contains(&Prompt::None) => {
            let description = "id_token_hint is not an ID token of this issuer";
            Err(AuthorizationError::new(AuthorizationErrorCode::LoginRequired, description))
        }
        hint => Ok(hint.map(|hint| hint.subject)),
    }
}
