//! The limit that the provider is measured against: a bare axum server that answers each path with
//! the bytes of a file, and for the signed paths makes one raw signature with a parsed key first.
//!
//! `claviger-limit ADDRESS FOLDER`: `FOLDER/discovery.json`, `jwks.json` and `token.json` are the
//! provider's own answers, so both send the same bytes.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::{get, post};
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
    let file = |name: &str| -> Result<Bytes> { Ok(std::fs::read(folder.join(name))?.into()) };
    let json = || [(header::CONTENT_TYPE, "application/json")];
    let (discovery, jwks) = (file("discovery.json")?, file("jwks.json")?);
    let mut router = Router::new()
        .route("/discovery", get(move || async move { (json(), discovery) }))
        .route("/jwks", get(move || async move { (json(), jwks) }));
    for (algorithm, signer) in signers()? {
        let answer = file(&format!("token-{algorithm}.json"))?;
        router = router.route(
            &format!("/token/{algorithm}"),
            post(move |_body: Bytes| async move {
                // Encoded, as a token's signature has to be; black_box keeps it from being left out.
                std::hint::black_box(URL_SAFE_NO_PAD.encode(signer(&MESSAGE)));
                (json(), answer)
            }),
        );
    }
    Ok(router)
}

type Signer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

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
