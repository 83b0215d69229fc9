//! What pods tell of the use of clients' secrets.

use claviger_crds::published::acknowledgement::Used;

use super::Engine;
use crate::work::{Kind, Work};

impl Engine {
    /// A pod tells which secrets were used. Of clients that are published, and no others.
    pub(super) fn used(&self, secrets: Vec<Used>) {
        let now = self.context.now().wall;
        self.context.with(|state| {
            for used in secrets {
                let name = used.name.clone();
                let Some(entry) = state.index.documents.get(&name).filter(|entry| entry.is_client()) else {
                    continue;
                };
                let owner = entry.owner.clone();
                state.uses.used(used, now);
                let client = state.index.clients.get(&owner);
                if client.is_some_and(|client| state.uses.is_due(&name, &client.status)) {
                    state.look_over([Work::new(Kind::OAuthClient, owner)]);
                }
            }
        });
    }
}
