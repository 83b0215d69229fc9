//! A tenant at one moment: immutable, with everything computed that does not depend on a request.

use std::sync::Arc;

use axum::body::Bytes;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{Digest, LoginDocument, ScopeDocument, TenantDocument, TenantLifetimes};
use claviger_jose::{
    Algorithm, PublicJwk, Sealer, SignError, Signed, Signer, TokenType, Verified, VerifierSet, VerifyError,
};
use http::HeaderValue;
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

use super::metadata;
use super::oauth_client::Client;
use super::password_cost::PasswordCosts;
use super::ring::{self, Ring};
use super::sealing;
use super::shared_map::SharedMap;
use super::trust::Trust;
use super::user::{User, username_key};
use crate::metrics::{KeyMetrics, Returned, Unknown};
use crate::store::TenantKey;

/// Discovery changes when somebody upgrades or edits a Tenant: minutes do.
const DISCOVERY_MAX_AGE: u32 = 300;

/// What requests see of a tenant.
#[derive(Debug)]
pub(crate) struct TenantSnapshot {
    /// What does not depend on a client.
    pub(crate) issuer: Arc<Issuer>,
    /// By `client_id`.
    pub(crate) clients: SharedMap<Arc<Client>>,
    /// `client_id` of the API with each audience.
    pub(crate) apis: SharedMap<Arc<str>>,
    /// `client_id`s of the clients that each ServiceAccount may be, by its `sub`.
    pub(crate) accounts: SharedMap<Arc<[Arc<str>]>>,
    /// Its local accounts.
    pub(crate) users: Users,
    /// Origins that any client allows, each with the number of clients that do.
    pub(crate) origins: SharedMap<usize>,
}

/// Local accounts, by what they are called and by who they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    by_username: SharedMap<Arc<User>>,
    by_subject: SharedMap<Arc<User>>,
    /// What their passwords cost to compare.
    pub(crate) costs: PasswordCosts,
}

/// An issuer: its names, its documents, its key.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// The slug, which is also `tenant_id`.
    pub(crate) slug: Arc<str>,
    /// The issuer identifier.
    pub(crate) url: Arc<str>,
    /// Set where it is served at the root of this host alone.
    pub(crate) host: Option<Arc<str>>,
    /// Whether it is reached by https.
    pub(crate) secure: bool,
    /// Whether browsers are told never to come by http: for a year, to every port of the host (RFC 6797). Not at
    /// localhost, where applications that are being written have no https.
    pub(crate) https_only: bool,
    /// Whose rows in the store.
    pub(crate) key: TenantKey,
    /// For people; plain text.
    pub(crate) display_name: String,
    /// Of clients that set no other, seconds.
    pub(crate) lifetimes: TenantLifetimes,
    /// Whether clients' assertions must be for the issuer, and not for an endpoint of it.
    pub(crate) strict_audience: bool,
    /// Scopes beside the standard ones.
    pub(crate) scopes: Vec<ScopeDocument>,
    /// How people log in.
    pub(crate) login: LoginDocument,
    /// `WWW-Authenticate` of a client that did not authenticate.
    pub(crate) challenge: HeaderValue,
    /// The discovery document.
    pub(crate) discovery: StaticDocument,
    /// None while there is no key to show: an empty JWK Set would be cached by verifiers.
    pub(crate) jwks: Option<StaticDocument>,
    /// None while no key is Active.
    pub(crate) signing: Option<Signing>,
    /// What signs by each algorithm, of rings that stay; the oldest first.
    pub(crate) signers: Vec<Signing>,
    /// Every key that this issuer has signed with and that counts; those out of the JWK Set too,
    /// which a late `id_token_hint` may bear.
    verifiers: VerifierSet,
    /// Counts the tokens that none of them fits.
    unknown: Unknown,
    /// What seals codes, cookies and flows. None while the operator has published no key for it.
    pub(crate) sealer: Option<Arc<Sealer>>,
    /// Whose tokens it takes, beside its own.
    pub(crate) trust: Arc<Trust>,
}

/// There is nothing to seal with or to open by: the operator has published no key of the tenant's yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tenant has no sealing key yet")]
pub(crate) struct NoSealingKey;

