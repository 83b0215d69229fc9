//! The tenant that all of these tests share, with its clients' credentials.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use claviger_tests::dev::Dev;
use claviger_tests::ports::free_port;
use claviger_tests::temp::TempDir;
use claviger_tests::user_agent::UserAgent;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// As in `tests/clients/tenant`.
const NAMESPACE: &str = "clients";
const FILES: [&str; 2] =
    [include_str!("../../clients/tenant/10-tenant.yaml"), include_str!("../../clients/tenant/20-clients.yaml")];

/// Of somebody who typed `openssl rand -base64 32`: it has what form-encoding changes.
const EXISTING_SECRET: &str = "8J+Kv/3dRwq0hZbT5n+Yc1/mUe7oXs2LfA9iGkP6jVw=";

/// A running tenant.
pub(crate) struct Tenant {
    dev: Dev,
    private_key: Value,
    /// Where the reverse proxy is to listen.
    pub(crate) proxy_port: u16,
    _folder: TempDir,
}

impl Tenant {
    /// The one that is running, started by the first who asks.
    pub(crate) async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Tenant> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    async fn start() -> Result<Self> {
        let (folder, proxy_port, private_key) = (TempDir::new("tenant")?, free_port()?, key()?);
        let mut public_key = private_key.clone();
        public_key.as_object_mut().context("a JWK")?.remove("d");
        for (number, text) in FILES.iter().enumerate() {
            let text = text.replace("- PUBLIC_KEY", &format!("- {public_key}"));
            let text = text.replace("EXISTING_SECRET\n", &format!("{EXISTING_SECRET:?}\n"));
            let text = text.replace("PROXY/", &format!("http://127.0.0.1:{proxy_port}/"));
            folder.write(&format!("{number}.yaml"), text)?;
        }
        let dev = Dev::start(folder.path(), &["--tls"]).await?;
        Ok(Self { dev, private_key, proxy_port, _folder: folder })
    }

    pub(crate) fn dev(&self) -> &Dev {
        &self.dev
    }

    pub(crate) fn issuer(&self) -> String {
        self.dev.issuer("clients")
    }

    /// A browser at which Ada sits.
    pub(crate) fn ada(&self) -> Result<UserAgent> {
        UserAgent::new(&self.dev.ca(), "ada", "correct horse & battery")
    }

    pub(crate) fn client_secret(&self, client: &str) -> Result<String> {
        if client == "existing" {
            return Ok(EXISTING_SECRET.to_owned());
        }
        self.dev.secret(NAMESPACE, &format!("{client}-oidc"), "client_secret")
    }

    /// What a client is told of itself, beside its addresses, scopes and grant.
    pub(crate) fn settings(&self, client: &str, authentication: &str) -> Result<Value> {
        let mut settings = json!({
            "issuer": self.issuer(),
            "client_id": format!("{NAMESPACE}.{client}"),
            "authentication": authentication,
            "pkce": client != "plain",
            "ca_file": self.dev.ca(),
        });
        match authentication {
            "none" => {}
            "private_key_jwt" => settings["private_key"] = self.private_key.clone(),
            _ => settings["client_secret"] = self.client_secret(client)?.into(),
        }
        Ok(settings)
    }
}

/// A private key for ES256, as a JWK.
fn key() -> Result<Value> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    // RFC 5915 §3: version 1, then an OCTET STRING of 32 bytes, which is the private key.
    let (der, before) = (pair.serialize_der(), [0x02, 0x01, 0x01, 0x04, 0x20]);
    let start = der.windows(before.len()).position(|bytes| bytes == before).context("a P-256 key")? + before.len();
    let private = der.get(start..start + 32).context("a whole P-256 key")?;
    // SEC 1 §2.3.3: 4, then x and y.
    let (x, y) = pair.public_key_raw().get(1..).context("a point")?.split_at(32);
    let text = |bytes| BASE64_URL_SAFE_NO_PAD.encode::<&[u8]>(bytes);
    Ok(json!({ "kty": "EC", "crv": "P-256", "kid": "test", "x": text(x), "y": text(y), "d": text(private) }))
}
