//! What a client is granted of what it asks for. Nobody grants himself anything: a scope is
//! standard, or its tenant's, or an API's whose owner lets the client in.

use std::collections::BTreeSet;

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::{ResourceServer, ValidOAuthClient};
use claviger_crds::published::AudienceGrant;
use claviger_crds::references;
use claviger_crds::types::{Audience, EndpointUri, ScopeToken};
use claviger_jose::Algorithm;

use crate::index::Index;
use crate::index::claims::Claim;
use crate::tenant::observe::AcceptedTenant;
use crate::tenant::trusted_issuers;

/// What is granted, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    /// Scopes that belong to no API.
    pub(super) scopes: Vec<String>,
    /// APIs with their scopes.
    pub(super) audiences: Vec<AudienceGrant>,
    pub(super) refused_audiences: Vec<String>,
    pub(super) refused_scopes: Vec<String>,
    /// APIs that its rules of exchange name, and whose owners do not let it get tokens for them so.
    pub(super) refused_exchanges: Vec<String>,
    /// Issuers that its rules of exchange name, and its Tenant does not trust.
    pub(super) untrusted_issuers: Vec<String>,
    /// The algorithm of its ID tokens, if its Tenant has no ring that signs by it.
    pub(super) missing_algorithm: Option<MissingAlgorithm>,
}

/// What a Tenant cannot sign by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MissingAlgorithm {
    algorithm: Algorithm,
    /// There is a ring of it, whose keys are in the JWK Set and do not sign yet.
    coming: bool,
}

/// Decides, by what is declared.
pub(super) fn grant(index: &Index, client: &ValidOAuthClient, tenant: &AcceptedTenant) -> Grants {
    let mut grants = Grants::default();
    let own = |scope: &ScopeToken| scope.is_standard() || tenant.valid.scopes.iter().any(|of| of.name == *scope);
    let (own, mut left): (Vec<_>, Vec<_>) = client.scopes.iter().partition(|scope| own(scope));
    grants.scopes = own.into_iter().map(ToString::to_string).collect();
    let labels = index.labels(&client.name.namespace);
    for audience in &client.audiences {
        let Some((owner, api)) = granted_api(index, client, tenant, audience) else {
            grants.refused_audiences.push(audience.to_string());
            continue;
        };
        let scopes = references::scopes_of_api(&api, &client.scopes);
        left.retain(|scope| !scopes.contains(scope));
        let scopes = scopes.into_iter().map(ToString::to_string).collect();
        let token_exchange = references::exchange_granted(&owner, &api, &client.name, &labels);
        grants.audiences.push(AudienceGrant { audience: audience.to_string(), scopes, token_exchange });
    }
    grants.refused_scopes = left.into_iter().map(ToString::to_string).collect();
    grants.refused_exchanges = refused_exchanges(client, &grants.audiences);
    grants.untrusted_issuers = untrusted_issuers(index, client, tenant);
    grants.missing_algorithm =
        client.id_token_signed_response_alg.and_then(|algorithm| missing(index, tenant, algorithm));
    grants
}

/// By the keys that there are: what a SigningKey declares is that of keys to come.
fn missing(index: &Index, tenant: &AcceptedTenant, algorithm: Algorithm) -> Option<MissingAlgorithm> {
    let rings = || index.documents.rings(tenant.slug());
    if rings().any(|ring| ring.algorithm() == Some(algorithm)) {
        return None;
    }
    let coming = rings().any(|ring| ring.coming_algorithms().contains(&algorithm));
    Some(MissingAlgorithm { algorithm, coming })
}

