//! Making keys: RSA takes a tenth of a second of a core, so it happens beside the async threads,
//! few at a time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::published::SecretText;
use claviger_jose::{Algorithm, PrivateKey};

use super::change::NewKey;
use crate::context::Context;
use crate::error::StepError;

/// Makes `count` keys.
pub(crate) async fn generate(context: &Context, algorithm: Algorithm, count: usize) -> Result<Vec<NewKey>, StepError> {
    const FAILED: StepError = StepError::Computation("a key");
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let _permit = context.computing.acquire().await.map_err(|_| FAILED)?;
        let made = tokio::task::spawn_blocking(move || new_key(algorithm)).await;
        keys.push(made.ok().flatten().ok_or(FAILED)?);
    }
    Ok(keys)
}

fn new_key(algorithm: Algorithm) -> Option<NewKey> {
    PrivateKey::generate(algorithm).ok().map(|key| NewKey::of(&key))
}

impl NewKey {
    /// As a ring keeps it.
    pub(super) fn of(key: &PrivateKey) -> Self {
        let public_key = key.public_jwk();
        let private_key = SecretText::new(STANDARD.encode(key.to_pkcs8()));
        Self { kid: public_key.kid().clone(), public_key, private_key }
    }
}
