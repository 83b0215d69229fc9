//! What is counted of keys: tokens that each signed, and tokens that none of ours did.
//!
//! A snapshot holds its counters, so that signing costs an addition and no look-up. `kid` is a label, for
//! there are as many as the JWK Sets show: the series of a key goes when the key leaves them.

use claviger_jose::Kid;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKid {
    kid: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByToken {
    token: &'static str,
}

/// What of ours comes back to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// At UserInfo, introspection and revocation.
    AccessToken,
    /// As `id_token_hint`.
    IdTokenHint,
    /// An ID token, to be exchanged.
    SubjectToken,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyMetrics {
    signed: Family<ByKid, Counter>,
    unknown: Family<ByToken, Counter>,
}

/// Counts tokens of keys that are none of the tenant's.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    access_tokens: Counter,
    id_token_hints: Counter,
    subject_tokens: Counter,
}

impl KeyMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("tokens_signed", "Tokens of all kinds that a key signed", self.signed.clone());
        let help = "Tokens that came back and bore a key that is none of their issuer's";
        registry.register("tokens_of_unknown_keys", help, self.unknown.clone());
        // Both are shown from the beginning.
        self.unknown();
    }

    /// The counter of the key `kid`.
    pub(crate) fn signed_by(&self, kid: &Kid) -> Counter {
        self.signed.get_or_create_owned(&ByKid { kid: kid.to_string() })
    }

    /// Shows the key `kid` no more.
    pub(crate) fn forget(&self, kid: &Kid) {
        self.signed.remove(&ByKid { kid: kid.to_string() });
    }

    /// What counts tokens of unknown keys.
    pub(crate) fn unknown(&self) -> Unknown {
        let counter = |token| self.unknown.get_or_create_owned(&ByToken { token });
        Unknown {
            access_tokens: counter("access_token"),
            id_token_hints: counter("id_token_hint"),
            subject_tokens: counter("subject_token"),
        }
    }
}

impl Unknown {
    /// One more.
    pub(crate) fn count(&self, returned: Returned) {
        match returned {
            Returned::AccessToken => self.access_tokens.inc(),
            Returned::IdTokenHint => self.id_token_hints.inc(),
            Returned::SubjectToken => self.subject_tokens.inc(),
        };
    }
}
