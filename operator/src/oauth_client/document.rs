//! A client's document: a pure projection of what is declared and granted.

use claviger_crds::oauth_client::{Authentication, TokenExchangeRule, ValidOAuthClient};
use claviger_crds::published::{
    BackchannelLogoutDocument, ClientAuthentication, ClientDocument, Content, Document, FrontchannelLogoutDocument,
    ResourceServerDocument, RevokedSecret, SecretHash, TokenExchangeRuleDocument,
};

use super::accounts::Accounts;
use super::grants::Grants;
use crate::tenant::observe::AcceptedTenant;
use crate::tenant::scope_document;

/// The document of `client`, whose secrets have `hashes`, and had those in `revoked`.
pub(super) fn document(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    grants: &Grants,
    accounts: &Accounts,
    hashes: Vec<SecretHash>,
    revoked: Vec<RevokedSecret>,
) -> Document {
    let content = ClientDocument {
        client_id: client.client_id.to_string(),
        display_name: client.display_name.clone(),
        application_type: client.application_type,
        redirect_uris: texts(&client.redirect_uris),
        post_logout_redirect_uris: texts(&client.post_logout_redirect_uris),
        grant_types: client.grant_types.iter().map(ToString::to_string).collect(),
        scopes: grants.scopes.clone(),
        audiences: grants.audiences.clone(),
        resource_server: client.resource_server.as_ref().map(|server| ResourceServerDocument {
            audience: server.audience.to_string(),
            scopes: server.scopes.iter().map(scope_document).collect(),
        }),
        consent: client.consent,
        authentication: authentication(client, accounts, hashes),
        require_pkce: client.require_pkce,
        id_token_signed_response_alg: client.id_token_signed_response_alg.map(|algorithm| algorithm.to_string()),
        id_token_claims: client.id_token_claims,
        access_token_type: client.access_token_type,
        lifetimes: client.lifetimes,
        allowed_origins: client.allowed_origins.iter().map(ToString::to_string).collect(),
        backchannel_logout: client.backchannel_logout.as_ref().map(|logout| BackchannelLogoutDocument {
            uri: logout.uri.to_string(),
            session_required: logout.session_required,
        }),
        frontchannel_logout: client.frontchannel_logout.as_ref().map(|logout| FrontchannelLogoutDocument {
            uri: logout.uri.to_string(),
            session_required: logout.session_required,
        }),
        revoked_secrets: revoked,
        token_exchange: client.token_exchange.iter().map(token_exchange).collect(),
        exchangeable_by: texts(&client.exchangeable_by),
    };
    Document::serving(tenant.slug(), client.name.clone(), Content::OAuthClient(content))
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn token_exchange(rule: &TokenExchangeRule) -> TokenExchangeRuleDocument {
    TokenExchangeRuleDocument {
        subject_tokens: rule.subject_tokens.clone(),
        trusted_issuers: texts(&rule.trusted_issuers),
        subjects: texts(&rule.subjects),
        actors: texts(&rule.actors),
        audiences: texts(&rule.audiences),
        actor_token: rule.actor_token,
        actor_tokens: rule.actor_tokens.clone(),
    }
}

fn authentication(client: &ValidOAuthClient, accounts: &Accounts, hashes: Vec<SecretHash>) -> ClientAuthentication {
    match &client.authentication {
        Authentication::Secret(_) => ClientAuthentication::Secret { hashes },
        Authentication::PrivateKeyJwt { keys, algorithms } => {
            let (jwks, jwks_uri) = keys.published();
            let algorithms = algorithms.iter().map(ToString::to_string).collect();
            ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri, algorithms }
        }
        // With none of them there, nobody is this client.
        Authentication::ServiceAccounts(_) => {
            ClientAuthentication::ServiceAccounts { accounts: [&*accounts.there, &accounts.gone].concat() }
        }
        Authentication::Tls { subject_dn } => ClientAuthentication::Tls { subject_dn: subject_dn.clone() },
        Authentication::None => ClientAuthentication::None,
    }
}
