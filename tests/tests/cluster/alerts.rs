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
    ensure!(rules.len() == 9, "{}", rules.len());
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

/// A disk that is full: what has nothing to write succeeds. And what is none: a few failures, and a pause that is over.
const REFUSING_STORE: &str = r#"
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'claviger_provider_store_calls_total{operation="login_tried",outcome="failed"}', values: 0+2x40}
      - {series: 'claviger_provider_store_calls_total{operation="login_tried",outcome="ok"}', values: 90+0x40}
      - {series: 'claviger_provider_store_calls_total{operation="claim_logouts",outcome="failed"}', values: 0+0x40}
      - {series: 'claviger_provider_store_calls_total{operation="claim_logouts",outcome="ok"}', values: 0+12x40}
      - {series: 'claviger_provider_store_calls_total{operation="grant",outcome="failed"}', values: 0+1x40}
      - {series: 'claviger_provider_store_calls_total{operation="grant",outcome="ok"}', values: 0+9x40}
      - {series: 'claviger_provider_store_calls_total{operation="remember_consent",outcome="failed"}', values: 0 0 0 0 0 2 4 5+0x34}
      - {series: 'claviger_provider_store_calls_total{operation="remember_consent",outcome="ok"}', values: 3+0x40}
    promql_expr_test:
      - {eval_time: 8m, expr: 'ALERTS{alertname="ClavigerStoreRefuses",alertstate="firing"}'}
      - eval_time: 17m
        expr: count by (operation) (ALERTS{alertname="ClavigerStoreRefuses",alertstate="firing"})
        exp_samples: [{labels: '{operation="login_tried"}', value: 1}]
"#;

#[tokio::test]
async fn a_store_that_fails_one_operation_always_is_told_of_though_others_succeed() -> Result<()> {
    let folder = claviger_tests::temp::TempDir::new("alerts")?;
    let rules = chart().join("files/alerts.yaml");
    let file = folder.write("test.yaml", format!("rule_files: [{}]{REFUSING_STORE}", rules.display()))?;
    let test = tokio::process::Command::new("promtool").args(["test", "rules"]).arg(file).stdin(Stdio::null()).output();
    let tested = test.await.context("promtool, of Debian's prometheus")?;
    let told = String::from_utf8_lossy(&tested.stdout);
    ensure!(tested.status.success(), "{told}{}", String::from_utf8_lossy(&tested.stderr));
    Ok(())
}
