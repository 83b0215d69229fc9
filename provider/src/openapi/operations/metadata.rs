//! Discovery and keys.

use crate::openapi::model::{Answer, JSON, Operation};

/// `GET /.well-known/openid-configuration`, and RFC 8414's path for the same.
pub(crate) const DISCOVERY: Operation = Operation {
    summary: "Openid Configuration",
    description: "The configuration of the tenant's issuer (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).",
    answers: &[
        Answer::json("200", "The configuration.", "OpenIDConfiguration"),
        Answer::empty("304", "It is still the one that If-None-Match names."),
    ],
    ..Operation::CONTRACT
};

/// `GET /.well-known/jwks.json`
pub(crate) const JWKS: Operation = Operation {
    summary: "Jwks",
    description: "The public keys that verify what the issuer signs (RFC 7517 §5).",
    answers: &[
        Answer::of("200", "A JWK Set.", JSON),
        Answer::empty("304", "It is still the one that If-None-Match names."),
    ],
    ..Operation::CONTRACT
};
