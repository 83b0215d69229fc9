//! Whose a host is. A Tenant's issuer may have one of its own, and then no API is called by an address there; and
//! where an API is served already, no Tenant of others takes its host: each could end the other with one object.

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::tenant::Tenant;

use super::Index;
use super::claims::Claim;
use super::object::{Difference, Object};
use crate::work::Work;

impl Index {
    /// Whether a Tenant holds `host`. That one wants it is not enough.
    pub(super) fn is_host(&self, host: &str) -> bool {
        self.host_holder(host).is_some()
    }

    /// Whether the issuers without a host of their own are at `host`. No Tenant may have it: all the others would be
    /// gone.
    pub(crate) fn is_external(&self, host: &str) -> bool {
        self.external_host.as_deref() == Some(host)
    }

    fn host_holder(&self, host: &str) -> Option<ObjectName> {
        self.holder(&Claim::Host(host.to_owned()), "")
    }

    /// Whether no more than another Tenant that wants `host` stands in the way of this one. Who does not hold
    /// its own slug is never served, and keeps no host from anybody.
    pub(super) fn may_hold_host(&self, host: &str, tenant: &ObjectName) -> bool {
        let Some(object) = self.tenants.get(tenant) else { return false };
        let Some(valid) = object.valid() else { return false };
        let slug = valid.slug.as_str();
        self.holder(&Claim::Slug(slug.to_owned()), slug).as_ref() == Some(tenant)
            && !self.is_external(host)
            && self.is_clear(host, slug, object.said_accepted())
    }

    /// Makes a `change` after which `hosts` may be others'. Returns, beside what it yields, whose work that makes. Where
    /// another Tenant has a host now: of all Tenants that want it. Where one came or went: of the APIs there too, and
    /// of those who have to do with one.
    pub(super) fn rehosting<R>(
        &mut self,
        hosts: &BTreeSet<String>,
        change: impl FnOnce(&mut Self) -> R,
    ) -> (R, BTreeSet<Work>) {
        let before: Vec<_> = hosts.iter().map(|host| (host, self.host_holder(host))).collect();
        let changed = change(self);
        let mut works = BTreeSet::new();
        for (host, before) in before {
            let after = self.host_holder(host);
            if after == before {
                continue;
            }
            works.extend(self.rivals(&Claim::Host(host.clone())));
            if after.is_none() || before.is_none() {
                works.extend(self.readmitted_at(host, after.is_none()));
            }
        }
        (changed, works)
    }

    /// Whose work it makes that `host` is a Tenant's no longer, or (not `free`) is one's now.
    fn readmitted_at(&self, host: &str, free: bool) -> BTreeSet<Work> {
        let apis: BTreeSet<Work> = self.members.addressed(host).collect();
        let admitted = apis.iter().filter(|api| self.declared(&api.name).is_some());
        let admitted: Vec<_> = admitted.filter_map(|api| self.clients.get(&api.name)).collect();
        let mut works: BTreeSet<Work> = admitted.iter().flat_map(|api| self.concerned_by(api)).collect();
        let left = admitted.iter().filter(|_| !free).filter_map(|api| api.tenant());
        works.extend(left.collect::<BTreeSet<_>>().iter().flat_map(|tenant| self.waiting_for_quota(tenant)));
        works.extend(apis);
        works
    }

    /// The hosts that may be others' when a Tenant is another: its own, and those of the rivals for its slug.
    pub(super) fn hosts_of_tenant(&self, difference: &Difference<Tenant>) -> BTreeSet<String> {
        let names = |tenant: &Option<Arc<Object<Tenant>>>| {
            let tenant = tenant.as_ref()?;
            let valid = tenant.valid()?;
            let host = valid.host.as_ref().map(ToString::to_string);
            Some((tenant.meta.uid.clone(), tenant.said_accepted(), valid.slug.to_string(), host))
        };
        let (before, after) = (names(&difference.before), names(&difference.after));
        let either = if before == after { [None, None] } else { [before, after] };
        let either = either.into_iter().flatten();
        either.flat_map(|(_, _, slug, host)| self.hosts_wanted_by(&slug).into_iter().chain(host)).collect()
    }

    /// The hosts that may be others' when documents record `names` for somebody else.
    pub(super) fn hosts_of_names(&self, names: &BTreeSet<Claim>) -> BTreeSet<String> {
        let mut hosts = BTreeSet::new();
        for name in names {
            match name {
                Claim::Host(host) => hosts.extend([host.clone()]),
                Claim::Slug(slug) => hosts.extend(self.hosts_wanted_by(slug)),
                Claim::ClientId(..) | Claim::Audience(..) | Claim::Username(..) | Claim::Subject(..) => {}
            }
        }
        hosts
    }

    /// The hosts of all Tenants that want the slug.
    fn hosts_wanted_by(&self, slug: &str) -> Vec<String> {
        let tenants = self.claims.of(&Claim::Slug(slug.to_owned())).iter().filter_map(|name| self.tenants.get(name));
        tenants.filter_map(|tenant| Some(tenant.valid()?.host.as_ref()?.to_string())).collect()
    }
}
