//! Which claims about a person a client sees. Pure: UserInfo and ID tokens ask here.
//!
//! A scope releases claims (OpenID Connect Core 1.0 §5.4; the tenant's own as it declares them), and
//! the `claims` parameter asks for single ones (§5.5). The parameter reaches no further than the
//! scopes that the client may have: else a client could name its way to what nobody granted it.

pub(crate) mod request;

use claviger_crds::PROTOCOL_CLAIMS;
use claviger_crds::published::ScopeDocument;
use serde_json::{Map, Value};

use self::request::{ClaimsRequest, Requested};
use crate::tenant::user::User;

const PROFILE: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
const EMAIL: [&str; 2] = ["email", "email_verified"];
const ADDRESS: [&str; 1] = ["address"];
const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];
/// The scope, and the claim that it releases.
const GROUPS: &str = "groups";

/// The claims of the standard scopes.
pub(crate) fn standard() -> impl Iterator<Item = &'static str> {
    [&PROFILE[..], &EMAIL, &ADDRESS, &PHONE, &[GROUPS]].into_iter().flatten().copied()
}

/// What decides which claims are released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release<'a> {
    /// The scopes that were granted.
    pub(crate) granted: &'a [String],
    /// The scopes of which the client may have single claims by their name.
    pub(crate) within: &'a [String],
    /// The scopes that the tenant declares.
    pub(crate) declared: &'a [ScopeDocument],
}

/// The client asked for another person, so that it must not be told of this one (§5.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claims parameter asks for another sub")]
pub(crate) struct WrongSubject;

/// What UserInfo answers (§5.3.2): `sub`, and what `release` and `asked` release of `user`.
///
/// # Errors
/// [`WrongSubject`].
pub(crate) fn userinfo(
    user: &User,
    release: Release<'_>,
    asked: &Requested,
) -> Result<Map<String, Value>, WrongSubject> {
    let mut claims = release.of_scopes(user);
    release.add_asked(&mut claims, user, asked)?;
    claims.insert("sub".to_owned(), Value::from(&*user.subject));
    Ok(claims)
}

impl Release<'_> {
    /// The claims of `user` that the granted scopes release; never one of the protocol's.
    pub(crate) fn of_scopes(&self, user: &User) -> Map<String, Value> {
        let names = self.granted.iter().flat_map(|scope| self.of_scope(scope));
        names.filter_map(|name| Some((name.to_owned(), value(user, name)?))).collect()
    }

    /// Adds what is asked for by name. Essential or not, what is not there, or has none of the values
    /// asked for, is left out, also if a scope had released it.
    ///
    /// # Errors
    /// [`WrongSubject`].
    pub(crate) fn add_asked(
        &self,
        claims: &mut Map<String, Value>,
        user: &User,
        asked: &Requested,
    ) -> Result<(), WrongSubject> {
        if asked.get("sub").is_some_and(|sub| !sub.allows(&Value::from(&*user.subject))) {
            return Err(WrongSubject);
        }
        for (name, request) in asked {
            match value(user, name) {
                Some(value) if !request.allows(&value) => {
                    claims.remove(name);
                }
                Some(value) if self.reaches(name) => {
                    claims.insert(name.clone(), value);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `groups`, where the scope is granted: an ID token holds it though it holds no other scope's.
    pub(crate) fn groups(&self, user: &User) -> Option<Value> {
        self.granted.iter().any(|scope| scope == GROUPS).then(|| value(user, GROUPS)).flatten()
    }

    /// The scopes beside those granted that release what `asked` names.
    pub(crate) fn beyond(&self, asked: &ClaimsRequest) -> Vec<String> {
        let mut beyond: Vec<String> = Vec::new();
        for name in asked.userinfo.keys().chain(asked.id_token.keys()) {
            let releases = |scope: &&String| self.of_scope(scope).any(|claim| claim == name);
            if self.granted.iter().chain(&beyond).any(|scope| releases(&scope)) {
                continue;
            }
            beyond.extend(self.within.iter().find(releases).cloned());
        }
        beyond
    }

    fn reaches(&self, claim: &str) -> bool {
        self.within.iter().any(|scope| self.of_scope(scope).any(|name| name == claim))
    }

    fn of_scope(&self, scope: &str) -> impl Iterator<Item = &str> {
        let standard: &[&str] = match scope {
            "profile" => &PROFILE,
            "email" => &EMAIL,
            "address" => &ADDRESS,
            "phone" => &PHONE,
            GROUPS => &[GROUPS],
            _ => &[],
        };
        let declared = self.declared.iter().find(|declared| declared.name == scope);
        // A tenant may not change what a standard scope is.
        let declared = declared.filter(|_| standard.is_empty()).map(|declared| declared.claims.as_slice());
        standard.iter().copied().chain(declared.unwrap_or_default().iter().map(String::as_str))
    }
}

/// The claim `name` of `user`, if there is anything in it (§5.3.2) and it is not the protocol's.
fn value(user: &User, name: &str) -> Option<Value> {
    // A second `iss` in an ID token would be read by some and not by others.
    // The operator refuses these too.
    if PROTOCOL_CLAIMS.contains(&name) {
        return None;
    }
    if name == GROUPS {
        return (!user.groups.is_empty()).then(|| user.groups.as_slice().into());
    }
    let value = user.claims.get(name)?;
    let fits = match (name, value) {
        (_, Value::Null) => false,
        // A number and an object, says §5.1; anything else breaks a client's parser.
        ("updated_at", value) => value.is_number(),
        ("address", value) => value.as_object().is_some_and(|address| !address.is_empty()),
        (_, Value::String(text)) => !text.is_empty(),
        (_, Value::Array(values)) => !values.is_empty(),
        (_, Value::Object(members)) => !members.is_empty(),
        (_, Value::Bool(_) | Value::Number(_)) => true,
    };
    fits.then(|| value.clone())
}

#[cfg(test)]
mod tests;
