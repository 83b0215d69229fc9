//! What surrounds every endpoint: which tenant, which method, request ID, security headers,
//! counters, and a wall against faults of our own. One layer, written out: it runs for every request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{CONTENT_LENGTH, HOST, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method};
use hyper::body::Body as _;

use super::cors::{self, Origins};
use super::error::{self, NotFound};
use super::exchange::Exchange;
use super::page::assets::Script;
use super::request_id::X_REQUEST_ID;
use crate::endpoint::{
    assets, authorize, complete, consent, discovery, introspect, jwks, login, login_return, login_statement, logout,
    revoke, select_account, token, userinfo,
};
use crate::internal::Readiness;
use crate::openapi::{self, Resource};
use crate::provider::Provider;
use crate::router::{self, Address, Endpoint, Found, Methods, Place, Route};
use crate::tenant::snapshot::TenantSnapshot;

/// Answers a request.
pub(crate) async fn respond(provider: Arc<Provider>, request: Request) -> Response {
    let began = Instant::now();
    let head_alone = request.method() == Method::HEAD;
    let response = match router::find(request.uri().path()) {
        Some(Found::Route(route, address)) => {
            let tenant = tenant(&provider, address, &request);
            answer(provider, route, tenant, request, began).await
        }
        Some(Found::Resource(resource)) => describe(&provider, resource, &request, began),
        None => no_route(&provider, &request),
    };
    if head_alone { without_body(response) } else { response }
}

/// What answers HEAD: the length that a GET would have, and nothing of that length (RFC 9110 §9.3.2). Where there is no
/// body either way, as in a 304, no length is told (§8.6).
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        parts.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(parts, Body::empty())
}

/// Answers a request that came to `route` of `tenant`.
async fn answer(
    provider: Arc<Provider>,
    route: &'static Route,
    tenant: Result<Arc<TenantSnapshot>, Absent>,
    request: Request,
    began: Instant,
) -> Response {
    let request_id = provider.request_ids().of(request.headers());
    let (mut response, https_only) = match tenant {
        Err(absent) => (absent.into_response(), false),
        Ok(tenant) => {
            let https_only = tenant.issuer.https_only;
            let (parts, body) = request.into_parts();
            let exchange = Exchange { provider: &provider, tenant, request_id: &request_id, parts };
            // Snapshots are immutable, so that a panic leaves nothing half done.
            let response = AssertUnwindSafe(dispatch(exchange, body, route)).catch_unwind().await;
            (response.unwrap_or_else(|_| panicked(&provider, &request_id)), https_only)
        }
    };
    if route.origins == Origins::Any {
        cors::allow_any(response.headers_mut());
    }
    let (status, took) = (response.status(), began.elapsed());
    tracing::debug!(?request_id, endpoint = route.endpoint.as_str(), status = status.as_u16(), ?took, "answered");
    provider.counters().answered(route.endpoint, status, took);
    finish(&mut response, request_id, https_only);
    response
}

/// Answers a request that came to no route.
fn no_route(provider: &Provider, request: &Request) -> Response {
    let mut response = NotFound::Path.into_response();
    finish(&mut response, provider.request_ids().of(request.headers()), false);
    provider.counters().answered(Endpoint::None, response.status(), std::time::Duration::ZERO);
    response
}

/// Answers with what describes the API: no tenant's, but that of the host where one is alone.
fn describe(provider: &Provider, resource: Resource, request: &Request, began: Instant) -> Response {
    let tenant = provider.directory().at_host(host(request));
    let place = if tenant.is_some() { Place::Host } else { Place::Slug };
    let mut response = if provider.readiness() == Readiness::Loading {
        // Whether a tenant is alone here is not known yet.
        Absent::Loading.into_response()
    } else if request.method() == Method::OPTIONS {
        cors::options(Methods::Read)
    } else if Methods::Read.include(request.method()) {
        openapi::respond(place, resource, request.headers())
    } else {
        error::method_not_allowed(&Methods::Read.allow())
    };
    cors::allow_any(response.headers_mut());
    provider.counters().answered(Endpoint::Api, response.status(), began.elapsed());
    let https_only = tenant.is_some_and(|tenant| tenant.issuer.https_only);
    finish(&mut response, provider.request_ids().of(request.headers()), https_only);
    response
}

