//! What a client needs. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::oauth_client::{Authentication, ClientSecretSource, ValidOAuthClient};
use claviger_crds::published::{RevokedSecret, SecretHash};
use claviger_crds::sentence;
use claviger_jose::ClientSecret;
use jiff::Timestamp;

use super::credentials::{self, Credentials};
use super::document::document;
use super::observe::Observed;
use super::rotation::Step;
use super::secrets::{self, Drawn, SecretPlan};
use super::story::Told;
use crate::clock::Moment;
use crate::error::StepError;
use crate::publish::Publication;
use crate::report;
use crate::tenant::observe::{AcceptedTenant, TenantStanding};
use crate::withheld::Withheld;

/// What is to be done, in this order.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) credentials: Credentials,
    pub(super) document: Intent,
    /// What stands in its place, with these hashes, where the credentials could not be written.
    pub(super) without: Option<(Vec<SecretHash>, Box<Publication>)>,
    /// The Secret of an earlier name, to be deleted once the document says otherwise.
    pub(super) outgrown: Option<Withheld>,
    /// All but `Programmed` and `Ready`.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) secret_name: Option<String>,
    /// When to look again though nothing changed.
    pub(super) again: Option<Duration>,
    pub(super) secrets: Secrets,
}

/// What there is to say and to remember of the client's secrets.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Those that are accepted, newest first.
    pub(super) hashes: Vec<SecretHash>,
    /// When the secret is made anew.
    pub(super) next_rotation_at: Option<Timestamp>,
    /// A rotation that is due waits.
    pub(super) blocked: bool,
    /// A new secret is published, and its Secret is to follow.
    pub(super) begins: bool,
    /// That secret.
    pub(super) made: Option<ClientSecret>,
    /// The overlap of a secret begins.
    pub(super) switched: bool,
    /// What people are told once all is done.
    pub(super) story: Vec<Told>,
}

/// What happens to the document.
#[derive(Debug)]
pub(super) enum Intent {
    /// It stands like this.
    Publish(Box<Publication>),
    /// It stays as it is, if there is one: the last good one goes on being served.
    Keep,
    /// It is withdrawn, if it is served.
    Withdraw {
        /// On the word that the Tenant is gone, which a cache alone must not give.
        tenant_gone: bool,
    },
}

/// Decides.
pub(super) fn plan(observed: &Observed, now: Moment, drawn: Drawn) -> Plan {
    let accepted = || Verdict::yes(ConditionType::Accepted, Reason::Accepted);
    let unjudged = |condition| report::not_judged(condition);
    let valid = match &observed.object.valid {
        Ok(valid) => valid,
        Err(faults) => {
            let invalid = Verdict::no(ConditionType::Accepted, Reason::Invalid, sentence(faults));
            let rest = [ConditionType::ReferencesResolved, ConditionType::CredentialsReady].map(unjudged);
            return idle(Intent::Keep, [vec![invalid], rest.into()].concat());
        }
    };
    let without_tenant =
        |intent, verdict| idle(intent, vec![accepted(), verdict, unjudged(ConditionType::CredentialsReady)]);
    let tenant = match &observed.tenant {
        Some(TenantStanding::Accepted(tenant)) => tenant,
        Some(TenantStanding::NotAccepted) => {
            return without_tenant(Intent::Keep, report::tenant_not_accepted(&valid.tenant));
        }
        Some(TenantStanding::Gone) => {
            let intent = Intent::Withdraw { tenant_gone: true };
            return without_tenant(intent, report::tenant_not_found(&valid.tenant));
        }
        Some(TenantStanding::Vanished) | None => {
            return without_tenant(Intent::Keep, report::tenant_not_found(&valid.tenant));
        }
    };
    if let Some((reason, message)) = &observed.refusal {
        // A claim to another's audience is refused as a change; what was served before goes on.
        let intent = match reason {
            Reason::AudienceConflict => Intent::Keep,
            _ => Intent::Withdraw { tenant_gone: false },
        };
        let refused = Verdict::no(ConditionType::Accepted, *reason, message.clone());
        let rest = [ConditionType::ReferencesResolved, ConditionType::CredentialsReady].map(unjudged);
        return idle(intent, [vec![refused], rest.into()].concat());
    }
    serve(observed, valid, tenant, now, drawn)
}

fn idle(document: Intent, verdicts: Vec<Verdict>) -> Plan {
    Plan {
        credentials: Credentials::None,
        document,
        without: None,
        outgrown: None,
        verdicts,
        secret_name: None,
        again: None,
        secrets: Secrets::default(),
    }
}

