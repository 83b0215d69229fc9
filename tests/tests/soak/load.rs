//! Tokens, as fast as asked for, from every pod that serves, each to every verifier.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::rings;
use crate::stage::Stage;

/// A client of one tenant, for ever.
pub(crate) async fn keep_asking(stage: Arc<Stage>, tenant: usize, credentials: [String; 2], pause: Duration) {
    let path = rings::path(tenant);
    let issuer = format!("{}{path}", stage.balancer.url);
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in tenant.. {
        ticks.tick().await;
        let pods = stage.fleet.serving();
        let Some(pod) = pods.get(turn % pods.len().max(1)) else { continue };
        let url = format!("http://127.0.0.1:{}{path}/oauth/token", pod.public);
        match ask(&stage.caller, &url, &credentials).await {
            Ok(Ok(token)) => {
                stage.figures.issued.fetch_add(1, Ordering::Relaxed);
                let note = format!("{} {:.1} s after the start", pod.name, stage.begun.elapsed().as_secs_f32());
                stage.verify(&issuer, &token, &note).await;
            }
            Ok(Err(refusal)) => {
                let at = stage.begun.elapsed().as_secs_f32();
                stage.figures.fault(format!("{at:.1} s: {} refused a token of {issuer}: {refusal}", pod.name));
            }
            Err(_) => drop(stage.figures.unanswered.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// A token, or the answer that is none; outside, that there is no answer.
async fn ask(caller: &reqwest::Client, url: &str, credentials: &[String; 2]) -> Result<Result<String, String>> {
    let [id, secret] = credentials;
    let form = [("grant_type", "client_credentials")];
    let answer = caller.post(url).basic_auth(id, Some(secret)).form(&form).send().await?;
    let status = answer.status();
    let body = answer.text().await?;
    if !status.is_success() {
        return Ok(Err(format!("{status}: {body}")));
    }
    let body: Value = serde_json::from_str(&body)?;
    Ok(Ok(body["access_token"].as_str().context("no access_token")?.to_owned()))
}
