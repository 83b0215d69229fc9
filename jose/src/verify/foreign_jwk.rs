//! One key of a foreign JWK Set (RFC 7517 §4), as far as it verifies signatures.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::VerifyingKey;
use crate::algorithm::Algorithm;

/// A key, once for each algorithm that it may verify.
pub(crate) struct ForeignJwk {
    /// `kid`: any text.
    pub(crate) kid: Option<String>,
    /// RS256 and PS256 where an RSA key does not say which.
    pub(crate) keys: Vec<VerifyingKey>,
}

#[derive(Deserialize)]
struct WireJwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Of every asymmetric kind the private part (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2).
    d: Option<IgnoredAny>,
    /// A prime, or what follows from one, gives the rest away (RFC 7518 §6.3.2.2–6).
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
}

/// Reads a key; `None` when it is none that verifies: of an unknown kind, for something else by `use`,
/// `key_ops` or `alg`, malformed, too short, too long. So a bad key costs only itself (RFC 7517 §5).
///
/// A key with its private part in it is refused: whoever has read the set can sign with it.
pub(crate) fn read(value: &Value) -> Option<ForeignJwk> {
    let wire = WireJwk::deserialize(value).ok()?;
    let verifies = wire.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|it| it == "verify"));
    let private = [&wire.d, &wire.p, &wire.q, &wire.dp, &wire.dq].into_iter().any(Option::is_some);
    // A bundle of SPIFFE calls the same purpose by the kind of its tokens (SPIFFE Trust Domain and Bundle §4.2.2).
    let signs = wire.usage.as_deref().is_none_or(|usage| ["sig", "jwt-svid"].contains(&usage));
    if private || !signs || !verifies {
        return None;
    }
    let algorithms: &[Algorithm] = match (wire.kty.as_str(), wire.crv.as_deref()) {
        ("RSA", _) => &[Algorithm::Rs256, Algorithm::Ps256],
        ("EC", Some("P-256")) => &[Algorithm::Es256],
        ("EC", Some("P-384")) => &[Algorithm::Es384],
        ("OKP", Some("Ed25519")) => &[Algorithm::EdDsa],
        _ => return None,
    };
    let keys: Vec<_> = algorithms
        .iter()
        .filter(|algorithm| wire.alg.as_deref().is_none_or(|alg| alg == algorithm.as_str()))
        .filter_map(|algorithm| wire.key(*algorithm))
        .collect();
    if keys.is_empty() { None } else { Some(ForeignJwk { kid: wire.kid, keys }) }
}

impl WireJwk {
    fn key(&self, algorithm: Algorithm) -> Option<VerifyingKey> {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => VerifyingKey::rsa(algorithm, &decode(&self.n)?, &decode(&self.e)?),
            Algorithm::Es256 | Algorithm::Es384 => VerifyingKey::ec(algorithm, &decode(&self.x)?, &decode(&self.y)?),
            Algorithm::EdDsa => VerifyingKey::ed25519(&decode(&self.x)?),
        }
    }
}

fn decode(member: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(member.as_deref()?).ok()
}
