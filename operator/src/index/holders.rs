//! Who holds a name that only one may have, and who is within a quota: the rules of
//! [`references`], by what was seen.

use std::collections::BTreeSet;

use claviger_crds::names::ObjectName;
use claviger_crds::published::DocumentKind;
use claviger_crds::references::{self, Claimant};
use jiff::Timestamp;

use super::Index;
use super::claims::Claim;
use super::documents::Entry;

impl Index {
    /// Whose `claim` is: a claim in the scope of a tenant's object name, whose slug is `slug`. One
    /// rule for all: the holder that a document or its tombstone records; else, of those that may
    /// have it, the one that is accepted already; else the oldest; else the first by namespace and
    /// name.
    pub(crate) fn holder(&self, claim: &Claim, slug: &str) -> Option<ObjectName> {
        if let Some(recorded) = self.documents.holders(&claim.within(slug)).first() {
            return Some(recorded.clone());
        }
        let eligible: Vec<&ObjectName> =
            self.claims.of(claim).iter().filter(|name| self.may_hold(claim, name)).collect();
        // A new leader that finds a document lost or unreadable still knows whose name it was.
        let accepted: Vec<&ObjectName> = eligible.iter().copied().filter(|name| self.accepted(claim, name)).collect();
        let claimants = if accepted.is_empty() { eligible } else { accepted };
        let claimants: Vec<Claimant<'_>> = claimants.into_iter().map(|name| self.claimant(claim, name)).collect();
        references::holder(&claimants, None).cloned()
    }

    /// Whether nothing but a rival stands in the way of the claimant `name`.
    fn may_hold(&self, claim: &Claim, name: &ObjectName) -> bool {
        match claim {
            Claim::ClientId(..) | Claim::Audience(..) => self.client_admitted(name),
            Claim::Host(host) => self.may_hold_host(host, name),
            Claim::Slug(_) | Claim::Username(..) | Claim::Subject(..) => true,
        }
    }

    fn client_admitted(&self, name: &ObjectName) -> bool {
        self.clients.get(name).and_then(|client| client.valid()).is_some_and(|client| self.admitted(client))
    }

    fn accepted(&self, claim: &Claim, name: &ObjectName) -> bool {
        match claim {
            Claim::Slug(_) | Claim::Host(_) => self.tenants.get(name).is_some_and(|tenant| tenant.said_accepted()),
            Claim::ClientId(..) | Claim::Audience(..) => {
                self.clients.get(name).is_some_and(|client| client.said_accepted())
            }
            Claim::Username(..) | Claim::Subject(..) => self.users.get(name).is_some_and(|user| user.said_accepted()),
        }
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
        let serving =
            |name: &ObjectName| self.documents.of(DocumentKind::OAuthClient, name).is_some_and(Entry::serving);
        let (served, others): (Vec<_>, Vec<_>) = clients.partition(|name| serving(name));
        let claimants: Vec<Claimant<'_>> = others
            .into_iter()
            .filter(|name| self.client_admitted(name))
            .chain(served.iter().copied())
            .map(|name| Claimant { name, created_at: self.clients.get(name).and_then(|client| client.meta.created_at) })
            .collect();
        let served: BTreeSet<&ObjectName> = served.into_iter().collect();
        references::within_quota(&claimants, |name| served.contains(name), quota).contains(&client)
    }
}
