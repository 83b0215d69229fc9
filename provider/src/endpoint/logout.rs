//! The end-session endpoint (RP-Initiated Logout 1.0 §2), and the page that asks before it acts.

use axum::body::Body;
use axum::response::Response;
use http::{Method, StatusCode};

use crate::interaction::answer::{self, see_other};
use crate::interaction::failure::Failure;
use crate::logout;
use crate::logout::request::{Asked, LogoutRequest, Refused};
use crate::session::{self, Found};
use crate::store::{Id, Session};
use crate::tenant::oauth_client::Client;
use crate::token::hint::VerifiedHint;
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};
use crate::web::page::destination::{Destination, WebAddress};
use crate::web::page::logged_out::{LoggedOut, Next};
use crate::web::page::logout::{Asking, LogoutConfirm, StayedLoggedIn};
use crate::web::page::{self, Site};
use crate::web::same_origin::SameOrigin;

/// Below the issuer.
pub(crate) const RESUME: &str = "/oauth/logout/resume";

/// 1. The request. 2. Who is logged in. 3. Whether to ask. 4. The end.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let result = if exchange.parts.method == Method::POST { post(exchange, body).await } else { get(exchange).await };
    result.unwrap_or_else(|failure| failure.into_response(exchange))
}

async fn get(exchange: &Exchange<'_>) -> Result<Response, Failure> {
    let query = exchange.parts.uri.query().unwrap_or_default();
    let form = Form::parse(query.as_bytes()).map_err(Failure::Body)?;
    log_out(exchange, LogoutRequest::check(&form, &exchange.tenant, exchange.provider.now())?).await
}

/// A POST from another site brings no cookies, and would look like somebody who is not logged in: the
/// browser is sent on to a GET, which brings them. What is wrong with it is said at once.
async fn post(exchange: &Exchange<'_>, body: Body) -> Result<Response, Failure> {
    let bytes = form::read(&exchange.parts.headers, body).await.map_err(Failure::Body)?;
    let form = Form::parse(&bytes).map_err(Failure::Body)?;
    let request = LogoutRequest::check(&form, &exchange.tenant, exchange.provider.now())?;
    let sealed = request.seal(&exchange.tenant)?;
    Ok(see_other(&answer::at(exchange, RESUME, &sealed)))
}

/// `GET oauth/logout/resume`: what a POST was turned into.
pub(crate) async fn resume(exchange: &Exchange<'_>) -> Response {
    let resumed = async {
        let sealed = exchange.query("flow").ok_or(Failure::Missing("flow"))?;
        log_out(exchange, LogoutRequest::open(&sealed, &exchange.tenant)?).await
    };
    resumed.await.unwrap_or_else(|failure| failure.into_response(exchange))
}

/// A request that comes late, by a tab that was opened again, speaks for nobody: who is logged in is asked.
async fn log_out(exchange: &Exchange<'_>, request: LogoutRequest) -> Result<Response, Failure> {
    let now = exchange.provider.now();
    let is_late = request.is_late(now);
    let LogoutRequest { hint, person, asked } = request;
    let session = session::find(exchange).await?;
    let (speaks_for, about) = match (&hint, session.row()) {
        (None, row) => (false, row.map(|row| row.id)),
        (Some(hint), None) => {
            // Where it is over already there is nothing to ask. One that lives belongs to a browser whose cookie did
            // not come, as that of an application that opens a fresh one for this (decision 0027).
            let live = elsewhere(exchange, hint).await?;
            (live.is_none(), live)
        }
        (Some(hint), Some(row)) => {
            let is_meant = person.is_none_or(|person| is_called(&person, &session, row));
            (hint.subject == row.subject && hint.session == Some(row.id) && is_meant, Some(row.id))
        }
    };
    if speaks_for && (!is_late || about.is_none()) {
        return end(exchange, session.row(), &asked).await;
    }
    ask(exchange, &session, asked.about(about, now), Asking::First)
}

/// The session of `hint`, if both live: of an expired one nobody can tell who kept it.
async fn elsewhere(exchange: &Exchange<'_>, hint: &VerifiedHint) -> Result<Option<Id>, Failure> {
    let is_current = exchange.provider.now().as_second() < hint.expires_at;
    let Some(id) = hint.session.filter(|_| is_current) else { return Ok(None) };
    let live = to_end(exchange, id).await?.filter(|session| session.subject == hint.subject);
    Ok(live.map(|session| session.id))
}

async fn to_end(exchange: &Exchange<'_>, id: Id) -> Result<Option<Session>, Failure> {
    let key = &exchange.tenant.issuer.key;
    Ok(exchange.provider.store().session_to_end(key, id, exchange.provider.now()).await?)
}

/// Whether a `logout_hint` is the username, the subject or the session of who is logged in.
fn is_called(hint: &str, session: &Found, row: &Session) -> bool {
    username(session) == Some(hint) || row.subject == hint || row.id.to_string() == hint
}

/// Of whoever is logged in.
fn username(session: &Found) -> Option<&str> {
    match session {
        Found::Live(session) => Some(session.user().username.as_str()),
        Found::Orphaned(_) | Found::None => None,
    }
}

