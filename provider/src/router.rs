//! The route table. What surrounds the endpoints is in [`crate::web::edge`].

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use http::{HeaderValue, Method};

use crate::endpoint::{authorize, logout};
use crate::openapi::{self, Resource};
use crate::provider::Provider;
use crate::web::cors::Origins;
use crate::web::edge;
use crate::web::page::{self, assets};

/// The paths below an issuer, one line a route.
static ROUTES: [Route; 21] = [
    Route::new("/.well-known/openid-configuration", Endpoint::Discovery, Methods::Read, Origins::Any),
    Route::new("/.well-known/jwks.json", Endpoint::Jwks, Methods::Read, Origins::Any),
    Route::new("/oauth/authorize", Endpoint::Authorize, Methods::ReadOrPost, Origins::None),
    Route::new(authorize::RESUME, Endpoint::AuthorizeResume, Methods::Read, Origins::None),
    Route::new("/oauth/authorize/complete", Endpoint::Complete, Methods::Post, Origins::None),
    Route::new("/oauth/token", Endpoint::Token, Methods::Post, Origins::Client),
    Route::new("/oauth/userinfo", Endpoint::Userinfo, Methods::ReadOrPost, Origins::Client),
    Route::new("/oauth/introspect", Endpoint::Introspect, Methods::Post, Origins::None),
    Route::new("/oauth/revoke", Endpoint::Revoke, Methods::Post, Origins::Client),
    Route::new("/oauth/logout", Endpoint::Logout, Methods::GetOrPost, Origins::None),
    Route::new(logout::RESUME, Endpoint::LogoutResume, Methods::Get, Origins::None),
    // The pages.
    Route::new(page::LOGIN, Endpoint::Login, Methods::ReadOrPost, Origins::None),
    Route::new(page::LOGIN_STATEMENT, Endpoint::LoginStatement, Methods::Post, Origins::None),
    Route::new(page::LOGIN_RETURN, Endpoint::LoginReturn, Methods::Read, Origins::None),
    Route::new(page::SELECT_ACCOUNT, Endpoint::SelectAccount, Methods::ReadOrPost, Origins::None),
    Route::new(page::CONSENT, Endpoint::Consent, Methods::ReadOrPost, Origins::None),
    Route::new(page::LOGOUT_CONFIRM, Endpoint::LogoutConfirm, Methods::Post, Origins::None),
    Route::new(assets::STYLESHEET, Endpoint::Stylesheet, Methods::Read, Origins::None),
    Route::new(assets::FORM_POST, Endpoint::FormPostScript, Methods::Read, Origins::None),
    Route::new(assets::FRONT_CHANNEL, Endpoint::FrontChannelScript, Methods::Read, Origins::None),
    // In the contract, and nothing yet: it needs an upstream identity provider.
    Route::new("/backchannel-logout", Endpoint::NotServed, Methods::None, Origins::None),
];

/// RFC 8414 §3.1 puts the well-known segment before the issuer's path, not behind it.
static AUTHORIZATION_SERVER: Route =
    Route::new("/.well-known/oauth-authorization-server", Endpoint::Discovery, Methods::Read, Origins::Any);

/// What describes the API, at the root of every host: it is no tenant's.
static RESOURCES: [(&str, Resource); 3] = [
    (openapi::DOCUMENT, Resource::Document),
    (openapi::PAGE, Resource::Page),
    (openapi::STYLESHEET, Resource::Stylesheet),
];

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
    /// RFC 6749 §3.1.
    Authorize,
    /// The same, after a POST.
    AuthorizeResume,
    /// A login page of somebody's own takes its code.
    Complete,
    /// RFC 6749 §3.2.
    Token,
    /// OpenID Connect Core 1.0 §5.3.
    Userinfo,
    /// RFC 7662.
    Introspect,
    /// RFC 7009.
    Revoke,
    /// OpenID Connect RP-Initiated Logout 1.0.
    Logout,
    /// The same, after a POST.
    LogoutResume,
    /// The login page.
    Login,
    /// A login UI of the tenant's own says who has logged in.
    LoginStatement,
    /// The browser comes back from there.
    LoginReturn,
    /// The page that asks which account it shall be.
    SelectAccount,
    /// The page that asks what a client may have.
    Consent,
    /// What the page that asks before a logout sends.
    LogoutConfirm,
    /// The pages' stylesheet.
    Stylesheet,
    /// Posts the answer of `response_mode=form_post`.
    FormPostScript,
    /// Moves on from the page that logs out by iframes.
    FrontChannelScript,
    /// The description of the API.
    Api,
    /// In the contract, and not in this release.
    NotServed,
    /// No route.
    None,
}

