//! A client as requests need it: parsed once, when its document is read.

use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::published::{
    AccessTokenType, ApplicationType, AudienceGrant, BackchannelLogoutDocument, ClientAuthentication, ClientDocument,
    ClientLifetimes, ConsentPolicy, FrontchannelLogoutDocument, IdTokenClaims, ResourceServerDocument,
    ServiceAccountSubject,
};
use claviger_jose::{Algorithm, ClientSecretHash};
use jiff::Timestamp;

use super::exchange_rule::ExchangeRule;
use super::index::Unusable;
use super::key_source::KeySource;
use crate::secret_use::SecretUse;
use crate::store::ClientKey;
use crate::token::service_account;

/// The grant type of RFC 6749 §4.1.
pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
/// The grant type of RFC 6749 §6.
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
/// The grant type of RFC 6749 §4.4.
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
/// The grant type of RFC 8693 §2.1.
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The grant type of RFC 7523 §2.1.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A client of one tenant.
#[derive(Debug)]
pub(crate) struct Client {
    /// Name of the document that it comes from.
    pub(crate) document: Arc<str>,
    /// Which client, in the store.
    pub(crate) key: ClientKey,
    /// `client_id`.
    pub(crate) id: Arc<str>,
    /// For people; plain text.
    pub(crate) display_name: String,
    /// Whether it runs on a person's device.
    pub(crate) application_type: ApplicationType,
    /// Registered; compared exactly.
    pub(crate) redirect_uris: Vec<String>,
    /// Registered; compared exactly.
    pub(crate) post_logout_redirect_uris: Vec<String>,
    /// What it may use.
    pub(crate) grant_types: GrantTypes,
    /// Granted scopes of no audience.
    pub(crate) scopes: Vec<String>,
    /// Granted audiences with their scopes; the first is the default.
    pub(crate) audiences: Vec<AudienceGrant>,
    /// Set where this client is itself an API.
    pub(crate) resource_server: Option<ResourceServerDocument>,
    /// Whether people are asked.
    pub(crate) consent: ConsentPolicy,
    /// Whether an authorization request must bear a PKCE challenge.
    pub(crate) require_pkce: bool,
    /// Of its ID tokens; without it the tenant's default signs.
    pub(crate) id_token_algorithm: Option<Algorithm>,
    /// Which claims its ID tokens hold.
    pub(crate) id_token_claims: IdTokenClaims,
    /// `typ` of its access tokens.
    pub(crate) access_token_type: AccessTokenType,
    /// Where it has lifetimes of its own, seconds.
    pub(crate) lifetimes: ClientLifetimes,
    /// Origins whose pages may read what it is answered.
    pub(crate) allowed_origins: Vec<String>,
    /// Where logout tokens go.
    pub(crate) backchannel_logout: Option<BackchannelLogoutDocument>,
    /// Which page an iframe loads at logout.
    pub(crate) frontchannel_logout: Option<FrontchannelLogoutDocument>,
    /// How it proves who it is.
    pub(crate) authentication: Authentication,
    /// Which tokens it may exchange for others.
    pub(crate) token_exchange: Vec<ExchangeRule>,
    /// `client_id`s of those who may exchange tokens that are for this client, beside itself.
    pub(crate) exchangeable_by: Vec<String>,
}

/// The grant types that a client may use, of those that are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GrantTypes {
    /// [`AUTHORIZATION_CODE`].
    pub(crate) authorization_code: bool,
    /// [`REFRESH_TOKEN`].
    pub(crate) refresh_token: bool,
    /// [`CLIENT_CREDENTIALS`].
    pub(crate) client_credentials: bool,
    /// [`TOKEN_EXCHANGE`].
    pub(crate) token_exchange: bool,
    /// [`JWT_BEARER`].
    pub(crate) jwt_bearer: bool,
}

/// How a client proves who it is.
#[derive(Debug)]
pub(crate) enum Authentication {
    /// By one of these secrets.
    Secret(Vec<HeldSecret>),
    /// By an assertion that it signed (RFC 7523 §2.2).
    PrivateKeyJwt {
        /// Its keys.
        keys: KeySource,
        /// Accepted algorithms.
        algorithms: Vec<Algorithm>,
    },
    /// By a token of a ServiceAccount of this cluster: any of these.
    ServiceAccounts(Vec<ServiceAccount>),
    /// Not at all: a public client.
    None,
    /// In a way that this release does not know: it can prove nothing.
    NotServed,
}

/// A ServiceAccount that may be the client.
#[derive(Debug)]
pub(crate) struct ServiceAccount {
    /// `system:serviceaccount:<namespace>:<name>`
    pub(crate) subject: Arc<str>,
    /// One that was deleted since has another.
    uid: String,
}

/// The hash of a secret, and until when it counts.
#[derive(Debug)]
pub(crate) struct HeldSecret {
    /// The hash.
    pub(crate) hash: ClientSecretHash,
    /// The end, if it has one.
    pub(crate) expires_at: Option<Timestamp>,
    /// When it was used last.
    pub(crate) used: SecretUse,
}

