//! The rules between objects: the operator's engine judges the folder over an embedded cluster
//! that keeps nothing, with no provider, and what it says in the conditions is what lint says.
//!
//! What points out of the folder may well be in the cluster, so it is no fault: see [`outside`].

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use claviger_crds::names::ObjectName;
use claviger_operator::clock::SystemClock;
use claviger_operator::cluster::Kind;
use claviger_operator::engine::{Change, Engine};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Admitted, Unseen, outside};
use crate::embedded::{Embedded, State, Told, condition, is_judged};
use crate::manifests::{Fault, Sort};
use crate::runtime::runtime;

/// Any https URL would do: nothing is served.
const EXTERNAL_URL: &str = "https://claviger.invalid";
/// Once every object is judged, verdicts may still change while the others' arrive.
const QUIET: Duration = Duration::from_millis(250);
/// A folder that is not judged by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);
/// Which conditions the folder alone decides.
const JUDGED: [&str; 3] = ["Accepted", "ReferencesResolved", "CredentialsReady"];

/// No folder can say who issues the tokens of ServiceAccounts, nor let time pass, and nobody expects it to.
const NEVER_THERE: [&str; 2] = ["ServiceAccountIssuerUnknown", "SigningKeyNotReady"];

/// What is said of a folder as a whole.
pub(super) struct Verdicts {
    /// What is wrong.
    pub(super) faults: Vec<Fault>,
    /// What only a cluster can judge: the folder does not hold what decides it.
    pub(super) unjudged: Vec<Fault>,
}

/// Judges `admitted` as a whole.
pub(super) fn run(admitted: &Admitted, unseen: &Unseen) -> anyhow::Result<Verdicts> {
    let objects = runtime(None)?.block_on(rehearse(admitted))?;
    let mut verdicts = Verdicts { faults: Vec::new(), unjudged: Vec::new() };
    for (kind, name, object) in &objects {
        let Some((manifest, _)) = admitted.get(&(Sort::Resource(*kind), name.clone())) else { continue };
        for verdict in JUDGED.iter().filter_map(|wanted| condition(object, wanted)) {
            let text = |key: &str| verdict[key].as_str().unwrap_or_default();
            if text("status") != "False" || NEVER_THERE.contains(&text("reason")) {
                continue;
            }
            let place = field(text("reason"), *kind);
            if !outside::is_outside(verdict, *kind, name, admitted, unseen) {
                verdicts.faults.push(manifest.fault(place, format!("{}: {}", text("reason"), text("message"))));
            } else if unseen.is_empty() {
                // Else it may be what was refused that is missed here: one mistake is told once.
                let missing = outside::missing(verdict, name, object);
                verdicts.unjudged.push(manifest.fault(place, format!("not judged: {missing}")));
            }
        }
    }
    verdicts.faults.extend(objects.iter().filter_map(|(kind, name, object)| rotation(*kind, name, object, admitted)));
    verdicts.unjudged.sort();
    verdicts.unjudged.dedup();
    Ok(verdicts)
}

/// That a ring cannot rotate as it is asked to, which no pod and no time will mend.
fn rotation(kind: Kind, name: &ObjectName, object: &Value, admitted: &Admitted) -> Option<Fault> {
    let blocked = condition(object, "RotationBlocked")?;
    if blocked["status"] != "True" || blocked["reason"] != "LifetimesDoNotFit" {
        return None;
    }
    let (manifest, _) = admitted.get(&(Sort::Resource(kind), name.clone()))?;
    let message = blocked["message"].as_str().unwrap_or_default();
    Some(manifest.fault("spec.rotation.interval", format!("LifetimesDoNotFit: {message}")))
}

async fn rehearse(admitted: &Admitted) -> anyhow::Result<Vec<(Kind, ObjectName, Value)>> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let cluster = Arc::new(Embedded::open(State::nowhere(), Arc::new(SystemClock::new()), tell)?);
    let engine = cluster.engine(EXTERNAL_URL.to_owned());
    for ((sort, name), (_, value)) in admitted {
        if !name.namespace.is_empty() && !outside::declares_namespace(admitted, &name.namespace) {
            cluster.imply_namespace(&name.namespace);
        }
        cluster.declare(*sort, name, value)?;
    }
    while let Ok(next) = told.try_recv() {
        carry(&engine, next);
    }
    engine.providers_listed();
    engine.change(Change::Synced);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (engine, shutdown) = (engine.clone(), shutdown.clone());
        async move { engine.run(shutdown).await }
    });
    let begin = Instant::now();
    loop {
        match timeout(QUIET, told.recv()).await {
            Ok(Some(next)) => carry(&engine, next),
            _ if cluster.all(is_judged) => break,
            _ if begin.elapsed() > PATIENCE => bail!("the rules between objects could not be judged in time"),
            _ => {}
        }
    }
    shutdown.cancel();
    // It ends by itself; how is of no interest any more.
    let _ = running.await;
    Ok(cluster.resources())
}

fn carry(engine: &Engine, told: Told) {
    if let Told::Change(change) = told {
        engine.change(change);
    }
}

/// The field that a reason speaks of, for the line.
fn field(reason: &str, kind: Kind) -> &'static str {
    match reason {
        "TenantNotFound" | "TenantNotAccepted" | "NotAllowedByTenant" => "spec.tenantRef",
        "SlugConflict" => "spec.slug",
        "HostConflict" => "spec.host",
        "ClientIdConflict" | "ClientIdNotAllowed" => "spec.clientId",
        "UsernameConflict" => "spec.username",
        "SubjectConflict" => "spec.subject",
        "AudienceConflict" | "AudienceNotAllowed" => "spec.resourceServer.audience",
        "AudienceNotGranted" => "spec.audiences",
        "ScopeNotGranted" => "spec.scopes",
        "IssuerNotTrusted" | "ExchangeNotGranted" => "spec.tokenExchange",
        "SigningKeyNotFound" => match kind {
            Kind::Tenant => "spec.signing.default",
            _ => "spec.idTokenSignedResponseAlg",
        },
        "ClientNotFound" => "spec.login.ui.clientRef",
        "SecretNotFound" | "SecretNotOwned" | "SecretInvalid" | "SecretTooShort" => match kind {
            Kind::User => "spec.passwordSecretRef",
            Kind::SigningKey => "spec.existingSecretRef",
            _ => "spec.authentication",
        },
        "ServiceAccountNotFound" | "ServiceAccountNotAllowed" => "spec.authentication.serviceAccounts",
        "IssuerConflict" => "spec.trustedIssuers",
        "KeyEncrypted" | "KeyOfAnotherAlgorithm" | "KeyRevoked" | "KeyOfAnotherRing" => "spec.existingSecretRef",
        _ => "",
    }
}
