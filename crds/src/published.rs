//! Published documents: what the operator tells the provider.
//!
//! One Secret per custom resource in the published namespace holds one [`Document`]: a pure
//! projection of what was declared and granted, in JSON. Fields are only ever added, with a default
//! that means "as before"; unknown fields are ignored, so that a provider of this release reads the
//! next one's documents and the other way round. A change that an older reader would misread gets
//! another [`API_VERSION`], which an older provider refuses ([`ReadError::NewerVersion`]) while it
//! goes on serving the last document that it could read.
//!
//! The revision and the digest stand beside the document, in annotations: the digest is taken over
//! the document's very bytes, so a foreign edit shows, and the same content has the same digest.

pub mod acknowledgement;
mod client;
mod client_secret;
mod digest;
mod keys;
mod sealing;
mod secret_text;
mod tenant;
mod token_exchange;
mod user;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use client::{
    AccessTokenType, ApplicationType, AudienceGrant, BackchannelLogoutDocument, ClientAuthentication, ClientDocument,
    ClientLifetimes, ConsentPolicy, FrontchannelLogoutDocument, IdTokenClaims, ResourceServerDocument,
    ServiceAccountSubject,
};
pub use client_secret::{RevokedSecret, SecretHash};
pub use digest::Digest;
pub use keys::{KeyDocument, KeyPhase, KeysDocument};
pub use sealing::{SealingKeyDocument, SealingPhase};
pub use secret_text::SecretText;
pub use tenant::{
    BrandingDocument, LoginDocument, LoginUiDocument, REFRESH_TOKEN_GRACE, ScopeDocument, TenantDocument,
    TenantLifetimes,
};
pub use token_exchange::{
    ActorToken, FormerIssuer, ServiceAccountIssuerDocument, SubjectRuleDocument, SubjectToken,
    TokenExchangeRuleDocument, TrustedIssuerDocument,
};
pub use user::{PasswordSource, UserDocument};

use crate::names::{self, ObjectName};

/// The version that this release writes, and the only one that it reads.
pub const API_VERSION: &str = "published.claviger.dev/v1";

/// The key of a published Secret's data under which the document stands.
pub const DATA_KEY: &str = "document.json";

/// The kinds of documents, named by the custom resource that each is projected from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DocumentKind {
    /// From a Tenant.
    Tenant,
    /// From an OAuthClient.
    OAuthClient,
    /// From a SigningKey and its ring.
    SigningKey,
    /// From a User.
    User,
}

impl DocumentKind {
    /// Every kind, in the order in which a provider needs them.
    pub const ALL: [Self; 4] = [Self::Tenant, Self::SigningKey, Self::OAuthClient, Self::User];

    /// The kind of the custom resource, which is also the document's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::OAuthClient => "OAuthClient",
            Self::SigningKey => "SigningKey",
            Self::User => "User",
        }
    }
}

/// The content of a document, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "spec")]
pub enum Content {
    /// From a Tenant.
    Tenant(TenantDocument),
    /// From an OAuthClient.
    OAuthClient(ClientDocument),
    /// From a SigningKey and its ring.
    SigningKey(KeysDocument),
    /// From a User.
    User(UserDocument),
}

impl Content {
    /// Which kind this is.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Tenant(_) => DocumentKind::Tenant,
            Self::OAuthClient(_) => DocumentKind::OAuthClient,
            Self::SigningKey(_) => DocumentKind::SigningKey,
            Self::User(_) => DocumentKind::User,
        }
    }
}

/// One published document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`API_VERSION`].
    pub api_version: String,
    /// Slug of the tenant that this belongs to.
    pub tenant: String,
    /// The custom resource that this is projected from.
    pub owner: ObjectName,
    /// Set once this is no longer to be served. The document then stands for the tombstone's time,
    /// so that its holder keeps its name and an accidental deletion can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
    /// What is served, or was.
    #[serde(flatten)]
    pub content: Content,
}

/// Why a Secret could not be read as a published document. Never holds any of its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The Secret lacks the named label, annotation or data key, or it makes no sense.
    #[error("{0} is missing or unusable")]
    Malformed(&'static str),
    /// The bytes are not those that the operator wrote.
    #[error("the content does not match its digest")]
    Corrupted,
    /// A newer release wrote it.
    #[error("version {0} is newer than this release reads")]
    NewerVersion(String),
    /// It is JSON of another shape; the place and the problem, without the value.
    #[error("line {line}, column {column}: not a document of this version")]
    Shape {
        /// Line in the JSON text, from 1.
        line: usize,
        /// Column in that line, from 1.
        column: usize,
    },
}

