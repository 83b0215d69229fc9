//! The hashes that bind an ID token to what was issued beside it.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::algorithm::Algorithm;

/// `at_hash` of an access token, `c_hash` of a code, `s_hash` of a state: base64url of the left half
/// of the hash of `text`, by the hash function of the algorithm that signs the ID token (OpenID
/// Connect Core 1.0 §3.1.3.6, §3.3.2.11). EdDSA with Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
pub fn left_half_hash(algorithm: Algorithm, text: &str) -> String {
    let function = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &SHA256,
        Algorithm::Es384 => &SHA384,
        Algorithm::EdDsa => &SHA512,
    };
    let hash = digest(function, text.as_bytes());
    let (left, _) = hash.as_ref().split_at(function.output_len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_openid_connect_core_appendix_a_come_out() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
            assert_eq!(left_half_hash(algorithm, token), "77QmUPtjPfzWtF2AnpK9RQ");
            assert_eq!(left_half_hash(algorithm, code), "LDktKdoQak3Pk0cnXxCltA");
        }
    }

    #[test]
    fn the_hash_function_is_that_of_the_algorithm() {
        // The halves of "abc": FIPS 180-4, appendix B and C examples (ungWv48B…, cb00753f…, ddaf35a1…).
        for (algorithm, half) in [
            (Algorithm::Es256, "ungWv48Bz-pBQUDeXa4iIw"),
            (Algorithm::Es384, "ywB1P0WjXou1oD1pmsZQBycsMqsO3tFj"),
            (Algorithm::EdDsa, "3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05o"),
        ] {
            assert_eq!(left_half_hash(algorithm, "abc"), half, "{algorithm}");
        }
    }
}