/// What signs.
pub(crate) struct Signing {
    /// The Active key.
    signer: Arc<Signer>,
    /// Counts what it signs.
    signed: Counter,
    /// No token that it signs lives longer, seconds.
    pub(crate) max_token_lifetime: u32,
}

/// Bytes that are the same for everyone, with the headers that tell so.
#[derive(Debug)]
pub(crate) struct StaticDocument {
    /// The JSON text.
    pub(crate) body: Bytes,
    /// Strong: of the very bytes.
    pub(crate) etag: HeaderValue,
    /// For how long it may be kept.
    pub(crate) cache_control: HeaderValue,
}

impl Issuer {
    /// The issuer that `tenant` speaks of, which trusts these, with these `rings`; what their keys do is counted in `metrics`.
    pub(crate) fn new<'a>(
        owner: &ObjectName,
        tenant: &TenantDocument,
        trust: &Arc<Trust>,
        rings: impl Iterator<Item = &'a Ring>,
        metrics: &KeyMetrics,
    ) -> Self {
        let mut rings: Vec<&Ring> = rings.collect();
        rings.sort_by_cached_key(|ring| ring.order());
        let mut algorithms: Vec<Algorithm> = rings.iter().flat_map(|ring| ring.algorithms.iter().copied()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let signing =
            ring::signing(&rings, tenant.default_signing_key.as_ref()).and_then(|ring| Signing::of(ring, metrics));
        let staying = rings.iter().copied().filter(|ring| !ring.is_last_resort());
        let key = TenantKey::new(&owner.namespace, &owner.name, &tenant.slug);
        Self {
            slug: tenant.slug.as_str().into(),
            url: tenant.issuer.as_str().into(),
            host: tenant.host.as_deref().map(Into::into),
            secure: tenant.issuer.starts_with("https://"),
            https_only: tenant.issuer.starts_with("https://") && !is_localhost(&tenant.issuer),
            key: key.clone(),
            display_name: tenant.display_name.clone(),
            lifetimes: tenant.lifetimes,
            strict_audience: tenant.strict_audience,
            scopes: tenant.scopes.clone(),
            login: tenant.login.clone(),
            challenge: challenge(&tenant.issuer),
            discovery: StaticDocument::new(metadata::document(tenant, algorithms), DISCOVERY_MAX_AGE),
            jwks: jwks(&rings),
            signing,
            signers: staying.filter_map(|ring| Signing::of(ring, metrics)).collect(),
            verifiers: rings.iter().flat_map(|ring| ring.verifiers.iter().cloned()).collect(),
            unknown: metrics.unknown(),
            sealer: sealing::sealer(&key, &tenant.sealing_keys),
            trust: Arc::clone(trust),
        }
    }
}

impl Issuer {
    /// What seals and opens.
    pub(crate) fn sealer(&self) -> Result<&Sealer, NoSealingKey> {
        self.sealer.as_deref().ok_or(NoSealingKey)
    }

    /// The token of ours that `text` is, of one of these types: its signature is verified, its times are not.
    pub(crate) fn verify(
        &self,
        text: &str,
        types: &[TokenType],
        returned: Returned,
    ) -> Result<Signed<Verified>, VerifyError> {
        let verified = self.verifiers.verify(text, types);
        if matches!(verified, Err(VerifyError::UnknownKey)) {
            self.unknown.count(returned);
        }
        verified
    }

    /// What signs the ID tokens and logout tokens of `client`: by the algorithm that it registered, else
    /// as everything is signed. A ring that leaves signs what it must as the default, and nothing else.
    pub(crate) fn signing_for(&self, client: &Client) -> Option<&Signing> {
        match client.id_token_algorithm {
            None => self.signing.as_ref(),
            Some(algorithm) => {
                self.signing.iter().chain(&self.signers).find(|signing| signing.algorithm() == algorithm)
            }
        }
    }
}

impl Signing {
    fn of(ring: &Ring, metrics: &KeyMetrics) -> Option<Self> {
        let signer = Arc::clone(ring.signer.as_ref()?);
        let signed = metrics.signed_by(signer.kid());
        Some(Self { signer, signed, max_token_lifetime: ring.max_token_lifetime })
    }

    /// What it signs by.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.signer.algorithm()
    }

    /// The token of this type with these claims.
    pub(crate) fn sign(&self, token_type: TokenType, claims: &[u8]) -> Result<String, SignError> {
        let token = self.signer.sign_bytes(token_type, claims)?;
        self.signed.inc();
        Ok(token)
    }
}

