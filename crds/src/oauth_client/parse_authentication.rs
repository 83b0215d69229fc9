//! A client's authentication: raw → valid.

use std::collections::{BTreeMap, BTreeSet};

use claviger_jose::{Algorithm, ForeignKeys};
use serde_json::{Map, Value};

use super::{
    AuthenticationSpec, ClientSecretSpec, JwksSpec, PrivateKeyJwtSpec, SecretKeysSpec, SecretRotationSpec,
    ServiceAccountSpec, TlsSpec,
};
use crate::fault::Faults;
use crate::names::ObjectName;
use crate::object_ref::{self, SecretKey};
use crate::types::{self, DataKey, Duration, EndpointUri, KubernetesName, SecretTemplate};

/// How a client proves who it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Authentication {
    /// By a secret.
    Secret(ClientSecretSource),
    /// By a key of its own.
    PrivateKeyJwt {
        /// Its public keys.
        keys: ClientKeys,
        /// Algorithms that its assertions may have.
        algorithms: Vec<Algorithm>,
    },
    /// By a ServiceAccount of this cluster: any of these.
    ServiceAccounts(Vec<ObjectName>),
    /// By a certificate with this subject distinguished name.
    Tls {
        /// RFC 4514.
        subject_dn: String,
    },
    /// Not at all.
    None,
}

/// Where a client's secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientSecretSource {
    /// The operator makes it, and a Secret for it.
    Generated(Box<GeneratedSecret>),
    /// Someone else does.
    Existing(SecretKey),
}

/// The Secret that the operator makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// Its name, in the client's namespace.
    pub name: String,
    /// When the client's secret is made anew; none is never.
    pub rotation: Option<SecretRotation>,
    /// What its data holds.
    pub entries: SecretEntries,
    /// Labels beside the operator's own.
    pub labels: BTreeMap<String, String>,
    /// Annotations beside the operator's own.
    pub annotations: BTreeMap<String, String>,
}

/// When a client's secret is made anew, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretRotation {
    /// How often, seconds.
    pub interval: u32,
    /// How long the one before still works, seconds.
    pub overlap: u32,
}

impl SecretRotation {
    /// `overlap` where nothing is said, and for a rotation asked for by annotation: a day, seconds.
    pub const DEFAULT_OVERLAP: u32 = Duration::from_hours(24).as_secs();
}

/// What the data of a generated Secret holds: three entries under these keys, and templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntries {
    /// Key of the client ID.
    pub client_id: String,
    /// Key of the client's secret.
    pub client_secret: String,
    /// Key of the issuer.
    pub issuer: String,
    /// More entries, by key.
    pub templates: BTreeMap<String, SecretTemplate>,
}

/// The public keys of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientKeys {
    /// In the object, as a JWK Set.
    Jwks(Value),
    /// Elsewhere.
    JwksUri(EndpointUri),
}

impl ClientKeys {
    /// As documents have them: the JWK Set, or else its address.
    pub fn published(&self) -> (Option<Value>, Option<String>) {
        match self {
            Self::Jwks(jwks) => (Some(jwks.clone()), None),
            Self::JwksUri(uri) => (None, Some(uri.to_string())),
        }
    }
}

pub(crate) fn parse(spec: &AuthenticationSpec, own: &ObjectName, faults: &mut Faults) -> Option<Authentication> {
    match spec {
        AuthenticationSpec {
            secret: Some(secret),
            private_key_jwt: None,
            service_accounts: None,
            tls: None,
            none: None,
        } => Some(Authentication::Secret(parse_secret(secret, own, faults))),
        AuthenticationSpec {
            secret: None,
            private_key_jwt: Some(keys),
            service_accounts: None,
            tls: None,
            none: None,
        } => parse_private_key_jwt(keys, faults),
        AuthenticationSpec {
            secret: None,
            private_key_jwt: None,
            service_accounts: Some(accounts),
            tls: None,
            none: None,
        } => Some(Authentication::ServiceAccounts(parse_service_accounts(accounts, own, faults))),
        AuthenticationSpec {
            secret: None,
            private_key_jwt: None,
            service_accounts: None,
            tls: Some(tls),
            none: None,
        } => {
            let TlsSpec { subject_dn } = tls;
            faults.demand(!subject_dn.is_empty(), "spec.authentication.tls.subjectDn", "must not be empty");
            faults.plain_text("spec.authentication.tls.subjectDn", subject_dn, 1024);
            Some(Authentication::Tls { subject_dn: subject_dn.clone() })
        }
        AuthenticationSpec {
            secret: None,
            private_key_jwt: None,
            service_accounts: None,
            tls: None,
            none: Some(_),
        } => Some(Authentication::None),
        _ => {
            faults.add(
                "spec.authentication",
                "authentication must have exactly one of secret, privateKeyJwt, serviceAccounts, tls and none",
            );
            None
        }
    }
}