/// The methods of a route. OPTIONS is always one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Methods {
    /// GET and HEAD.
    Read,
    /// GET alone: it ends something, and whoever asks for headers only wants to look.
    Get,
    /// POST.
    Post,
    /// GET, HEAD and POST.
    ReadOrPost,
    /// GET and POST; as [`Methods::Get`].
    GetOrPost,
    /// None: the path is known, and nothing is served there.
    None,
}

/// Where an issuer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below its slug.
    Slug,
    /// At the root of a host of its own.
    Host,
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
    pub(crate) const ALL: [Self; 23] = [
        Self::Discovery,
        Self::Jwks,
        Self::Authorize,
        Self::AuthorizeResume,
        Self::Complete,
        Self::Token,
        Self::Userinfo,
        Self::Introspect,
        Self::Revoke,
        Self::Logout,
        Self::LogoutResume,
        Self::Login,
        Self::LoginStatement,
        Self::LoginReturn,
        Self::SelectAccount,
        Self::Consent,
        Self::LogoutConfirm,
        Self::Stylesheet,
        Self::FormPostScript,
        Self::FrontChannelScript,
        Self::Api,
        Self::NotServed,
        Self::None,
    ];

    /// In metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Authorize => "authorize",
            Self::AuthorizeResume => "authorize_resume",
            Self::Complete => "authorize_complete",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Logout => "logout",
            Self::LogoutResume => "logout_resume",
            Self::Login => "login",
            Self::LoginStatement => "login_statement",
            Self::LoginReturn => "login_return",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
            Self::LogoutConfirm => "logout_confirm",
            Self::Stylesheet => "stylesheet",
            Self::FormPostScript => "form_post_script",
            Self::FrontChannelScript => "front_channel_script",
            Self::Api => "api",
            Self::NotServed => "not_served",
            Self::None => "none",
        }
    }
}

impl Methods {
    /// Whether `method` is one of them.
    pub(crate) fn include(self, method: &Method) -> bool {
        let (get, head, post) = (method == Method::GET, method == Method::HEAD, method == Method::POST);
        match self {
            Self::Read => get || head,
            Self::Get => get,
            Self::Post => post,
            Self::ReadOrPost => get || head || post,
            Self::GetOrPost => get || post,
            Self::None => false,
        }
    }

    /// Those that `/openapi.json` describes: whoever reads it knows HEAD and OPTIONS.
    pub(crate) fn described(self) -> Vec<Method> {
        match self {
            Self::Read | Self::Get => vec![Method::GET],
            Self::Post => vec![Method::POST],
            Self::ReadOrPost | Self::GetOrPost => vec![Method::GET, Method::POST],
            Self::None => Vec::new(),
        }
    }

    /// For `Allow`.
    pub(crate) fn allow(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Read => "GET, HEAD, OPTIONS",
            Self::Get => "GET, OPTIONS",
            Self::Post => "POST, OPTIONS",
            Self::ReadOrPost => "GET, HEAD, POST, OPTIONS",
            Self::GetOrPost => "GET, POST, OPTIONS",
            Self::None => "OPTIONS",
        })
    }
}

/// Every route, for tenants at their paths and at their hosts.
pub(crate) fn router(provider: Arc<Provider>) -> Router {
    let mut router = Router::new();
    for (path, route, address) in [Place::Slug, Place::Host].into_iter().flat_map(paths) {
        router = add(router, &provider, &path, route, address);
    }
    for (path, resource) in RESOURCES {
        let provider = Arc::clone(&provider);
        let answer = move |request: Request| {
            let response = edge::describe(&provider, resource, &request);
            async move { response }
        };
        router = router.route(path, any(answer));
    }
    router.fallback(move |request: Request| {
        let response = edge::no_route(&provider, &request);
        async move { response }
    })
}

/// Every path of an issuer at `place`, with its route: what is served, and what `/openapi.json` says.
pub(crate) fn paths(place: Place) -> Vec<(String, &'static Route, Address)> {
    let (prefix, twin, address, twin_address) = match place {
        Place::Slug => (
            format!("{TENANTS}{{tenant_slug}}"),
            format!("{AUTHORIZATION_SERVER_TENANTS}{{tenant_slug}}"),
            Address::Tenant { prefix: TENANTS },
            Address::Tenant { prefix: AUTHORIZATION_SERVER_TENANTS },
        ),
        Place::Host => (String::new(), AUTHORIZATION_SERVER.path.to_owned(), Address::Root, Address::Root),
    };
    let below = ROUTES.iter().map(|route| (format!("{prefix}{}", route.path), route, address));
    below.chain([(twin, &AUTHORIZATION_SERVER, twin_address)]).collect()
}

fn add(router: Router, provider: &Arc<Provider>, path: &str, route: &'static Route, address: Address) -> Router {
    let provider = Arc::clone(provider);
    router.route(path, any(move |request: Request| edge::answer(Arc::clone(&provider), route, address, request)))
}
