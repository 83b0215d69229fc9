//! OAuthClient: raw → valid.

use claviger_jose::Algorithm;
use k8s_openapi::jiff::Timestamp;

use super::parse_authentication::{self, Authentication};
use super::parse_revoked::{self, SecretRevocation};
use super::parse_token_exchange::{self, TokenExchangeRule};
use super::{ApiTokenExchangeSpec, ClientLifetimesSpec, LogoutSpec, OAuthClient, OAuthClientSpec, ResourceServerSpec};
use crate::allowed_clients::{AllowedClients, AllowedClientsSpec};
use crate::fault::{Fault, Faults};
use crate::metadata::Metadata;
use crate::names::ObjectName;
use crate::published::{AccessTokenType, ApplicationType, ClientLifetimes, ConsentPolicy, IdTokenClaims};
use crate::scope::{self, Scope};
use crate::types::{
    self, Audience, ClientId, EndpointUri, GrantType, RedirectUri, RedirectUriKind, ScopeToken, WebOrigin,
};

/// An OAuthClient that makes sense by itself, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidOAuthClient {
    /// Namespace and name of the OAuthClient.
    pub name: ObjectName,
    /// `metadata.uid`; empty where there is no API server.
    pub uid: String,
    /// `metadata.generation`; 0 where there is no API server.
    pub generation: i64,
    /// `metadata.creationTimestamp`
    pub created_at: Option<Timestamp>,
    /// Whether the operator must not write for it.
    pub paused: bool,
    /// A new secret that someone asked for, not before this time.
    pub rotate_at: Option<Timestamp>,
    /// The Tenant.
    pub tenant: ObjectName,
    /// The `client_id`. Whether this namespace may have it is for [`crate::references`] to say.
    pub client_id: ClientId,
    /// Name for people.
    pub display_name: String,
    /// web or native.
    pub application_type: ApplicationType,
    /// Exact redirect URIs.
    pub redirect_uris: Vec<RedirectUri>,
    /// Exact URIs to return to after a logout.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How it may get tokens.
    pub grant_types: Vec<GrantType>,
    /// Scopes asked for.
    pub scopes: Vec<ScopeToken>,
    /// Audiences asked for.
    pub audiences: Vec<Audience>,
    /// The API that it is.
    pub resource_server: Option<ResourceServer>,
    /// Whether people are asked.
    pub consent: ConsentPolicy,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Secrets of it that must no longer be accepted.
    pub revoked_secrets: Vec<SecretRevocation>,
    /// Which tokens it may exchange for others.
    pub token_exchange: Vec<TokenExchangeRule>,
    /// Who may exchange tokens that are for this client, beside itself.
    pub exchangeable_by: Vec<ClientId>,
    /// Whether authorization requests must use PKCE.
    pub require_pkce: bool,
    /// Algorithm of its ID tokens, if it differs.
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// Which claims its ID tokens hold.
    pub id_token_claims: IdTokenClaims,
    /// `typ` of its access tokens.
    pub access_token_type: AccessTokenType,
    /// Lifetimes that differ from the tenant's.
    pub lifetimes: ClientLifetimes,
    /// Origins for CORS.
    pub allowed_origins: Vec<WebOrigin>,
    /// Where it is told of logouts.
    pub backchannel_logout: Option<LogoutEndpoint>,
    /// Page that is loaded at a logout.
    pub frontchannel_logout: Option<LogoutEndpoint>,
}

/// The API that a client is.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceServer {
    /// `aud` of its tokens.
    pub audience: Audience,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Which clients may ask for it.
    pub allowed_clients: AllowedClients,
    /// Which clients may get tokens for it by an exchange; none where nobody may.
    pub token_exchange: Option<AllowedClients>,
}

/// Where a client hears of logouts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutEndpoint {
    /// Its address.
    pub uri: EndpointUri,
    /// Whether it needs a `sid`.
    pub session_required: bool,
}

