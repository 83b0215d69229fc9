//! What the engine is told of the keys that sign ServiceAccounts' tokens, and what it wants to know of them.

use super::{Change, Engine};
use crate::service_account_issuer::ServiceAccountIssuer;

impl Engine {
    /// The API server said who issues the tokens of its ServiceAccounts.
    pub(crate) fn service_account_keys_read(&self, issuer: ServiceAccountIssuer) {
        let name = issuer.issuer.clone();
        self.change(Change::ServiceAccountIssuer(issuer));
        let since = self.context.with(|state| state.index.service_account_keys_since());
        self.context.metrics.service_account_keys_read(&name, self.context.now().wall, since);
    }

    /// The API server did not say it.
    pub(crate) fn service_account_keys_unread(&self) {
        self.context.metrics.service_account_keys_unread();
    }

    /// Somebody came to a pod with a key of the cluster's that it does not know.
    pub(super) fn service_account_key_unknown(&self) {
        self.context.unknown_key.notify_one();
    }

    /// Waits until a pod tells so, or has told so since this was asked last.
    pub(crate) async fn service_account_key_wanted(&self) {
        self.context.unknown_key.notified().await;
    }
}