/// Of the APIs that are granted. A rule that names none is for whichever of them allow it, and says something as long as
/// one does.
fn refused_exchanges(client: &ValidOAuthClient, granted: &[AudienceGrant]) -> Vec<String> {
    let mut refused = BTreeSet::new();
    for rule in &client.token_exchange {
        let named = |grant: &&AudienceGrant| rule.audiences.iter().any(|audience| audience.as_str() == grant.audience);
        let closed = || granted.iter().filter(named).filter(|grant| !grant.token_exchange);
        if rule.names_audiences || closed().count() == granted.iter().filter(named).count() {
            refused.extend(closed().map(|grant| grant.audience.clone()));
        }
    }
    refused.into_iter().collect()
}

/// Those that the Tenant declares and that are left out of its document are not trusted, either.
fn untrusted_issuers(index: &Index, client: &ValidOAuthClient, tenant: &AcceptedTenant) -> Vec<String> {
    let named: BTreeSet<&str> =
        client.token_exchange.iter().flat_map(|rule| &rule.trusted_issuers).map(EndpointUri::as_str).collect();
    if named.is_empty() {
        return Vec::new();
    }
    let published = index.published_service_account_issuer(tenant.name());
    let cluster = index.cluster_issuer(published);
    let trusted: BTreeSet<&str> =
        trusted_issuers(&tenant.valid, Some(&tenant.issuer), cluster).map(|trusted| trusted.issuer.as_str()).collect();
    named.difference(&trusted).map(|issuer| (*issuer).to_owned()).collect()
}

/// The API of `audience` and its owner, if whoever holds it belongs to the tenant, as that has it, and lets the client in.
fn granted_api(
    index: &Index,
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    audience: &Audience,
) -> Option<(ObjectName, ResourceServer)> {
    let claim = Claim::audience(&tenant.name().to_string(), audience.as_str());
    let owner: ObjectName = index.holder(&claim, tenant.slug())?;
    let valid = index.clients.get(&owner)?.valid()?;
    let api = valid.resource_server.as_ref().filter(|api| api.audience == *audience)?;
    // Its name stays recorded for a while when it is withdrawn.
    let belongs = valid.tenant == *tenant.name() && index.admitted(valid);
    let labels = index.labels(&client.name.namespace);
    (belongs && references::audience_granted(&owner, api, &client.name, &labels)).then(|| (owner.clone(), api.clone()))
}

impl Grants {
    /// Why the condition `ReferencesResolved` does not hold, as far as grants are concerned.
    pub(super) fn fault(&self) -> Option<Verdict> {
        let no = |reason, message| Some(Verdict::no(ConditionType::ReferencesResolved, reason, message));
        if !self.refused_audiences.is_empty() {
            let audiences = self.refused_audiences.join(", ");
            return no(Reason::AudienceNotGranted, format!("no OAuthClient of this Tenant grants: {audiences}"));
        }
        if !self.refused_scopes.is_empty() {
            let scopes = self.refused_scopes.join(", ");
            return no(
                Reason::ScopeNotGranted,
                format!("neither standard, nor the Tenant's, nor of a granted audience: {scopes}"),
            );
        }
        if !self.untrusted_issuers.is_empty() {
            let issuers = self.untrusted_issuers.join(", ");
            return no(
                Reason::IssuerNotTrusted,
                format!("tokenExchange: the Tenant's trustedIssuers has no such issuer, or it is left out: {issuers}"),
            );
        }
        if !self.refused_exchanges.is_empty() {
            let audiences = self.refused_exchanges.join(", ");
            return no(
                Reason::ExchangeNotGranted,
                format!(
                    "tokenExchange: resourceServer.tokenExchange of the API does not let this client in: {audiences}"
                ),
            );
        }
        let MissingAlgorithm { algorithm, coming } = self.missing_algorithm?;
        let message = if coming {
            format!(
                "idTokenSignedResponseAlg: the key of {algorithm} is in this Tenant's JWK Set and does not sign yet: see the \
                 keys in its SigningKey's status",
            )
        } else {
            format!("idTokenSignedResponseAlg: this Tenant has no SigningKey of {algorithm}")
        };
        no(if coming { Reason::SigningKeyNotReady } else { Reason::SigningKeyNotFound }, message)
    }
}
