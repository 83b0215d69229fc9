//! What a client's plan rests on: the index, and without a cache the one Secret that it names.

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_crds::condition::Reason;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::{
    Authentication, ClientSecretSource, OAuthClient, SecretRevocation, ValidOAuthClient,
};
use claviger_crds::published::{RevokedSecret, SecretHash};

use super::accounts::{self, Accounts};
use super::grants::{self, Grants};
use super::revocation::Revocations;
use super::{Rotating, secrets};
use crate::acknowledgements::Standing;
use crate::context::{Context, State};
use crate::error::{StepError, While};
use crate::index::Index;
use crate::index::claims::Claim;
use crate::index::documents::{Detail, Entry};
use crate::index::object::Object;
use crate::liveness::Live;
use crate::tenant::observe::{self as tenant, AcceptedTenant, TenantStanding};
use crate::withheld::Withheld;
use crate::work::{Kind, Work};

/// See the module.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) object: Arc<Object<OAuthClient>>,
    /// How its Tenant stands, if the object says which that is.
    pub(super) tenant: Option<TenantStanding>,
    /// Why its Tenant does not have it as it is.
    pub(super) refusal: Option<(Reason, String)>,
    pub(super) grants: Grants,
    /// The ServiceAccounts that may be it.
    pub(super) accounts: Accounts,
    /// What is published of it, or was when it vanished.
    pub(super) published: Published,
    /// The Secret that it names, where it is to be looked at.
    pub(super) secret: Option<Withheld>,
    /// The Secret that was made for it under an earlier name.
    pub(super) earlier: Option<Withheld>,
    /// Why these could not be read, where the API server refuses that.
    pub(super) unread: Option<StepError>,
    /// What must be live before it is of use.
    pub(super) issuer: Vec<Vec<Live>>,
    /// What this process knows of its secrets.
    pub(super) rotating: Rotating,
    /// How the pods stand to its document as it is stored, where that matters.
    pub(super) standing: Option<Standing>,
    /// What the object says of secrets that are revoked, with who says so.
    pub(super) revoked: Vec<SecretRevocation>,
    /// Whose clocks are too far from ours.
    pub(super) skewed: Vec<String>,
}

/// What a client's document holds beyond what is declared.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    /// Whether it is served now: also what vanished is.
    pub(super) serving: bool,
    pub(super) hashes: Vec<SecretHash>,
    pub(super) revoked: Vec<RevokedSecret>,
    /// Names of credentials Secrets.
    pub(super) credentials: BTreeSet<String>,
}

impl Observed {
    /// The tenant, where the client may belong to it.
    pub(super) fn accepted(&self) -> Option<(&ValidOAuthClient, &AcceptedTenant)> {
        match (self.object.valid(), &self.tenant, &self.refusal) {
            (Some(valid), Some(TenantStanding::Accepted(tenant)), None) => Some((valid, tenant)),
            _ => None,
        }
    }
}

/// Whether the client waits until the pods have been heard: nothing is published of it, but they may have
/// served it and know which secrets were revoked. It is woken then.
pub(super) fn waits_for_pods(state: &mut State, name: &ObjectName) -> bool {
    let work = Work::new(Kind::OAuthClient, name.clone());
    let is_published = state.index.documents.get(&work.document()).is_some();
    !is_published && state.index.clients.contains(name) && !state.liveness.settled_or_defer(&work)
}

/// Reads the index, and then the Secret if the client is to be served. `None` if it is gone.
pub(super) async fn observe(context: &Context, name: &ObjectName) -> Result<Option<Observed>, StepError> {
    let Some(mut observed) = context.with(|state| look(context, state, name)) else {
        return Ok(None);
    };
    let Some((valid, _)) = observed.accepted() else {
        return Ok(Some(observed));
    };
    let Authentication::Secret(source) = &valid.authentication else {
        return Ok(Some(observed));
    };
    let (current, makes) = match source {
        ClientSecretSource::Generated(generated) => (generated.name.clone(), true),
        ClientSecretSource::Existing(existing) => (existing.name.clone(), false),
    };
    let read = async |secret: &str| {
        let at = ObjectName::new(name.namespace.clone(), secret);
        let secret = context.cluster().secret(&at).await.doing("reading the credentials")?;
        Ok::<_, StepError>(secret.map(Withheld))
    };
    let earlier = observed.published.credentials.iter().find(|earlier| **earlier != current).cloned();
    let both = async {
        let secret = read(&current).await?;
        let earlier = match earlier.filter(|_| makes) {
            Some(earlier) => read(&earlier).await?,
            None => None,
        };
        Ok::<_, StepError>((secret, earlier))
    };
    match both.await {
        Ok((secret, earlier)) => (observed.secret, observed.earlier) = (secret, earlier),
        Err(error) if error.is_final() => observed.unread = Some(error),
        Err(error) => return Err(error),
    }
    observed.revoked = revoked(context, &observed).await?;
    Ok(Some(observed))
}

