//! Which of the ServiceAccounts that a client names may be it: those that are there, and that let it.
//! The others are told of, and keep nobody out.

use claviger_crds::condition::{ConditionType, Reason, Verdict};
use claviger_crds::names::{ANNOTATION_ALLOW_CLIENTS, ObjectName};
use claviger_crds::oauth_client::ValidOAuthClient;
use claviger_crds::published::ServiceAccountSubject;

use crate::index::Index;
use crate::index::members::{exchanges_accounts, named_accounts, takes_service_accounts};

/// The field that names them.
const NAMED: &str = "authentication.serviceAccounts";

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    /// Who may be the client.
    pub(super) there: Vec<ServiceAccountSubject>,
    /// Of its own namespace, who is not there: no UID. Tokens of one that was deleted are known by that until they end.
    /// Of another namespace none is named that has not consented: else whoever may write a client could have tokens of
    /// accounts refused that are no business of his.
    pub(super) gone: Vec<ServiceAccountSubject>,
    /// Of its own namespace: not there.
    missing: Vec<ObjectName>,
    /// Of other namespaces: not there, or without consent. Whether such a one exists is not told: who may write
    /// OAuthClients here need not know what stands elsewhere.
    refused: Vec<ObjectName>,
    /// The field by which somebody may come with the token of a ServiceAccount, where the API server has not said
    /// whose these are, and what fails for it.
    unverifiable: Option<(&'static str, &'static str)>,
    client: Option<ObjectName>,
}

impl Accounts {
    pub(super) fn resolve(index: &Index, client: &ValidOAuthClient) -> Self {
        let mut accounts = Self { client: Some(client.name.clone()), ..Self::default() };
        for name in named_accounts(client) {
            let own = name.namespace == client.name.namespace;
            let subject = |uid: &str| ServiceAccountSubject {
                namespace: name.namespace.clone(),
                name: name.name.clone(),
                uid: uid.to_owned(),
            };
            let account = index.service_account(name);
            if account.is_none() && own {
                accounts.gone.push(subject(""));
            }
            match account.filter(|account| account.allows(&name.namespace, &client.name)) {
                Some(account) => accounts.there.push(subject(&account.uid)),
                None if own => accounts.missing.push(name.clone()),
                None => accounts.refused.push(name.clone()),
            }
        }
        let field = if !accounts.there.is_empty() {
            Some((NAMED, "nobody can be this client"))
        } else if exchanges_accounts(client) {
            Some(("tokenExchange", "none can be exchanged"))
        } else {
            None
        };
        accounts.unverifiable =
            field.filter(|_| index.cluster_issuer(index.published_service_account_issuer(&client.tenant)).is_none());
        accounts
    }

    /// Why the condition `ReferencesResolved` does not hold, as far as ServiceAccounts are concerned.
    pub(super) fn fault(&self) -> Option<Verdict> {
        let no = |reason, message| Some(Verdict::no(ConditionType::ReferencesResolved, reason, message));
        let missing = format!(
            "{NAMED}: there is no ServiceAccount {}: create it, or name another one (claviger dev has no cluster, and so none)",
            list(&self.missing)
        );
        let client = self.client.as_ref().map(ToString::to_string).unwrap_or_default();
        let refused = format!(
            "{NAMED}: no such ServiceAccount lets this client name it: {}. Whoever owns one lists {client} in its \
             annotation {ANNOTATION_ALLOW_CLIENTS}",
            list(&self.refused)
        );
        match (self.missing.is_empty(), self.refused.is_empty()) {
            (false, true) => no(Reason::ServiceAccountNotFound, missing),
            (false, false) => no(Reason::ServiceAccountNotFound, format!("{missing}. {refused}")),
            (true, false) => no(Reason::ServiceAccountNotAllowed, refused),
            (true, true) => None,
        }
    }

    /// The fault that is told last, for it ends by itself, and hides no other meanwhile.
    pub(super) fn unverifiable(&self) -> Option<Verdict> {
        let (field, consequence) = self.unverifiable?;
        let message = format!(
            "{field}: the API server has not said yet who issues the tokens of ServiceAccounts, so {consequence}: the \
             operator's log says why (claviger dev has no cluster, and so none)"
        );
        Some(Verdict::no(ConditionType::ReferencesResolved, Reason::ServiceAccountIssuerUnknown, message))
    }
}

/// Whether the API server has said who issues the tokens of ServiceAccounts, and the document of the
/// client's Tenant does not say so yet.
pub(super) fn awaits_issuer(index: &Index, client: &ValidOAuthClient) -> bool {
    let published = index.published_service_account_issuer(&client.tenant);
    let known = index.cluster_issuer(published);
    takes_service_accounts(client) && known.is_some() && published.map(|issuer| issuer.issuer.as_str()) != known
}

fn list(names: &[ObjectName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
