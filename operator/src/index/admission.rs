//! What a Tenant demands of a client, whatever other clients there are. Who fails this is nobody's
//! rival: it holds no name and takes no place of a quota, or whoever may write an OAuthClient
//! anywhere could keep the names of a Tenant that does not have him.

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_crds::condition::Reason;
use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::{Authentication, OAuthClient, ValidOAuthClient};
use claviger_crds::references;
use claviger_crds::tenant::ValidTenant;
use claviger_crds::types::ClientId;

use super::Index;
use super::address::Address;
use super::object::Object;
use crate::work::Work;

const OF_API_SERVER: &str = "the API server's, for which every pod has a token: take the API's own";

/// How a client stands with its Tenant.
struct Standing {
    client: Arc<Object<OAuthClient>>,
    admitted: bool,
}

impl Index {
    /// The checks in their order; why the tenant `name` does not have the client, if it does not.
    pub(crate) fn refuse_alone(
        &self,
        client: &ValidOAuthClient,
        name: &ObjectName,
        tenant: &ValidTenant,
    ) -> Option<(Reason, String)> {
        self.refuse_anywhere(client, name, tenant).or_else(|| self.check_addressee(client))
    }

    /// The same, wherever the API is that it may be: whose a host is follows from who would be had there.
    pub(super) fn refuse_anywhere(
        &self,
        client: &ValidOAuthClient,
        name: &ObjectName,
        tenant: &ValidTenant,
    ) -> Option<(Reason, String)> {
        check_client_id(client, name)
            .or_else(|| self.check_attachment(client, name, tenant))
            .or_else(|| check_audience(client, name))
            .or_else(|| check_authentication(client))
            .or_else(|| check_ceilings(client, tenant))
    }

    /// No API is called by an address where this installation has issuers, nor as the API server is: what is for those
    /// alone, as client assertions are and the tokens that pods have without asking, would be for the API too.
    fn check_addressee(&self, client: &ValidOAuthClient) -> Option<(Reason, String)> {
        let audience = client.resource_server.as_ref()?.audience.as_str();
        let why = match Address::of(audience) {
            Address::At(host) if self.is_external(&host) || self.is_host(&host) => {
                "an address of this provider's: take the API's own"
            }
            Address::At(host) if is_api_server(&host) => OF_API_SERVER,
            _ if self.is_cluster_issuer(audience) => OF_API_SERVER,
            Address::Unreadable => "no URL that clients read alike: correct it",
            Address::At(_) | Address::Nowhere => return None,
        };
        Some((Reason::AudienceNotAllowed, format!("resourceServer.audience {audience} is {why}")))
    }

    /// Whether the Tenant that the client names would have it.
    pub(crate) fn admitted(&self, client: &ValidOAuthClient) -> bool {
        let tenant = self.tenants.get(&client.tenant).and_then(|tenant| tenant.valid());
        tenant.is_some_and(|tenant| self.refuse_alone(client, &client.tenant, tenant).is_none())
    }

    /// Makes a `change` by which Tenants may admit other ones of `clients` than before. Returns, beside what it
    /// yields, whose work that makes: of those who compete with a client that is admitted now or no longer, or who
    /// ask for its API.
    pub(super) fn readmitting<R>(
        &mut self,
        clients: &BTreeSet<Work>,
        change: impl FnOnce(&mut Self) -> R,
    ) -> (R, BTreeSet<Work>) {
        let before: Vec<Standing> = clients.iter().filter_map(|work| self.client_standing(&work.name)).collect();
        let changed = change(self);
        let (mut works, mut left) = (BTreeSet::new(), BTreeSet::new());
        for before in before {
            let name = &before.client.meta.name;
            let Some(after) = self.client_standing(name).filter(|after| after.admitted != before.admitted) else {
                continue;
            };
            works.extend(self.concerned_by(&after.client));
            left.extend(after.client.tenant().filter(|_| !after.admitted));
        }
        works.extend(left.iter().flat_map(|tenant| self.waiting_for_quota(tenant)));
        (changed, works)
    }

    /// Those whom it concerns that its Tenant has `client`, or has it no longer: its rivals, and who asks for its API.
    pub(super) fn concerned_by(&self, client: &Object<OAuthClient>) -> BTreeSet<Work> {
        let mut works = self.rivals_of(client);
        for claim in client.claims() {
            works.extend(client.tenant().into_iter().flat_map(|tenant| self.requesters(&tenant, &claim)));
        }
        works
    }

    fn client_standing(&self, name: &ObjectName) -> Option<Standing> {
        let client = Arc::clone(self.clients.get(name)?);
        let admitted = self.admitted(client.valid()?);
        Some(Standing { client, admitted })
    }

    fn check_attachment(
        &self,
        client: &ValidOAuthClient,
        name: &ObjectName,
        tenant: &ValidTenant,
    ) -> Option<(Reason, String)> {
        let own = &client.name.namespace;
        let labels = self.labels(own);
        (!references::attachment_allowed(&tenant.allowed_clients, &name.namespace, own, &labels)).then(|| {
            let message = format!("the Tenant {name} does not allow clients of namespace {own} (spec.allowedClients)");
            (Reason::NotAllowedByTenant, message)
        })
    }
}

/// Whether the API server of any cluster is at `host`, which is what its tokens are for by default.
fn is_api_server(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    let rest = name.strip_prefix("kubernetes");
    rest.is_some_and(|rest| ["", ".default", ".default.svc"].contains(&rest) || rest.starts_with(".default.svc."))
}

fn check_client_id(client: &ValidOAuthClient, tenant: &ObjectName) -> Option<(Reason, String)> {
    let own = &client.name.namespace;
    (!references::client_id_allowed(&client.client_id, own, &tenant.namespace)).then(|| {
        let message = format!(
            "clientId {} is not {own}.<name>: only the Tenant's own namespace may choose freely",
            client.client_id
        );
        (Reason::ClientIdNotAllowed, message)
    })
}

/// An audience that could be a client ID is one's own: tokens for the API would pass for ID tokens of that client
/// wherever `typ` is not looked at, as kube-apiserver does not.
fn check_audience(client: &ValidOAuthClient, tenant: &ObjectName) -> Option<(Reason, String)> {
    let own = &client.name.namespace;
    let audience = client.resource_server.as_ref()?.audience.as_str();
    let id: ClientId = audience.parse().ok()?;
    (!references::client_id_allowed(&id, own, &tenant.namespace)).then(|| {
        let message = format!(
            "resourceServer.audience {audience} has the form of a client ID, and is not {own}.<name>: take a URI, or \
             declare it in the Tenant's namespace"
        );
        (Reason::AudienceNotAllowed, message)
    })
}

fn check_authentication(client: &ValidOAuthClient) -> Option<(Reason, String)> {
    match &client.authentication {
        Authentication::Tls { .. } => {
            Some((Reason::Unsupported, "authentication.tls is not served by this release".to_owned()))
        }
        Authentication::Secret(_)
        | Authentication::PrivateKeyJwt { .. }
        | Authentication::ServiceAccounts(_)
        | Authentication::None => None,
    }
}

fn check_ceilings(client: &ValidOAuthClient, tenant: &ValidTenant) -> Option<(Reason, String)> {
    let exceeded = references::ceilings_exceeded(&tenant.ceilings, client);
    (!exceeded.is_empty()).then(|| (Reason::CeilingExceeded, exceeded.join("; ")))
}
