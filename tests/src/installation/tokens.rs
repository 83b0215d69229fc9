//! Tokens of an installation's clients.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Installation, Provider};
use crate::cluster::install_crypto;

/// Path of the quick start's issuer.
pub const ACME: &str = "/api/v1/auth/tenants/acme";

pub(super) fn caller() -> Result<reqwest::Client> {
    install_crypto();
    Ok(reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(10)).build()?)
}

impl Installation {
    /// A token from `provider` for the client whose credentials stand in the Secret `secret` of
    /// `namespace`, as an application gets it: everything it knows is in the Secret.
    ///
    /// # Errors
    /// When there are no credentials, or no token is issued: the answer.
    pub async fn token(&self, provider: &Provider, namespace: &str, secret: &str) -> Result<String> {
        let id = self.secret_value(namespace, secret, "client_id").await?;
        let password = self.secret_value(namespace, secret, "client_secret").await?;
        provider.token(ACME, &id, &password).await
    }
}

impl Provider {
    /// A token for that client of the issuer at `path`.
    ///
    /// # Errors
    /// When none is issued: the answer.
    pub async fn token(&self, path: &str, client_id: &str, client_secret: &str) -> Result<String> {
        let request = caller()?
            .post(format!("{}{path}/oauth/token", self.url()))
            .basic_auth(client_id, Some(client_secret))
            .form(&[("grant_type", "client_credentials")]);
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "{status}: {body}");
        let body: Value = serde_json::from_str(&body)?;
        Ok(body["access_token"].as_str().context("no access_token")?.to_owned())
    }

    /// What the token endpoint of the issuer at `path` answers: status and body.
    ///
    /// # Errors
    /// When there is no answer, or it is no JSON.
    pub async fn ask(&self, path: &str, form: &[(&str, &str)]) -> Result<(u16, Value)> {
        let answer = caller()?.post(format!("{}{path}/oauth/token", self.url())).form(form).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Status and body of a GET.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let answer = caller()?.get(format!("{}{path}", self.url())).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Key IDs in the JWK Set of the issuer at `path`, sorted.
    ///
    /// # Errors
    /// When there is none.
    pub async fn kids(&self, path: &str) -> Result<Vec<String>> {
        let (status, body) = self.get(&format!("{path}/.well-known/jwks.json")).await?;
        ensure!(status == 200, "{status}: {body}");
        let set: Value = serde_json::from_str(&body)?;
        let keys = set["keys"].as_array().context("no keys")?.iter();
        let mut kids: Vec<String> = keys.filter_map(|key| key["kid"].as_str()).map(str::to_owned).collect();
        kids.sort();
        Ok(kids)
    }
}
