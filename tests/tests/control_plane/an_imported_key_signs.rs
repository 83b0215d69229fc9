//! The key that signs is one that OpenSSL or PyJWT made, from a Secret; PyJWT verifies its tokens.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_tests::foreign_key::{openssl, private_jwk};
use claviger_tests::installation::{ACME, Installation};
use claviger_tests::token_verifier::verify_token;
use claviger_tests::wait::eventually;
use serde_json::{Value, json};

const SIGNING_KEY: [&str; 3] = ["signingkey", "identity", "acme-rs256"];
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Puts `text` into the Secret, and changes the SigningKey, so that it is looked at now.
async fn put(installation: &Installation, text: &str) -> Result<()> {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "elsewhere", "namespace": "identity"},
        "data": {"tls.key": base64::engine::general_purpose::STANDARD.encode(text)},
    });
    installation.kubectl().apply(&secret.to_string()).await?;
    // Of any other change of the Secret it would hear within about a minute.
    let patch = json!({"spec": {"rotation": {"interval": format!("{}s", 3600 + text.len())}}}).to_string();
    let kubectl = installation.kubectl().in_namespace("identity");
    kubectl.run(&["patch", "signingkey", "acme-rs256", "--type=merge", "-p", &patch]).await.map(drop)
}

/// The quick start, whose ring imports its key and rotates in seconds.
async fn apply(installation: &Installation) -> Result<()> {
    installation.apply_quickstart().await?;
    let kubectl = installation.kubectl().in_namespace("identity");
    kubectl.run(&["delete", "signingkey", "acme-rs256"]).await?;
    let signing_key = json!({
        "apiVersion": "claviger.dev/v1alpha1", "kind": "SigningKey",
        "metadata": {"name": "acme-rs256", "namespace": "identity"},
        "spec": {
            "tenantRef": {"name": "acme"}, "algorithm": "RS256", "existingSecretRef": {"name": "elsewhere"},
            "rotation": {"interval": "1h", "publishAhead": "12s", "cacheLifetime": "1s"},
        },
    });
    installation.kubectl().apply(&signing_key.to_string()).await.map(drop)
}

/// Waits until the Active key has this modulus, in base64url; PyJWT verifies a token by it.
async fn signs(installation: &Installation, modulus: &str) -> Result<()> {
    let provider = &installation.providers()[0];
    eventually(PATIENCE, "the imported key signs", async || {
        let token = installation.token(provider, "shop", "reports-oidc").await?;
        let kid = jsonwebtoken::decode_header(&token)?.kid.context("no kid")?;
        let (_, jwks) = provider.get(&format!("{ACME}/.well-known/jwks.json")).await?;
        let jwks: Value = serde_json::from_str(&jwks)?;
        let key = jwks["keys"].as_array().into_iter().flatten().find(|key| key["kid"] == kid.as_str());
        ensure!(key.is_some_and(|key| key["n"] == modulus), "{kid} signs: {jwks}");
        let issuer = format!("{}{ACME}", installation.external_url());
        verify_token(&issuer, &token, Some("https://orders.shop.example")).await?;
        Ok(())
    })
    .await
}

async fn modulus(pem: &str) -> Result<String> {
    let text = openssl(&["rsa", "-noout", "-modulus"], pem).await?;
    let hex = text.trim().strip_prefix("Modulus=").context("no modulus")?;
    let bytes: Result<Vec<u8>, _> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16)).collect();
    Ok(URL_SAFE_NO_PAD.encode(bytes?))
}

#[tokio::test]
async fn a_key_of_openssl_and_then_one_of_pyjwt_sign_and_a_useless_secret_stops_neither() -> Result<()> {
    const RSA: [&str; 4] = ["genpkey", "-algorithm", "RSA", "-pkeyopt"];
    let made = async |bits: &str| openssl(&[&RSA[..], &[&format!("rsa_keygen_bits:{bits}")]].concat(), "").await;
    let installation = Installation::start(1).await?;
    apply(&installation).await?;
    let _operator = installation.start_operator("one").await?;
    installation.wait_for_condition(SIGNING_KEY, "ReferencesResolved", ["False", "SecretNotFound"]).await?;

    let pem = made("2048").await?;
    put(&installation, &pem).await?;
    installation.wait_until_all_ready().await?;
    signs(&installation, &modulus(&pem).await?).await?;

    let short = made("1024").await?;
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:x"], &pem).await?;
    let ec = openssl(&["ecparam", "-genkey", "-name", "prime256v1"], "").await?;
    for (text, reason) in [(&short, "SecretTooShort"), (&encrypted, "KeyEncrypted"), (&ec, "KeyOfAnotherAlgorithm")] {
        put(&installation, text).await?;
        let condition = installation.wait_for_condition(SIGNING_KEY, "ReferencesResolved", ["False", reason]).await?;
        ensure!(condition["message"].as_str().is_some_and(|message| message.contains("elsewhere")), "{condition}");
        installation.wait_for_condition(SIGNING_KEY, "Programmed", ["True", "Programmed"]).await?;
    }
    signs(&installation, &modulus(&pem).await?).await?;

    let jwk = private_jwk().await?;
    put(&installation, &jwk.to_string()).await?;
    signs(&installation, jwk["n"].as_str().context("no modulus")?).await?;
    let status = installation.kubectl().in_namespace("identity").json(&["get", "signingkey", "acme-rs256"]).await?;
    let keys = status["status"]["keys"].as_array().cloned().unwrap_or_default();
    let imported: Vec<_> = keys.iter().filter(|key| key["imported"] == true).map(|key| &key["phase"]).collect();
    ensure!(imported == ["Active", "Retiring"], "{status}");
    Ok(())
}
