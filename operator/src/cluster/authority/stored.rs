//! The two Secrets: the authorities with their keys, and what a provider serves with.

use std::collections::BTreeMap;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::Digest;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::decide::{self, Period};
use super::issue::{AuthorityDocument, Leaf};

const AUTHORITIES: &str = "authorities.json";
const CERTIFICATE: &str = "tls.crt";
const PRIVATE_KEY: &str = "tls.key";
const BUNDLE: &str = "ca.crt";
const ANNOTATION_ISSUER: &str = "claviger.dev/issuer";
const ANNOTATION_NOT_BEFORE: &str = "claviger.dev/not-before";
const ANNOTATION_NOT_AFTER: &str = "claviger.dev/not-after";

/// Why a Secret cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Somebody else made it.
    NotOwned,
    /// It is ours, and not as we wrote it.
    Broken,
}

/// All authorities that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Authorities(Vec<AuthorityDocument>);

impl Authorities {
    pub(super) fn from_secret(secret: &Secret) -> Result<Self, Unreadable> {
        owned(secret)?;
        let bytes = secret.data.as_ref().and_then(|data| data.get(AUTHORITIES)).ok_or(Unreadable::Broken)?;
        serde_json::from_slice(&bytes.0).map(Self).map_err(|_| Unreadable::Broken)
    }

    /// The Secret that holds them, to be written over `before` where there is one.
    pub(super) fn to_secret(&self, name: &ObjectName, before: Option<&Secret>) -> Secret {
        // Structs of text always serialise; an empty value would be made anew.
        let bytes = serde_json::to_vec(&self.0).unwrap_or_default();
        let labels = [(names::LABEL_MANAGED_BY, names::MANAGER), (names::LABEL_HOLDS, "ca")];
        Secret {
            metadata: metadata(name, &labels, &[], before),
            type_: Some("claviger.dev/ca".to_owned()),
            data: Some([(AUTHORITIES.to_owned(), ByteString(bytes))].into()),
            ..Secret::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn periods(&self) -> Vec<Period> {
        let period = |one: &AuthorityDocument| Period { from: one.not_before, until: one.not_after };
        self.0.iter().map(period).collect()
    }

    pub(super) fn keep(&self, places: &[usize]) -> Self {
        Self(places.iter().filter_map(|&at| self.0.get(at).cloned()).collect())
    }

    pub(super) fn push(&mut self, authority: AuthorityDocument) {
        self.0.push(authority);
    }

    /// The one that signs now.
    pub(super) fn issuer(&self, now: Timestamp) -> Option<&AuthorityDocument> {
        decide::issuer(&self.periods(), now).and_then(|at| self.0.get(at))
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|authority| authority.id == id)
    }

    /// All certificates, PEM.
    pub(super) fn bundle(&self) -> String {
        self.0.iter().map(|authority| authority.certificate.as_str()).collect()
    }
}

/// What stands in the providers' Secret, as far as its renewal rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Serving {
    pub(super) issuer: String,
    pub(super) period: Period,
    pub(super) bundle: String,
}

impl Serving {
    /// The digest beside it shows whether certificate, key and bundle are those that were written.
    pub(super) fn from_secret(secret: &Secret) -> Result<Self, Unreadable> {
        owned(secret)?;
        let annotations = secret.metadata.annotations.as_ref().ok_or(Unreadable::Broken)?;
        let data = secret.data.as_ref().ok_or(Unreadable::Broken)?;
        let text = |key| annotations.get(key).ok_or(Unreadable::Broken);
        let time = |key| text(key)?.parse().map_err(|_| Unreadable::Broken);
        if text(names::ANNOTATION_DIGEST)? != &digest(data) {
            return Err(Unreadable::Broken);
        }
        let bundle = data.get(BUNDLE).ok_or(Unreadable::Broken)?;
        Ok(Self {
            issuer: text(ANNOTATION_ISSUER)?.clone(),
            period: Period { from: time(ANNOTATION_NOT_BEFORE)?, until: time(ANNOTATION_NOT_AFTER)? },
            bundle: String::from_utf8(bundle.0.clone()).map_err(|_| Unreadable::Broken)?,
        })
    }

    /// The Secret with `leaf`, to be written over `before` where there is one.
    pub(super) fn to_secret(name: &ObjectName, leaf: &Leaf, bundle: &str, before: Option<&Secret>) -> Secret {
        let data: BTreeMap<String, ByteString> =
            [(CERTIFICATE, leaf.certificate.as_str()), (PRIVATE_KEY, leaf.private_key.expose()), (BUNDLE, bundle)]
                .map(|(key, text)| (key.to_owned(), ByteString(text.as_bytes().to_vec())))
                .into();
        let annotations = [
            (names::ANNOTATION_DIGEST, digest(&data)),
            (ANNOTATION_ISSUER, leaf.issuer.clone()),
            (ANNOTATION_NOT_BEFORE, leaf.period.from.to_string()),
            (ANNOTATION_NOT_AFTER, leaf.period.until.to_string()),
        ];
        Secret {
            metadata: metadata(name, &[(names::LABEL_MANAGED_BY, names::MANAGER)], &annotations, before),
            type_: Some("kubernetes.io/tls".to_owned()),
            data: Some(data),
            ..Secret::default()
        }
    }
}

fn owned(secret: &Secret) -> Result<(), Unreadable> {
    let label = secret.metadata.labels.as_ref().and_then(|labels| labels.get(names::LABEL_MANAGED_BY));
    if label.is_some_and(|label| label == names::MANAGER) { Ok(()) } else { Err(Unreadable::NotOwned) }
}

fn digest(data: &BTreeMap<String, ByteString>) -> String {
    let mut all = Vec::new();
    for key in [CERTIFICATE, PRIVATE_KEY, BUNDLE] {
        let bytes = data.get(key).map(|bytes| bytes.0.as_slice()).unwrap_or_default();
        all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        all.extend_from_slice(bytes);
    }
    let digest = Digest::of(&all).to_string();
    zeroize::Zeroize::zeroize(&mut all);
    digest
}

fn metadata(
    name: &ObjectName,
    labels: &[(&str, &str)],
    annotations: &[(&str, String)],
    before: Option<&Secret>,
) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.name.clone()),
        namespace: Some(name.namespace.clone()),
        resource_version: before.and_then(|secret| secret.metadata.resource_version.clone()),
        labels: Some(labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
        annotations: Some(annotations.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()),
        ..ObjectMeta::default()
    }
}
