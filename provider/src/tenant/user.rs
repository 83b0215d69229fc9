//! A local account as requests need it: parsed once, when its document is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use claviger_crds::published::{SecretText, UserDocument};

/// A person, or somebody's account.
#[derive(Debug)]
pub(crate) struct User {
    /// Name of the document that it comes from.
    pub(crate) document: Arc<str>,
    /// `sub`.
    pub(crate) subject: Arc<str>,
    /// What a person types, as it was declared.
    pub(crate) username: String,
    /// Standard claims by their names (OpenID Connect Core 1.0 §5.1), and the tenant's own.
    pub(crate) claims: BTreeMap<String, serde_json::Value>,
    /// Names of groups.
    pub(crate) groups: Vec<String>,
    /// argon2id in PHC string format; none where the account has no password.
    pub(crate) password_hash: Option<SecretText>,
    /// It logs in nowhere, and its sessions and refresh tokens are over.
    pub(crate) disabled: bool,
    /// Logins before it count no more, seconds since 1970. One that is yet to come changes nothing until then.
    pub(crate) sessions_not_before: Option<i64>,
}

impl User {
    /// The account that `document`, called `name`, speaks of.
    pub(crate) fn new(name: Arc<str>, document: &UserDocument) -> Self {
        Self {
            document: name,
            subject: document.subject.as_str().into(),
            username: document.username.clone(),
            claims: document.claims.clone(),
            groups: document.groups.clone(),
            password_hash: document.password_hash.clone(),
            disabled: document.disabled,
            sessions_not_before: document.sessions_not_before.map(|time| time.as_second()),
        }
    }

    /// Whether a login at `login` counts at `now`; both whole seconds since 1970.
    pub(crate) fn counts(&self, login: i64, now: i64) -> bool {
        self.sessions_not_before.is_none_or(|start| now < start || start <= login)
    }
}

/// What tells one user name from another: "Ada" and "ada" are the same account.
pub(crate) fn username_key(username: &str) -> String {
    username.to_ascii_lowercase()
}
