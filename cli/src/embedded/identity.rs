//! UIDs: of an object's kind and name, so that they survive a restart with nothing kept.

use claviger_crds::names::ObjectName;
use claviger_crds::published::Digest;

/// The UID of the object, in the form of a UUID.
pub(super) fn uid(kind: &str, name: &ObjectName) -> String {
    // None of the three can hold a line break, so no two lists of parts run together.
    let digest = Digest::of(format!("{kind}\n{}\n{}", name.namespace, name.name).as_bytes()).to_string();
    let hex: String = digest.chars().filter(|c| *c != ':').skip("sha256".len()).take(32).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_of_the_kind_and_the_name() {
        let name = ObjectName::new("identity", "acme");
        assert_eq!(uid("Tenant", &name), uid("Tenant", &name));
        assert_ne!(uid("Tenant", &name), uid("User", &name));
        assert_ne!(uid("Tenant", &name), uid("Tenant", &ObjectName::new("acme", "identity")));
        assert_eq!(uid("Tenant", &name).len(), 36);
    }
}
