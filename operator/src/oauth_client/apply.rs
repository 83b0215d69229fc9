//! Writing what a client needs: the credentials first, then the document with their hash. A crash
//! between the two leaves a Secret that the next reconcile adopts.

use claviger_crds::condition::Verdict;
use claviger_crds::names::ObjectName;
use claviger_crds::published::SecretHash;
use k8s_openapi::api::core::v1::Secret;

use super::credentials::Credentials;
use super::observe::Observed;
use super::plan::{Intent, Plan};
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::liveness::Live;
use crate::metrics::Written;
use crate::publish::{check_tenant_is_gone, publish, withdraw};
use crate::work::Next;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// The document as it stands, if it was to be published.
    pub(super) live: Option<Live>,
    /// Whether what was published before goes on being served.
    pub(super) kept: bool,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) hashes: Vec<SecretHash>,
    pub(super) secret_name: Option<String>,
    pub(super) next: Next,
}

/// Carries out a plan; of a paused client, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let Plan { credentials, document, outgrown, verdicts, hashes, secret_name, expiry } = plan;
    let rechecked = secret_name.as_ref().map(|_| context.recheck());
    let next = Next { after: rechecked }.or(Next { after: expiry });
    let kept = observed.published.serving;
    if observed.object.meta.paused {
        return Ok(Applied { live: None, kept: true, verdicts, hashes, secret_name, next });
    }
    write(context, observed, credentials).await?;
    let mut applied = Applied { live: None, kept: false, verdicts, hashes, secret_name, next };
    match document {
        Intent::Keep => applied.kept = kept,
        Intent::Publish(publication) => applied.live = Some(publish(context, *publication).await?),
        Intent::Withdraw { tenant_gone } if kept => {
            if tenant_gone {
                check_tenant_is_gone(context, observed.object.tenant()).await?;
            }
            withdraw(context, &observed.object.work()).await?;
        }
        Intent::Withdraw { .. } => {}
    }
    if let Some(outgrown) = outgrown {
        delete(context, outgrown).await?;
        applied.next = Next::after(std::time::Duration::ZERO);
    }
    Ok(applied)
}

async fn write(context: &Context, observed: &Observed, credentials: Credentials) -> Result<(), StepError> {
    let Credentials::Write { secret, create, .. } = credentials else {
        return Ok(());
    };
    let name = secret.metadata.name.clone().unwrap_or_default();
    let written = if create {
        context.create_secret(Written::Credentials, *secret).await
    } else {
        context.replace_secret(Written::Credentials, *secret).await
    };
    match written {
        Ok(_) => {
            let note = match create {
                true => format!("The credentials are in the Secret {name}"),
                false => format!("The Secret {name} with the credentials was brought up to date"),
            };
            let work = observed.object.work();
            context.tell(&work, &observed.object.meta.uid, false, "CredentialsWritten", note).await;
            Ok(())
        }
        // Somebody was faster: the next reconcile reads what they wrote, and adopts it or says why not.
        Err(ClusterError::AlreadyExists | ClusterError::Conflict) => Err(StepError::Outdated("the credentials")),
        Err(error) => Err(StepError::cluster("writing the credentials", error)),
    }
}

async fn delete(context: &Context, secret: Secret) -> Result<(), StepError> {
    let metadata = secret.metadata;
    let at = ObjectName::new(metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default());
    let uid = metadata.uid.unwrap_or_default();
    let version = metadata.resource_version.unwrap_or_default();
    context
        .delete_secret(Written::Credentials, &at, &uid, &version)
        .await
        .doing("deleting credentials of an earlier name")
}
