//! IdentityProvider: raw → valid.

use k8s_openapi::jiff::Timestamp;

use super::{IdentityProvider, IdentityProviderSpec, LdapSpec, OidcSpec};
use crate::fault::{Fault, Faults};
use crate::metadata::Metadata;
use crate::names::ObjectName;
use crate::object_ref::SecretKey;
use crate::types::{EndpointUri, ScopeToken, is_dns_subdomain};

/// An IdentityProvider that makes sense by itself, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidIdentityProvider {
    /// Namespace and name of the IdentityProvider.
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
    /// Name for people.
    pub display_name: String,
    /// What it is.
    pub upstream: Upstream,
}

/// What an upstream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// An OpenID Connect provider.
    Oidc {
        /// Its issuer identifier.
        issuer: EndpointUri,
        /// The `client_id` there.
        client_id: String,
        /// The client's secret there.
        client_secret: Option<SecretKey>,
        /// Scopes asked for.
        scopes: Vec<ScopeToken>,
    },
    /// A directory.
    Ldap {
        /// `ldaps://host[:port]`
        url: String,
        /// Whom to bind as, with the password; none is anonymous.
        bind: Option<(String, SecretKey)>,
        /// Where people are searched for.
        base_dn: String,
        /// Attribute that holds what a person types.
        username_attribute: String,
        /// Attribute that becomes the subject.
        subject_attribute: String,
    },
}

/// Reads an IdentityProvider.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(provider: &IdentityProvider) -> Result<ValidIdentityProvider, Vec<Fault>> {
    let mut faults = Faults::default();
    let Metadata { name, uid, generation, created_at, paused, rotate_at: _, accept_stored_ring: _ } =
        Metadata::parse(&provider.metadata, &mut faults);
    let IdentityProviderSpec { tenant_ref, display_name, oidc, ldap } = &provider.spec;

    let tenant = tenant_ref.parse("spec.tenantRef", &name, &mut faults);
    let display_name = display_name.clone().unwrap_or_else(|| name.name.clone());
    faults.plain_text("spec.displayName", &display_name, 253);
    let upstream = match (oidc, ldap) {
        (Some(oidc), None) => parse_oidc(oidc, &mut faults),
        (None, Some(ldap)) => parse_ldap(ldap, &mut faults),
        _ => {
            faults.add("spec", "must have exactly one of oidc and ldap");
            None
        }
    };

    let valid = upstream.map(|upstream| ValidIdentityProvider {
        name,
        uid,
        generation,
        created_at,
        paused,
        tenant,
        display_name,
        upstream,
    });
    faults.finish(valid)
}

fn parse_oidc(spec: &OidcSpec, faults: &mut Faults) -> Option<Upstream> {
    let OidcSpec { issuer, client_id, client_secret_ref, scopes } = spec;
    faults.demand(!client_id.is_empty(), "spec.oidc.clientId", "must not be empty");
    faults.plain_text("spec.oidc.clientId", client_id, 200);
    let client_secret =
        client_secret_ref.as_ref().map(|secret| secret.parse("spec.oidc.clientSecretRef", "client_secret", faults));
    let asked = scopes.clone().unwrap_or_else(|| ["openid", "profile", "email"].map(String::from).into());
    let scopes = faults.parse_list("spec.oidc.scopes", &asked, 50);
    faults.demand(!asked.is_empty(), "spec.oidc.scopes", "must not be empty");
    let issuer = faults.parse("spec.oidc.issuer", issuer)?;
    Some(Upstream::Oidc { issuer, client_id: client_id.clone(), client_secret, scopes })
}

fn parse_ldap(spec: &LdapSpec, faults: &mut Faults) -> Option<Upstream> {
    let LdapSpec { url, bind_dn, bind_secret_ref, base_dn, username_attribute, subject_attribute } = spec;
    faults.demand(is_ldaps(url), "spec.ldap.url", "must be ldaps://host or ldaps://host:port");
    for (path, dn) in [("spec.ldap.bindDn", bind_dn.as_ref()), ("spec.ldap.baseDn", Some(base_dn))] {
        if let Some(dn) = dn {
            faults.demand(!dn.is_empty(), path, "must not be empty");
            faults.plain_text(path, dn, 1024);
        }
    }
    let secret = bind_secret_ref.as_ref().map(|secret| secret.parse("spec.ldap.bindSecretRef", "password", faults));
    faults.demand(
        bind_dn.is_some() == secret.is_some(),
        "spec.ldap",
        "must have both bindDn and bindSecretRef, or neither",
    );
    for (path, attribute) in
        [("spec.ldap.usernameAttribute", username_attribute), ("spec.ldap.subjectAttribute", subject_attribute)]
    {
        if let Some(attribute) = attribute {
            faults.demand(is_attribute(attribute), path, "must be the name of an attribute");
        }
    }
    Some(Upstream::Ldap {
        url: url.clone(),
        bind: bind_dn.clone().zip(secret),
        base_dn: base_dn.clone(),
        username_attribute: username_attribute.clone().unwrap_or_else(|| "uid".to_owned()),
        subject_attribute: subject_attribute.clone().unwrap_or_else(|| "entryUUID".to_owned()),
    })
}

fn is_ldaps(url: &str) -> bool {
    url.strip_prefix("ldaps://").is_some_and(|authority| {
        let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        is_dns_subdomain(&host.to_ascii_lowercase())
            && port.is_none_or(|port| !port.starts_with('0') && port.parse::<u16>().is_ok())
    })
}

fn is_attribute(text: &str) -> bool {
    text.len() <= 64
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