/// Reads an OAuthClient.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(client: &OAuthClient) -> Result<ValidOAuthClient, Vec<Fault>> {
    let mut faults = Faults::default();
    let metadata = Metadata::parse(&client.metadata, &mut faults);
    let spec = &client.spec;
    let name = &metadata.name;
    let grant_types = parse_grant_types(spec.grant_types.as_deref(), &mut faults);
    let authentication = parse_authentication::parse(&spec.authentication, name, &mut faults);
    let revoked_secrets = parse_revoked::parse(&spec.authentication, &mut faults);
    let redirect_uris: Vec<RedirectUri> = faults.parse_list("spec.redirectUris", &spec.redirect_uris, 50);
    let post_logout_redirect_uris: Vec<RedirectUri> =
        faults.parse_list("spec.postLogoutRedirectUris", &spec.post_logout_redirect_uris, 50);
    check_consistency(spec, &grant_types, [&redirect_uris, &post_logout_redirect_uris], &mut faults);
    let display_name = parse_display_name(spec.display_name.as_ref(), name, &mut faults);
    let client_id = parse_client_id(spec.client_id.as_ref(), name, &mut faults);
    let scopes = parse_scopes(spec.scopes.as_deref(), &grant_types, &mut faults);
    let tenant = spec.tenant_ref.parse("spec.tenantRef", name, &mut faults);
    let audiences: Vec<Audience> = faults.parse_list("spec.audiences", &spec.audiences, 50);
    let token_exchange = parse_token_exchange::parse(spec, &audiences, &mut faults);
    let exchangeable_by = faults.parse_list("spec.exchangeableBy", &spec.exchangeable_by, 50);
    let resource_server = parse_resource_server(spec.resource_server.as_ref(), &mut faults);
    let algorithm = spec.id_token_signed_response_alg.as_ref();
    let id_token_signed_response_alg =
        algorithm.and_then(|text| types::parse_algorithm("spec.idTokenSignedResponseAlg", text, &mut faults));
    let lifetimes = parse_lifetimes(spec.lifetimes.as_ref(), &mut faults);
    let allowed_origins = faults.parse_list("spec.allowedOrigins", &spec.allowed_origins, 50);
    let backchannel_logout = parse_logout("spec.backchannelLogout", spec.backchannel_logout.as_ref(), &mut faults);
    let frontchannel_logout = parse_logout("spec.frontchannelLogout", spec.frontchannel_logout.as_ref(), &mut faults);

    let Metadata { name, uid, generation, created_at, paused, rotate_at, accept_stored_ring: _ } = metadata;
    let valid = client_id.zip(authentication).map(|(client_id, authentication)| ValidOAuthClient {
        name,
        uid,
        generation,
        created_at,
        paused,
        rotate_at,
        tenant,
        client_id,
        display_name,
        application_type: spec.application_type.unwrap_or_default(),
        redirect_uris,
        post_logout_redirect_uris,
        grant_types,
        scopes,
        audiences,
        resource_server,
        consent: spec.consent.unwrap_or_default(),
        authentication,
        revoked_secrets,
        token_exchange,
        exchangeable_by,
        require_pkce: spec.require_pkce.unwrap_or(spec.authentication.none.is_some()),
        id_token_signed_response_alg,
        id_token_claims: spec.id_token_claims.unwrap_or_default(),
        access_token_type: spec.access_token_type.unwrap_or_default(),
        lifetimes,
        allowed_origins,
        backchannel_logout,
        frontchannel_logout,
    });
    faults.finish(valid)
}

fn parse_display_name(declared: Option<&String>, own: &ObjectName, faults: &mut Faults) -> String {
    let name = declared.unwrap_or(&own.name).clone();
    faults.plain_text("spec.displayName", &name, 253);
    name
}

fn parse_client_id(declared: Option<&String>, own: &ObjectName, faults: &mut Faults) -> Option<ClientId> {
    // 63 for the namespace and a dot leave this much of the 200 characters of a client ID.
    faults.demand(
        own.name.len() <= 136,
        "metadata.name",
        "must be at most 136 characters: it is part of the client ID, and of the Secret's name",
    );
    match declared {
        Some(text) => faults.parse("spec.clientId", text),
        None => faults.parse("spec.clientId", &format!("{}.{}", own.namespace, own.name)),
    }
}

fn parse_grant_types(declared: Option<&[GrantType]>, faults: &mut Faults) -> Vec<GrantType> {
    let Some(declared) = declared else { return vec![GrantType::AuthorizationCode] };
    faults.demand(!declared.is_empty(), "spec.grantTypes", "must not be empty");
    for (at, grant) in declared.iter().enumerate() {
        faults.demand(!declared[..at].contains(grant), &format!("spec.grantTypes[{at}]"), "must not be repeated");
    }
    declared.to_vec()
}

