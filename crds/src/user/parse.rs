//! User: raw → valid.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{User, UserSpec};
use crate::fault::{Fault, Faults};
use crate::metadata::Metadata;
use crate::names::ObjectName;
use crate::object_ref::SecretKey;
use crate::scope;
use crate::types::{self, Slug, Subject, Username};

/// A User that makes sense by itself, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidUser {
    /// Namespace and name of the User.
    pub name: ObjectName,
    /// `metadata.uid`; empty where there is no API server.
    pub uid: String,
    /// `metadata.generation`; 0 where there is no API server.
    pub generation: i64,
    /// `metadata.creationTimestamp`
    pub created_at: Option<Timestamp>,
    /// Whether the operator must not write for it.
    pub paused: bool,
    /// The Tenant.
    pub tenant: ObjectName,
    /// What the person types.
    pub username: Username,
    /// The declared `sub`; see [`ValidUser::subject`] for the effective one.
    pub declared_subject: Option<Subject>,
    /// Claims by their names on the wire, without `sub` and `groups`.
    pub claims: BTreeMap<String, Value>,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Where the password is; none for an account without.
    pub password: Option<SecretKey>,
    /// Whether the account is shut.
    pub disabled: bool,
    /// Logins before it count no more.
    pub sessions_not_before: Option<Timestamp>,
}

impl ValidUser {
    /// The effective `sub` in the tenant `slug`.
    pub fn subject(&self, slug: &Slug) -> Subject {
        self.declared_subject.clone().unwrap_or_else(|| types::subject(slug, &self.name.name))
    }
}

/// Reads a User.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(user: &User) -> Result<ValidUser, Vec<Fault>> {
    let mut faults = Faults::default();
    let Metadata { name, uid, generation, created_at, paused, rotate_at: _, accept_stored_ring: _ } =
        Metadata::parse(&user.metadata, &mut faults);
    let UserSpec {
        tenant_ref,
        username,
        subject,
        profile,
        claims,
        groups,
        password_secret_ref,
        disabled,
        sessions_not_before,
    } = &user.spec;

    let tenant = tenant_ref.parse("spec.tenantRef", &name, &mut faults);
    let username: Option<Username> = match username {
        Some(username) => faults.parse("spec.username", username),
        None => name.name.parse().ok().or_else(|| {
            faults.add("spec.username", "must be set: metadata.name is too long for a user name");
            None
        }),
    };
    let declared_subject = faults.parse_optional("spec.subject", subject.as_ref());
    let mut all_claims = BTreeMap::new();
    if let Some(profile) = profile {
        profile.parse("spec.profile", &mut all_claims, &mut faults);
    }
    for (claim, value) in claims.iter().flatten() {
        let path = format!("spec.claims[{claim}]");
        scope::check_claim(&path, claim, &mut faults);
        if claim == "groups" || all_claims.insert(claim.clone(), value.clone()).is_some() {
            faults.add(path, "has a field of its own");
        }
    }
    faults.at_most("spec.claims", claims.as_ref().map_or(0, BTreeMap::len), 50);
    check_groups(groups, &mut faults);
    let password =
        password_secret_ref.as_ref().map(|secret| secret.parse("spec.passwordSecretRef", "password", &mut faults));
    let sessions_not_before = sessions_not_before.as_ref().and_then(|text| {
        text.parse().map_err(|_| faults.add("spec.sessionsNotBefore", "must be an RFC 3339 time")).ok()
    });

    let valid = username.map(|username| {
        all_claims.entry("preferred_username".to_owned()).or_insert_with(|| username.as_str().into());
        ValidUser {
            name,
            uid,
            generation,
            created_at,
            paused,
            tenant,
            username,
            declared_subject,
            claims: all_claims,
            groups: groups.clone(),
            password,
            disabled: disabled.unwrap_or(false),
            sessions_not_before,
        }
    });
    faults.finish(valid)
}

fn check_groups(groups: &[String], faults: &mut Faults) {
    faults.at_most("spec.groups", groups.len(), 200);
    for (at, group) in groups.iter().enumerate() {
        let path = format!("spec.groups[{at}]");
        faults.demand(!group.is_empty(), &path, "must not be empty");
        faults.plain_text(&path, group, 128);
        faults.demand(!groups[..at].contains(group), &path, "must not be repeated");
    }
}
