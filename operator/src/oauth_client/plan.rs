//! What a client needs: pure, but for the making of a secret where there is none.

use std::collections::BTreeSet;
use std::time::Duration;

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names;
use claviger_crds::oauth_client::{Authentication, ClientSecretSource, ValidOAuthClient};
use claviger_crds::published::SecretHash;
use claviger_crds::sentence;
use jiff::Timestamp;

use super::credentials::{self, Credentials};
use super::document::document;
use super::observe::Observed;
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
    /// The Secret of an earlier name, to be deleted once the document says otherwise.
    pub(super) outgrown: Option<Withheld>,
    /// All but `Programmed` and `Ready`.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) hashes: Vec<SecretHash>,
    pub(super) secret_name: Option<String>,
    /// When the next secret stops being accepted.
    pub(super) expiry: Option<Duration>,
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
pub(super) fn plan(observed: &Observed, now: Timestamp) -> Plan {
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
    serve(observed, valid, tenant, now)
}

fn idle(document: Intent, verdicts: Vec<Verdict>) -> Plan {
    Plan {
        credentials: Credentials::None,
        document,
        outgrown: None,
        verdicts,
        hashes: Vec::new(),
        secret_name: None,
        expiry: None,
    }
}

fn serve(observed: &Observed, valid: &ValidOAuthClient, tenant: &AcceptedTenant, now: Timestamp) -> Plan {
    let recorded = &observed.published.hashes;
    let (credentials, hashes, secret_name) = match &valid.authentication {
        Authentication::Secret(source) => {
            let credentials = credentials::credentials(valid, tenant, source, observed);
            let hashes = credentials::hashes(credentials.hash(), recorded, source, now);
            (credentials, hashes, Some(secret_name(source)))
        }
        _ => (Credentials::None, Vec::new(), None),
    };
    let publication = Publication {
        credentials: noted(valid, observed, &credentials),
        ..Publication::of(document(valid, tenant, &observed.grants, hashes.clone()), &observed.object.meta.uid)
    };
    // Without any secret that works there is nothing to serve yet.
    let usable = !matches!(credentials, Credentials::Missing(..)) || !hashes.is_empty();
    let outgrown = observed
        .earlier
        .clone()
        .filter(|earlier| !matches!(credentials, Credentials::Missing(..)) && credentials::owned(earlier, &valid.name));
    Plan {
        verdicts: vec![
            Verdict::yes(ConditionType::Accepted, Reason::Accepted),
            observed.grants.verdict(),
            credentials_ready(valid, &credentials),
        ],
        document: if usable { Intent::Publish(Box::new(publication)) } else { Intent::Keep },
        expiry: credentials::next_expiry(&hashes, now),
        credentials,
        outgrown,
        hashes,
        secret_name,
    }
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

fn credentials_ready(valid: &ValidOAuthClient, credentials: &Credentials) -> Verdict {
    let condition = ConditionType::CredentialsReady;
    match credentials {
        Credentials::None => Verdict::yes(condition, Reason::NoCredentialsNeeded),
        Credentials::Present { .. } | Credentials::Write { .. } => Verdict {
            message: not_rotated(valid).unwrap_or_default(),
            ..Verdict::yes(condition, Reason::CredentialsReady)
        },
        Credentials::Missing(reason, message) => Verdict::no(condition, *reason, message.clone()),
    }
}

/// A rotation that is asked for and that this release does not carry out.
fn not_rotated(valid: &ValidOAuthClient) -> Option<String> {
    let Authentication::Secret(ClientSecretSource::Generated(generated)) = &valid.authentication else {
        return None;
    };
    let asked = match (generated.rotation, valid.rotate_at) {
        (Some(_), _) => "authentication.secret.rotation",
        (None, Some(_)) => names::ANNOTATION_ROTATE_AT,
        (None, None) => return None,
    };
    Some(format!("{asked}: this release does not rotate clients' secrets; for another one, delete the Secret"))
}

impl Plan {
    /// What is left of the plan where the API server refuses the credentials' Secret. A secret that
    /// nobody was told of is not published, either.
    pub(super) fn without_credentials(mut self, observed: &Observed, error: &StepError) -> Self {
        let condition = ConditionType::CredentialsReady;
        let name = self.secret_name.as_deref().unwrap_or_default();
        let refused = Verdict::no(condition, Reason::SecretRefused, format!("Secret {name}: {error}"));
        self.verdicts.retain(|verdict| verdict.condition != condition);
        self.verdicts.push(refused);
        self.outgrown = None;
        let recorded = &observed.published.hashes;
        let hash = self.credentials.hash().map(ToString::to_string);
        if !recorded.iter().any(|known| Some(&known.hash) == hash.as_ref()) {
            self.document = Intent::Keep;
            self.hashes.clone_from(recorded);
        }
        self
    }
}
