//! The chart's rules for Prometheus.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::release::chart;

#[tokio::test]
async fn every_alert_says_what_to_do() -> Result<()> {
    let text = std::fs::read_to_string(chart().join("files/alerts.yaml"))?;
    let rules: Value = serde_saphyr::from_str(&text)?;
    let rules = rules["groups"][0]["rules"].as_array().context("no rules")?;
    ensure!(rules.len() == 8, "{}", rules.len());
    for rule in rules {
        let annotations = &rule["annotations"];
        for text in [&rule["expr"], &rule["labels"]["severity"], &annotations["summary"], &annotations["runbook"]] {
            ensure!(text.as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
        let url = annotations["runbook_url"].as_str().context("no runbook_url")?;
        let page = url.strip_prefix("https://github.com/claviger/claviger/blob/main/").context("another site")?;
        let (file, heading) = page.split_once('#').context("no heading")?;
        let text = std::fs::read_to_string(chart().join("../..").join(file)).with_context(|| file.to_owned())?;
        let mut headings = text.lines().filter(|line| line.starts_with('#'));
        let is_it = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == heading;
        ensure!(headings.any(is_it), "{file} has no heading {heading}");
    }
    Ok(())
}

/// As a Prometheus reads them.
#[tokio::test]
async fn prometheus_takes_them() -> Result<()> {
    let rules = chart().join("files/alerts.yaml");
    let check =
        tokio::process::Command::new("promtool").args(["check", "rules"]).arg(rules).stdin(Stdio::null()).output();
    let checked = check.await.context("promtool, of Debian's prometheus")?;
    ensure!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    Ok(())
}
