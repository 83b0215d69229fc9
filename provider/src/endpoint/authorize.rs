//! The authorization endpoint (RFC 6749 §3.1): a login begins, or is answered at once.

use axum::body::Body;
use axum::response::Response;
use http::Method;

use crate::authorize::check;
use crate::authorize::parameters::{Parameters, Source};
use crate::authorize::prompt::Prompt;
use crate::authorize::redirect_uri;
use crate::authorize::refusal::{AuthorizationError, AuthorizationErrorCode, Refusal};
use crate::authorize::request::AuthorizationRequest;
use crate::authorize::response::Destination;
use crate::flow::{cookie, handle};
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
    let unread = Unread::of(exchange, &request);
    let begun = async {
        exchange.tenant.issuer.sealer()?;
        let interaction = Interaction::begin(exchange, request).await?;
        if is_post { post(&interaction).await } else { answer::first(&interaction).await }
    };
    begun.await.or_else(|failure| unread.answer(exchange, failure))
}

/// Where an answer goes that is for a script alone: with `prompt=none` nobody is there to read a page, and in a hidden
/// frame none is shown.
struct Unread<'a>(Option<(Destination, &'a str)>);

impl<'a> Unread<'a> {
    /// Of a request that was good when it came. What its client no longer goes by is no destination.
    fn of(exchange: &'a Exchange<'_>, request: &AuthorizationRequest) -> Self {
        let is_silent = request.prompt.contains(&Prompt::None);
        let client = exchange.tenant.clients.get(&request.client_id).filter(|_| is_silent);
        let client = client.filter(|client| redirect_uri::find(client, request.redirect_uri.as_str()).is_some());
        let destination = || request.destination(&exchange.tenant.issuer.url);
        Self(client.map(|client| (destination(), client.display_name.as_str())))
    }

    /// What is our fault and passes is told to the client (RFC 6749 §4.1.2.1). So is that the browser sent no cookies: in
    /// another site's frame it sends none, whoever is logged in.
    fn answer(self, exchange: &Exchange<'_>, failure: Failure) -> Result<Response, Failure> {
        let Some((destination, client)) = self.0 else { return Err(failure) };
        let (code, description) = match failure {
            Failure::Unavailable | Failure::NoKey(_) => {
                (AuthorizationErrorCode::TemporarilyUnavailable, "try again in a moment")
            }
            Failure::NoCookies | Failure::OtherBrowser => {
                (AuthorizationErrorCode::LoginRequired, "the browser sent no cookies of this login")
            }
            failure => return Err(failure),
        };
        let answer = destination.error(AuthorizationError::new(code, description));
        Ok(answer::authorization_response(exchange, &answer, client, exchange.language(&[])))
    }
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
        let answered = async { answer::first(&Interaction::open(exchange, &flow).await?).await };
        let failure = match answered.await {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        // What was asked for may be known all the same.
        let asked = handle::open(exchange.provider, &exchange.tenant, &flow).await;
        asked.map_or(Unread(None), |flow| Unread::of(exchange, &flow.request)).answer(exchange, failure)
    };
    resumed.await.unwrap_or_else(|failure| failure.into_response(exchange))
}