/// A document as it stands in its Secret, with what stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Name of the Secret.
    pub name: String,
    /// Grows with every write.
    pub revision: u64,
    /// Of the document's bytes.
    pub digest: Digest,
    /// The document, checked against the digest.
    pub document: Document,
}

impl Document {
    /// A document that is served.
    pub fn serving(tenant: impl Into<String>, owner: ObjectName, content: Content) -> Self {
        Self { api_version: API_VERSION.to_owned(), tenant: tenant.into(), owner, withdrawn_at: None, content }
    }

    /// Name of the Secret that holds this document.
    pub fn secret_name(&self) -> String {
        names::published_secret(self.content.kind().as_str(), &self.owner)
    }

    /// The bytes that are stored: JSON in the fields' order, the same for the same content.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct with string keys alone always serialises; an empty document would be refused by
        // every reader, so even the impossible case does no harm.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The Secret that publishes this document with `revision`, in `namespace`.
    pub fn to_secret(&self, namespace: &str, owner_uid: &str, revision: u64) -> Secret {
        let bytes = self.to_bytes();
        let digest = Digest::of(&bytes);
        Secret {
            metadata: ObjectMeta {
                name: Some(self.secret_name()),
                namespace: Some(namespace.to_owned()),
                labels: Some(
                    [
                        (names::LABEL_MANAGED_BY, names::MANAGER),
                        (names::LABEL_DOCUMENT, self.content.kind().as_str()),
                        (names::LABEL_TENANT, &self.tenant),
                    ]
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
                ),
                annotations: Some(
                    [
                        (names::ANNOTATION_REVISION, revision.to_string()),
                        (names::ANNOTATION_DIGEST, digest.to_string()),
                        (names::ANNOTATION_OWNER, self.owner.to_string()),
                        (names::ANNOTATION_OWNER_UID, owner_uid.to_owned()),
                    ]
                    .map(|(key, value)| (key.to_owned(), value))
                    .into(),
                ),
                ..ObjectMeta::default()
            },
            data: Some([(DATA_KEY.to_owned(), ByteString(bytes))].into()),
            type_: Some("claviger.dev/document".to_owned()),
            ..Secret::default()
        }
    }
}

impl Stored {
    /// Reads a published Secret: digest first, then version, then shape.
    ///
    /// # Errors
    /// [`ReadError`]; whoever reads keeps serving the last good document.
    pub fn from_secret(secret: &Secret) -> Result<Self, ReadError> {
        let name = secret.metadata.name.clone().ok_or(ReadError::Malformed("metadata.name"))?;
        let annotation = |key| secret.metadata.annotations.as_ref().and_then(|all| all.get(key));
        let revision = annotation(names::ANNOTATION_REVISION)
            .and_then(|text| text.parse().ok())
            .ok_or(ReadError::Malformed(names::ANNOTATION_REVISION))?;
        let digest: Digest = annotation(names::ANNOTATION_DIGEST)
            .and_then(|text| text.parse().ok())
            .ok_or(ReadError::Malformed(names::ANNOTATION_DIGEST))?;
        let bytes = secret.data.as_ref().and_then(|data| data.get(DATA_KEY)).ok_or(ReadError::Malformed(DATA_KEY))?;
        if Digest::of(&bytes.0) != digest {
            return Err(ReadError::Corrupted);
        }
        let document = parse(&bytes.0)?;
        // A valid document under another's name would let one Secret speak for two owners.
        if document.secret_name() != name {
            return Err(ReadError::Malformed("metadata.name"));
        }
        Ok(Self { name, revision, digest, document })
    }
}

/// Reads a document's bytes: the version before the shape, since a newer shape is no fault.
fn parse(bytes: &[u8]) -> Result<Document, ReadError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        api_version: String,
    }
    let shape = |error: serde_json::Error| ReadError::Shape { line: error.line(), column: error.column() };
    let version: Version = serde_json::from_slice(bytes).map_err(shape)?;
    if version.api_version != API_VERSION {
        return Err(ReadError::NewerVersion(version.api_version.chars().take(64).collect()));
    }
    serde_json::from_slice(bytes).map_err(shape)
}
