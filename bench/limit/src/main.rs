//! The limit that the provider is measured against: a bare axum server that answers each path with
//! the bytes of a file, and before it does what cannot be done without: one raw signature with a
//! parsed key for each token, one hash for a password, one raw verification for an assertion.
//!
//! `claviger-limit ADDRESS FOLDER`: the files of the folder are the provider's own answers, so both
//! sign and send the same bytes. Of those that are not there the paths are not served.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use argon2::{Argon2, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{MethodRouter, any, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

// The allocator of the server that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().context("no address")?;
    let folder = arguments.next().context("no folder")?;
    let router = router(Path::new(&folder))?;
    let listener = tokio::net::TcpListener::bind(&address).await?;
    Ok(axum::serve(listener, router).await?)
}

fn router(folder: &Path) -> Result<Router> {
    let file = |name: &str| -> Option<Bytes> { Some(std::fs::read(folder.join(name)).ok()?.into()) };
    let mut router = Router::new().route("/login", post(login));
    for name in ["discovery", "jwks", "introspect", "userinfo"] {
        let Some(answer) = file(&format!("{name}.json")) else { continue };
        router = router.route(&format!("/plain/{name}"), any(move |_body: Bytes| async move { (json(), answer) }));
    }
    let verifier = file("assertion.jwt").map(|assertion| verifier(&assertion)).transpose()?;
    for (algorithm, signer) in signers()? {
        let one = file(&format!("token-{algorithm}.json"));
        if let Some(answer) = one {
            router = router.route(&format!("/token/{algorithm}"), signing(Arc::clone(&signer), answer)?);
        }
        if let (Some(answer), Some(verifier)) = (file(&format!("workload-{algorithm}.json")), &verifier) {
            let signing = verifying(Arc::clone(verifier), Arc::clone(&signer), answer)?;
            router = router.route(&format!("/workload/{algorithm}"), signing);
        }
        for name in ["exchange", "refresh"] {
            let two = file(&format!("{name}.json")).filter(|_| algorithm == "RS256");
            if let Some(answer) = two {
                router = router.route(&format!("/two/{name}"), signing(Arc::clone(&signer), answer)?);
            }
        }
    }
    Ok(router)
}

fn json() -> [(HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}

/// Signs the tokens of the answer again, and answers.
fn signing(signer: Signer, answer: Bytes) -> Result<MethodRouter> {
    let messages = messages(&answer)?;
    Ok(post(move |_body: Bytes| async move {
        sign(&signer, &messages);
        (json(), answer)
    }))
}

/// Verifies one signature, signs the tokens of the answer again, and answers.
fn verifying(verifier: Verifier, signer: Signer, answer: Bytes) -> Result<MethodRouter> {
    let messages = messages(&answer)?;
    Ok(post(move |_body: Bytes| async move {
        std::hint::black_box(verifier());
        sign(&signer, &messages);
        (json(), answer)
    }))
}

fn sign(signer: &Signer, messages: &[Bytes]) {
    for message in messages {
        // Encoded, as a token's signature has to be; black_box keeps it from being left out.
        std::hint::black_box(URL_SAFE_NO_PAD.encode(signer(message)));
    }
}

/// What was signed of the tokens in an answer of the token endpoint: the refresh token was not.
fn messages(answer: &[u8]) -> Result<Vec<Bytes>> {
    let answer: Value = serde_json::from_slice(answer)?;
    let tokens = ["access_token", "id_token"].into_iter().filter_map(|name| answer.get(name)?.as_str());
    let messages: Vec<Bytes> = tokens.map(|token| signed_part(token.as_bytes())).collect::<Result<_>>()?;
    anyhow::ensure!(!messages.is_empty(), "an answer of the token endpoint has no token: {answer}");
    Ok(messages)
}

/// Of a compact JWS (RFC 7515 §7.1).
fn signed_part(token: &[u8]) -> Result<Bytes> {
    let dot = token.iter().rposition(|byte| *byte == b'.').context("a token is no JWS")?;
    Ok(Bytes::copy_from_slice(&token[..dot]))
}

/// Makes one hash, beside the async threads, and answers.
async fn login(_body: Bytes) -> StatusCode {
    let hash = tokio::task::spawn_blocking(|| {
        let mut hash = [0; 32];
        let params = Params::new(19_456, 2, 1, None).ok()?;
        let hasher = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
        hasher.hash_password_into(b"correct-horse", b"salt of the bench", &mut hash).ok().map(|()| hash)
    });
    // black_box keeps it from being left out.
    std::hint::black_box(hash.await.ok().flatten()).map_or(StatusCode::INTERNAL_SERVER_ERROR, |_| StatusCode::OK)
}

type Signer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

type Verifier = Arc<dyn Fn() -> bool + Send + Sync>;

/// One raw verification by RS256, as a cluster signs, by a key that was parsed once, of as many bytes as `assertion` has.
fn verifier(assertion: &[u8]) -> Result<Verifier> {
    let message = signed_part(assertion)?;
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)?;
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())?;
    anyhow::ensure!(public.verify_sig(&message, &signature).is_ok());
    Ok(Arc::new(move || public.verify_sig(&message, &signature).is_ok()))
}

/// One raw signature for each algorithm, by a key that was parsed once.
fn signers() -> Result<Vec<(&'static str, Signer)>> {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let ed25519 = Ed25519KeyPair::generate()?;
    anyhow::ensure!(rsa.public_modulus_len() == 256 && !ed25519.public_key().as_ref().is_empty());
    let random = SystemRandom::new();
    let rs256: Signer = Arc::new(move |message| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        let signed = rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
        signed.map(|()| signature).unwrap_or_default()
    });
    let random = SystemRandom::new();
    let es256: Signer =
        Arc::new(move |message| p256.sign(&random, message).map(|s| s.as_ref().to_vec()).unwrap_or_default());
    let eddsa: Signer = Arc::new(move |message| ed25519.sign(message).as_ref().to_vec());
    Ok(vec![("RS256", rs256), ("ES256", es256), ("EdDSA", eddsa)])
}
