//! A client's secret is rotated while applications ask for tokens with it: none is ever refused.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation, PATIENCE, Provider};
use claviger_tests::wait::{eventually, steadily};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

const CLIENT: &str = r#"
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: rotated, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication:
    secret: {rotation: {interval: 2160h, overlap: 20s}}
"#;

/// What asked for tokens all the time.
#[derive(Default)]
struct Applications {
    over: AtomicBool,
    asked: AtomicUsize,
}

async fn credentials(installation: &Installation) -> Result<(String, String)> {
    let secret = installation.kubectl().in_namespace("shop").json(&["get", "secret", "rotated-oidc"]).await?;
    let value = |key: &str| {
        use base64::Engine as _;
        let text = secret["data"][key].as_str().with_context(|| format!("no {key}"))?;
        Ok::<_, anyhow::Error>(String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text)?)?)
    };
    Ok((value("client_id")?, value("client_secret")?))
}

/// An application that mounts the Secret, and asks a pod again and again with what it holds.
async fn ask(installation: &Installation, provider: &Provider, applications: &Applications) -> Result<()> {
    while !applications.over.load(Ordering::Relaxed) {
        let (id, secret) = credentials(installation).await?;
        for _ in 0..10 {
            provider.token(ACME, &id, &secret).await.context("an application was refused")?;
            applications.asked.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Lets the applications ask for some more tokens.
async fn go_on(applications: &Applications) -> Result<()> {
    let before = applications.asked.load(Ordering::Relaxed);
    eventually(PATIENCE, "applications ask", async || {
        ensure!(applications.asked.load(Ordering::Relaxed) > before + 100, "they have asked too little");
        Ok(())
    })
    .await
}

async fn annotate(installation: &Installation) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the operator's clock is the real one")]
    let now = Timestamp::now();
    let annotation = format!("claviger.dev/rotate-at={now}");
    let kubectl = installation.kubectl().in_namespace("shop");
    kubectl.run(&["annotate", "oauthclient", "rotated", "--overwrite", &annotation]).await.map(drop)
}

async fn has_changed(installation: &Installation, before: &str) -> Result<()> {
    let (_, secret) = credentials(installation).await?;
    ensure!(secret != before, "the Secret has not changed");
    Ok(())
}

async fn secrets(installation: &Installation) -> Result<Vec<Value>> {
    let client = installation.kubectl().in_namespace("shop").json(&["get", "oauthclient", "rotated"]).await?;
    client["status"]["secrets"].as_array().cloned().context("no secrets")
}

/// Three rotations, one of them while a pod is frozen.
async fn rotate(installation: &Installation, applications: &Applications) -> Result<()> {
    for round in 0..3 {
        go_on(applications).await?;
        let (id, before) = credentials(installation).await?;
        let frozen = (round == 1).then(|| installation.providers()[1].process());
        if let Some(frozen) = frozen {
            frozen.pause()?;
        }
        annotate(installation).await?;
        if let Some(frozen) = frozen {
            let client = ["oauthclient", "shop", "rotated"];
            let expected = ["True", "WaitingForProviders"];
            let condition = installation.wait_for_condition(client, "CredentialsReady", expected).await?;
            ensure!(condition["message"].as_str().is_some_and(|text| text.contains("provider-1")), "{condition}");
            steadily(Duration::from_secs(2), "the Secret waits", async || {
                ensure!(credentials(installation).await?.1 == before, "it changed before the pod accepts it");
                Ok(())
            })
            .await?;
            frozen.resume()?;
        }
        eventually(PATIENCE, "the Secret changes", async || has_changed(installation, &before).await).await?;
        // An application that has not restarted yet.
        for provider in installation.providers() {
            provider.token(ACME, &id, &before).await.context("the one before, in its overlap")?;
        }
    }
    go_on(applications).await
}

#[tokio::test]
async fn no_application_is_refused_while_its_secret_is_rotated() -> Result<()> {
    let installation = Installation::start(2).await?;
    let _operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.kubectl().apply(CLIENT).await?;
    installation.wait_until_all_ready().await?;
    let (id, first) = credentials(&installation).await?;

    let applications = Applications::default();
    let rotated = async {
        let rotated = rotate(&installation, &applications).await;
        applications.over.store(true, Ordering::Relaxed);
        rotated
    };
    let [one, other] = installation.providers() else { anyhow::bail!("two pods") };
    let asked_for = async |provider| ask(&installation, provider, &applications).await;
    tokio::try_join!(rotated, asked_for(one), asked_for(other))?;
    let asked = applications.asked.load(Ordering::Relaxed);
    println!("{asked} tokens were asked for, none was refused");
    ensure!(asked > 400, "{asked} requests tell nothing");

    eventually(PATIENCE, "the overlaps are over", async || {
        let secrets = secrets(&installation).await?;
        ensure!(secrets.len() == 1 && secrets[0]["phase"] == "Current", "{secrets:?}");
        Ok(())
    })
    .await?;
    for provider in installation.providers() {
        let refused = provider.token(ACME, &id, &first).await;
        ensure!(refused.is_err_and(|error| error.to_string().starts_with("401")), "the first secret still works");
    }
    let events = installation.events("OAuthClient", "shop", "rotated").await?;
    for reason in ["SecretRotationStarted", "SecretRotated", "SecretExpired"] {
        ensure!(events.iter().any(|event| event == reason), "{reason} is not among {events:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_leaked_secret_is_refused_by_every_pod_within_a_moment() -> Result<()> {
    let installation = Installation::start(2).await?;
    let operator = installation.start_operator("one").await?;
    installation.apply_quickstart().await?;
    installation.kubectl().apply(CLIENT).await?;
    installation.wait_until_all_ready().await?;
    let (id, leaked) = credentials(&installation).await?;
    let fingerprint = secrets(&installation).await?[0]["fingerprint"].as_str().context("no fingerprint")?.to_owned();

    let revoked = format!("revoked: [{{fingerprint: {fingerprint}, reason: in a log, by: ada}}], rotation:");
    installation.kubectl().apply(&CLIENT.replace("rotation:", &revoked)).await?;
    eventually(PATIENCE, "every pod refuses it", async || {
        for provider in installation.providers() {
            ensure!(provider.token(ACME, &id, &leaked).await.is_err(), "it is accepted");
        }
        Ok(())
    })
    .await?;
    eventually(PATIENCE, "the Secret holds another", async || has_changed(&installation, &leaked).await).await?;
    installation.wait_until_all_ready().await?;
    let (_, another) = credentials(&installation).await?;
    for provider in installation.providers() {
        provider.token(ACME, &id, &another).await?;
    }
    let line = operator.wait_for_line(PATIENCE, "\"client_secret_revoked\"").await?;
    for part in [&fingerprint, "shop/rotated", "in a log", "ada", "\"tenant\":\"acme\""] {
        ensure!(line.contains(part), "{part} is not in {line}");
    }
    Ok(())
}
