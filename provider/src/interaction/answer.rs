//! How what comes next is said: to a browser by a redirect or a page that moves on, to a login page of
//! somebody's own as JSON.

use axum::body::Body;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::failure::Failure;
use super::finish::Finished;
use super::{Interaction, Next, Todo};
use crate::authorize::response::{AuthorizationResponse, ResponseMode};
use crate::flow::cookie;
use crate::login_ui;
use crate::web::bearer::private_json;
use crate::web::error::no_store;
use crate::web::exchange::Exchange;
use crate::web::page::destination::WebAddress;
use crate::web::page::form_post::FormPost;
use crate::web::page::language::Language;
use crate::web::page::{self, Site};

/// What a login page of somebody's own is told.
#[derive(Serialize)]
struct Told<'a> {
    /// `login`, `select_account`, `consent`, `done` or `refused`.
    step: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<&'a str>,
    /// Where that is, if not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a [String]>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer<'a>>,
    client: Asking<'a>,
}

#[derive(Serialize)]
struct Asking<'a> {
    client_id: &'a str,
    name: &'a str,
}

/// An authorization response as JSON.
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    redirect_uri: &'a str,
    response_mode: &'static str,
    /// The whole URL to go to; none where a form is to be posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_to: Option<String>,
    /// Each as it is to be sent, not yet encoded.
    parameters: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Answer<'a> {
    /// What `response` says.
    pub(crate) fn of(response: &'a AuthorizationResponse) -> Self {
        let parameters = response.parameters.iter();
        Self {
            redirect_uri: response.redirect_uri.as_str(),
            response_mode: response.mode.as_str(),
            redirect_to: response.location(),
            parameters: parameters.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect(),
        }
    }
}

/// Asks what comes next, and says it.
pub(crate) async fn next(interaction: &Interaction<'_>) -> Result<Response, Failure> {
    let next = interaction.next().await?;
    if interaction.exchange.wants_json() { json(interaction, next) } else { page(interaction, next).await }
}

/// The same at the authorization endpoint, where every fault of a request whose redirect URI is good is a
/// redirect, whatever was asked for.
pub(crate) async fn first(interaction: &Interaction<'_>) -> Result<Response, Failure> {
    match interaction.next().await? {
        next @ Next::Refused(_) => page(interaction, next).await,
        next if interaction.exchange.wants_json() => json(interaction, next),
        next => page(interaction, next).await,
    }
}

async fn page(interaction: &Interaction<'_>, next: Next) -> Result<Response, Failure> {
    let exchange = interaction.exchange;
    let language = interaction.language();
    let (client, flow) = (&interaction.client, &interaction.flow);
    let answer = match next {
        Next::Do(todo, sealed) => {
            let elsewhere = login_ui::address(interaction, &todo, &sealed);
            let mut response = see_other(&elsewhere.unwrap_or_else(|| at(exchange, todo.path(), &sealed)));
            cookie::set(response.headers_mut(), &exchange.parts.headers, &exchange.tenant, flow);
            return Ok(response);
        }
        Next::Refused(answer) => answer,
        Next::Finished => {
            let session = interaction.session.as_ref().ok_or(Failure::Unavailable)?;
            let now = exchange.provider.now();
            Finished::new(flow.clone(), &client.key, session.row(), now).answer(exchange).await?
        }
    };
    let mut response = authorization_response(exchange, &answer, &client.display_name, language);
    cookie::finish(response.headers_mut(), &exchange.parts.headers, &exchange.tenant, flow);
    Ok(response)
}

/// `answer` by whichever way its client asked for.
pub(crate) fn authorization_response(
    exchange: &Exchange<'_>,
    answer: &AuthorizationResponse,
    client: &str,
    language: Language,
) -> Response {
    if let Some(location) = answer.location() {
        return see_other(&location);
    }
    let issuer = &exchange.tenant.issuer;
    let Some(to) = WebAddress::parse(answer.redirect_uri.as_str()) else {
        // A form is posted to the web alone: an application's own scheme takes the query.
        let query = AuthorizationResponse {
            redirect_uri: answer.redirect_uri.clone(),
            mode: ResponseMode::Query,
            parameters: answer.parameters.clone(),
        };
        return see_other(&query.location().unwrap_or_default());
    };
    let parameters: Vec<(&str, &str)> = answer.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let logo = issuer.login.branding.logo.as_deref();
    let site = Site::new(&issuer.url, &issuer.display_name, logo, language);
    page::respond(StatusCode::OK, &FormPost { site, client, to, parameters: &parameters })
}

/// The page at `path`, for the flow `sealed`.
pub(crate) fn at(exchange: &Exchange<'_>, path: &str, sealed: &str) -> String {
    format!("{}{path}?flow={sealed}", exchange.tenant.issuer.url)
}

/// 303, so that a POST is followed by a GET (RFC 9700 §4.12).
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    no_store(response.headers_mut());
    // What is put here was encoded or registered: visible ASCII.
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn json(interaction: &Interaction<'_>, next: Next) -> Result<Response, Failure> {
    let Interaction { exchange, client, flow, session, .. } = interaction;
    let asking = Asking { client_id: &client.id, name: &client.display_name };
    let username = session.as_ref().map(|session| session.user().username.as_str());
    let mut told = Told {
        step: "done",
        flow: None,
        login_url: None,
        session_id: None,
        username: None,
        scopes: None,
        answer: None,
        client: asking,
    };
    let bytes = |told: &Told<'_>| serde_json::to_vec(told).unwrap_or_default();
    let (body, is_over) = match &next {
        Next::Do(todo, sealed) => {
            told.step = todo.as_str();
            told.flow = Some(sealed);
            told.login_url = login_ui::address(interaction, todo, sealed);
            told.username = username.filter(|_| !matches!(todo, Todo::Login(_)));
            if let Todo::Consent(scopes) = todo {
                told.scopes = Some(scopes);
            }
            (bytes(&told), false)
        }
        Next::Refused(answer) => {
            told.step = "refused";
            told.answer = Some(Answer::of(answer));
            (bytes(&told), true)
        }
        Next::Finished => {
            let row = session.as_ref().ok_or(Failure::Unavailable)?.row();
            let finished = Finished::new(flow.clone(), &client.key, row, exchange.provider.now());
            let sealed = finished.seal(exchange)?;
            told.session_id = Some(&sealed);
            (bytes(&told), false)
        }
    };
    let mut response = private_json(body);
    if is_over {
        cookie::finish(response.headers_mut(), &exchange.parts.headers, &exchange.tenant, flow);
    } else {
        cookie::set(response.headers_mut(), &exchange.parts.headers, &exchange.tenant, flow);
    }
    Ok(response)
}
