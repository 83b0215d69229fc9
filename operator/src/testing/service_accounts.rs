//! ServiceAccounts in the cluster in memory.

use claviger_crds::names::{ANNOTATION_ALLOW_CLIENTS, ObjectName};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::World;
use crate::engine::{Change, Seen};

impl World {
    /// A ServiceAccount that lets these clients name it. One that is there keeps its UID, which is returned.
    pub(crate) fn apply_service_account(&self, namespace: &str, name: &str, allows: &str) -> String {
        let mut objects = self.objects();
        let version = objects.next_version();
        let at = ObjectName::new(namespace, name);
        let before = objects.service_accounts.get(&at).and_then(|before| before.metadata.uid.clone());
        let uid = before.unwrap_or_else(|| format!("uid-{version}"));
        let metadata = ObjectMeta {
            namespace: Some(namespace.to_owned()),
            name: Some(name.to_owned()),
            uid: Some(uid.clone()),
            annotations: Some([(ANNOTATION_ALLOW_CLIENTS.to_owned(), allows.to_owned())].into()),
            ..ObjectMeta::default()
        };
        let account = ServiceAccount { metadata, ..ServiceAccount::default() };
        objects.service_accounts.insert(at, account.clone());
        objects.changes.push(Change::ServiceAccount(Seen::Applied(Box::new(account))));
        uid
    }

    pub(crate) fn delete_service_account(&self, namespace: &str, name: &str) {
        let (mut objects, at) = (self.objects(), ObjectName::new(namespace, name));
        assert!(objects.service_accounts.remove(&at).is_some(), "{at} is not there");
        objects.changes.push(Change::ServiceAccount(Seen::Deleted(at)));
    }
}
