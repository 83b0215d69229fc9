//! Where this release differs from the reference on purpose. An exception that is none any more
//! fails too.

/// Operations that are described and answered with 404.
pub(crate) const NOT_SERVED: &[(&str, &str)] = &[(
    "POST /api/v1/auth/tenants/{tenant_slug}/backchannel-logout",
    "it takes logouts from upstream identity providers, and this release has none",
)];

/// Answers to which the reference gives a media type, and that have another or none. The file was
/// generated from a framework that says `application/json` of whatever a handler does not declare.
pub(crate) const OTHER_MEDIA_TYPE: &[(&str, &str, &str)] = &[
    ("GET /api/v1/auth/tenants/{tenant_slug}/oauth/logout", "200", "it is a page for a person"),
    ("POST /api/v1/auth/tenants/{tenant_slug}/oauth/revoke", "200", "RFC 7009 §2.2: the status says it all"),
];

/// What is answered where something that is required is missing, if not 422 with its `loc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// This status.
    Status(u16),
    /// A redirect with this `error`.
    Redirect(&'static str),
}

/// By operation (below the slug) and name.
pub(crate) const NOT_422: &[(&str, &str, Instead, &str)] = &[
    ("", "tenant_slug", Instead::Status(404), "a path without its tenant is the path of nobody (design §6)"),
    ("GET /oauth/authorize", "response_type", Instead::Redirect("invalid_request"), REDIRECT),
    ("GET /oauth/authorize", "scope", Instead::Redirect("invalid_request"), REDIRECT),
    ("GET /oauth/userinfo", "authorization", Instead::Status(401), BEARER),
    ("POST /oauth/userinfo", "authorization", Instead::Status(401), BEARER),
    ("POST /backchannel-logout", "logout_token", Instead::Status(404), "see NOT_SERVED; once served, 400 (design §6)"),
];

const REDIRECT: &str = "once client and redirect URI are known, every fault is a redirect (RFC 6749 §4.1.2.1)";
const BEARER: &str = "RFC 6750 §3.1: a request without a token is 401 with a challenge";

/// Whether the operation `name` is described and not served.
pub(crate) fn is_served(name: &str) -> bool {
    NOT_SERVED.iter().all(|(other, _)| *other != name)
}

/// What stands in the place of 422 where `field` is missing.
pub(crate) fn instead(name: &str, field: &str) -> Option<Instead> {
    let name = name.replace("/api/v1/auth/tenants/{tenant_slug}", "");
    let mut found =
        NOT_422.iter().filter(|(operation, other, ..)| *other == field && (operation.is_empty() || *operation == name));
    found.next().map(|(_, _, instead, _)| *instead)
}
