//! The schema of a client's authentication.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object_ref::SecretKeyRef;
use crate::types::{self, DataKey, Duration, EndpointUri, KubernetesName, NamespaceName};

/// How a client proves who it is: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.secret), has(self.privateKeyJwt), has(self.serviceAccounts), has(self.tls), has(self.none)].filter(given, given).size() == 1")
    .message("authentication must have exactly one of secret, privateKeyJwt, serviceAccounts, tls and none"))]
pub struct AuthenticationSpec {
    /// A secret: client_secret_basic or client_secret_post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<ClientSecretSpec>,
    /// A key of the client's own: private_key_jwt (RFC 7523).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_jwt: Option<PrivateKeyJwtSpec>,
    /// Kubernetes ServiceAccounts of this cluster, whose projected tokens (audience: the issuer) are
    /// the client's assertions. Nothing is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub service_accounts: Option<Vec<ServiceAccountSpec>>,
    /// A client certificate, by the name in it (RFC 8705 §2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSpec>,
    /// A public client: it proves nothing, and always uses PKCE. Written `none: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<PublicSpec>,
}

/// Nothing is to be said of a public client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicSpec {}

/// A client's secret: made by the operator, or one that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.existingSecretRef) || !(has(self.name) || has(self.rotation) || has(self.keys) || has(self.template) || has(self.labels) || has(self.annotations))")
    .message("existingSecretRef excludes name, rotation, keys, template, labels and annotations: they speak of a Secret that is made"))]
pub struct ClientSecretSpec {
    /// Name of the Secret that is made in this namespace. Default: `<metadata.name>-oidc`. If it is
    /// changed, the new one is made with the same credentials and the old one is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<KubernetesName>")]
    pub name: Option<String>,
    /// When the client's secret is made anew. Default: never, but by the annotation
    /// claviger.dev/rotate-at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<SecretRotationSpec>,
    /// Keys of the Secret's data. Default: client_id, client_secret and issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<SecretKeysSpec>,
    /// More entries of the Secret's data, by key. In a value {{clientId}}, {{clientSecret}},
    /// {{issuer}}, {{discoveryUrl}}, {{tokenUrl}} and {{tenant}} are replaced. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "template_schema")]
    pub template: Option<BTreeMap<String, String>>,
    /// Labels that the Secret gets, beside the operator's own. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "labels_schema")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations that the Secret gets. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "annotations_schema")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// A Secret of this namespace that someone else makes (external-secrets, a sealed one). Its
    /// `key` (default: client_secret) holds the client's secret, at least 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_secret_ref: Option<SecretKeyRef>,
    /// Secrets of this client that must no longer be accepted. Each is refused at once and for good;
    /// taking an entry away does not bring its secret back. Where it is the current one, a new one is
    /// made at once, and of an existingSecretRef none works until that Secret holds another. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["fingerprint"]))]
    pub revoked: Vec<SecretRevocationSpec>,
}

/// A client's secret that must no longer be accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRevocationSpec {
    /// Its fingerprint: see status.secrets.
    #[schemars(regex(pattern = "^[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}$"), length(max = 14))]
    pub fingerprint: String,
    /// Why, for whoever asks later; plain text.
    #[schemars(schema_with = "crate::schema::description")]
    pub reason: String,
    /// Who says so, plain text. Default: the field manager of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::description")]
    pub by: Option<String>,
}

/// When a client's secret is made anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(has(self.overlap) ? self.overlap : '24h') < duration(self.interval)")
    .message("overlap (default 24h) must be shorter than interval"))]
pub struct SecretRotationSpec {
    /// How often. At least 1m.
    #[schemars(with = "Duration")]
    #[x_kube(validation = types::CLIENT_SECRET_INTERVAL.rule())]
    pub interval: String,
    /// How long the secret before still works. Default: 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Duration>")]
    #[x_kube(validation = types::CLIENT_SECRET_OVERLAP.rule())]
    pub overlap: Option<String>,
}

/// Keys of the data of the Secret that is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.clientId) ? self.clientId : 'client_id') != (has(self.clientSecret) ? self.clientSecret : 'client_secret') && (has(self.clientId) ? self.clientId : 'client_id') != (has(self.issuer) ? self.issuer : 'issuer') && (has(self.clientSecret) ? self.clientSecret : 'client_secret') != (has(self.issuer) ? self.issuer : 'issuer')")
    .message("clientId, clientSecret and issuer need keys that differ"))]
pub struct SecretKeysSpec {
    /// Key of the client ID. Default: client_id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DataKey>")]
    pub client_id: Option<String>,
    /// Key of the client's secret. Default: client_secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DataKey>")]
    pub client_secret: Option<String>,
    /// Key of the issuer. Default: issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DataKey>")]
    pub issuer: Option<String>,
}

/// A key of the client's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.jwks) != has(self.jwksUri)")
    .message("privateKeyJwt must have exactly one of jwks and jwksUri"))]
pub struct PrivateKeyJwtSpec {
    /// The client's public keys (RFC 7517 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwksSpec>,
    /// Where the client's public keys are. https, or http on loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EndpointUri>")]
    pub jwks_uri: Option<String>,
    /// Algorithms that its assertions may have. Default: RS256, PS256, ES256, ES384 and EdDSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::algorithms")]
    pub algorithms: Option<Vec<String>>,
}

/// A JWK Set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JwksSpec {
    /// Public keys, RSA, EC or OKP.
    #[schemars(schema_with = "jwks_schema")]
    pub keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Names a ServiceAccount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSpec {
    /// Name of the ServiceAccount.
    #[schemars(with = "KubernetesName")]
    pub name: String,
    /// Its namespace. Default: this object's own. One of another namespace must consent by the
    /// annotation claviger.dev/allow-clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NamespaceName>")]
    pub namespace: Option<String>,
}

/// A client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsSpec {
    /// Subject distinguished name of the certificate (RFC 4514), such as CN=shop,O=Acme.
    #[schemars(length(min = 1, max = 1024))]
    pub subject_dn: String,
}

fn template_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 20,
        "additionalProperties": { "type": "string", "maxLength": types::TEMPLATE_LONGEST },
        "x-kubernetes-validations": [{
            "rule": "self.all(key, self[key].replace('{{clientId}}', '').replace('{{clientSecret}}', '').replace('{{issuer}}', '').replace('{{discoveryUrl}}', '').replace('{{tokenUrl}}', '').replace('{{tenant}}', '').indexOf('{{') == -1)",
            "message": "a template may hold {{clientId}}, {{clientSecret}}, {{issuer}}, {{discoveryUrl}}, {{tokenUrl}} and {{tenant}}, and no other {{",
        }],
    })
}

fn labels_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 20,
        "additionalProperties": { "type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$" },
    })
}

fn annotations_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 20,
        "additionalProperties": { "type": "string", "maxLength": 4096 },
    })
}

fn jwks_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "minItems": 1,
        "maxItems": 20,
        "items": {
            "type": "object",
            "required": ["kty"],
            "properties": {
                "kty": { "description": "Key type (RFC 7517 §4.1).", "type": "string", "enum": ["RSA", "EC", "OKP"] },
                "d": { "description": "Private: must not be here.", "type": "string", "maxLength": 4096 },
            },
            "x-kubernetes-preserve-unknown-fields": true,
            "x-kubernetes-validations": [{
                "rule": "!has(self.d)",
                "message": "this is a private key, which must never be in an OAuthClient or a Tenant: treat it as lost",
            }],
        },
    })
}
