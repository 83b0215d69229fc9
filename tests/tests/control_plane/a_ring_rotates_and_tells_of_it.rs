//! A rotation as the platform team sees it: `kubectl get signingkeys`, and the story that
//! `kubectl describe` tells.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::installation::{ACME, Installation};
use claviger_tests::token_verifier::verify_token;
use claviger_tests::wait::eventually;
use serde_json::Value;

/// Tokens that live for seconds leave the JWK Set soon: their lifetime and a minute for slow clocks.
const LIFETIMES: &str = "accessToken: 10s\n    idToken: 10s";
const ROTATION: &str = "interval: 16s\n    publishAhead: 12s\n    cacheLifetime: 1s";
const PATIENCE: Duration = Duration::from_secs(150);

/// The quick start, with a ring that lives fast.
fn manifests() -> Result<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
    let mut files: Vec<_> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let texts = files.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
    let text = texts.join("\n---\n");
    ensure!(text.contains("accessToken: 10m") && text.contains("interval: 2160h"), "the quick start has changed");
    Ok(text.replace("accessToken: 10m", LIFETIMES).replace("interval: 2160h", ROTATION))
}

async fn status(installation: &Installation) -> Result<Value> {
    let key = installation.kubectl().in_namespace("identity").json(&["get", "signingkey", "acme-rs256"]).await?;
    Ok(key["status"].clone())
}

/// What `kubectl get` prints of the ring, by column. The columns are as wide as their widest value.
async fn columns(installation: &Installation) -> Result<Vec<(String, String)>> {
    let kubectl = installation.kubectl().in_namespace("identity");
    let printed = kubectl.run(&["get", "signingkeys", "acme-rs256"]).await?;
    let (head, row) = printed.split_once('\n').context("a head and a row")?;
    let mut starts: Vec<usize> = vec![0];
    starts.extend(head.match_indices("   ").map(|(at, gap)| at + gap.len()).filter(|at| !head[*at..].starts_with(' ')));
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let part =
        |line: &str, from: usize, to: usize| line.get(from..to.min(line.len())).unwrap_or_default().trim().to_owned();
    Ok(starts.iter().zip(ends).map(|(from, to)| (part(head, *from, to), part(row, *from, to))).collect())
}

/// Reason and note of each Event, in the order in which `kubectl describe` tells them.
async fn story(installation: &Installation) -> Result<Vec<String>> {
    let kubectl = installation.kubectl().in_namespace("identity");
    let printed = kubectl.run(&["describe", "signingkey", "acme-rs256"]).await?;
    let (_, events) = printed.split_once("\nEvents:").context("no Events")?;
    let lines = events.lines().map(str::trim).filter(|line| line.starts_with("Normal") || line.starts_with("Warning"));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

fn place(story: &[String], reason: &str, words: &str) -> Result<usize> {
    let found = story.iter().position(|line| line.contains(&format!(" {reason} ")) && line.contains(words));
    found.with_context(|| format!("no {reason} with {words:?} in:\n{}", story.join("\n")))
}

#[tokio::test]
async fn get_and_describe_tell_a_rotation_as_it_happens() -> Result<()> {
    let installation = Installation::start(2).await?;
    let _operator = installation.start_operator("one").await?;
    installation.kubectl().apply(&manifests()?).await?;
    installation.wait_until_all_ready().await?;
    let first = status(&installation).await?["activeKid"].as_str().context("no activeKid")?.to_owned();

    let issuer = format!("{}{ACME}", installation.external_url());
    let second = eventually(PATIENCE, "another key signs", async || {
        for provider in installation.providers() {
            let token = installation.token(provider, "shop", "reports-oidc").await?;
            verify_token(&issuer, &token, Some("https://orders.shop.example")).await?;
        }
        let now = status(&installation).await?;
        let kid = now["activeKid"].as_str().context("no activeKid")?.to_owned();
        ensure!(kid != first, "{now}");
        Ok(kid)
    })
    .await?;

    let shown = columns(&installation).await?;
    let column = |name: &str| {
        let found = shown.iter().find(|(head, _)| head == name).map(|(_, value)| value.clone());
        found.with_context(|| format!("no {name} in {shown:?}"))
    };
    ensure!(column("ALGORITHM")? == "RS256" && column("READY")? == "True", "{shown:?}");
    ensure!(column("ACTIVE KID")?.len() == second.len(), "{shown:?}");
    let next = column("NEXT CHANGE")?;
    ensure!(next.starts_with("20") && next.ends_with('Z'), "{shown:?}");

    // The first key retires by and by; then the story of a key that came and went is complete.
    let told = eventually(PATIENCE, "the first key leaves the JWK Set", async || {
        let story = story(&installation).await?;
        place(&story, "KeyUnpublished", &first)?;
        Ok(story)
    })
    .await?;
    let third = told.iter().find_map(|line| {
        let kid = line.split(" KeyPublished ").nth(1)?.split("The key ").nth(1)?.split(' ').next()?;
        place(&told, "KeyPromoted", &format!("The key {kid} signs from now on instead of")).ok().map(|_| kid)
    });
    let third = third.with_context(|| told.join("\n"))?;
    let order = [
        place(&told, "RingCreated", "one that stands by")?,
        place(
            &told,
            "KeyPromoted",
            &format!("The key {second} signs from now on instead of {first}: the interval is over"),
        )?,
        place(&told, "KeyPublished", &format!("The key {third} was made, and stands by"))?,
        place(&told, "KeyPromoted", &format!("The key {third} signs from now on instead of"))?,
        place(&told, "KeyUnpublished", &format!("The key {first} left the JWK Set"))?,
    ];
    ensure!(order.is_sorted(), "{order:?} in:\n{}", told.join("\n"));
    let now = status(&installation).await?;
    let key = now["keys"].as_array().into_iter().flatten().find(|key| key["kid"] == *first);
    ensure!(key.context("it is kept for late hints")?["phase"] == "VerifyOnly", "{now}");
    for provider in installation.providers() {
        ensure!(!provider.kids(ACME).await?.contains(&first), "it is out of the JWK Set");
    }
    Ok(())
}
