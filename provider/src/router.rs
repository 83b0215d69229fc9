//! The route table. What surrounds the endpoints is in [`crate::web::edge`].
//!
//! Looked up by hand: a general router keeps of each path what nothing here reads, which costs every request a
//! microsecond.

use http::{HeaderValue, Method};

use crate::endpoint::{authorize, logout};
use crate::openapi::{self, Resource};
use crate::web::cors::Origins;
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
    Route::new(page::LOGIN_RETURN, Endpoint::LoginReturn, Methods::Get, Origins::None),
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
    /// GET alone: it ends or uses up something, and whoever asks for headers only wants to look.
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

/// How a request names its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address<'r> {
    /// By the host that it was sent to.
    Host,
    /// By this slug in its path.
    Slug(&'r str),
}

/// What there is at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'r> {
    /// A tenant's.
    Route(&'static Route, Address<'r>),
    /// Of no tenant.
    Resource(Resource),
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

/// What there is at `path`, which is as it came: no route has a character that would be encoded.
pub(crate) fn find(path: &str) -> Option<Found<'_>> {
    if let Some(rest) = path.strip_prefix(TENANTS) {
        let (slug, below) = rest.split_at(rest.find('/')?);
        return at(below).filter(|_| !slug.is_empty()).map(|route| Found::Route(route, Address::Slug(slug)));
    }
    if let Some(slug) = path.strip_prefix(AUTHORIZATION_SERVER_TENANTS) {
        let is_slug = !slug.is_empty() && !slug.contains('/');
        return is_slug.then_some(Found::Route(&AUTHORIZATION_SERVER, Address::Slug(slug)));
    }
    if let Some((_, resource)) = RESOURCES.iter().find(|(other, _)| *other == path) {
        return Some(Found::Resource(*resource));
    }
    let twin = (path == AUTHORIZATION_SERVER.path).then_some(&AUTHORIZATION_SERVER);
    at(path).or(twin).map(|route| Found::Route(route, Address::Host))
}

/// A dozen or two, and most differ in length: to look through them is the fastest.
fn at(below: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == below)
}

/// Every path of an issuer at `place`, with its route, as `/openapi.json` has them.
pub(crate) fn paths(place: Place) -> Vec<(String, &'static Route)> {
    let (prefix, twin) = match place {
        Place::Slug => (format!("{TENANTS}{{tenant_slug}}"), format!("{AUTHORIZATION_SERVER_TENANTS}{{tenant_slug}}")),
        Place::Host => (String::new(), AUTHORIZATION_SERVER.path.to_owned()),
    };
    let below = ROUTES.iter().map(|route| (format!("{prefix}{}", route.path), route));
    below.chain([(twin, &AUTHORIZATION_SERVER)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_found_and_says_how_its_tenant_is_named() {
        for (place, address) in [(Place::Slug, Address::Slug("acme")), (Place::Host, Address::Host)] {
            for (path, route) in paths(place) {
                let path = path.replace("{tenant_slug}", "acme");
                let Some(Found::Route(found, by)) = find(&path) else { panic!("{path}") };
                assert!(std::ptr::eq(found, route) && by == address, "{path}");
            }
        }
        for (path, _) in RESOURCES {
            assert!(matches!(find(path), Some(Found::Resource(_))), "{path}");
        }
    }

    #[test]
    fn what_only_looks_like_a_path_is_none() {
        for path in [
            "",
            "/",
            "*",
            "/oauth/token/",
            "//oauth/token",
            "/oauth/Token",
            "/oauth/toke%6E",
            "/api/v1/auth/tenants/acme",
            "/api/v1/auth/tenants/acme/",
            "/api/v1/auth/tenants//oauth/token",
            "/api/v1/auth/tenants/acme/x/oauth/token",
            "/api/v1/auth/tenants/acme/openapi.json",
            "/.well-known/oauth-authorization-server/api/v1/auth/tenants/",
            "/.well-known/oauth-authorization-server/api/v1/auth/tenants/acme/",
            "/.well-known/oauth-authorization-server/acme",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
