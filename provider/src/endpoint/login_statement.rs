//! `POST oauth/login/statement`: the tenant's own login UI says who has logged in there.

use axum::body::Body;
use axum::response::Response;
use serde::Serialize;

use crate::flow::handle;
use crate::handle::NoHandle;
use crate::login_ui::{self, LIFETIME, Person, Stated, Statement};
use crate::tenant::snapshot::{NoSealingKey, TenantSnapshot};
use crate::web::bearer::private_json;
use crate::web::client_authentication::{self, AuthenticatedClient};
use crate::web::error::{ErrorCode, OAuthError, TokenError, ValidationError};
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};

/// `amr` and `acr` stand in a cookie's session and in every token.
const LONGEST: usize = 255;
const MOST: usize = 8;

#[derive(Serialize)]
struct Answer<'a> {
    redirect_to: &'a str,
    expires_in: u64,
}

/// Where the browser has to come back.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    match state(exchange, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(&exchange.tenant.issuer.challenge),
    }
}

/// 1. The form. 2. Who states. 3. The flow. 4. What is stated.
async fn state(exchange: &Exchange<'_>, body: Body) -> Result<Response, TokenError> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let bytes = form::read(&exchange.parts.headers, body).await?;
    let form = Form::parse(&bytes)?;
    let text = form.get("flow").ok_or_else(|| ValidationError::missing(vec!["flow"]))?;
    let client = client_authentication::authenticate(exchange, &form).await?;
    check_is_ui(&client, tenant)?;
    let flow = handle::open(provider, tenant, text).await.map_err(|none| match none {
        NoHandle::Unknown => invalid("there is no such login"),
        NoHandle::NoKey(none) => none.into(),
        NoHandle::Store(_) => OAuthError::store_away(),
    })?;
    if flow.is_over(now) {
        return Err(invalid("the login took too long").into());
    }
    let what = stated(&form, tenant)?;
    let sealed = Statement::new(what, now).seal(tenant, &flow).ok_or(OAuthError::from(NoSealingKey))?;
    let redirect_to = login_ui::way_back(tenant, text, &sealed);
    let answer = Answer { redirect_to: &redirect_to, expires_in: LIFETIME.as_secs() };
    Ok(private_json(serde_json::to_vec(&answer).unwrap_or_default()))
}

/// Only the client that the Tenant names, and only if it can prove that it is that one.
fn check_is_ui(client: &AuthenticatedClient, tenant: &TenantSnapshot) -> Result<(), OAuthError> {
    let client = client.client();
    let is_ui = tenant.issuer.login.ui.as_ref().is_some_and(|ui| *ui.client_id == *client.id);
    if is_ui && !client.is_public() {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::UnauthorizedClient, "this client is not the tenant's login UI"))
}

fn stated(form: &Form<'_>, tenant: &TenantSnapshot) -> Result<Stated, TokenError> {
    if form.get("decision") == Some("cancel") {
        return Ok(Stated::Cancelled);
    }
    let (Some(amr), Some(acr)) = (form.get("amr"), form.get("acr")) else {
        let missing = ["amr", "acr"].into_iter().filter(|name| form.get(name).is_none());
        return Err(ValidationError::missing(missing.collect()).into());
    };
    let amr: Vec<String> = amr.split(' ').filter(|method| !method.is_empty()).map(str::to_owned).collect();
    let is_plain = |text: &str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain(acr) || !(1..=MOST).contains(&amr.len()) || !amr.iter().all(|method| is_plain(method)) {
        return Err(invalid("amr has to be a list of words, and acr one word").into());
    }
    let user = match (form.get("subject"), form.get("username")) {
        (Some(subject), None) => tenant.users.get(subject),
        (None, Some(username)) => tenant.users.named(username),
        (None, None) | (Some(_), Some(_)) => return Err(invalid("either subject or username has to be there").into()),
    };
    let user = user.filter(|user| !user.disabled);
    let user = user.ok_or_else(|| invalid("there is no such account, or it is disabled"))?;
    Ok(Stated::LoggedIn(Person { subject: user.subject.to_string(), amr, acr: acr.to_owned() }))
}

fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}
