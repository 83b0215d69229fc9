//! What the documents that providers serve say of the issuer of the cluster's ServiceAccounts. Nearly all say the
//! same: it is kept once.

use std::sync::Arc;

use claviger_crds::published::ServiceAccountIssuerDocument;

use super::Entry;

/// What is said, and by how many documents.
#[derive(Debug, Default)]
pub(super) struct Issuers(Vec<(Arc<ServiceAccountIssuerDocument>, usize)>);

impl Issuers {
    pub(super) fn enter(&mut self, entry: &Entry) {
        let Some(said) = entry.service_account_issuer() else { return };
        match self.0.iter_mut().find(|(known, _)| known == said) {
            Some((_, times)) => *times += 1,
            None => self.0.push((Arc::clone(said), 1)),
        }
    }

    pub(super) fn leave(&mut self, entry: &Entry) {
        let Some(said) = entry.service_account_issuer() else { return };
        let Some(at) = self.0.iter().position(|(known, _)| known == said) else { return };
        if let Some((_, times)) = self.0.get_mut(at).filter(|(_, times)| *times > 1) {
            *times -= 1;
        } else {
            self.0.swap_remove(at);
        }
    }

    /// What is known already, where `read` is the same.
    pub(super) fn share(&self, read: &mut Arc<ServiceAccountIssuerDocument>) {
        if let Some((known, _)) = self.0.iter().find(|(known, _)| known == read) {
            *read = Arc::clone(known);
        }
    }

    /// What is so since the shortest time: the document of a Tenant that is paused says what was.
    pub(super) fn newest(&self) -> Option<&ServiceAccountIssuerDocument> {
        let said = self.0.iter().map(|(known, _)| &**known);
        said.max_by(|a, b| (a.since, &a.issuer).cmp(&(b.since, &b.issuer)))
    }
}
