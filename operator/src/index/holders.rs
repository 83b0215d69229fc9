//! Who holds a name that only one may have, and who is within a quota: the rules of
//! [`references`], by what was seen.

use claviger_crds::names::ObjectName;
use claviger_crds::published::DocumentKind;
use claviger_crds::references::{self, Claimant};
use jiff::Timestamp;

use super::Index;
use super::claims::Claim;
use super::documents::Entry;

impl Index {
    /// Whose `claim` is: a claim in the scope of a tenant's object name, whose slug is `slug`. One
    /// rule for all: the holder that a document or its tombstone records; else the oldest; else the
    /// first by namespace and name.
    pub(crate) fn holder(&self, claim: &Claim, slug: &str) -> Option<ObjectName> {
        let claimants: Vec<Claimant<'_>> =
            self.claims.of(claim).iter().map(|name| self.claimant(claim, name)).collect();
        references::holder(&claimants, self.documents.holders(&claim.within(slug)).first()).cloned()
    }

    fn claimant<'a>(&self, claim: &Claim, name: &'a ObjectName) -> Claimant<'a> {
        Claimant { name, created_at: self.created_at(claim, name) }
    }

    fn created_at(&self, claim: &Claim, name: &ObjectName) -> Option<Timestamp> {
        match claim {
            Claim::Slug(_) | Claim::Host(_) => self.tenants.get(name)?.meta.created_at,
            Claim::ClientId(..) | Claim::Audience(..) => self.clients.get(name)?.meta.created_at,
            Claim::Username(..) | Claim::Subject(..) => self.users.get(name)?.meta.created_at,
        }
    }

    /// Whether the client is among the first `quota` of its tenant, by the rule of
    /// [`references::within_quota`].
    pub(crate) fn within_quota(&self, tenant: &ObjectName, client: &ObjectName, quota: u32) -> bool {
        let quota = usize::try_from(quota).unwrap_or(usize::MAX);
        let clients = self.members.clients(tenant);
        if clients.len() <= quota {
            return true;
        }
        let claimants: Vec<Claimant<'_>> = clients
            .map(|name| Claimant { name, created_at: self.clients.get(name).and_then(|client| client.meta.created_at) })
            .collect();
        let served = |name: &ObjectName| self.documents.of(DocumentKind::OAuthClient, name).is_some_and(Entry::serving);
        references::within_quota(&claimants, served, quota).contains(&client)
    }
}