fn parse_secret(spec: &ClientSecretSpec, own: &ObjectName, faults: &mut Faults) -> ClientSecretSource {
    let path = "spec.authentication.secret";
    let ClientSecretSpec { name, rotation, keys, template, labels, annotations, existing_secret_ref, revoked: _ } =
        spec;
    if let Some(existing) = existing_secret_ref {
        let alone = name.is_none()
            && rotation.is_none()
            && keys.is_none()
            && template.is_none()
            && labels.is_none()
            && annotations.is_none();
        faults.demand(
            alone,
            path,
            "existingSecretRef excludes name, rotation, keys, template, labels and annotations: they speak of a Secret that is made",
        );
        return ClientSecretSource::Existing(existing.parse(
            &format!("{path}.existingSecretRef"),
            "client_secret",
            faults,
        ));
    }
    let name = name.clone().unwrap_or_else(|| format!("{}-oidc", own.name));
    faults.parse::<KubernetesName>(&format!("{path}.name"), &name);
    check_metadata(&format!("{path}.labels"), labels.as_ref(), is_label_value, faults);
    check_metadata(&format!("{path}.annotations"), annotations.as_ref(), |text| text.len() <= 4096, faults);
    ClientSecretSource::Generated(Box::new(GeneratedSecret {
        name,
        rotation: rotation.as_ref().map(|rotation| parse_rotation(&format!("{path}.rotation"), rotation, faults)),
        entries: parse_entries(path, keys.as_ref(), template.as_ref(), faults),
        labels: labels.clone().unwrap_or_default(),
        annotations: annotations.clone().unwrap_or_default(),
    }))
}

fn parse_rotation(path: &str, spec: &SecretRotationSpec, faults: &mut Faults) -> SecretRotation {
    let SecretRotationSpec { interval, overlap } = spec;
    // An interval that cannot be read is a fault; zero only keeps the parser going.
    let interval = faults.optional_seconds(&format!("{path}.interval"), Some(interval), types::CLIENT_SECRET_INTERVAL);
    let overlap = faults.seconds(
        &format!("{path}.overlap"),
        overlap.as_ref(),
        types::CLIENT_SECRET_OVERLAP,
        Duration::from_secs(SecretRotation::DEFAULT_OVERLAP),
    );
    faults.demand(
        interval.is_none_or(|interval| overlap < interval),
        path,
        "overlap (default 24h) must be shorter than interval",
    );
    SecretRotation { interval: interval.unwrap_or_default(), overlap }
}

fn parse_entries(
    path: &str,
    keys: Option<&SecretKeysSpec>,
    template: Option<&BTreeMap<String, String>>,
    faults: &mut Faults,
) -> SecretEntries {
    let SecretKeysSpec { client_id, client_secret, issuer } = keys.cloned().unwrap_or_default();
    let mut key = |field: &str, declared: Option<String>, default: &str| {
        faults.parse_optional::<DataKey>(&format!("{path}.keys.{field}"), declared.as_ref());
        declared.unwrap_or_else(|| default.to_owned())
    };
    let client_id = key("clientId", client_id, "client_id");
    let client_secret = key("clientSecret", client_secret, "client_secret");
    let issuer = key("issuer", issuer, "issuer");
    let taken = BTreeSet::from([&client_id, &client_secret, &issuer]);
    faults.demand(taken.len() == 3, &format!("{path}.keys"), "clientId, clientSecret and issuer need keys that differ");
    faults.at_most(&format!("{path}.template"), template.map_or(0, BTreeMap::len), 20);
    let mut templates = BTreeMap::new();
    for (key, text) in template.into_iter().flatten() {
        let path = format!("{path}.template[{key}]");
        faults.parse::<DataKey>(&path, key);
        faults.demand(
            !taken.contains(key),
            &path,
            "is already the key of the client ID, of the secret or of the issuer",
        );
        match SecretTemplate::parse(text) {
            Ok(template) => {
                templates.insert(key.clone(), template);
            }
            Err(error) => faults.add(path, error.to_string()),
        }
    }
    SecretEntries { client_id, client_secret, issuer, templates }
}

