//! Labels, annotations and the names of child objects: the strings that Kubernetes sees.
//!
//! Every name is a pure function of its owner, so that a cluster rebuilt from Git gets the same.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// The API group of every kind.
pub const GROUP: &str = "claviger.dev";
/// The one served version of every kind.
pub const VERSION: &str = "v1alpha1";
/// Field manager of every write of the operator, and value of `app.kubernetes.io/managed-by`.
pub const MANAGER: &str = "claviger";

/// Standard label that marks objects which the operator writes.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Which kind of document a published Secret holds; see [`crate::published::DocumentKind`].
pub const LABEL_DOCUMENT: &str = "claviger.dev/document";
/// Slug of the tenant that an object of the operator's belongs to.
pub const LABEL_TENANT: &str = "claviger.dev/tenant";
/// What a Secret in the operator's own namespace holds: `ring`, `sealing` or `ca`.
pub const LABEL_HOLDS: &str = "claviger.dev/holds";
/// The OAuthClient (same namespace) that a credentials Secret was made for, as [`owner_label`] has
/// it. It is the proof of ownership without which the operator writes no Secret.
pub const LABEL_OAUTH_CLIENT: &str = "claviger.dev/oauthclient";

/// Revision of a published document: a decimal `u64` that only grows.
pub const ANNOTATION_REVISION: &str = "claviger.dev/revision";
/// Digest of a published document's bytes; see [`crate::published::Digest`].
pub const ANNOTATION_DIGEST: &str = "claviger.dev/digest";
/// `<namespace>/<name>` of the custom resource that a published document or a ring belongs to, and
/// of the client that a credentials Secret was made for where the label cannot tell.
pub const ANNOTATION_OWNER: &str = "claviger.dev/owner";
/// UID of that custom resource, for the preconditions of a withdrawal.
pub const ANNOTATION_OWNER_UID: &str = "claviger.dev/owner-uid";
/// On a Secret of the operator's own namespace: since when (RFC 3339) it holds keys of something that is gone,
/// beside its content. After the time of a tombstone it is deleted, on the strength of its metadata alone.
pub const ANNOTATION_WITHDRAWN_AT: &str = "claviger.dev/withdrawn-at";
/// On a custom resource: `"true"` stops every write that the operator would make for it.
pub const ANNOTATION_PAUSED: &str = "claviger.dev/paused";
/// On a SigningKey or an OAuthClient: rotate once, not before this RFC 3339 time.
pub const ANNOTATION_ROTATE_AT: &str = "claviger.dev/rotate-at";
/// On a SigningKey: the revision of its ring that pods serve and that is given up for an older one, the one
/// that is stored.
pub const ANNOTATION_ACCEPT_STORED_RING: &str = "claviger.dev/accept-stored-ring";
/// On a ServiceAccount: which clients of other namespaces may name it.
pub const ANNOTATION_ALLOW_CLIENTS: &str = "claviger.dev/allow-clients";

/// The name of a custom resource in its namespace, whatever its kind.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
}

impl ObjectName {
    /// The name `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Name of the published Secret for the custom resource `owner` of `kind`: the kind in lower case
/// and a hash, since two namespaces may hold the same name and a Secret's name has a bound.
pub fn published_secret(kind: &str, owner: &ObjectName) -> String {
    format!("{}-{}", kind.to_ascii_lowercase(), short_hash(&[kind, &owner.namespace, &owner.name]))
}

/// Whether `name` is that of a published Secret for a custom resource of `kind`.
pub fn is_published_secret(name: &str, kind: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(prefix, _)| prefix.eq_ignore_ascii_case(kind))
}

/// Name of the Secret in the operator's namespace that holds all of the ring `owner`.
pub fn ring_secret(owner: &ObjectName) -> String {
    format!("ring-{}", short_hash(&["SigningKey", &owner.namespace, &owner.name]))
}

/// Name of the Secret in the operator's namespace that holds the sealing keys of the Tenant `owner`.
pub fn sealing_secret(owner: &ObjectName) -> String {
    format!("sealing-{}", short_hash(&["Tenant", &owner.namespace, &owner.name]))
}

/// Name of the SigningKey that the operator creates for a Tenant that has none.
pub fn default_signing_key(tenant: &str) -> String {
    // Room for the suffix in the 253 characters of a name: a long tenant name is cut and hashed.
    if tenant.len() <= 200 {
        format!("{tenant}-default")
    } else {
        format!("{}-{}-default", &tenant[..180], short_hash(&[tenant]))
    }
}

/// The value of a label that names the object `owner` to others of its namespace: its name, or a hash
/// where that has more than the 63 characters of a label's value. An underscore, which no object's
/// name has, tells the two apart.
pub fn owner_label(owner: &ObjectName) -> String {
    if owner.name.len() <= 63 {
        owner.name.clone()
    } else {
        format!("sha256_{}", short_hash(&[&owner.namespace, &owner.name]))
    }
}

/// Twenty hexadecimal characters (80 bits) of SHA-256 over the parts, each length-prefixed so that
/// no two lists of parts run together into the same bytes.
fn short_hash(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref()[..10].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_children_do_not_depend_on_where_a_separator_could_stand() {
        let a = published_secret("User", &ObjectName::new("a-b", "c"));
        let b = published_secret("User", &ObjectName::new("a", "b-c"));
        assert_ne!(a, b);
        assert_eq!(a, published_secret("User", &ObjectName::new("a-b", "c")));
        assert!(a.starts_with("user-") && a.len() == "user-".len() + 20);
    }

    #[test]
    fn a_label_names_its_owner_whatever_the_length_of_the_name() {
        let label = |name: &str| owner_label(&ObjectName::new("shop", name));
        assert_eq!(label(&"a".repeat(63)), "a".repeat(63));
        let long = label(&"a".repeat(64));
        assert!(long.len() <= 63 && long.contains('_'), "{long}");
        assert_ne!(long, label(&"a".repeat(65)));
    }

    #[test]
    fn a_default_ring_of_a_long_tenant_still_has_a_legal_name() {
        assert_eq!(default_signing_key("acme"), "acme-default");
        assert!(default_signing_key(&"a".repeat(253)).len() <= 253);
    }
}