/// The endpoints, by name.
async fn dispatch(exchange: Exchange<'_>, body: Body, route: &Route) -> Response {
    let method = &exchange.parts.method;
    if route.endpoint == Endpoint::NotServed {
        return not_served(&exchange, route);
    }
    if method == Method::OPTIONS {
        return cors::preflight(&exchange, route.origins, route.methods);
    }
    if !route.methods.include(method) {
        return error::method_not_allowed(&route.methods.allow());
    }
    // Each in a box of its own: else every request would carry, and move, as much as the largest needs.
    let answer: BoxFuture<'_, Response> = match route.endpoint {
        Endpoint::Discovery => return discovery::respond(&exchange),
        Endpoint::Jwks => return jwks::respond(&exchange),
        Endpoint::Authorize => Box::pin(authorize::respond(&exchange, body)),
        Endpoint::AuthorizeResume => Box::pin(authorize::resume(&exchange)),
        Endpoint::Complete => Box::pin(complete::respond(&exchange, body)),
        Endpoint::Token => Box::pin(token::respond(&exchange, body)),
        Endpoint::Userinfo => Box::pin(userinfo::respond(&exchange, body)),
        Endpoint::Introspect => Box::pin(introspect::respond(&exchange, body)),
        Endpoint::Revoke => Box::pin(revoke::respond(&exchange, body)),
        Endpoint::Logout => Box::pin(logout::respond(&exchange, body)),
        Endpoint::LogoutResume => Box::pin(logout::resume(&exchange)),
        Endpoint::Login => Box::pin(login::respond(&exchange, body)),
        Endpoint::LoginStatement => Box::pin(login_statement::respond(&exchange, body)),
        Endpoint::LoginReturn => Box::pin(login_return::respond(&exchange)),
        Endpoint::SelectAccount => Box::pin(select_account::respond(&exchange, body)),
        Endpoint::Consent => Box::pin(consent::respond(&exchange, body)),
        Endpoint::LogoutConfirm => Box::pin(logout::confirm(&exchange, body)),
        Endpoint::Stylesheet => return assets::stylesheet(&exchange),
        Endpoint::FormPostScript => return assets::script(&exchange, Script::FormPost),
        Endpoint::FrontChannelScript => return assets::script(&exchange, Script::FrontChannel),
        Endpoint::Api | Endpoint::NotServed | Endpoint::None => return NotFound::NotServed.into_response(),
    };
    answer.await
}

/// Where pages may ask, they are also let see that nothing is there: to a preflight that fails a
/// browser says no more than that the network is at fault.
fn not_served(exchange: &Exchange<'_>, route: &Route) -> Response {
    let may_ask = route.origins != Origins::None;
    if may_ask && exchange.parts.method == Method::OPTIONS {
        return cors::preflight(exchange, route.origins, route.methods);
    }
    let mut response = NotFound::NotServed.into_response();
    if route.origins == Origins::Client {
        cors::allow_tenant(response.headers_mut(), &exchange.parts.headers, &exchange.tenant);
    }
    response
}

fn tenant(provider: &Provider, address: Address<'_>, request: &Request) -> Result<Arc<TenantSnapshot>, Absent> {
    if provider.readiness() == Readiness::Loading {
        // To say that a tenant or a key does not exist would be a guess.
        return Err(Absent::Loading);
    }
    let directory = provider.directory();
    let tenant = match address {
        Address::Host => directory.at_host(host(request)),
        Address::Slug(slug) => directory.at_path(slug, host(request)),
    };
    tenant.ok_or(Absent::Unknown)
}

/// Why a request has no tenant.
enum Absent {
    Loading,
    Unknown,
}

impl Absent {
    fn into_response(self) -> Response {
        match self {
            Self::Loading => error::unavailable("what is published is being loaded"),
            Self::Unknown => NotFound::Tenant.into_response(),
        }
    }
}

/// The host that the request was sent to; in HTTP/2 it is in the URI (RFC 9113 §8.3.1). Of several
/// `Host` headers none counts (RFC 9112 §3.2).
fn host(request: &Request) -> Option<&str> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str());
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

fn finish(response: &mut Response, request_id: HeaderValue, https_only: bool) {
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, request_id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page says more: with this one its own forms would look like a foreign page's.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    if https_only {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

fn panicked(provider: &Provider, request_id: &HeaderValue) -> Response {
    tracing::error!(?request_id, "a fault of the provider's own");
    provider.counters().panicked();
    error::fault()
}
