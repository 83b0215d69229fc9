//! What clients demand of their Tenant: that its document says who issues the tokens of ServiceAccounts, and that
//! its keys are kept for as long as their tokens live and do not change what these are signed by.
//!
//! Only those count that the Tenant has. Else whoever may write an OAuthClient anywhere could have its document
//! written again and again, its keys kept for years, and its rotation held up.

use std::collections::BTreeSet;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::{OAuthClient, ValidOAuthClient};
use claviger_jose::Algorithm;

use super::Index;
use super::members::{takes_service_accounts, token_lifetime};
use super::object::Object;
use crate::work::{Kind, Work};

/// Of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Demands {
    tenant: ObjectName,
    service_accounts: bool,
    /// Seconds; 0 where the Tenant's will do.
    token_lifetime: u32,
    algorithm: Option<Algorithm>,
}

impl Demands {
    fn of(client: &ValidOAuthClient) -> Self {
        Self {
            tenant: client.tenant.clone(),
            service_accounts: takes_service_accounts(client),
            token_lifetime: token_lifetime(client).unwrap_or(0),
            algorithm: client.id_token_signed_response_alg,
        }
    }
}

impl Index {
    /// Whether the client `name` counts for its Tenant: that admits it, or what was published of it is served
    /// still, as while it is paused. Tokens are signed for nobody else.
    pub(crate) fn counts(&self, name: &ObjectName) -> bool {
        self.clients.get(name).is_some_and(|client| self.counted(client).is_some())
    }

    /// The greatest token lifetime that a client of the tenant has, seconds.
    pub(crate) fn token_lifetime(&self, tenant: &ObjectName) -> u32 {
        self.lifetime_beside(tenant, None)
    }

    /// Whether a client of the tenant takes tokens of ServiceAccounts.
    pub(crate) fn needs_service_accounts(&self, tenant: &ObjectName) -> bool {
        self.needed_beside(tenant, None)
    }

    /// The demands of a client that counts.
    pub(super) fn demands(&self, client: &Object<OAuthClient>) -> Option<Demands> {
        self.counted(client).map(Demands::of)
    }

    /// Whose work it makes that a client demands something else. A tenant with thousands of clients that demand
    /// the same is not looked at for each.
    pub(super) fn demands_changed(
        &self,
        client: &ObjectName,
        before: Option<&Demands>,
        after: Option<&Demands>,
    ) -> BTreeSet<Work> {
        let mut works = BTreeSet::new();
        let tenants: BTreeSet<&ObjectName> = before.into_iter().chain(after).map(|demands| &demands.tenant).collect();
        for tenant in tenants {
            let of = |demands: Option<&Demands>| demands.filter(|demands| demands.tenant == *tenant).cloned();
            let (before, after) = (of(before), of(after));
            let taken = |demands: &Option<Demands>| demands.as_ref().is_some_and(|demands| demands.service_accounts);
            if taken(&before) != taken(&after) && !self.needed_beside(tenant, Some(client)) {
                works.insert(Work::new(Kind::Tenant, tenant.clone()));
            }
            let lifetime = |demands: &Option<Demands>| demands.as_ref().map_or(0, |demands| demands.token_lifetime);
            let grows =
                lifetime(&after) > lifetime(&before) && lifetime(&after) > self.lifetime_beside(tenant, Some(client));
            let algorithm = |demands: &Option<Demands>| demands.as_ref().and_then(|demands| demands.algorithm);
            // A ring's greatest token lifetime follows the clients', and its algorithm stays while one needs it.
            if grows || algorithm(&before) != algorithm(&after) {
                works.extend(self.members.rings(tenant).map(|ring| Work::new(Kind::SigningKey, ring.clone())));
            }
        }
        works
    }

    /// Whose work it makes that the document of the client is no longer served: its demands end with it, unless
    /// its Tenant admits it.
    pub(super) fn withdrawn(&self, client: &ObjectName) -> BTreeSet<Work> {
        let Some(object) = self.clients.get(client) else { return BTreeSet::new() };
        let before = object.valid().map(Demands::of);
        self.demands_changed(client, before.as_ref(), self.demands(object).as_ref())
    }

    fn counted<'a>(&self, client: &'a Object<OAuthClient>) -> Option<&'a ValidOAuthClient> {
        let served = || self.documents.serves(&client.work().document());
        client.valid().filter(|valid| self.admitted(valid) || served())
    }

    fn needed_beside(&self, tenant: &ObjectName, client: Option<&ObjectName>) -> bool {
        let others = self.members.by_service_account(tenant).filter(|other| Some(*other) != client);
        others.into_iter().any(|other| self.counts(other))
    }

    fn lifetime_beside(&self, tenant: &ObjectName, client: Option<&ObjectName>) -> u32 {
        let mut others = self.members.lifetimes(tenant).filter(|(_, other)| Some(other) != client);
        others.find(|(_, other)| self.counts(other)).map_or(0, |(lifetime, _)| *lifetime)
    }
}