/// The question, for whoever has no hint or one that speaks for somebody else.
fn ask(exchange: &Exchange<'_>, session: &Found, asked: Asked, asking: Asking) -> Result<Response, Failure> {
    let sealed = asked.seal(&exchange.tenant)?;
    let page = LogoutConfirm { site: site(exchange, &asked), flow: &sealed, username: username(session), asking };
    Ok(page::respond(StatusCode::OK, &page))
}

/// `POST oauth/logout/confirm`: what the person has answered.
pub(crate) async fn confirm(exchange: &Exchange<'_>, body: Body) -> Response {
    confirmed(exchange, body).await.unwrap_or_else(|failure| failure.into_response(exchange))
}

async fn confirmed(exchange: &Exchange<'_>, body: Body) -> Result<Response, Failure> {
    let _same_origin = SameOrigin::check(&exchange.parts.headers, &exchange.tenant.issuer.url)?;
    let bytes = form::read(&exchange.parts.headers, body).await.map_err(Failure::Body)?;
    let form = Form::parse(&bytes).map_err(Failure::Body)?;
    let sealed = form.get("flow").ok_or(Failure::Missing("flow"))?;
    let asked = Asked::open(sealed, &exchange.tenant)?;
    match form.get("decision") {
        Some("yes") if asked.is_late(exchange.provider.now()) => agreed_late(exchange, asked).await,
        Some("yes") => agreed(exchange, asked).await,
        Some("no") => Ok(stayed(exchange, &asked)),
        _ => Err(Failure::Missing("decision")),
    }
}

/// The person said yes, to the end of what he was asked about. Whoever has logged in since, in another tab, is asked himself.
async fn agreed(exchange: &Exchange<'_>, asked: Asked) -> Result<Response, Failure> {
    let session = session::find(exchange).await?;
    match (session.row(), asked.session) {
        (Some(row), Some(shown)) if row.id == shown => end(exchange, Some(row), &asked).await,
        (Some(row), _) => {
            let asked = asked.about(Some(row.id), exchange.provider.now());
            ask(exchange, &session, asked, Asking::First)
        }
        (None, Some(shown)) => {
            let live = to_end(exchange, shown).await?;
            end(exchange, live.as_ref(), &asked).await
        }
        (None, None) => end(exchange, None, &asked).await,
    }
}

/// The person said yes, and was asked long ago. Where somebody is logged in still, he must not walk away in the belief that
/// he is not: he is asked again. Where nobody is, there is nothing left to ask.
async fn agreed_late(exchange: &Exchange<'_>, asked: Asked) -> Result<Response, Failure> {
    let session = session::find(exchange).await?;
    let live = match (session.row(), asked.session) {
        (Some(row), _) => Some(row.id),
        (None, Some(shown)) => to_end(exchange, shown).await?.map(|session| session.id),
        (None, None) => None,
    };
    if live.is_none() {
        return end(exchange, None, &asked).await;
    }
    ask(exchange, &session, asked.about(live, exchange.provider.now()), Asking::TooLate)
}

/// The person said no: whoever was logged in stays so, and goes nowhere.
fn stayed(exchange: &Exchange<'_>, asked: &Asked) -> Response {
    page::respond(StatusCode::OK, &StayedLoggedIn { site: site(exchange, asked) })
}

/// Ends the session, tells its clients, and leads on.
async fn end(exchange: &Exchange<'_>, session: Option<&Session>, asked: &Asked) -> Result<Response, Failure> {
    let (provider, tenant) = (exchange.provider, &exchange.tenant);
    let client = asked.client(tenant);
    // It was registered when it was asked for, which may be a while ago.
    let next = asked.next(tenant)?;
    let frames = match session {
        None => Vec::new(),
        Some(session) => {
            logout::end(provider, tenant, session).await?;
            exchange.audit().logout(client, &session.subject);
            // The session is over, whatever becomes of its frames.
            logout::frames(provider, tenant, session).await.unwrap_or_default()
        }
    };
    let mut response = left(exchange, asked, client, next.as_deref(), &frames);
    session::clear_cookie(response.headers_mut(), tenant);
    Ok(response)
}

/// The page that says so, with the iframes of those who are told by them; or straight on.
fn left(
    exchange: &Exchange<'_>,
    asked: &Asked,
    client: Option<&Client>,
    next: Option<&str>,
    frames: &[String],
) -> Response {
    let frames: Vec<WebAddress<'_>> = frames.iter().filter_map(|address| WebAddress::parse(address)).collect();
    if frames.is_empty()
        && let Some(next) = next
    {
        return see_other(next);
    }
    let to = next.and_then(Destination::parse);
    let next = to.map(|to| Next { client: client.map_or("", |client| client.display_name.as_str()), to });
    page::respond(StatusCode::OK, &LoggedOut { site: site(exchange, asked), next, frames: &frames })
}

fn site<'a>(exchange: &'a Exchange<'_>, asked: &Asked) -> Site<'a> {
    let locales: Vec<String> = asked.ui_locales.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect();
    exchange.site(&locales)
}

impl From<Refused> for Failure {
    fn from(Refused(reason): Refused) -> Self {
        Self::Logout(reason)
    }
}
