//! What kubectl and client-go want of a credential plugin (client.authentication.k8s.io).

use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::{Timestamp, TimestampRound, Unit};
use serde::Deserialize;
use serde_json::json;

use super::answer::Token;

/// Off the end of a token's time: kubectl compares with its own clock, and the request takes time too.
const MARGIN: Duration = Duration::from_secs(10);

/// A version of the plugin's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExecVersion {
    V1,
    V1Beta1,
}

impl ExecVersion {
    fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }

    /// The version that kubectl says in `KUBERNETES_EXEC_INFO`; v1 where a person calls.
    ///
    /// # Errors
    /// When it is another one: kubectl would refuse what is printed.
    pub(super) fn wanted(info: Option<&str>) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            api_version: String,
        }
        let Some(info) = info else { return Ok(Self::V1) };
        let info: Info = serde_json::from_str(info).context("KUBERNETES_EXEC_INFO is not what kubectl writes")?;
        match info.api_version.as_str() {
            "client.authentication.k8s.io/v1" => Ok(Self::V1),
            "client.authentication.k8s.io/v1beta1" => Ok(Self::V1Beta1),
            other => bail!(
                "the kubeconfig's exec.apiVersion is {}; write client.authentication.k8s.io/v1",
                super::answer::shown(other)
            ),
        }
    }
}

/// The ExecCredential of a token that is there since `now`.
///
/// # Errors
/// When its end is past all time.
pub(super) fn text(version: ExecVersion, token: &Token, now: Timestamp) -> anyhow::Result<String> {
    let mut status = json!({ "token": token.text.expose() });
    if let Some(lifetime) = token.lifetime {
        let end = now.checked_add(lifetime.saturating_sub(MARGIN.min(lifetime / 2))).context("expires_in")?;
        // RFC 3339 without fractions is what every version of client-go reads.
        let seconds = TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
        status["expirationTimestamp"] = json!(end.round(seconds)?.to_string());
    }
    let credential = json!({ "apiVersion": version.as_str(), "kind": "ExecCredential", "status": status });
    Ok(serde_json::to_string(&credential)?)
}

#[cfg(test)]
mod tests {
    use claviger_crds::published::SecretText;
    use serde_json::Value;

    use super::*;

    fn printed(lifetime: Option<u64>) -> Value {
        let token = Token { text: SecretText::new("a.b.c"), lifetime: lifetime.map(Duration::from_secs) };
        let now = "2026-01-02T03:04:05.678Z".parse().expect("a time");
        serde_json::from_str(&text(ExecVersion::V1, &token, now).expect("text")).expect("JSON")
    }

    #[test]
    fn a_credential_has_the_token_and_its_end_a_little_early() {
        let expected = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": { "token": "a.b.c", "expirationTimestamp": "2026-01-02T03:13:55Z" },
        });
        assert_eq!(printed(Some(600)), expected);
        assert_eq!(printed(Some(4))["status"]["expirationTimestamp"], "2026-01-02T03:04:07Z");
        assert_eq!(printed(None)["status"], json!({ "token": "a.b.c" }));
    }

    #[test]
    fn the_version_is_the_one_that_kubectl_speaks() {
        let info = |version: &str| format!(r#"{{"kind":"ExecCredential","apiVersion":"{version}","spec":{{}}}}"#);
        let wanted = |version: &str| ExecVersion::wanted(Some(&info(version)));
        assert_eq!(ExecVersion::wanted(None).expect("one"), ExecVersion::V1);
        for version in [ExecVersion::V1, ExecVersion::V1Beta1] {
            assert_eq!(wanted(version.as_str()).expect("one"), version);
        }
        let error = wanted("client.authentication.k8s.io/v1alpha1").expect_err("gone").to_string();
        assert!(error.contains("write client.authentication.k8s.io/v1"), "{error}");
        assert!(ExecVersion::wanted(Some("{")).is_err());
    }
}