impl Users {
    /// The account whose `sub` this is, disabled or not.
    pub(crate) fn get(&self, subject: &str) -> Option<&Arc<User>> {
        self.by_subject.get(subject)
    }

    /// The account whose `sub` this is, while it may log in and have tokens.
    pub(crate) fn live(&self, subject: &str) -> Option<&Arc<User>> {
        self.get(subject).filter(|user| !user.disabled)
    }

    /// The same, as far as a login at `login` still counts; seconds since 1970.
    pub(crate) fn live_since(&self, subject: &str, login: i64, now: Timestamp) -> Option<&Arc<User>> {
        self.live(subject).filter(|user| user.counts(login, now.as_second()))
    }

    /// The account that somebody names so; see [`username_key`].
    pub(crate) fn named(&self, username: &str) -> Option<&Arc<User>> {
        self.by_username.get(&username_key(username))
    }

    /// Takes `user` in.
    pub(crate) fn insert(&mut self, user: User) {
        let user = Arc::new(user);
        self.by_username.insert(username_key(&user.username).into(), Arc::clone(&user));
        if let Some(hash) = &user.password_hash {
            self.costs.add(hash.expose());
        }
        let before = self.by_subject.insert(Arc::clone(&user.subject), user);
        self.forget_cost(before.as_deref());
    }

    /// Takes the account with these keys out.
    pub(crate) fn remove(&mut self, username: &str, subject: &str) {
        self.by_username.remove(username);
        let user = self.by_subject.remove(subject);
        self.forget_cost(user.as_deref());
    }

    fn forget_cost(&mut self, user: Option<&User>) {
        if let Some(hash) = user.and_then(|user| user.password_hash.as_ref()) {
            self.costs.take(hash.expose());
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }
}

/// Whether a URL is at this machine by its name (RFC 6761 §6.3).
fn is_localhost(url: &str) -> bool {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| host == "localhost" || host.ends_with(".localhost"))
}

impl StaticDocument {
    fn new(body: Vec<u8>, max_age: u32) -> Self {
        Self {
            etag: etag(&body),
            // Never `stale-*`: a key leaves the JWK Set on the strength of this number.
            cache_control: header(format!("public, max-age={max_age}")),
            body: body.into(),
        }
    }
}

/// Strong: of these very bytes.
fn etag(body: &[u8]) -> HeaderValue {
    let digest = Digest::of(body).to_string();
    header(format!("\"{}\"", digest.trim_start_matches("sha256:").get(..32).unwrap_or_default()))
}

/// The JWK Set (RFC 7517 §5): every key once, the oldest ring first.
fn jwks(rings: &[&Ring]) -> Option<StaticDocument> {
    #[derive(Serialize)]
    struct JwkSet<'a> {
        keys: Vec<&'a PublicJwk>,
    }
    let mut keys: Vec<&PublicJwk> = Vec::new();
    for key in rings.iter().flat_map(|ring| &ring.public_keys) {
        if keys.iter().all(|other| other.kid() != key.kid()) {
            keys.push(key);
        }
    }
    let showing = rings.iter().filter(|ring| !ring.public_keys.is_empty());
    let max_age = showing.map(|ring| ring.cache_lifetime).min()?;
    // Text alone always serialises.
    let body = serde_json::to_vec(&JwkSet { keys }).ok()?;
    Some(StaticDocument::new(body, max_age))
}

fn challenge(issuer: &str) -> HeaderValue {
    header(format!("Basic realm=\"{}\", charset=\"UTF-8\"", realm(issuer)))
}

/// `issuer` as a `realm` (RFC 9110 §11.5), which has to be quoted.
pub(crate) fn realm(issuer: &str) -> String {
    issuer.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect()
}

/// Of text without control characters, which all callers pass.
fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("max_token_lifetime", &self.max_token_lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_name_alone() {
        for (url, here) in [
            ("https://localhost:8443/api/v1/auth/tenants/acme", true),
            ("https://login.localhost", true),
            ("https://localhost.example", false),
            ("https://login.example/localhost", false),
            ("https://127.0.0.1:8443", false),
        ] {
            assert_eq!(is_localhost(url), here, "{url}");
        }
    }
}