/// What the object says of revoked secrets. Who wrote that is asked only where it is news, and does not say so.
async fn revoked(context: &Context, observed: &Observed) -> Result<Vec<SecretRevocation>, StepError> {
    let Some((valid, _)) = observed.accepted() else { return Ok(Vec::new()) };
    let mut named = valid.revoked_secrets.clone();
    let held = secrets::held_hash(valid, observed);
    let (hashes, before) = (&observed.published.hashes, &observed.published.revoked);
    let news = Revocations::new(&named, hashes, before, held.as_deref(), context.now().wall).fresh;
    if news.iter().all(|(_, line)| line.by.is_some()) {
        return Ok(named);
    }
    let meta = context.cluster().owner(Kind::OAuthClient, &valid.name).await.doing("reading the OAuthClient")?;
    let path = ["f:spec", "f:authentication", "f:secret", "f:revoked"];
    let writer = |line: &SecretRevocation| meta.as_ref()?.writer(&path, "fingerprint", &line.fingerprint);
    for line in named.iter_mut().filter(|line| line.by.is_none()) {
        line.by = writer(line);
    }
    Ok(named)
}

fn look(context: &Context, state: &mut State, name: &ObjectName) -> Option<Observed> {
    let object = Arc::clone(state.index.clients.get(name)?);
    let work = object.work();
    let document = work.document();
    let entry = state.index.documents.get(&document);
    let mut published = Published::of(entry.or_else(|| state.index.documents.lost(&document)));
    let of_pods = state.acknowledgements.revoked_secrets(&document);
    published.revoked = RevokedSecret::known([published.revoked.as_slice(), &of_pods]);
    let standing = object.tenant().map(|tenant| tenant::standing(context, state, &tenant));
    let (mut refusal, mut grants, mut issuer) = (None, Grants::default(), Vec::new());
    let mut accounts = Accounts::default();
    if let (Some(valid), Some(TenantStanding::Accepted(tenant))) = (object.valid(), &standing) {
        refusal = refuse(&state.index, valid, tenant);
        grants = grants::grant(&state.index, valid, tenant);
        accounts = Accounts::resolve(&state.index, valid);
        issuer = tenant::issuer_needs(state, tenant, &work);
        // Who is refused is told when its Tenant has it, and not by every change of that one's document.
        if refusal.is_none() && accounts::awaits_issuer(&state.index, valid) {
            // Nobody is this client before its Tenant's document says whose tokens count.
            issuer.push(Vec::new());
            state.liveness.wait(&Work::new(Kind::Tenant, tenant.name().clone()).document(), &work);
        }
    }
    let uid = &object.meta.uid;
    let rotating = state.rotating.get(name).filter(|rotating| rotating.uid == *uid).cloned();
    let observed = Observed {
        rotating: rotating.unwrap_or_default(),
        standing: rotation_standing(state, &work, &published),
        revoked: Vec::new(),
        skewed: state.skewed(),
        object,
        tenant: standing,
        refusal,
        grants,
        accounts,
        published,
        secret: None,
        earlier: None,
        unread: None,
        issuer,
    };
    Some(observed)
}

/// How the pods stand to the document, while a secret waits for them to accept it. A new leader waits
/// until it has heard of every pod. Whoever waits is woken.
fn rotation_standing(state: &mut State, work: &Work, published: &Published) -> Option<Standing> {
    let document = work.document();
    if !published.hashes.iter().any(|hash| hash.pending) || !state.liveness.settled_or_defer(work) {
        return None;
    }
    state.liveness.wait(&document, work);
    let entry = state.index.documents.get(&document)?;
    Some(state.acknowledgements.standing(&document, &entry.digest, entry.revision))
}

impl Published {
    fn of(entry: Option<&Entry>) -> Self {
        let Some(entry) = entry else {
            return Self::default();
        };
        let (hashes, revoked) = match &entry.detail {
            Detail::Client { hashes, revoked, .. } => (hashes.clone(), revoked.clone()),
            _ => Default::default(),
        };
        Self { serving: entry.serving(), hashes, revoked, credentials: entry.credentials.clone() }
    }
}

/// The checks in their order: what the tenant demands of a client before it serves it.
fn refuse(index: &Index, client: &ValidOAuthClient, tenant: &AcceptedTenant) -> Option<(Reason, String)> {
    index
        .refuse_alone(client, tenant.name(), &tenant.valid)
        .or_else(|| check_conflicts(index, client, tenant))
        .or_else(|| check_quota(index, client, tenant))
}

fn check_conflicts(index: &Index, client: &ValidOAuthClient, tenant: &AcceptedTenant) -> Option<(Reason, String)> {
    let scope = tenant.name().to_string();
    let other = |claim: Claim| index.holder(&claim, tenant.slug()).filter(|holder| *holder != client.name);
    if let Some(holder) = other(Claim::client_id(&scope, client.client_id.as_str())) {
        let message = format!("the client ID {} is held by the OAuthClient {holder}", client.client_id);
        return Some((Reason::ClientIdConflict, message));
    }
    let audience = &client.resource_server.as_ref()?.audience;
    let holder = other(Claim::audience(&scope, audience.as_str()))?;
    Some((Reason::AudienceConflict, format!("the audience {audience} is held by the OAuthClient {holder}")))
}

fn check_quota(index: &Index, client: &ValidOAuthClient, tenant: &AcceptedTenant) -> Option<(Reason, String)> {
    let quota = tenant.valid.ceilings.clients?;
    (!index.within_quota(tenant.name(), &client.name, quota)).then(|| {
        (Reason::QuotaExceeded, format!("the Tenant allows {quota} clients, and has them (spec.ceilings.clients)"))
    })
}
