//! OAuthClient: one relying party. Owns its document, and the Secret with its credentials in the
//! application's namespace where the operator makes one; other Secrets it only reads, and only
//! those that the object names.

mod accounts;
mod apply;
mod credentials;
mod document;
mod grants;
mod observe;
mod plan;
mod revocation;
mod rotation;
mod secrets;
mod status;
mod story;

use claviger_crds::names::ObjectName;
use claviger_jose::ClientSecret;

pub(crate) use self::credentials::owned;
use self::secrets::Drawn;
use crate::clock::Moment;
use crate::context::Context;
use crate::error::StepError;
use crate::work::{Kind, Next, Work};

/// What this process knows of a client's secrets and nobody else does. After a crash it is gone: then
/// the secret that was to follow is replaced by another one (docs/decisions/0021).
#[derive(Clone, Debug, Default)]
pub(crate) struct Rotating {
    /// UID of the client.
    uid: String,
    /// The secret that is to follow the current one. Its hash is published; its Secret holds it only
    /// when every pod accepts it.
    made: Option<ClientSecret>,
    /// When this process saw the Secret change last.
    switched: Option<Moment>,
}

/// One reconcile of the OAuthClient `name`. A deleted one is the sweep's business.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) -> Result<Next, StepError> {
    if context.with(|state| observe::waits_for_pods(state, name)) {
        return Ok(Next::IDLE);
    }
    let Some(observed) = observe::observe(context, name).await? else {
        let document = Work::new(Kind::OAuthClient, name.clone()).document();
        context.with(|state| {
            state.rotating.remove(name);
            state.uses.forget(&document);
        });
        context.metrics.client_secret(name, None);
        return Ok(Next::IDLE);
    };
    let plan = plan::plan(&observed, context.now_of_keys(), Drawn::draw());
    let mut applied = apply::apply(context, &observed, plan).await?;
    let refused = applied.refused.take().or_else(|| applied.outcome.refused().cloned());
    let next = status::report(context, &observed, applied).await?;
    refused.map_or(Ok(next), Err)
}

#[cfg(test)]
mod tests;
