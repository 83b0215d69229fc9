//! What the engine is told of the world.

use std::fmt;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};

use crate::service_account_issuer::ServiceAccountIssuer;

/// What was seen of an object.
#[derive(Clone)]
pub enum Seen<T> {
    /// It is there, new or changed or as before.
    Applied(Box<T>),
    /// It is no longer there. A watch that lists anew says so for all that it no longer finds.
    Deleted(ObjectName),
}

/// Only the name: what is seen may be a Secret, and a log line keeps nothing to itself.
impl<T: kube::Resource> fmt::Debug for Seen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied(object) => {
                let metadata = object.meta();
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                write!(f, "Applied({}/{})", part(&metadata.namespace), part(&metadata.name))
            }
            Self::Deleted(name) => write!(f, "Deleted({name})"),
        }
    }
}

/// What a watch tells. The order within one kind is that of the watch; between kinds there is none.
#[derive(Clone, Debug)]
pub enum Change {
    /// A Tenant.
    Tenant(Seen<Tenant>),
    /// An OAuthClient.
    OAuthClient(Seen<OAuthClient>),
    /// A SigningKey.
    SigningKey(Seen<SigningKey>),
    /// A User.
    User(Seen<User>),
    /// A Namespace; the namespace part of a deleted one's name is empty.
    Namespace(Seen<Namespace>),
    /// A ServiceAccount; nothing but its name, its UID and its annotations is looked at.
    ServiceAccount(Seen<ServiceAccount>),
    /// Who issues the tokens of the cluster's ServiceAccounts, as the API server says now. No watch
    /// tells that: without it, what is published of it stays.
    ServiceAccountIssuer(ServiceAccountIssuer),
    /// A Secret of the published namespace, with its data.
    Published(Seen<Secret>),
    /// A Secret of the operator's namespace labelled `claviger.dev/holds=ring`; its data is not
    /// looked at and may be left out.
    Ring(Seen<Secret>),
    /// Likewise, labelled `claviger.dev/holds=sealing`.
    Sealing(Seen<Secret>),
    /// Every watch has listed everything: decisions that rest on absence may be taken.
    Synced,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::secret;

    #[test]
    fn a_change_that_is_logged_shows_no_secret() {
        let secret = secret("claviger-published", "client-x", &[("document.json", "hush")]);
        let shown = |change: Change| format!("{change:?}");
        let name = "claviger-published/client-x";
        assert_eq!(
            shown(Change::Published(Seen::Applied(Box::new(secret.clone())))),
            format!("Published(Applied({name}))")
        );
        assert_eq!(shown(Change::Ring(Seen::Applied(Box::new(secret)))), format!("Ring(Applied({name}))"));
        let gone = Seen::Deleted(ObjectName::new("claviger-published", "client-x"));
        assert_eq!(shown(Change::Published(gone)), format!("Published(Deleted({name}))"));
    }
}
