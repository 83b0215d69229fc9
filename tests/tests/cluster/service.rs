//! A service of the application team's: it knows the Secret beside it, and nothing else.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::Value;

use crate::release::Release;

/// The audience of the API that the service calls.
pub(crate) const API: &str = "https://orders.shop.example";

/// What the Secret holds.
pub(crate) struct Service {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    client_secret: String,
    pub(crate) http: reqwest::Client,
}

impl Service {
    /// Reads the Secret `reports-oidc`.
    pub(crate) async fn new(release: &Release) -> Result<Self> {
        Self::of(release, "reports-oidc").await
    }

    /// Reads a Secret of the namespace `shop`.
    pub(crate) async fn of(release: &Release, secret: &str) -> Result<Self> {
        let secrets: Api<Secret> = Api::namespaced(release.cluster.admin_client().await?, "shop");
        let data = secrets.get(secret).await?.data.unwrap_or_default();
        let entry = |name: &str| {
            let bytes = data.get(name).with_context(|| format!("the Secret has no {name}"))?;
            Ok::<_, anyhow::Error>(String::from_utf8(bytes.0.clone())?)
        };
        Ok(Self {
            issuer: entry("issuer")?,
            client_id: entry("client_id")?,
            client_secret: entry("client_secret")?,
            // A new connection for each request, so that each may meet another pod.
            http: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .timeout(Duration::from_secs(10))
                .build()?,
        })
    }

    /// Asks for a token for the API.
    pub(crate) async fn token(&self) -> Result<String> {
        let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
        Ok(self.tokens(&form).await?["access_token"].as_str().context("no access_token")?.to_owned())
    }

    /// What the token endpoint answers.
    pub(crate) async fn tokens(&self, form: &[(&str, &str)]) -> Result<Value> {
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer);
        let metadata: Value = self.http.get(discovery).send().await?.error_for_status()?.json().await?;
        let endpoint = metadata["token_endpoint"].as_str().context("no token_endpoint")?;
        let request = self.http.post(endpoint).basic_auth(&self.client_id, Some(&self.client_secret));
        let answer = request.form(form).send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        ensure!(status.is_success(), "{status}: {body}");
        Ok(body)
    }
}
