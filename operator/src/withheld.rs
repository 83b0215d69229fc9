//! A Secret that was read or is to be written, kept from log lines.

use std::fmt;
use std::ops::Deref;

use k8s_openapi::api::core::v1::Secret;

/// A Secret whose `Debug` says which it is, and nothing of what it holds: that of the API type
/// prints every value.
#[derive(Clone, PartialEq)]
pub(crate) struct Withheld(pub(crate) Secret);

impl Deref for Withheld {
    type Target = Secret;

    fn deref(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        write!(f, "Secret({}/{})", part(&self.0.metadata.namespace), part(&self.0.metadata.name))
    }
}
