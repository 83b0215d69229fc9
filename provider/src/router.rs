//! The route table. What surrounds the endpoints is in [`crate::web::edge`].

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use http::{HeaderValue, Method};

use crate::provider::Provider;
use crate::web::cors::Origins;
use crate::web::edge;

/// The paths below an issuer, one line a route.
static ROUTES: [Route; 9] = [
    Route::new("/.well-known/openid-configuration", Endpoint::Discovery, Methods::Read, Origins::Any),
    Route::new("/.well-known/jwks.json", Endpoint::Jwks, Methods::Read, Origins::Any),
    Route::new("/oauth/token", Endpoint::Token, Methods::Post, Origins::Client),
    // Discovery has to name these, and so they say more than "not found".
    Route::new("/oauth/authorize", Endpoint::NotServed, Methods::None, Origins::None),
    Route::new("/oauth/userinfo", Endpoint::NotServed, Methods::None, Origins::Client),
    Route::new("/oauth/introspect", Endpoint::NotServed, Methods::None, Origins::None),
    Route::new("/oauth/revoke", Endpoint::NotServed, Methods::None, Origins::None),
    Route::new("/oauth/logout", Endpoint::NotServed, Methods::None, Origins::None),
    Route::new("/backchannel-logout", Endpoint::NotServed, Methods::None, Origins::None),
];

/// RFC 8414 §3.1 puts the well-known segment before the issuer's path, not behind it.
static AUTHORIZATION_SERVER: Route =
    Route::new("/.well-known/oauth-authorization-server", Endpoint::Discovery, Methods::Read, Origins::Any);

/// The path of a tenant without a host of its own is this and its slug.
const TENANTS: &str = "/api/v1/auth/tenants/";
const AUTHORIZATION_SERVER_TENANTS: &str = "/.well-known/oauth-authorization-server/api/v1/auth/tenants/";

/// What is answered at a path.
#[derive(Debug)]
pub(crate) struct Route {
    path: &'static str,
    /// By what.
    pub(crate) endpoint: Endpoint,
    /// To which methods.
    pub(crate) methods: Methods,
    /// Readable by whose pages.
    pub(crate) origins: Origins,
}

/// The endpoints, as metrics name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// OpenID Connect Discovery 1.0 and RFC 8414.
    Discovery,
    /// RFC 7517 §5.
    Jwks,
    /// RFC 6749 §3.2.
    Token,
    /// In discovery, and not in this release.
    NotServed,
    /// No route.
    None,
}

/// The methods of a route. OPTIONS is always one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Methods {
    /// GET and HEAD.
    Read,
    /// POST.
    Post,
    /// None: the path is known, and nothing is served there.
    None,
}

/// How a path names its tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Address {
    /// Its own host does.
    Root,
    /// The segment after `prefix` does.
    Tenant {
        /// Ends with a slash.
        prefix: &'static str,
    },
}

impl Route {
    const fn new(path: &'static str, endpoint: Endpoint, methods: Methods, origins: Origins) -> Self {
        Self { path, endpoint, methods, origins }
    }
}

impl Endpoint {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 5] = [Self::Discovery, Self::Jwks, Self::Token, Self::NotServed, Self::None];

    /// In metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::NotServed => "not_served",
            Self::None => "none",
        }
    }
}

impl Methods {
    /// Whether `method` is one of them.
    pub(crate) fn include(self, method: &Method) -> bool {
        match self {
            Self::Read => method == Method::GET || method == Method::HEAD,
            Self::Post => method == Method::POST,
            Self::None => false,
        }
    }

    /// For `Allow`.
    pub(crate) fn allow(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Read => "GET, HEAD, OPTIONS",
            Self::Post => "POST, OPTIONS",
            Self::None => "OPTIONS",
        })
    }
}

/// Every route, for tenants at their paths and at their hosts.
pub(crate) fn router(provider: Arc<Provider>) -> Router {
    let mut router = Router::new();
    for route in &ROUTES {
        let below_slug = format!("{TENANTS}{{tenant_slug}}{}", route.path);
        router = add(router, &provider, &below_slug, route, Address::Tenant { prefix: TENANTS });
        router = add(router, &provider, route.path, route, Address::Root);
    }
    let twin = format!("{AUTHORIZATION_SERVER_TENANTS}{{tenant_slug}}");
    let address = Address::Tenant { prefix: AUTHORIZATION_SERVER_TENANTS };
    router = add(router, &provider, &twin, &AUTHORIZATION_SERVER, address);
    router = add(router, &provider, AUTHORIZATION_SERVER.path, &AUTHORIZATION_SERVER, Address::Root);
    router.fallback(move |request: Request| {
        let response = edge::no_route(&provider, &request);
        async move { response }
    })
}

fn add(router: Router, provider: &Arc<Provider>, path: &str, route: &'static Route, address: Address) -> Router {
    let provider = Arc::clone(provider);
    router.route(path, any(move |request: Request| edge::answer(Arc::clone(&provider), route, address, request)))
}
