//! Reading a tenant's sealing keys without a cache.

use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Content, SealingKeyDocument, Stored};

use super::{Keys, Sealing, SealingError, usable};
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::documents::Entry;
use crate::work::{Kind, Work};

/// The keys of the Tenant `name`, whose slug is `slug`; or why they cannot be used.
pub(in crate::tenant) async fn read(
    context: &Context,
    name: &ObjectName,
    slug: &str,
) -> Result<Result<Keys, SealingError>, StepError> {
    let at = super::write::place(context, name);
    let Some(secret) = context.cluster().secret(&at).await.doing("reading the sealing keys")? else {
        return Ok(Ok(Keys::Missing { published: published(context, name, slug).await? }));
    };
    Ok(Sealing::from_secret(secret).map(|(sealing, metadata)| {
        let annotations = metadata.annotations.as_ref();
        if sealing.tenant != slug {
            Keys::OfAnother { metadata: Box::new(metadata) }
        } else if annotations.is_some_and(|all| all.contains_key(names::ANNOTATION_WITHDRAWN_AT)) {
            Keys::Withdrawn(Box::new((sealing, metadata)))
        } else {
            Keys::Stored(Box::new((sealing, metadata)))
        }
    }))
}

/// The keys that are published of this very issuer and serve; none where somebody else has had a hand
/// in the document, or where it is a tombstone.
async fn published(context: &Context, name: &ObjectName, slug: &str) -> Result<Vec<SealingKeyDocument>, StepError> {
    let document = Work::new(Kind::Tenant, name.clone()).document();
    let seen = |state: &mut crate::context::State| {
        let entry = state.index.documents.get(&document)?;
        (entry.serving() && !Entry::tampered(entry)).then_some(entry.digest)
    };
    let Some(digest) = context.with(seen) else {
        return Ok(Vec::new());
    };
    let secret = context.cluster().secret(&context.published(&document)).await.doing("reading the document")?;
    let stored = secret.and_then(|secret| Stored::from_secret(&secret).ok());
    // What was judged above is not what is there: the watch will show it, and it is judged anew.
    let stored = stored.filter(|stored| stored.digest == digest).ok_or(StepError::Outdated("the document"))?;
    match stored.document.content {
        Content::Tenant(tenant) if tenant.slug == slug && usable(&tenant.sealing_keys) => Ok(tenant.sealing_keys),
        _ => Ok(Vec::new()),
    }
}
