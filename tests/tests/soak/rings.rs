//! The tenants of a soak, their rings, and how often these rotated.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{Installation, KINDS, PATIENCE};
use claviger_tests::wait::eventually;
use serde_json::{Value, json};

use crate::settings::Settings;

/// The namespace, the Tenant and the slug, all with one name.
pub(crate) fn tenant(number: usize) -> String {
    format!("tenant-{number}")
}

/// Path of the tenant's issuer.
pub(crate) fn path(number: usize) -> String {
    format!("/api/v1/auth/tenants/{}", tenant(number))
}

/// Cheap keys, but for one ring: an RSA key costs seconds.
fn algorithm(tenant: usize, ring: usize) -> &'static str {
    match (tenant, ring) {
        (0, 0) => "RS256",
        (_, ring) if ring % 2 == 0 => "ES256",
        _ => "EdDSA",
    }
}

/// All of it as one manifest.
pub(crate) fn manifest(settings: &Settings) -> String {
    let Settings { rotation: [interval, ahead, cache], token, .. } = settings;
    let mut text = String::new();
    for number in 0..settings.tenants {
        let name = tenant(number);
        let _ = write!(
            text,
            r#"
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: claviger.dev/v1alpha1
kind: Tenant
metadata: {{name: {name}, namespace: {name}}}
spec: {{signing: {{default: ring-0}}, lifetimes: {{accessToken: {token}s, idToken: {token}s}}}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {{name: app, namespace: {name}}}
spec:
  tenantRef: {{name: {name}, namespace: {name}}}
  grantTypes: [client_credentials]
  authentication: {{secret: {{}}}}
---
"#
        );
        for ring in 0..settings.rings {
            let algorithm = algorithm(number, ring);
            // Not all at once for ever.
            let interval = interval + u64::try_from((number + ring) % 4).unwrap_or(0);
            let _ = write!(
                text,
                r#"apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {{name: ring-{ring}, namespace: {name}}}
spec:
  tenantRef: {{name: {name}}}
  algorithm: {algorithm}
  rotation: {{interval: {interval}s, publishAhead: {ahead}s, cacheLifetime: {cache}s}}
---
"#
            );
        }
    }
    text
}

/// Waits until all of it is Ready. One list a time: `kubectl wait` asks for each object by itself, and a
/// thousand rings take it minutes.
pub(crate) async fn wait_until_ready(installation: &Installation, settings: &Settings) -> Result<()> {
    let expected = settings.tenants * (settings.rings + 2);
    let limit = PATIENCE + Duration::from_millis(200) * u32::try_from(expected)?;
    eventually(limit, "all is Ready", async || {
        let list = installation.kubectl().json(&["get", KINDS, "--all-namespaces"]).await?;
        let items = list["items"].as_array().context("no list")?.iter();
        let ready = items.filter(|object| {
            let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        });
        let ready = ready.count();
        ensure!(ready == expected, "{ready} of {expected}");
        Ok(())
    })
    .await
}

/// Another ring of the tenant signs from now on.
pub(crate) async fn switch(installation: &Installation, number: usize, ring: usize) -> Result<()> {
    let patch = json!({"spec": {"signing": {"default": format!("ring-{ring}")}}}).to_string();
    let name = tenant(number);
    let kubectl = installation.kubectl().in_namespace(&name);
    eventually(PATIENCE, "a Tenant is patched", async || {
        kubectl.run(&["patch", "tenant", &name, "--type=merge", "-p", &patch]).await.map(drop)
    })
    .await
}

/// Every key that ever signed. A ring keeps its keys far longer than this is looked at, so none is missed.
#[derive(Debug, Default)]
pub(crate) struct Signed {
    keys: BTreeSet<(String, String)>,
    rings: BTreeSet<String>,
}

impl Signed {
    /// Looks again.
    pub(crate) async fn look(&mut self, installation: &Installation) -> Result<()> {
        let list = installation.kubectl().json(&["get", "signingkeys", "--all-namespaces"]).await?;
        for object in list["items"].as_array().context("no list")? {
            let text = |at: &Value| at.as_str().unwrap_or_default().to_owned();
            let ring = format!("{}/{}", text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
            for key in object["status"]["keys"].as_array().into_iter().flatten() {
                if key["phase"] != "Published" && !key["activeAt"].is_null() {
                    self.keys.insert((ring.clone(), text(&key["kid"])));
                    self.rings.insert(ring.clone());
                }
            }
        }
        Ok(())
    }

    /// How many keys took over from another.
    pub(crate) fn promotions(&self) -> usize {
        self.keys.len().saturating_sub(self.rings.len())
    }
}
