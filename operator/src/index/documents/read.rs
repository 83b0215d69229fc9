//! From a published Secret to what the index keeps of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{
    ClientAuthentication, Content, Digest, Document, DocumentKind, KeyDocument, KeyPhase, KeysDocument, Stored,
};
use k8s_openapi::api::core::v1::Secret;

use super::{ANNOTATION_CREDENTIALS, Detail, Entry};
use crate::index::demands::Demands;

/// Reads a published Secret. One that is not readable keeps what was known of it before; one that
/// never was readable must at least say whose it is.
pub(super) fn read(secret: &Secret, earlier: Option<&Entry>) -> Option<Entry> {
    let metadata = &secret.metadata;
    let annotation = |key| metadata.annotations.as_ref().and_then(|all| all.get(key));
    let uid = metadata.uid.clone().unwrap_or_default();
    let resource_version = metadata.resource_version.clone().unwrap_or_default();
    match Stored::from_secret(secret) {
        Ok(stored) => {
            let credentials = annotation(ANNOTATION_CREDENTIALS)
                .map(|names| names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
                .unwrap_or_default();
            let mut entry = Entry {
                owner_uid: annotation(names::ANNOTATION_OWNER_UID).cloned().unwrap_or_default(),
                kind: stored.document.content.kind(),
                owner: stored.document.owner.clone(),
                tenant: stored.document.tenant.clone(),
                withdrawn_at: stored.document.withdrawn_at,
                detail: detail(&stored.document.content),
                name: stored.name,
                revision: stored.revision,
                digest: stored.digest,
                uid,
                resource_version,
                credentials,
                intact: false,
                written: None,
            };
            entry.intact = intact(secret, &stored.document, &entry);
            Some(entry)
        }
        Err(_) => {
            let revision = annotation(names::ANNOTATION_REVISION).and_then(|text| text.parse().ok());
            let spoilt = Digest::of(&[]);
            if let Some(earlier) = earlier {
                let revision = revision.unwrap_or(0).max(earlier.revision);
                let entry = earlier.clone();
                return Some(Entry { uid, resource_version, revision, digest: spoilt, intact: false, ..entry });
            }
            let labels = metadata.labels.as_ref();
            let kind = labels.and_then(|all| all.get(names::LABEL_DOCUMENT))?;
            let (namespace, name) = annotation(names::ANNOTATION_OWNER)?.split_once('/')?;
            Some(Entry {
                name: metadata.name.clone()?,
                kind: DocumentKind::ALL.into_iter().find(|known| known.as_str() == kind)?,
                owner: ObjectName::new(namespace, name),
                owner_uid: annotation(names::ANNOTATION_OWNER_UID).cloned().unwrap_or_default(),
                tenant: labels.and_then(|all| all.get(names::LABEL_TENANT)).cloned().unwrap_or_default(),
                revision: revision.unwrap_or(0),
                digest: spoilt,
                withdrawn_at: None,
                credentials: BTreeSet::new(),
                intact: false,
                written: None,
                detail: Detail::Unreadable,
                uid,
                resource_version,
            })
        }
    }
}

/// Whether labels, annotations and type are those that the operator writes for `document`. What
/// others add beside them is none of our business.
fn intact(secret: &Secret, document: &Document, entry: &Entry) -> bool {
    let annotations = secret.metadata.annotations.as_ref();
    let owner_uid = annotations.and_then(|all| all.get(names::ANNOTATION_OWNER_UID));
    let Some(owner_uid) = owner_uid else {
        return false;
    };
    let ours = document.to_secret("", owner_uid, entry.revision);
    let holds = |theirs: Option<&BTreeMap<String, String>>, ours: Option<&BTreeMap<String, String>>| {
        ours.into_iter().flatten().all(|(key, value)| theirs.and_then(|all| all.get(key)) == Some(value))
    };
    holds(secret.metadata.labels.as_ref(), ours.metadata.labels.as_ref())
        && holds(annotations, ours.metadata.annotations.as_ref())
        && secret.type_ == ours.type_
}

fn active(keys: &KeysDocument) -> Option<&KeyDocument> {
    keys.keys.iter().find(|key| key.phase == KeyPhase::Active)
}

fn detail(content: &Content) -> Detail {
    match content {
        Content::Tenant(tenant) => Detail::Tenant {
            host: tenant.host.clone(),
            default_signing_key: tenant.default_signing_key.clone(),
            service_account_issuer: tenant.service_account_issuer.clone().map(Arc::new),
        },
        Content::OAuthClient(client) => Detail::Client {
            client_id: client.client_id.clone(),
            audience: client.resource_server.as_ref().map(|server| server.audience.clone()),
            hashes: match &client.authentication {
                ClientAuthentication::Secret { hashes } => hashes.clone(),
                _ => Vec::new(),
            },
            revoked: client.revoked_secrets.clone(),
            demands: Demands::published(client),
        },
        Content::SigningKey(keys) => Detail::Ring {
            leaving: keys.leaving,
            joining: keys.joining,
            created_at: keys.created_at,
            max_cache_lifetime: keys.cache_lifetime.max(keys.max_cache_lifetime),
            active_revision: active(keys).map_or(0, |key| key.revision),
            algorithm: active(keys).map(|key| key.public_key.algorithm()),
            standby: keys
                .keys
                .iter()
                .filter(|key| key.phase == KeyPhase::Published)
                .map(|key| key.public_key.algorithm())
                .collect(),
            kids: keys.keys.iter().map(|key| key.kid.clone()).collect(),
            revoked: keys.revoked.clone(),
        },
        Content::User(user) => Detail::User {
            username: user.username.clone(),
            subject: user.subject.clone(),
            password: user.password_hash.clone().zip(user.password_source.clone()),
        },
    }
}
