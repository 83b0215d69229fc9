//! UserInfo (OpenID Connect Core 1.0 §5.3): what a person lets a client know.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

use crate::claims::{self, Release};
use crate::grant::audience;
use crate::store::TokenLookup;
use crate::token::jti::Origin;
use crate::token::person::PersonGrant;
use crate::token::verify;
use crate::web::bearer::{Bearer, BearerError, private_json};
use crate::web::cors;
use crate::web::error::{self, OAuthError};
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};

/// Why there are no claims.
enum Refused {
    Bearer(BearerError),
    Form(OAuthError),
    Store,
}

/// The claims, or why there are none.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let issuer = &exchange.tenant.issuer;
    let mut response = match released(exchange, body).await {
        Ok(body) => private_json(body),
        Err(Refused::Bearer(error)) => error.into_response(&issuer.url),
        Err(Refused::Form(error)) if error.status() == StatusCode::BAD_REQUEST => {
            BearerError::Malformed("the form is unreadable, or repeats a field").into_response(&issuer.url)
        }
        Err(Refused::Form(error)) => error.into_response(&issuer.challenge),
        Err(Refused::Store) => error::unavailable("the store is not available"),
    };
    cors::allow_tenant(response.headers_mut(), &exchange.parts.headers, &exchange.tenant);
    response
}

/// 1. The token. 2. Whether it is a person's, with `openid`. 3. Whether it still counts. 4. The claims.
async fn released(exchange: &Exchange<'_>, body: Body) -> Result<Vec<u8>, Refused> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let bytes = form::read_if_any(&exchange.parts, body).await.map_err(Refused::Form)?;
    let form = Form::parse(&bytes).map_err(Refused::Form)?;
    let text = match Bearer::read(&exchange.parts.headers, form.get("access_token")) {
        Bearer::Token(text) => text,
        Bearer::Missing => return Err(Refused::Bearer(BearerError::Missing)),
        Bearer::Malformed(description) => return Err(Refused::Bearer(BearerError::Malformed(description))),
    };
    let invalid = || Refused::Bearer(BearerError::Invalid);
    let token = verify::access_token(&text, &tenant.issuer, now).ok_or_else(invalid)?;
    let Origin::Grant(grant) = token.origin() else { return Err(Refused::Bearer(BearerError::Scope("openid"))) };
    if !token.has("openid") {
        return Err(Refused::Bearer(BearerError::Scope("openid")));
    }
    let client = tenant.clients.get(&token.claims().client_id).ok_or_else(invalid)?;
    if !audience::reaches(client, &tenant.issuer, &token.claims().aud) {
        return Err(invalid());
    }
    let user = tenant.users.live_since(&token.claims().sub, token.login(), now).ok_or_else(invalid)?;
    let (tenant_key, jti, offline_access) = (&tenant.issuer.key, &token.claims().jti, client.has_offline_access());
    let lookup = TokenLookup { tenant: tenant_key, jti, grant: Some(grant), offline_access, now };
    let row = provider.store().live_grant(lookup).await.map_err(|_| Refused::Store)?.ok_or_else(invalid)?;
    let person = PersonGrant::of(&row).map_err(|_| Refused::Store)?;
    if row.client != client.key || person.subject != *user.subject {
        return Err(invalid());
    }
    let claims = token.claims();
    let granted: Vec<String> =
        audience::granted_scopes(client, &claims.aud, &claims.scope).map(str::to_owned).collect();
    if !granted.iter().any(|scope| scope == "openid") {
        return Err(Refused::Bearer(BearerError::Scope("openid")));
    }
    let within = person.shown_scopes(client);
    let release = Release { granted: &granted, within: &within, declared: &tenant.issuer.scopes };
    let claims = claims::userinfo(user, release, &person.claims.userinfo).map_err(|_| invalid())?;
    // A map of JSON always serialises.
    Ok(serde_json::to_vec(&claims).unwrap_or_default())
}
