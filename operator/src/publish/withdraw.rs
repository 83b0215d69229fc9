//! Withdrawing a document: it is replaced by its own tombstone, and one that vanished gets one anew.

use claviger_crds::names;
use claviger_crds::published::{Content, Digest, Stored};
use k8s_openapi::api::core::v1::Secret;

use super::{Publication, lost, publish};
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::documents::ANNOTATION_CREDENTIALS;
use crate::metrics::Written;
use crate::work::Work;

/// Turns the published document of `work` into its own tombstone, by what the API server holds. A
/// tombstone keeps what a return needs, private and sealing keys excepted: those are kept elsewhere.
pub(crate) async fn withdraw(context: &Context, work: &Work) -> Result<(), StepError> {
    let name = work.document();
    let secret = context.cluster().secret(&context.published(&name)).await.doing("reading the document")?;
    let Some(secret) = secret else {
        return withdraw_lost(context, work).await;
    };
    let mut stored = match Stored::from_secret(&secret) {
        Ok(stored) if stored.document.withdrawn_at.is_none() => stored,
        Ok(_) => {
            context.with(|state| {
                let works = state.index.apply_published(&secret);
                state.wake(works);
            });
            return Ok(());
        }
        Err(error) => {
            // Providers go on serving what they read last; only a person can tell what that was.
            tracing::error!(%work, %error, "a document that is to be withdrawn is unreadable");
            return Ok(());
        }
    };
    stored.document.withdrawn_at = Some(context.now().wall);
    match &mut stored.document.content {
        Content::SigningKey(keys) => keys.keys.iter_mut().for_each(|key| key.private_key = None),
        Content::Tenant(tenant) => tenant.sealing_keys.clear(),
        Content::OAuthClient(_) | Content::User(_) => {}
    }
    let withdrawn = tombstone(context, &stored, &secret);
    let written = context.replace_secret(Written::Document, withdrawn).await.doing("withdrawing the document")?;
    context.with(|state| {
        state.liveness.forget(&name);
        let works = state.index.wrote_published(&written);
        state.wake(works);
    });
    tracing::info!(%work, "the document is withdrawn");
    Ok(())
}

/// Writes a tombstone for what vanished: providers go on serving it, and only a withdrawal that they
/// can read ends that. It is made of what this process remembers.
async fn withdraw_lost(context: &Context, work: &Work) -> Result<(), StepError> {
    let name = work.document();
    let lost = context.with(|state| {
        let works = state.index.delete_published(&name);
        state.wake(works);
        state.index.documents.lost(&name).cloned()
    });
    let Some(lost) = lost else {
        return Ok(());
    };
    let Some(document) = lost::tombstone(&lost, &context.options.external_url, context.now().wall) else {
        tracing::error!(
            %work,
            document = name,
            "a document that vanished is to be withdrawn, and was never readable: restart the provider pods, which may \
             still serve what they read of it before",
        );
        context.with(|state| {
            let works = state.index.forget_lost(work);
            state.wake(works);
        });
        return Ok(());
    };
    let publication = Publication { credentials: lost.credentials, ..Publication::of(document, &lost.owner_uid) };
    publish(context, publication).await?;
    context.with(|state| state.liveness.forget(&name));
    tracing::info!(%work, "the document had vanished: a tombstone withdraws it");
    Ok(())
}

fn tombstone(context: &Context, stored: &Stored, secret: &Secret) -> Secret {
    let annotations = secret.metadata.annotations.clone().unwrap_or_default();
    let owner_uid = annotations.get(names::ANNOTATION_OWNER_UID).cloned().unwrap_or_default();
    let digest = Digest::of(&stored.document.to_bytes());
    let highest = context.with(|state| {
        state.index.documents.writing(&stored.name, digest);
        state.acknowledgements.highest_revision(&stored.name)
    });
    let revision = highest.unwrap_or(0).max(stored.revision).saturating_add(1);
    let mut withdrawn = stored.document.to_secret(&context.options.published_namespace, &owner_uid, revision);
    withdrawn.metadata.uid = secret.metadata.uid.clone();
    withdrawn.metadata.resource_version = secret.metadata.resource_version.clone();
    if let Some(credentials) = annotations.get(ANNOTATION_CREDENTIALS) {
        let annotations = withdrawn.metadata.annotations.get_or_insert_default();
        annotations.insert(ANNOTATION_CREDENTIALS.to_owned(), credentials.clone());
    }
    withdrawn
}
