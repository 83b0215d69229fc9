//! The discovery document of a tenant: what this release serves, and no more.
//!
//! OpenID Connect Discovery 1.0 §3 and RFC 8414 §2.

use std::collections::BTreeSet;

use claviger_crds::published::TenantDocument;
use claviger_jose::Algorithm;
use serde::Serialize;

use super::oauth_client::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS, JWT_BEARER, REFRESH_TOKEN, TOKEN_EXCHANGE};
use crate::authorize::prompt::Prompt;
use crate::authorize::response::ResponseMode;
use crate::claims;
use crate::session::acr_values;
use crate::web::page::language::Language;

/// The scopes that every tenant has.
pub(crate) const STANDARD_SCOPES: [&str; 7] =
    ["openid", "profile", "email", "address", "phone", "groups", "offline_access"];

/// What ID tokens and access tokens say for themselves.
const TOKEN_CLAIMS: [&str; 12] =
    ["iss", "sub", "aud", "exp", "iat", "jti", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"];

/// How clients prove who they are at the token endpoint.
const AUTHENTICATION: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

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
    response_types_supported: [&'a str; 1],
    response_modes_supported: [&'a str; 3],
    grant_types_supported: [&'a str; 5],
    subject_types_supported: [&'a str; 1],
    id_token_signing_alg_values_supported: Vec<Algorithm>,
    token_endpoint_auth_methods_supported: &'a [&'a str],
    token_endpoint_auth_signing_alg_values_supported: [Algorithm; Algorithm::ALL.len()],
    introspection_endpoint_auth_methods_supported: &'a [&'a str],
    introspection_endpoint_auth_signing_alg_values_supported: [Algorithm; Algorithm::ALL.len()],
    revocation_endpoint_auth_methods_supported: &'a [&'a str],
    revocation_endpoint_auth_signing_alg_values_supported: [Algorithm; Algorithm::ALL.len()],
    claims_supported: Vec<&'a str>,
    claim_types_supported: [&'a str; 1],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    code_challenge_methods_supported: [&'a str; 1],
    /// What a login UI of the tenant's own can reach, it alone knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    acr_values_supported: Option<[&'a str; 1]>,
    prompt_values_supported: [&'a str; 4],
    display_values_supported: [&'a str; 1],
    ui_locales_supported: &'a [&'a str],
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
    let own = tenant.scopes.iter().flat_map(|scope| &scope.claims).map(String::as_str);
    let mut claims: Vec<&str> = TOKEN_CLAIMS.into_iter().chain(claims::standard()).collect();
    let more: BTreeSet<&str> = own.filter(|claim| !claims.contains(claim)).collect();
    claims.extend(more);
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
        response_types_supported: ["code"],
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str),
        grant_types_supported: [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, TOKEN_EXCHANGE, JWT_BEARER],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: algorithms,
        token_endpoint_auth_methods_supported: &AUTHENTICATION,
        token_endpoint_auth_signing_alg_values_supported: Algorithm::ALL,
        // A client that cannot prove who it is learns nothing about tokens.
        introspection_endpoint_auth_methods_supported: &AUTHENTICATION[..3],
        introspection_endpoint_auth_signing_alg_values_supported: Algorithm::ALL,
        revocation_endpoint_auth_methods_supported: &AUTHENTICATION,
        revocation_endpoint_auth_signing_alg_values_supported: Algorithm::ALL,
        claims_supported: claims,
        claim_types_supported: ["normal"],
        claims_parameter_supported: true,
        request_parameter_supported: false,
        // Its default is true (Discovery §3), so it has to be said.
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
        code_challenge_methods_supported: ["S256"],
        acr_values_supported: acr_values(&tenant.login),
        prompt_values_supported: Prompt::ALL.map(Prompt::as_str),
        display_values_supported: ["page"],
        ui_locales_supported: &Language::TAGS,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
    };
    // Text and lists of text always serialise.
    serde_json::to_vec(&metadata).unwrap_or_default()
}
