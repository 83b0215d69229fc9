//! What is declared in an installation, and what became of it.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use serde_json::Value;

use super::{Installation, OPERATOR, PATIENCE, PUBLISHED};
use crate::repository::root;
use crate::wait::eventually;

/// Every kind that reports conditions, as `kubectl` takes them.
pub const KINDS: &str = "tenants,signingkeys,oauthclients,users";

impl Installation {
    /// `kubectl apply -f examples/quickstart`.
    ///
    /// # Errors
    /// When an object is refused.
    pub async fn apply_quickstart(&self) -> Result<()> {
        let folder = root().join("examples/quickstart");
        self.kubectl().run(&["apply", "-f", &folder.to_string_lossy()]).await.map(drop)
    }

    /// `kubectl wait --for=condition=Ready` on every object, each for its newest generation.
    ///
    /// # Errors
    /// When any is not Ready in time: all objects' conditions.
    pub async fn wait_until_all_ready(&self) -> Result<()> {
        let all = ["wait", "--for=condition=Ready", KINDS, "--all", "--all-namespaces", "--timeout=60s"];
        if let Err(error) = self.kubectl().run(&all).await {
            let board = self.kubectl().run(&["get", KINDS, "--all-namespaces", "-o", "wide"]).await?;
            return Err(error.context(board));
        }
        Ok(())
    }

    /// Waits until the object's condition of that type has that status and reason, and was judged for
    /// the newest generation; returns the condition.
    ///
    /// # Errors
    /// When it does not: the condition as it is.
    pub async fn wait_for_condition(&self, object: [&str; 3], type_: &str, expected: [&str; 2]) -> Result<Value> {
        let [kind, namespace, name] = object;
        let what = format!("{kind} {namespace}/{name}: {type_} {expected:?}");
        let kubectl = self.kubectl().in_namespace(namespace);
        eventually(PATIENCE, what, async || {
            let object = kubectl.json(&["get", kind, name]).await?;
            let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            let condition = conditions.into_iter().find(|condition| condition["type"] == type_);
            let condition = condition.cloned().context("no such condition")?;
            ensure!([&condition["status"], &condition["reason"]] == expected, "{condition}");
            let generation = &object["metadata"]["generation"];
            ensure!(condition["observedGeneration"] == *generation, "not yet for {generation}: {condition}");
            Ok(condition)
        })
        .await
    }

    /// One value of a Secret's data, as text.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn secret_value(&self, namespace: &str, name: &str, key: &str) -> Result<String> {
        let secret = self.kubectl().in_namespace(namespace).json(&["get", "secret", name]).await?;
        let value = secret["data"][key].as_str().with_context(|| format!("Secret {namespace}/{name} has no {key}"))?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(value)?;
        Ok(String::from_utf8(bytes)?)
    }

    /// The published Secret of that object.
    ///
    /// # Errors
    /// When there is none.
    pub async fn published(&self, kind: &str, namespace: &str, name: &str) -> Result<Value> {
        let label = format!("--selector=claviger.dev/document={kind}");
        self.owned_secret(PUBLISHED, &label, &format!("{namespace}/{name}")).await
    }

    /// The ring of that SigningKey, with its private keys.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ring(&self, namespace: &str, name: &str) -> Result<Value> {
        self.owned_secret(OPERATOR, "--selector=claviger.dev/holds=ring", &format!("{namespace}/{name}")).await
    }

    async fn owned_secret(&self, namespace: &str, selector: &str, owner: &str) -> Result<Value> {
        let list = self.kubectl().in_namespace(namespace).json(&["get", "secrets", selector]).await?;
        let items = list["items"].as_array().context("no list")?;
        let found = items.iter().find(|secret| secret["metadata"]["annotations"]["claviger.dev/owner"] == owner);
        found.cloned().with_context(|| format!("no Secret of {owner} in {namespace}"))
    }

    /// The document inside a published Secret.
    ///
    /// # Errors
    /// When it is none.
    pub fn document(secret: &Value) -> Result<Value> {
        Self::content(secret, "document.json")
    }

    /// The JSON text at `key` of a Secret's data.
    ///
    /// # Errors
    /// When it is none.
    pub fn content(secret: &Value, key: &str) -> Result<Value> {
        let text = secret["data"][key].as_str().with_context(|| format!("no {key}"))?;
        Ok(serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(text)?)?)
    }

    /// Reasons of the Events about that object.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn events(&self, kind: &str, namespace: &str, name: &str) -> Result<Vec<String>> {
        let selector = format!("--field-selector=involvedObject.kind={kind},involvedObject.name={name}");
        let list = self.kubectl().in_namespace(namespace).json(&["get", "events", &selector]).await?;
        let events = list["items"].as_array().context("no list")?.iter();
        Ok(events.filter_map(|event| event["reason"].as_str()).map(str::to_owned).collect())
    }
}
