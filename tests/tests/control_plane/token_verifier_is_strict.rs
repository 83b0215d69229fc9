//! The independent verifier, tried on an issuer made up here, so that its verdicts mean something.

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::{Json, Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_tests::token_verifier::verify_token;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

struct Issuer {
    url: String,
    key: EncodingKey,
}

/// Serves discovery and one ES256 key.
async fn issuer() -> Result<Issuer> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let point = pair.public_key_raw(); // 0x04, x, y
    let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    let key = json!({"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256",
        "x": coordinate(1..33), "y": coordinate(33..65)});
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(async move || Json(metadata)))
        .route("/keys", get(async move || Json(json!({"keys": [key]}))));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Issuer { url, key: EncodingKey::from_ec_der(&pair.serialize_der()) })
}

#[allow(clippy::disallowed_methods, reason = "the verifier asks the system's clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Issuer {
    fn sign(&self, change: impl FnOnce(&mut Value)) -> Result<String> {
        let mut claims = json!({"iss": self.url, "sub": "ada", "aud": "api",
            "iat": now(), "exp": now() + 60});
        change(&mut claims);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("one".to_owned());
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }
}

#[tokio::test]
async fn a_good_token_is_accepted_and_its_claims_are_returned() -> Result<()> {
    let issuer = issuer().await?;
    let claims = verify_token(&issuer.url, &issuer.sign(|_| ())?, Some("api")).await?;
    assert_eq!(claims["sub"], "ada");
    Ok(())
}

#[tokio::test]
async fn a_token_with_any_fault_is_refused_for_that_fault() -> Result<()> {
    let issuer = issuer().await?;
    let stranger = Issuer { url: issuer.url.clone(), key: self::issuer().await?.key };
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"one"}"#) + ".e30.";
    let cases = [
        ("InvalidAudienceError", issuer.sign(|claims| claims["aud"] = json!("other"))?),
        ("InvalidIssuerError", issuer.sign(|claims| claims["iss"] = json!("http://x"))?),
        ("ExpiredSignatureError", issuer.sign(|claims| claims["exp"] = json!(now() - 5))?),
        ("MissingRequiredClaimError", issuer.sign(|claims| claims["exp"] = Value::Null)?),
        ("InvalidSignatureError", stranger.sign(|_| ())?),
        ("InvalidAlgorithmError", unsigned),
    ];
    for (fault, token) in cases {
        let refusal = verify_token(&issuer.url, &token, Some("api")).await.unwrap_err();
        assert!(format!("{refusal:#}").contains(fault), "{fault}: {refusal:#}");
    }
    Ok(())
}
