//! What the documents of one tenant make of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::published::TenantDocument;

use crate::tenant::oauth_client::Client;
use crate::tenant::ring::Ring;
use crate::tenant::shared_map::SharedMap;
use crate::tenant::snapshot::{Issuer, Users};
use crate::tenant::trust::Trust;

#[derive(Default)]
pub(super) struct Tenant {
    pub(super) declared: Option<Declared>,
    /// By their documents' names.
    pub(super) rings: BTreeMap<Arc<str>, Ring>,
    pub(super) clients: SharedMap<Arc<Client>>,
    pub(super) apis: SharedMap<Arc<str>>,
    /// `client_id`s of the clients that each ServiceAccount may be, by its `sub`.
    pub(super) accounts: SharedMap<Arc<[Arc<str>]>>,
    pub(super) users: Users,
    /// Origins of clients, each with the number of clients that allow it.
    pub(super) origins: SharedMap<usize>,
    /// None when the declaration or a ring has changed since.
    pub(super) issuer: Option<Arc<Issuer>>,
}

/// A tenant's own document.
pub(super) struct Declared {
    /// The document's name.
    pub(super) name: Arc<str>,
    /// The Tenant's name.
    pub(super) owner: ObjectName,
    pub(super) document: TenantDocument,
    /// Whom it trusts.
    pub(super) trust: Arc<Trust>,
}

impl Tenant {
    pub(super) fn is_empty(&self) -> bool {
        self.declared.is_none() && self.rings.is_empty() && self.clients.is_empty() && self.users.is_empty()
    }

    /// The client says which ServiceAccounts may be it, or says so no more.
    pub(super) fn name_accounts(&mut self, client: &Client, names: bool) {
        for account in client.service_accounts() {
            let before = self.accounts.get(&account.subject).map_or(&[][..], |clients| clients);
            let others = before.iter().filter(|id| **id != client.id).cloned();
            let clients: Arc<[Arc<str>]> = others.chain(names.then(|| Arc::clone(&client.id))).collect();
            if clients.is_empty() {
                self.accounts.remove(&account.subject);
            } else {
                self.accounts.insert(Arc::clone(&account.subject), clients);
            }
        }
    }

    pub(super) fn count_origins(&mut self, client: &Client, more: bool) {
        for origin in &client.allowed_origins {
            let before = self.origins.get(origin).copied().unwrap_or_default();
            match if more { before + 1 } else { before.saturating_sub(1) } {
                0 => self.origins.remove(origin),
                count => self.origins.insert(origin.as_str().into(), count),
            };
        }
    }
}
