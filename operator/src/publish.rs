//! Writing published documents: compared first, created or replaced under the resourceVersion
//! that the decision rests on, with a revision above any that was ever stored or served.

mod lost;
mod withdraw;

use std::collections::BTreeSet;

use claviger_crds::names::ObjectName;
use claviger_crds::published::{Digest, Document, DocumentKind};
use k8s_openapi::api::core::v1::Secret;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::documents::{ANNOTATION_CREDENTIALS, Entry};
use crate::liveness::Live;
use crate::metrics::Written;
use crate::work::{Kind, Work};

pub(crate) use self::withdraw::withdraw;

/// A document that is to stand as it is here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Publication {
    /// The document.
    pub(crate) document: Document,
    /// UID of the custom resource.
    pub(crate) owner_uid: String,
    /// Names of credentials Secrets to note beside it.
    pub(crate) credentials: BTreeSet<String>,
    /// Its revision, where somebody else counts; else one above all that are known.
    pub(crate) revision: Option<u64>,
}

/// What stands in the way of leaving the document as it is.
enum Need {
    Nothing(Live),
    Create(u64),
    Replace { uid: String, resource_version: String, revision: u64 },
}

impl Publication {
    /// A document with nothing beside it.
    pub(crate) fn of(document: Document, owner_uid: &str) -> Self {
        Self { document, owner_uid: owner_uid.to_owned(), credentials: BTreeSet::new(), revision: None }
    }

    fn work(&self) -> Work {
        Work::new(Kind::from(self.document.content.kind()), self.document.owner.clone())
    }
}

/// Makes the stored document what it should be. Writes nothing if it is.
pub(crate) async fn publish(context: &Context, publication: Publication) -> Result<Live, StepError> {
    let (name, work) = (publication.document.secret_name(), publication.work());
    let digest = Digest::of(&publication.document.to_bytes());
    let (need, spoilt) = context.with(|state| {
        let highest = state.acknowledgements.highest_revision(&name);
        let entry = state.index.documents.get(&name);
        let lost = state.index.documents.lost(&name);
        let need = need(&publication, &name, digest, entry, highest.max(lost.map(|lost| lost.revision)));
        let missing =
            entry.is_none() && publication.document.withdrawn_at.is_none() && (lost.is_some() || highest.is_some());
        let spoilt = missing || entry.is_some_and(Entry::tampered);
        if !matches!(need, Need::Nothing(_)) {
            state.index.documents.writing(&name, digest);
        }
        (need, spoilt)
    });
    let (revision, written) = match need {
        Need::Nothing(live) => return Ok(live),
        Need::Create(revision) => {
            let secret = secret(context, &publication, revision);
            (revision, context.create_secret(Written::Document, secret).await)
        }
        Need::Replace { uid, resource_version, revision } => {
            let mut secret = secret(context, &publication, revision);
            secret.metadata.uid = Some(uid);
            secret.metadata.resource_version = Some(resource_version);
            (revision, context.replace_secret(Written::Document, secret).await)
        }
    };
    let written = match written {
        Ok(written) => written,
        Err(error) => return Err(failed(context, &work, error).await),
    };
    let now = context.now();
    context.with(|state| {
        let works = state.index.wrote_published(&written);
        state.liveness.written(&name, digest, now);
        state.wake(works);
        state.standing_changed(&name);
    });
    if spoilt {
        repaired(context, &publication).await;
    }
    Ok(Live { name, digest, revision })
}

fn need(publication: &Publication, name: &str, digest: Digest, entry: Option<&Entry>, highest: Option<u64>) -> Need {
    let above = highest.max(entry.map(|entry| entry.revision)).map_or(1, |revision| revision.saturating_add(1));
    let revision = publication.revision.unwrap_or(above);
    let Some(entry) = entry else {
        return Need::Create(revision);
    };
    let behind = match publication.revision {
        Some(revision) => entry.revision != revision,
        None => highest.is_some_and(|highest| highest > entry.revision),
    };
    let same = entry.digest == digest
        && entry.intact
        && entry.owner_uid == publication.owner_uid
        && entry.credentials == publication.credentials;
    if same && !behind {
        return Need::Nothing(Live { name: name.to_owned(), digest, revision: entry.revision });
    }
    Need::Replace { uid: entry.uid.clone(), resource_version: entry.resource_version.clone(), revision }
}

fn secret(context: &Context, publication: &Publication, revision: u64) -> Secret {
    let namespace = &context.options.published_namespace;
    let mut secret = publication.document.to_secret(namespace, &publication.owner_uid, revision);
    if !publication.credentials.is_empty() {
        let names = publication.credentials.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        secret.metadata.annotations.get_or_insert_default().insert(ANNOTATION_CREDENTIALS.to_owned(), names);
    }
    secret
}

/// What we planned on is not what is there: look, so that the next plan rests on it. It is made after
/// the usual wait: two that write the same document by turns must not do so without a pause.
async fn failed(context: &Context, work: &Work, error: ClusterError) -> StepError {
    if matches!(error, ClusterError::AlreadyExists | ClusterError::Conflict | ClusterError::NotFound) {
        let name = work.document();
        let found = context.cluster().secret(&context.published(&name)).await;
        context.with(|state| {
            let mut works = match &found {
                Ok(Some(secret)) => state.index.apply_published(secret),
                Ok(None) => state.index.delete_published(&name),
                Err(_) => BTreeSet::new(),
            };
            works.remove(work);
            state.wake(works);
        });
    }
    StepError::cluster("publishing the document", error)
}

async fn repaired(context: &Context, publication: &Publication) {
    let kind: DocumentKind = publication.document.content.kind();
    context.metrics.repaired(kind);
    let note = format!(
        "The published document {} had been changed or deleted by somebody else; it was written again",
        publication.document.secret_name()
    );
    context.tell(&publication.work(), &publication.owner_uid, true, "DocumentRepaired", note).await;
}

/// Nothing is withdrawn on the word of a cache: fails unless the API server says that the Tenant is
/// gone.
pub(crate) async fn check_tenant_is_gone(context: &Context, tenant: Option<ObjectName>) -> Result<(), StepError> {
    let Some(tenant) = tenant else {
        return Err(StepError::Outdated("the object"));
    };
    match context.cluster().owner(Kind::Tenant, &tenant).await.doing("reading the tenant")? {
        None => Ok(()),
        Some(_) => Err(StepError::Outdated("the Tenant")),
    }
}