fn serve(observed: &Observed, valid: &ValidOAuthClient, tenant: &AcceptedTenant, now: Moment, drawn: Drawn) -> Plan {
    let Authentication::Secret(source) = &valid.authentication else {
        let publication = publication(observed, valid, tenant, Vec::new(), observed.published.revoked.clone());
        let verdicts = verdicts(observed, &Credentials::None, None);
        return idle(Intent::Publish(Box::new(publication)), verdicts);
    };
    let SecretPlan { credentials, hashes, without, revoked, decision, made, switched, story } =
        secrets::plan(valid, tenant, source, observed, now, drawn);
    let missing = matches!(credentials, Credentials::Missing(..));
    let publication = |hashes: &[SecretHash]| {
        let plain = publication(observed, valid, tenant, hashes.to_vec(), revoked.clone());
        Box::new(Publication { credentials: noted(valid, observed, &credentials), ..plain })
    };
    // Without any secret that ever worked there is nothing to serve yet. What is served follows its
    // declaration, though every secret of it may be revoked.
    let usable = !missing || !hashes.is_empty() || observed.published.serving;
    let outgrown = observed.earlier.clone().filter(|earlier| !missing && credentials::owned(earlier, &valid.name));
    Plan {
        verdicts: verdicts(observed, &credentials, decision.waits.clone()),
        document: if usable { Intent::Publish(publication(&hashes)) } else { Intent::Keep },
        without: (!without.is_empty()).then(|| (without.clone(), publication(&without))),
        again: decision.again,
        outgrown,
        secret_name: Some(secret_name(source)),
        secrets: Secrets {
            next_rotation_at: decision.next,
            blocked: decision.waits.is_some(),
            begins: decision.step == Step::Begin,
            hashes,
            made,
            switched,
            story,
        },
        credentials,
    }
}

fn publication(
    observed: &Observed,
    valid: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    hashes: Vec<SecretHash>,
    revoked: Vec<RevokedSecret>,
) -> Publication {
    let document = document(valid, tenant, &observed.grants, &observed.accounts, hashes, revoked);
    let publication = Publication::of(document, &observed.object.meta.uid);
    Publication { credentials: observed.published.credentials.clone(), ..publication }
}

fn secret_name(source: &ClientSecretSource) -> String {
    match source {
        ClientSecretSource::Generated(generated) => generated.name.clone(),
        ClientSecretSource::Existing(existing) => existing.name.clone(),
    }
}

/// The credentials Secrets to note beside the document: the present one, and any earlier one that
/// still stands.
fn noted(valid: &ValidOAuthClient, observed: &Observed, credentials: &Credentials) -> BTreeSet<String> {
    let mut names = observed.published.credentials.clone();
    if let Authentication::Secret(ClientSecretSource::Generated(generated)) = &valid.authentication {
        if observed.earlier.is_none() && observed.unread.is_none() {
            names.clear();
        }
        if !matches!(credentials, Credentials::Missing(..)) {
            names.insert(generated.name.clone());
        }
    }
    names
}

fn verdicts(observed: &Observed, credentials: &Credentials, waits: Option<(Reason, String)>) -> Vec<Verdict> {
    let (accounts, grants) = (&observed.accounts, &observed.grants);
    let fault = accounts.fault().or_else(|| grants.fault()).or_else(|| accounts.unverifiable());
    vec![
        Verdict::yes(ConditionType::Accepted, Reason::Accepted),
        fault.unwrap_or_else(|| Verdict::yes(ConditionType::ReferencesResolved, Reason::Resolved)),
        credentials_ready(credentials, waits),
    ]
}

fn credentials_ready(credentials: &Credentials, waits: Option<(Reason, String)>) -> Verdict {
    let condition = ConditionType::CredentialsReady;
    match credentials {
        Credentials::None => Verdict::yes(condition, Reason::NoCredentialsNeeded),
        // Those that are there are good, whatever waits.
        Credentials::Present | Credentials::Write { .. } => {
            let (reason, message) = waits.unwrap_or((Reason::CredentialsReady, String::new()));
            Verdict { message, ..Verdict::yes(condition, reason) }
        }
        Credentials::Missing(reason, message) => Verdict::no(condition, *reason, message.clone()),
    }
}

impl Plan {
    /// What is left of the plan where the API server refuses the credentials' Secret. A secret that
    /// nobody was told of does not become the client's, either.
    pub(super) fn without_credentials(mut self, observed: &Observed, error: &StepError) -> Self {
        let condition = ConditionType::CredentialsReady;
        let name = self.secret_name.as_deref().unwrap_or_default();
        let refused = Verdict::no(condition, Reason::SecretRefused, format!("Secret {name}: {error}"));
        self.verdicts.retain(|verdict| verdict.condition != condition);
        self.verdicts.push(refused);
        self.outgrown = None;
        self.secrets.story.clear();
        (self.document, self.secrets.hashes) = match self.without.take() {
            Some((hashes, publication)) => (Intent::Publish(publication), hashes),
            None => (Intent::Keep, observed.published.hashes.clone()),
        };
        self
    }
}
