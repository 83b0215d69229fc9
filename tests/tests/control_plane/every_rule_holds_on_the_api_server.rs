//! The CRDs' fixtures once more, where it counts: what is judged offline is judged the same here.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::control_plane::ControlPlane;
use claviger_tests::installation::crds;
use claviger_tests::kubectl::Kubectl;
use serde_json::Value;

/// What there was, if anything, and what is applied.
struct Fixture {
    name: String,
    refusal: Option<String>,
    old: Option<String>,
    new: String,
}

fn fixtures(folder: &str) -> Result<Vec<Fixture>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/fixtures").join(folder);
    let mut found = Vec::new();
    for kind in std::fs::read_dir(root)? {
        for file in std::fs::read_dir(kind?.path())? {
            let path = file?.path();
            let text = std::fs::read_to_string(&path)?;
            let mut documents: Vec<String> = text.split("\n---\n").map(str::to_owned).collect();
            let new = documents.pop().context("an empty fixture")?;
            let refusal = text.strip_prefix("# refused: ").and_then(|text| text.lines().next()).map(str::to_owned);
            found.push(Fixture { name: path.display().to_string(), refusal, old: documents.pop(), new });
        }
    }
    ensure!(found.len() > 40, "the fixtures were found");
    Ok(found)
}

async fn prepared() -> Result<(ControlPlane, Kubectl)> {
    let plane = ControlPlane::start(&[]).await?;
    let kubectl = plane.cluster().kubectl();
    kubectl.apply(&crds().await?).await?;
    kubectl.run(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    for namespace in ["identity", "shop"] {
        kubectl.run(&["create", "namespace", namespace]).await?;
    }
    Ok((plane, kubectl))
}

/// Applies the fixture; nothing of it stays.
async fn apply(kubectl: &Kubectl, fixture: &Fixture) -> Result<Option<String>> {
    if let Some(old) = &fixture.old {
        kubectl.apply(old).await.with_context(|| format!("{}, before", fixture.name))?;
    }
    let arguments = ["apply", "--dry-run=server", "-f", "-"];
    let outcome = kubectl.outcome(&arguments, &fixture.new).await?;
    if let Some(old) = &fixture.old {
        let outcome = kubectl.outcome(&["delete", "-f", "-"], old).await?;
        ensure!(outcome.success, "{}", outcome.errors);
    }
    Ok((!outcome.success).then_some(outcome.errors))
}

#[tokio::test]
async fn the_api_server_accepts_and_refuses_what_the_offline_rules_do() -> Result<()> {
    let (_plane, kubectl) = prepared().await?;
    let mut wrong = Vec::new();
    for fixture in fixtures("accepted")? {
        if let Some(errors) = apply(&kubectl, &fixture).await? {
            wrong.push(format!("{} is refused: {errors}", fixture.name));
        }
    }
    for fixture in fixtures("refused")? {
        let refusal = fixture.refusal.as_deref().context("each says why")?;
        match apply(&kubectl, &fixture).await? {
            None => wrong.push(format!("{} is accepted", fixture.name)),
            Some(errors) if !same(&errors, refusal) => {
                wrong.push(format!("{}: not {refusal:?}: {errors}", fixture.name))
            }
            Some(_) => {}
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Our own messages are the same; what the API server says of structure is in its own words.
fn same(errors: &str, refusal: &str) -> bool {
    let structural = [
        ("must be at", ["should be", "must have at", "Too long", "Too many"].as_slice()),
        ("must have at", &["should have at", "Too long", "Too many", "should be at"]),
        ("must match", &["should match"]),
        ("must be one of", &["Unsupported value"]),
        ("must be of type", &["must be of type"]),
        ("must be an RFC 3339", &["date-time"]),
        ("must not be repeated", &["Duplicate value"]),
        ("is missing", &["Required value", "should have at least"]),
        ("is an unknown field", &["unknown field"]),
    ];
    errors.contains(refusal)
        || structural
            .iter()
            .any(|(ours, theirs)| refusal.contains(ours) && theirs.iter().any(|theirs| errors.contains(theirs)))
}

#[tokio::test]
async fn defaults_that_depend_on_the_name_are_not_written_into_the_spec() -> Result<()> {
    let (_plane, kubectl) = prepared().await?;
    let tenant =
        "{apiVersion: claviger.dev/v1alpha1, kind: Tenant, metadata: {name: bare, namespace: identity}, spec: {}}";
    kubectl.apply(tenant).await?;
    let stored = kubectl.in_namespace("identity").json(&["get", "tenant", "bare"]).await?;
    ensure!(stored["spec"] == Value::Object(serde_json::Map::new()), "{}", stored["spec"]);
    Ok(())
}
