//! The authorization endpoint (RFC 6749 §3.1): a login begins, or is answered at once.

use axum::body::Body;
use axum::response::Response;
use http::Method;

use crate::authorize::check;
use crate::authorize::parameters::{Parameters, Source};
use crate::authorize::refusal::Refusal;
use crate::flow::cookie;
use crate::interaction::failure::Failure;
use crate::interaction::{Interaction, answer};
use crate::web::exchange::Exchange;
use crate::web::form;

/// Below the issuer.
pub(crate) const RESUME: &str = "/oauth/authorize/resume";

/// The next page, the client's answer, or a page that says what is wrong.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    begin(exchange, body).await.unwrap_or_else(|failure| failure.into_response(exchange))
}

/// 1. The parameters. 2. The checks. 3. The flow. 4. What comes next.
async fn begin(exchange: &Exchange<'_>, body: Body) -> Result<Response, Failure> {
    let is_post = exchange.parts.method == Method::POST;
    let (source, bytes);
    if is_post {
        source = Source::Body;
        bytes = form::read(&exchange.parts.headers, body).await.map_err(Failure::Body)?;
    } else {
        source = Source::Query;
        bytes = exchange.parts.uri.query().unwrap_or_default().to_owned().into();
    }
    let parameters = Parameters::parse(source, &bytes)?;
    let request = match check::check(&parameters, &exchange.tenant, exchange.provider.now()) {
        Ok(request) => request,
        Err(Refusal::Page(error)) => return Err(Failure::Request(error)),
        Err(Refusal::Redirect(error)) => {
            let client = parameters.get("client_id").and_then(|id| exchange.tenant.clients.get(id));
            let name = client.map_or("", |client| client.display_name.as_str());
            let response = error.into_response();
            return Ok(answer::authorization_response(exchange, &response, name, exchange.language(&[])));
        }
    };
    exchange.tenant.issuer.sealer()?;
    let interaction = Interaction::begin(exchange, request).await?;
    if is_post { post(&interaction).await } else { answer::first(&interaction).await }
}

/// A POST from another site brings no cookies (`SameSite=Lax`), and would look like somebody who is
/// not logged in: the browser is sent here again by a GET, which brings them.
async fn post(interaction: &Interaction<'_>) -> Result<Response, Failure> {
    let Interaction { exchange, flow, .. } = interaction;
    let sealed = interaction.sealed().await?;
    let mut response = answer::see_other(&answer::at(exchange, RESUME, &sealed));
    cookie::set(response.headers_mut(), &exchange.parts.headers, &exchange.tenant, flow);
    Ok(response)
}

/// `GET oauth/authorize/resume`: what a POST was turned into. A path of its own, for the parameters of the
/// authorization endpoint are the clients', with any name (RFC 6749 §3.1).
pub(crate) async fn resume(exchange: &Exchange<'_>) -> Response {
    let resumed = async {
        let flow = exchange.query("flow").ok_or(Failure::Missing("flow"))?;
        answer::first(&Interaction::open(exchange, &flow).await?).await
    };
    resumed.await.unwrap_or_else(|failure| failure.into_response(exchange))
}
