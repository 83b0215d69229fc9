//! The limit that the provider is measured against: a bare axum server that answers each path with
//! the bytes of a file, and before it does what cannot be done without: one raw signature with a
//! parsed key for one token, two for two, one hash for a password, one raw verification for an assertion.
//!
//! `claviger-limit ADDRESS FOLDER`: the files of the folder are the provider's own answers, so both
//! send the same bytes. Of those that are not there the paths are not served.

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

// The allocator of the server that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// About the size of an access token's signed part.
const MESSAGE: [u8; 420] = [b'm'; 420];

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
    let verifier = verifier()?;
    for (algorithm, signer) in signers()? {
        let one = file(&format!("token-{algorithm}.json"));
        if let Some(answer) = one {
            router = router.route(&format!("/token/{algorithm}"), signing(Arc::clone(&signer), 1, answer));
        }
        if let Some(answer) = file(&format!("workload-{algorithm}.json")) {
            let signing = verifying(Arc::clone(&verifier), Arc::clone(&signer), answer);
            router = router.route(&format!("/workload/{algorithm}"), signing);
        }
        for name in ["exchange", "refresh"] {
            let two = file(&format!("{name}.json")).filter(|_| algorithm == "RS256");
            if let Some(answer) = two {
                router = router.route(&format!("/two/{name}"), signing(Arc::clone(&signer), 2, answer));
            }
        }
    }
    Ok(router)
}

fn json() -> [(HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}

/// Makes so many signatures, and answers.
fn signing(signer: Signer, number: usize, answer: Bytes) -> MethodRouter {
    post(move |_body: Bytes| async move {
        for _ in 0..number {
            // Encoded, as a token's signature has to be; black_box keeps it from being left out.
            std::hint::black_box(URL_SAFE_NO_PAD.encode(signer(&MESSAGE)));
        }
        (json(), answer)
    })
}

/// Verifies one signature, makes one, and answers.
fn verifying(verifier: Verifier, signer: Signer, answer: Bytes) -> MethodRouter {
    post(move |_body: Bytes| async move {
        std::hint::black_box(verifier());
        std::hint::black_box(URL_SAFE_NO_PAD.encode(signer(&MESSAGE)));
        (json(), answer)
    })
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

/// One raw verification by RS256, as a cluster signs, by a key that was parsed once.
fn verifier() -> Result<Verifier> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &MESSAGE, &mut signature)?;
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())?;
    anyhow::ensure!(public.verify_sig(&MESSAGE, &signature).is_ok());
    Ok(Arc::new(move || public.verify_sig(&MESSAGE, &signature).is_ok()))
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
