//! The discovery document of a tenant: what this release serves, and no more.
//!
//! OpenID Connect Discovery 1.0 §3 and RFC 8414 §2. Endpoints that the contract demands are named
//! though this release does not serve them; what a client could do there is told by the lists,
//! which are empty where nothing can be done.

use claviger_crds::published::TenantDocument;
use claviger_jose::Algorithm;
use serde::Serialize;

use super::oauth_client::CLIENT_CREDENTIALS;

/// The scopes that every tenant has.
pub(crate) const STANDARD_SCOPES: [&str; 7] =
    ["openid", "profile", "email", "address", "phone", "groups", "offline_access"];

/// The claims that tokens bear.
const CLAIMS: [&str; 9] = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "tenant_id"];

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    scopes_supported: Vec<&'a str>,
    response_types_supported: [&'a str; 0],
    response_modes_supported: [&'a str; 0],
    grant_types_supported: [&'a str; 1],
    subject_types_supported: [&'a str; 1],
    id_token_signing_alg_values_supported: Vec<Algorithm>,
    token_endpoint_auth_methods_supported: [&'a str; 2],
    claims_supported: [&'a str; 9],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    code_challenge_methods_supported: [&'a str; 0],
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
}

/// The document of `tenant`, whose keys have these `algorithms`.
pub(crate) fn document(tenant: &TenantDocument, algorithms: Vec<Algorithm>) -> Vec<u8> {
    let issuer = tenant.issuer.as_str();
    let at = |path: &str| format!("{issuer}{path}");
    let declared = tenant.scopes.iter().map(|scope| scope.name.as_str());
    let metadata = Metadata {
        issuer,
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        userinfo_endpoint: at("/oauth/userinfo"),
        jwks_uri: at("/.well-known/jwks.json"),
        end_session_endpoint: at("/oauth/logout"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        scopes_supported: STANDARD_SCOPES.into_iter().chain(declared).collect(),
        response_types_supported: [],
        response_modes_supported: [],
        grant_types_supported: [CLIENT_CREDENTIALS],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: algorithms,
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        claims_supported: CLAIMS,
        claims_parameter_supported: false,
        request_parameter_supported: false,
        // Its default is true (Discovery §3), so it has to be said.
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: false,
        code_challenge_methods_supported: [],
        // In the contract the default of these two is true.
        backchannel_logout_supported: false,
        backchannel_logout_session_supported: false,
        frontchannel_logout_supported: false,
        frontchannel_logout_session_supported: false,
    };
    // Text and lists of text always serialise.
    serde_json::to_vec(&metadata).unwrap_or_default()
}