/// Labels or annotations of someone's choice: never the operator's own, which prove ownership.
fn check_metadata(
    path: &str,
    entries: Option<&BTreeMap<String, String>>,
    usable: impl Fn(&str) -> bool,
    faults: &mut Faults,
) {
    faults.at_most(path, entries.map_or(0, BTreeMap::len), 20);
    for (key, value) in entries.into_iter().flatten() {
        let path = format!("{path}[{key}]");
        let (prefix, name) = key.split_once('/').map_or((None, key.as_str()), |(prefix, name)| (Some(prefix), name));
        let legal = prefix.is_none_or(types::is_dns_subdomain) && !name.is_empty() && is_label_value(name);
        faults.demand(legal, &path, "must be a key of the form [prefix/]name");
        let reserved = key == crate::names::LABEL_MANAGED_BY
            || prefix.is_some_and(|prefix| prefix == crate::names::GROUP || prefix.ends_with(".claviger.dev"));
        faults.demand(!reserved, &path, "is the operator's own");
        faults.demand(usable(value), &path, "has an unusable value");
    }
}

fn is_label_value(text: &str) -> bool {
    let edge = |byte: &u8| byte.is_ascii_alphanumeric();
    text.len() <= 63
        && text.bytes().all(|byte| edge(&byte) || matches!(byte, b'-' | b'_' | b'.'))
        && text.as_bytes().first().is_none_or(edge)
        && text.as_bytes().last().is_none_or(edge)
}

fn parse_private_key_jwt(spec: &PrivateKeyJwtSpec, faults: &mut Faults) -> Option<Authentication> {
    let path = "spec.authentication.privateKeyJwt";
    let PrivateKeyJwtSpec { jwks, jwks_uri, algorithms } = spec;
    let all = || ["RS256", "PS256", "ES256", "ES384", "EdDSA"].map(String::from).to_vec();
    let names = algorithms.clone().unwrap_or_else(all);
    faults.demand(!names.is_empty(), &format!("{path}.algorithms"), "must not be empty");
    let mut algorithms = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let place = format!("{path}.algorithms[{at}]");
        faults.demand(!names[..at].contains(name), &place, "must not be repeated");
        algorithms.extend(types::parse_algorithm(&place, name, faults));
    }
    let keys = match (jwks, jwks_uri) {
        (Some(jwks), None) => ClientKeys::Jwks(parse_jwks(&format!("{path}.jwks"), jwks, faults)),
        (None, Some(uri)) => ClientKeys::JwksUri(faults.parse(&format!("{path}.jwksUri"), uri)?),
        _ => {
            faults.add(path, "privateKeyJwt must have exactly one of jwks and jwksUri");
            return None;
        }
    };
    Some(Authentication::PrivateKeyJwt { keys, algorithms })
}

/// A JWK Set of public keys.
pub(crate) fn parse_jwks(path: &str, JwksSpec { keys }: &JwksSpec, faults: &mut Faults) -> Value {
    faults.demand(!keys.is_empty(), &format!("{path}.keys"), "must not be empty");
    faults.at_most(&format!("{path}.keys"), keys.len(), 20);
    for (at, key) in keys.iter().enumerate() {
        check_jwk(&format!("{path}.keys[{at}]"), key, faults);
    }
    let set = serde_json::json!({ "keys": keys });
    let usable = ForeignKeys::parse(set.to_string().as_bytes()).is_ok_and(|usable| !usable.is_empty());
    faults.demand(
        usable || keys.is_empty(),
        &format!("{path}.keys"),
        "none of these verifies a signature here: RSA of 2048 bits or more, P-256, P-384 or Ed25519, whole and for signatures",
    );
    set
}

fn check_jwk(path: &str, key: &Map<String, Value>, faults: &mut Faults) {
    // "d" is private in every kind of key; "k" is a symmetric one (RFC 7518 §6).
    faults.demand(
        !key.contains_key("d") && !key.contains_key("k"),
        path,
        "this is a private key, which must never be in an OAuthClient or a Tenant: treat it as lost",
    );
    let members: &[&str] = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => &["n", "e"],
        Some("EC") => &["crv", "x", "y"],
        Some("OKP") => &["crv", "x"],
        _ => {
            faults.add(format!("{path}.kty"), "must be RSA, EC or OKP");
            return;
        }
    };
    for member in members {
        faults.demand(
            key.get(*member).and_then(Value::as_str).is_some_and(|text| !text.is_empty()),
            &format!("{path}.{member}"),
            "is missing",
        );
    }
}

fn parse_service_accounts(specs: &[ServiceAccountSpec], own: &ObjectName, faults: &mut Faults) -> Vec<ObjectName> {
    let path = "spec.authentication.serviceAccounts";
    faults.demand(!specs.is_empty(), path, "must not be empty");
    faults.at_most(path, specs.len(), 50);
    let mut accounts = Vec::with_capacity(specs.len());
    for (at, ServiceAccountSpec { name, namespace }) in specs.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let account = object_ref::parse_name(&path, name, namespace.as_ref(), own, faults);
        if accounts.contains(&account) {
            faults.add(path, "must not be repeated");
        } else {
            accounts.push(account);
        }
    }
    accounts
}
