//! Writing what a client needs: the credentials first, then the document with their hash. A crash
//! between the two leaves a Secret that the next reconcile adopts. (The hash of a secret that follows
//! another one is published by the reconcile before.)

use claviger_crds::condition::Verdict;
use claviger_crds::names::ObjectName;

use super::Rotating;
use super::credentials::Credentials;
use super::observe::Observed;
use super::plan::{Intent, Plan, Secrets};
use super::story::Told;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::object::Meta;
use crate::metrics::Written;
use crate::publish::{check_tenant_is_gone, publish, withdraw};
use crate::report::Outcome;
use crate::withheld::Withheld;
use crate::work::Next;

/// What was done.
#[derive(Debug)]
pub(super) struct Applied {
    /// What became of the document.
    pub(super) outcome: Outcome,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) secrets: Secrets,
    pub(super) secret_name: Option<String>,
    pub(super) next: Next,
    /// Why the credentials could not be written: that is told, and tried again.
    pub(super) refused: Option<StepError>,
}

/// Carries out a plan; of a paused client, nothing.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Result<Applied, StepError> {
    let rechecked = plan.secret_name.as_ref().map(|_| context.recheck());
    let next = Next { after: rechecked }.or(Next { after: plan.again.map(|wait| context.sleep_of(wait)) });
    let served = observed.published.serving;
    if observed.object.meta.paused {
        let Plan { verdicts, secrets, secret_name, .. } = plan;
        let secrets = Secrets { hashes: observed.published.hashes.clone(), ..secrets };
        // What is planned is not done, and does not come sooner by planning it again.
        let next = Next { after: rechecked };
        return Ok(Applied { outcome: Outcome::Kept, verdicts, secrets, secret_name, next, refused: None });
    }
    let (plan, refused) = match write(context, observed, &plan).await {
        Ok(()) => (plan, None),
        Err(error) if error.is_final() => (plan.without_credentials(observed, &error), Some(error)),
        Err(error) => return Err(error),
    };
    let Plan { credentials: _, document, without: _, outgrown, verdicts, secret_name, again: _, secrets } = plan;
    if secrets.begins {
        remember(context, observed, &secrets);
    }
    let written = match document {
        Intent::Keep => Ok(Outcome::left(served)),
        Intent::Publish(publication) => publish(context, *publication).await.map(Outcome::Stands),
        Intent::Withdraw { tenant_gone } if served => {
            if tenant_gone {
                check_tenant_is_gone(context, observed.object.tenant()).await?;
            }
            withdraw(context, &observed.object.work()).await.map(|()| Outcome::Nothing)
        }
        Intent::Withdraw { .. } => Ok(Outcome::Nothing),
    };
    let outcome = match Outcome::of(written, served) {
        Ok(outcome) => outcome,
        Err(error) => {
            // What was written is no news the next time: told twice is better than never.
            if error.may_have_happened() {
                secrets.story.iter().for_each(|told| audit(observed, told, "unknown"));
            }
            return Err(error);
        }
    };
    let mut applied = Applied { outcome, verdicts, secrets, secret_name, next, refused };
    if applied.outcome.refused().is_some() {
        // What is published still goes by the secrets that it knows, and by the Secret of that name.
        applied.secrets.hashes.clone_from(&observed.published.hashes);
        return Ok(applied);
    }
    if applied.refused.is_none() {
        remember(context, observed, &applied.secrets);
    }
    for told in std::mem::take(&mut applied.secrets.story) {
        tell(context, observed, &told).await;
    }
    if let Some(outgrown) = outgrown {
        delete(context, outgrown).await?;
        applied.next = Next::after(std::time::Duration::ZERO);
    }
    Ok(applied)
}

/// Tells and counts. The audit stream first, for the API server may take its time over an Event.
async fn tell(context: &Context, observed: &Observed, told: &Told) {
    audit(observed, told, "ok");
    match told {
        Told::Current { .. } => context.metrics.client_secret_rotated(),
        Told::Revoked { .. } => context.metrics.client_secret_revoked(),
        Told::Begun { .. } | Told::Expired { .. } => {}
    }
    let (warning, kind, note) = told.event();
    context.tell(&observed.object.work(), &observed.object.meta.uid, warning, kind, note).await;
}

/// A revocation is a line of the audit stream.
fn audit(observed: &Observed, told: &Told, outcome: &'static str) {
    let Told::Revoked { fingerprint, at, reason, by } = told else { return };
    tracing::info!(
        target: "audit",
        event = "client_secret_revoked",
        %at,
        tenant = observed.accepted().map(|(_, tenant)| tenant.slug()),
        oauth_client = %observed.object.meta.name,
        fingerprint,
        reason,
        by = by.as_deref(),
        outcome,
        "a client's secret was revoked"
    );
}

/// Keeps what only this process knows: before a hash is published, the secret that it is of.
fn remember(context: &Context, observed: &Observed, secrets: &Secrets) {
    let Meta { name, uid, .. } = &observed.object.meta;
    let switched = if secrets.switched { Some(context.now_of_keys()) } else { observed.rotating.switched };
    let rotating = Rotating { uid: uid.clone(), made: secrets.made.clone(), switched };
    context.with(|state| {
        if secrets.begins {
            // The pods may be quicker than the answer to the write.
            let work = observed.object.work();
            state.liveness.wait(&work.document(), &work);
        }
        if rotating.made.is_some() || rotating.switched.is_some() {
            state.rotating.insert(name.clone(), rotating);
        } else {
            state.rotating.remove(name);
        }
    });
}

async fn write(context: &Context, observed: &Observed, plan: &Plan) -> Result<(), StepError> {
    let Credentials::Write { secret, create, .. } = &plan.credentials else {
        return Ok(());
    };
    let name = secret.metadata.name.clone().unwrap_or_default();
    let written = if *create {
        context.create_secret(Written::Credentials, secret.0.clone()).await
    } else {
        context.replace_secret(Written::Credentials, secret.0.clone()).await
    };
    match written {
        // The story tells of it.
        Ok(_) if plan.secrets.switched => Ok(()),
        Ok(_) => {
            let note = match *create {
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

async fn delete(context: &Context, secret: Withheld) -> Result<(), StepError> {
    let metadata = secret.0.metadata;
    let at = ObjectName::new(metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default());
    let uid = metadata.uid.unwrap_or_default();
    let version = metadata.resource_version.unwrap_or_default();
    context
        .delete_secret(Written::Credentials, &at, &uid, &version)
        .await
        .doing("deleting credentials of an earlier name")
}