impl Client {
    /// The client that `document` of `owner`, called `name`, speaks of.
    pub(crate) fn parse(name: Arc<str>, owner: &ObjectName, document: &ClientDocument) -> Result<Self, Unusable> {
        let algorithm = document.id_token_signed_response_alg.as_deref();
        Ok(Self {
            document: name,
            key: ClientKey::new(&owner.namespace, &owner.name, &document.client_id),
            id: document.client_id.as_str().into(),
            display_name: document.display_name.clone(),
            application_type: document.application_type,
            redirect_uris: document.redirect_uris.clone(),
            post_logout_redirect_uris: document.post_logout_redirect_uris.clone(),
            grant_types: GrantTypes::of(&document.grant_types),
            scopes: document.scopes.clone(),
            audiences: document.audiences.clone(),
            resource_server: document.resource_server.clone(),
            consent: document.consent,
            require_pkce: document.require_pkce,
            id_token_algorithm: algorithm.map(self::algorithm).transpose()?,
            id_token_claims: document.id_token_claims,
            access_token_type: document.access_token_type,
            lifetimes: document.lifetimes,
            allowed_origins: document.allowed_origins.clone(),
            backchannel_logout: document.backchannel_logout.clone(),
            frontchannel_logout: document.frontchannel_logout.clone(),
            authentication: Authentication::parse(&document.authentication)?,
            token_exchange: document.token_exchange.iter().map(ExchangeRule::parse).collect::<Result<_, _>>()?,
            exchangeable_by: document.exchangeable_by.clone(),
        })
    }

    /// Whether it cannot prove who it is.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.authentication, Authentication::None)
    }

    /// Whether its grants may outlive their sessions: withdrawn, they live by them, those too that were granted it.
    pub(crate) fn has_offline_access(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "offline_access")
    }

    /// The ServiceAccounts that may be this client.
    pub(crate) fn service_accounts(&self) -> &[ServiceAccount] {
        match &self.authentication {
            Authentication::ServiceAccounts(accounts) => accounts,
            _ => &[],
        }
    }

    /// Whether the ServiceAccount with this `sub` and UID may be this client.
    pub(crate) fn is_service_account(&self, subject: &str, uid: &str) -> bool {
        self.service_accounts().iter().any(|account| *account.subject == *subject && account.uid == uid)
    }

    /// The `aud` of tokens for the API that it is. One that is called as `issuer` is no API: tokens for the issuer
    /// are for nobody else.
    pub(crate) fn api(&self, issuer: &str) -> Option<&str> {
        self.resource_server.as_ref().map(|api| api.audience.as_str()).filter(|audience| *audience != issuer)
    }

    /// Whether pages of `origin` may read what it is answered.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == origin)
    }
}

impl GrantTypes {
    fn of(names: &[String]) -> Self {
        let has = |name| names.iter().any(|other| other == name);
        Self {
            authorization_code: has(AUTHORIZATION_CODE),
            refresh_token: has(REFRESH_TOKEN),
            client_credentials: has(CLIENT_CREDENTIALS),
            token_exchange: has(TOKEN_EXCHANGE),
            jwt_bearer: has(JWT_BEARER),
        }
    }
}

impl Authentication {
    fn parse(document: &ClientAuthentication) -> Result<Self, Unusable> {
        Ok(match document {
            ClientAuthentication::Secret { hashes } => {
                Self::Secret(hashes.iter().map(HeldSecret::parse).collect::<Result<_, _>>()?)
            }
            ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri, algorithms } => Self::PrivateKeyJwt {
                keys: KeySource::parse(jwks.as_ref(), jwks_uri.as_deref())?,
                algorithms: algorithms.iter().map(|name| algorithm(name)).collect::<Result<_, _>>()?,
            },
            ClientAuthentication::ServiceAccounts { accounts } => {
                Self::ServiceAccounts(accounts.iter().map(ServiceAccount::of).collect())
            }
            ClientAuthentication::None => Self::None,
            ClientAuthentication::Tls { .. } => Self::NotServed,
        })
    }
}

impl ServiceAccount {
    fn of(account: &ServiceAccountSubject) -> Self {
        let subject = service_account::subject(&account.namespace, &account.name).into();
        Self { subject, uid: account.uid.clone() }
    }
}

impl HeldSecret {
    fn parse(secret: &claviger_crds::published::SecretHash) -> Result<Self, Unusable> {
        let hash = secret.hash.parse().map_err(|_| Unusable::new("the hash of a client secret is unreadable"))?;
        Ok(Self { hash, expires_at: secret.expires_at, used: SecretUse::of(secret.fingerprint()) })
    }
}

fn algorithm(name: &str) -> Result<Algorithm, Unusable> {
    Algorithm::ALL.into_iter().find(|known| known.as_str() == name).ok_or(Unusable::new("an algorithm is unknown"))
}
