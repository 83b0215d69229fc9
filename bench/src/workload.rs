//! A pod of the cluster, and what kube-apiserver would have given it.

use std::time::UNIX_EPOCH;

use anyhow::Result;
use claviger_crds::published::{ClientAuthentication, ServiceAccountIssuerDocument, ServiceAccountSubject};
use claviger_jose::{Algorithm, PrivateKey, Signer, TokenType};
use jiff::Timestamp;
use serde_json::json;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const UID: &str = "3a5d6b5e-0b06-4c7a-8a43-000000000001";

/// The cluster's key, which signs by RS256 as kubeadm sets it up.
pub(crate) struct Cluster {
    jwks: serde_json::Value,
    signer: Signer,
}

impl Cluster {
    /// One with a key of its own.
    pub(crate) fn new() -> Result<Self> {
        let key = PrivateKey::generate(Algorithm::Rs256)?;
        Ok(Self { jwks: json!({"keys": [key.public_jwk()]}), signer: Signer::new(key) })
    }

    /// As the operator publishes it.
    pub(crate) fn issuer(&self) -> ServiceAccountIssuerDocument {
        let (issuer, jwks) = (ISSUER.to_owned(), self.jwks.clone());
        ServiceAccountIssuerDocument { issuer, jwks, since: Timestamp::UNIX_EPOCH, previous: None }
    }

    /// The tokens of so many pods for `audience`, each for an hour.
    pub(crate) fn tokens(&self, audience: &str, count: u32) -> Result<Vec<String>> {
        let now = UNIX_EPOCH.elapsed()?.as_secs();
        let token = |pod: u32| {
            let claims = json!({
                "iss": ISSUER, "sub": "system:serviceaccount:bench:bench", "aud": [audience],
                "iat": now, "nbf": now, "exp": now + 3_607, "jti": format!("6d0d1d1e-0000-4000-8000-{pod:012}"),
                "kubernetes.io": {
                    "namespace": "bench",
                    "node": {"name": "node-1", "uid": "3a5d6b5e-0b06-4c7a-8a43-000000000003"},
                    "pod": {"name": "bench-5d9c", "uid": format!("3a5d6b5e-0b06-4c7a-8a43-{pod:012}")},
                    "serviceaccount": {"name": "bench", "uid": UID},
                },
            });
            Ok(self.signer.sign_bytes(TokenType::Jwt, &serde_json::to_vec(&claims)?)?)
        };
        (0..count).map(token).collect()
    }
}

/// How the pod's client proves who it is.
pub(crate) fn authentication() -> ClientAuthentication {
    let account =
        ServiceAccountSubject { namespace: "bench".to_owned(), name: "bench".to_owned(), uid: UID.to_owned() };
    ClientAuthentication::ServiceAccounts { accounts: vec![account] }
}
