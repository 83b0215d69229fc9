//! The tombstone of a document that vanished, of what the index remembers: enough to hold the names
//! and to let the object return with what it had, and nothing that could be used. Pure.

use std::collections::{BTreeMap, BTreeSet};

use claviger_crds::published::{
    AccessTokenType, ApplicationType, ClientAuthentication, ClientDocument, ClientLifetimes, ConsentPolicy, Content,
    Document, IdTokenClaims, KeysDocument, LoginDocument, ResourceServerDocument, TenantDocument, TenantLifetimes,
    UserDocument,
};
use claviger_jose::Algorithm;
use jiff::Timestamp;

use crate::index::documents::{Detail, Entry};
use crate::tenant::Issuer;

/// The tombstone of `lost`; none where nothing is known of its content.
pub(super) fn tombstone(lost: &Entry, external_url: &str, now: Timestamp) -> Option<Document> {
    let content = match lost.detail.clone() {
        Detail::Tenant { host, default_signing_key, service_account_issuer: _ } => Content::Tenant(TenantDocument {
            issuer: Issuer::at(&lost.tenant, host.as_deref(), external_url).as_str().to_owned(),
            slug: lost.tenant.clone(),
            host,
            display_name: String::new(),
            lifetimes: NO_TIME,
            scopes: Vec::new(),
            default_signing_key,
            login: LoginDocument::default(),
            sealing_keys: Vec::new(),
            service_account_issuer: None,
            trusted_issuers: Vec::new(),
            strict_audience: false,
        }),
        Detail::Client { client_id, audience, hashes, revoked, demands: _ } => {
            let client = powerless(client_id, ClientAuthentication::Secret { hashes });
            let server = audience.map(|audience| ResourceServerDocument { audience, scopes: Vec::new() });
            Content::OAuthClient(ClientDocument { resource_server: server, revoked_secrets: revoked, ..client })
        }
        // The ring itself has the keys, where it is still there.
        Detail::Ring { created_at, max_cache_lifetime, algorithm, .. } => Content::SigningKey(KeysDocument {
            algorithm: algorithm.unwrap_or(Algorithm::Rs256),
            created_at,
            leaving: true,
            joining: false,
            cache_lifetime: max_cache_lifetime,
            max_cache_lifetime,
            max_token_lifetime: 0,
            keys: Vec::new(),
            revoked: BTreeSet::new(),
        }),
        Detail::User { username, subject, password } => {
            let (password_hash, password_source) = password.unzip();
            Content::User(UserDocument {
                subject,
                username,
                claims: BTreeMap::new(),
                groups: Vec::new(),
                password_hash,
                password_source,
                disabled: true,
                sessions_not_before: None,
            })
        }
        Detail::Unreadable => return None,
    };
    let document = Document::serving(lost.tenant.clone(), lost.owner.clone(), content);
    Some(Document { withdrawn_at: Some(now), ..document })
}

const NO_TIME: TenantLifetimes = TenantLifetimes {
    access_token: 0,
    id_token: 0,
    authorization_code: 0,
    refresh_token: 0,
    refresh_token_idle: 0,
    refresh_token_grace: 0,
    session: 0,
    session_idle: 0,
};

/// A client that may do nothing.
fn powerless(client_id: String, authentication: ClientAuthentication) -> ClientDocument {
    ClientDocument {
        client_id,
        display_name: String::new(),
        application_type: ApplicationType::Web,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: Vec::new(),
        scopes: Vec::new(),
        audiences: Vec::new(),
        resource_server: None,
        consent: ConsentPolicy::Required,
        authentication,
        require_pkce: true,
        id_token_signed_response_alg: None,
        id_token_claims: IdTokenClaims::Minimal,
        access_token_type: AccessTokenType::AtJwt,
        lifetimes: ClientLifetimes::default(),
        allowed_origins: Vec::new(),
        backchannel_logout: None,
        frontchannel_logout: None,
        revoked_secrets: Vec::new(),
        token_exchange: Vec::new(),
        exchangeable_by: Vec::new(),
    }
}
