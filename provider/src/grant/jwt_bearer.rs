//! The JWT bearer grant (RFC 7523 §2.1): an assertion of an issuer that the tenant trusts, or of a ServiceAccount,
//! for an access token, by the same policy as an exchange.
//!
//! A client that cannot prove who it is may use it too (RFC 7521 §4.1): the assertion is the proof.

use super::token_exchange::{self, ExchangedGrant, Refused};
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::exchange::Exchange;
use crate::web::form::Form;

/// What `client` gets for the assertion in `form`.
pub(crate) async fn assert<'a>(
    exchange: &'a Exchange<'_>,
    client: &'a AuthenticatedClient,
    form: &Form<'_>,
) -> Result<ExchangedGrant<'a>, OAuthError> {
    let text = form.get("assertion");
    let text = text.ok_or(OAuthError::new(ErrorCode::InvalidRequest, "assertion is missing"))?;
    let asked = token_exchange::asked(form)?;
    let subject = token_exchange::assertion(exchange, client.client(), text).await;
    let subject = subject.map_err(Refused::of_assertion)?;
    token_exchange::decide(exchange, client, ("assertion", subject), None, &asked).map_err(|error| match error.code {
        // Of an assertion the same is called otherwise (RFC 7521 §4.1.1).
        ErrorCode::InvalidRequest => error.with_code(ErrorCode::InvalidGrant),
        _ => error,
    })
}