fn parse_scopes(declared: Option<&[String]>, grants: &[GrantType], faults: &mut Faults) -> Vec<ScopeToken> {
    match declared {
        Some(declared) => faults.parse_list("spec.scopes", declared, 100),
        None if grants.contains(&GrantType::AuthorizationCode) => "openid".parse().into_iter().collect(),
        None => Vec::new(),
    }
}

/// What the schema's rules say of fields together.
fn check_consistency(
    spec: &OAuthClientSpec,
    grants: &[GrantType],
    [redirect_uris, post_logout]: [&[RedirectUri]; 2],
    faults: &mut Faults,
) {
    let has = |grant| grants.contains(&grant);
    let public = spec.authentication.none.is_some();
    faults.demand(
        !has(GrantType::AuthorizationCode) || !spec.redirect_uris.is_empty(),
        "spec",
        "grant type authorization_code (the default) needs at least one entry in redirectUris",
    );
    faults.demand(
        !has(GrantType::RefreshToken) || has(GrantType::AuthorizationCode) || has(GrantType::DeviceCode),
        "spec",
        "grant type refresh_token needs authorization_code or urn:ietf:params:oauth:grant-type:device_code",
    );
    faults.demand(
        !public || ![GrantType::ClientCredentials, GrantType::TokenExchange].into_iter().any(has),
        "spec",
        "grant types client_credentials and token-exchange need authentication other than none",
    );
    faults.demand(
        !public || spec.require_pkce != Some(false),
        "spec.requirePkce",
        "requirePkce cannot be false with authentication none",
    );
    if !(public && spec.application_type == Some(ApplicationType::Native)) {
        for (field, uris) in [("redirectUris", redirect_uris), ("postLogoutRedirectUris", post_logout)] {
            faults.demand(
                uris.iter().all(|uri| uri.kind() != RedirectUriKind::PrivateUse),
                &format!("spec.{field}"),
                &format!("{field} with a private-use scheme need applicationType native and authentication none"),
            );
        }
    }
}

fn parse_resource_server(spec: Option<&ResourceServerSpec>, faults: &mut Faults) -> Option<ResourceServer> {
    let ResourceServerSpec { audience, scopes, allowed_clients, token_exchange } = spec?;
    faults.at_most("spec.resourceServer.scopes", scopes.len(), 100);
    let scopes = scope::parse_api_scopes("spec.resourceServer.scopes", scopes, faults);
    let allowed_clients =
        AllowedClientsSpec::parse(allowed_clients.as_ref(), "spec.resourceServer.allowedClients", faults);
    let token_exchange = token_exchange.as_ref().map(|ApiTokenExchangeSpec { allowed_clients }| {
        let path = "spec.resourceServer.tokenExchange.allowedClients";
        AllowedClientsSpec::parse(allowed_clients.as_ref(), path, faults)
    });
    let audience = faults.parse("spec.resourceServer.audience", audience)?;
    Some(ResourceServer { audience, scopes, allowed_clients, token_exchange })
}

fn parse_lifetimes(spec: Option<&ClientLifetimesSpec>, faults: &mut Faults) -> ClientLifetimes {
    let Some(ClientLifetimesSpec { access_token, id_token, refresh_token, refresh_token_idle }) = spec else {
        return ClientLifetimes::default();
    };
    let mut seconds = |field: &str, text: &Option<String>, bounds| {
        faults.optional_seconds(&format!("spec.lifetimes.{field}"), text.as_ref(), bounds)
    };
    ClientLifetimes {
        access_token: seconds("accessToken", access_token, types::ACCESS_TOKEN),
        id_token: seconds("idToken", id_token, types::ID_TOKEN),
        refresh_token: seconds("refreshToken", refresh_token, types::REFRESH_TOKEN),
        refresh_token_idle: seconds("refreshTokenIdle", refresh_token_idle, types::REFRESH_TOKEN),
    }
}

fn parse_logout(path: &str, spec: Option<&LogoutSpec>, faults: &mut Faults) -> Option<LogoutEndpoint> {
    let LogoutSpec { uri, session_required } = spec?;
    let uri = faults.parse(&format!("{path}.uri"), uri)?;
    Some(LogoutEndpoint { uri, session_required: session_required.unwrap_or(false) })
}
