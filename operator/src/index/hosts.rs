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
        self.holder(&Claim::Host(host.to_owned()), "").is_some()
    }

    /// Whether no more than another Tenant that wants `host` stands in the way of this one. Who does not hold
    /// its own slug is never served, and keeps no host from anybody.
    pub(super) fn may_hold_host(&self, host: &str, tenant: &ObjectName) -> bool {
        let Some(valid) = self.tenants.get(tenant).and_then(|tenant| tenant.valid()) else { return false };
        let slug = valid.slug.as_str();
        self.holder(&Claim::Slug(slug.to_owned()), slug).as_ref() == Some(tenant) && self.api_at(host, slug).is_none()
    }

    /// Makes a `change` after which `hosts` may be others'. Returns, beside what it yields, whose work that makes: of
    /// the APIs there, of those who have to do with one, and of the Tenants that want them.
    pub(super) fn rehosting<R>(
        &mut self,
        hosts: &BTreeSet<String>,
        change: impl FnOnce(&mut Self) -> R,
    ) -> (R, BTreeSet<Work>) {
        let apis: BTreeSet<Work> = hosts.iter().flat_map(|host| self.members.addressed(host)).collect();
        let (changed, mut works) = self.readmitting(&apis, change);
        works.extend(apis);
        for host in hosts {
            works.extend(self.rivals(&Claim::Host(host.clone())));
        }
        (changed, works)
    }

    /// The hosts that may be others' when a Tenant is another: its own, and those of the rivals for its slug.
    pub(super) fn hosts_of_tenant(&self, difference: &Difference<Tenant>) -> BTreeSet<String> {
        let names = |tenant: &Option<Arc<Object<Tenant>>>| {
            let tenant = tenant.as_ref()?;
            let valid = tenant.valid()?;
            Some((tenant.meta.uid.clone(), valid.slug.to_string(), valid.host.as_ref().map(ToString::to_string)))
        };
        let (before, after) = (names(&difference.before), names(&difference.after));
        let either = if before == after { [None, None] } else { [before, after] };
        let either = either.into_iter().flatten();
        either.flat_map(|(_, slug, host)| self.hosts_wanted_by(&slug).into_iter().chain(host)).collect()
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
