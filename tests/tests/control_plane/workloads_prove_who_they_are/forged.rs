//! Tokens that the API server would not make: changed, or signed by somebody else.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize, SigningKey as _};
use serde_json::{Value, json};

/// Begins with a good token, and has the cluster's own key.
pub(super) struct Forger {
    header: Value,
    claims: Value,
    key: KeyPair,
    good: String,
}

type Change = fn(&mut Value, &mut Value);

impl Forger {
    pub(super) fn of(token: &str, key: KeyPair) -> Result<Self> {
        let mut parts =
            token.split('.').map(|part| Ok::<Value, anyhow::Error>(serde_json::from_slice(&decode(part)?)?));
        let header = parts.next().context("no header")??;
        let claims = parts.next().context("no claims")??;
        Ok(Self { header, claims, key, good: token.to_owned() })
    }

    /// Signed by the cluster itself.
    pub(super) fn signed(&self, change: Change) -> Result<String> {
        self.signed_by(&self.key, change)
    }

    fn signed_by(&self, key: &KeyPair, change: Change) -> Result<String> {
        let text = self.unsigned(change);
        let signature = key.sign(text.as_bytes())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Without a signature.
    fn unsigned(&self, change: Change) -> String {
        let (mut header, mut claims) = (self.header.clone(), self.claims.clone());
        change(&mut header, &mut claims);
        format!("{}.{}", encode(&header), encode(&claims))
    }

    /// Each with why it is refused.
    pub(super) fn tokens(&self) -> Result<Vec<(String, &'static str)>> {
        let (not_signed, unknown) = ("not signed as it has to be", "key is none of the cluster's");
        // That of no key that there can be.
        let no_algorithm = "the assertion is unreadable";
        let stranger = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let (_, signature) = self.good.rsplit_once('.').context("no signature")?;
        let older = |claims: &mut Value, by: i64| {
            for name in ["iat", "nbf", "exp"] {
                claims[name] = json!(claims[name].as_i64().unwrap_or_default() - by);
            }
        };
        let expired = {
            let mut forger = Self { claims: self.claims.clone(), header: self.header.clone(), ..self.again()? };
            older(&mut forger.claims, 7_200);
            forger.signed(|_, _| ())?
        };
        Ok(vec![
            (expired, "is expired"),
            (self.signed(endless)?, "says no end"),
            // Another cluster under the same name: with the same identifier of its key, and with another.
            (self.signed_by(&stranger, |_, _| ())?, not_signed),
            (self.signed_by(&stranger, |header, _| header["kid"] = json!("theirs"))?, unknown),
            (self.signed(|header, _| header["kid"] = json!("unknown"))?, unknown),
            (self.unsigned(|header, _| header["alg"] = json!("none")) + ".", no_algorithm),
            (self.unsigned(|_, _| ()) + ".", not_signed),
            (self.unsigned(|header, _| header["alg"] = json!("none")) + "." + signature, no_algorithm),
            (self.signed(|header, _| header["alg"] = json!("PS256"))?, not_signed),
            (self.signed(|header, _| header["alg"] = json!("RS512"))?, no_algorithm),
            (self.with_public_key_as_secret()?, no_algorithm),
            // Changed after it was signed.
            (self.unsigned(|_, claims| claims["exp"] = json!(4_102_444_800_i64)) + "." + signature, not_signed),
        ])
    }

    /// HS256, keyed with what everybody knows.
    fn with_public_key_as_secret(&self) -> Result<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = self.header["kid"].as_str().map(str::to_owned);
        let key = EncodingKey::from_secret(self.key.public_key_pem().as_bytes());
        Ok(jsonwebtoken::encode(&header, &self.claims, &key)?)
    }

    fn again(&self) -> Result<Self> {
        Self::of(&self.good, KeyPair::from_pem(&self.key.serialize_pem())?)
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(part: &str) -> Result<Vec<u8>> {
    Ok(URL_SAFE_NO_PAD.decode(part)?)
}

fn endless(_: &mut Value, claims: &mut Value) {
    if let Some(claims) = claims.as_object_mut() {
        claims.remove("exp");
    }
}
