//! The subjects that users have without declaring any. They follow from the tenant's slug, which a
//! User does not know: so they are claimed here, or a user whose subject somebody else has declared
//! would never learn that it is free again.

use std::collections::BTreeSet;

use claviger_crds::names::ObjectName;
use claviger_crds::tenant::Tenant;
use claviger_crds::types::Slug;
use claviger_crds::user::User;

use super::Index;
use super::claims::Claim;
use super::object::{Difference, Object};
use crate::work::Work;

impl Index {
    pub(super) fn user_changed(&mut self, difference: Option<Difference<User>>) -> BTreeSet<Work> {
        let Some(difference) = difference else {
            return BTreeSet::new();
        };
        let mut works = self.changed(&difference);
        if difference.matters {
            for (user, claims) in [(&difference.before, false), (&difference.after, true)] {
                let Some(user) = user else { continue };
                let slug = user.tenant().and_then(|tenant| self.slug(&tenant));
                works.extend(self.claim_subject(user, slug.as_ref(), claims));
            }
        }
        works
    }

    /// The Tenant's users have other subjects if it has another slug than before.
    pub(super) fn slug_changed(&mut self, tenant: &ObjectName, difference: &Difference<Tenant>) {
        let slug = |object: &Option<_>| object.as_ref().and_then(slug_of);
        let (before, after) = (slug(&difference.before), slug(&difference.after));
        if before == after {
            return;
        }
        for name in self.members.users(tenant) {
            let Some(user) = self.users.get(&name).cloned() else { continue };
            // All of them are woken anyway.
            self.claim_subject(&user, before.as_ref(), false);
            self.claim_subject(&user, after.as_ref(), true);
        }
    }

    fn slug(&self, tenant: &ObjectName) -> Option<Slug> {
        self.tenants.get(tenant).and_then(slug_of)
    }

    /// Claims the subject that `user` has by default, or claims it no longer. Returns its rivals.
    fn claim_subject(&mut self, user: &Object<User>, slug: Option<&Slug>, claims: bool) -> BTreeSet<Work> {
        let (Some(valid), Some(slug)) = (user.valid().filter(|valid| valid.declared_subject.is_none()), slug) else {
            return BTreeSet::new();
        };
        let claim = Claim::subject(&valid.tenant.to_string(), valid.subject(slug).as_str());
        if claims {
            self.claims.insert(claim.clone(), user.meta.name.clone());
        } else {
            self.claims.remove(&claim, &user.meta.name);
        }
        self.rivals(&claim).collect()
    }
}

fn slug_of(tenant: &std::sync::Arc<Object<Tenant>>) -> Option<Slug> {
    Some(tenant.valid()?.slug.clone())
}
