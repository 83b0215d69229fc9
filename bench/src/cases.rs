//! What is asked of both servers.

use std::path::Path;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fixture::{Fixture, Tenant};
use crate::report::Goal;
use crate::servers::Server;

const FORM: &str = "application/x-www-form-urlencoded";

/// For wrk: one of `bodies` after the other.
const IN_TURN: &str = "
local requests, last = {}, 0
function init()
  for number, body in ipairs(bodies) do requests[number] = wrk.format(nil, nil, nil, body) end
end
function request()
  last = last % #requests + 1
  return requests[last]
end
";

/// One thing to measure.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The ratio that is aimed at.
    pub(crate) goal: Goal,
    pub(crate) provider: Target,
    pub(crate) limit: Target,
}

/// One request, or several in turn.
pub(crate) struct Target {
    pub(crate) path: String,
    /// Empty where it is a GET.
    bodies: Vec<String>,
    authorization: Option<String>,
}

impl Target {
    fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), bodies: Vec::new(), authorization: None }
    }

    fn token(path: impl Into<String>, tenant: &Tenant) -> Self {
        let credentials = STANDARD.encode(format!("{}:{}", tenant.client_id, tenant.client_secret));
        Self {
            path: path.into(),
            bodies: vec!["grant_type=client_credentials".to_owned()],
            authorization: Some(format!("Basic {credentials}")),
        }
    }

    /// With the tokens of pods, as `claviger token` sends them.
    fn workload(path: impl Into<String>, tokens: &[String]) -> Self {
        let bodies = tokens.iter().map(|token| workload(token)).collect();
        Self { path: path.into(), bodies, authorization: None }
    }

    /// The request for wrk, and what it prints at the end.
    pub(crate) fn script(&self) -> String {
        let mut script = format!("wrk.path = {:?}\n", self.path);
        if let Some(body) = self.bodies.first() {
            script +=
                &format!("wrk.method = \"POST\"\nwrk.body = {body:?}\nwrk.headers[\"Content-Type\"] = {FORM:?}\n");
        }
        if self.bodies.len() > 1 {
            script += &format!(
                "bodies = {{{}}}\n{IN_TURN}",
                self.bodies.iter().map(|body| format!("{body:?},")).collect::<String>()
            );
        }
        if let Some(authorization) = &self.authorization {
            script += &format!("wrk.headers[\"Authorization\"] = {authorization:?}\n");
        }
        script
            + r#"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"#
    }
}

/// Every case.
pub(crate) fn all(fixture: &Fixture) -> Vec<Case> {
    let first = &fixture.tenants[0];
    let documents = [
        ("discovery", format!("{}/.well-known/openid-configuration", first.path), "/plain/discovery"),
        ("JWKS", format!("{}/.well-known/jwks.json", first.path), "/plain/jwks"),
    ];
    let mut cases: Vec<Case> = documents
        .into_iter()
        .map(|(name, path, limit)| Case {
            name: name.to_owned(),
            goal: Goal::Ratio(1.5),
            provider: Target::get(path),
            limit: Target::get(limit),
        })
        .collect();
    for tenant in &fixture.tenants {
        let algorithm = tenant.algorithm;
        cases.push(Case {
            name: format!("client credentials, {algorithm}"),
            goal: Goal::Ratio(if algorithm.to_string() == "RS256" { 1.1 } else { 2.0 }),
            provider: Target::token(format!("{}/oauth/token", tenant.path), tenant),
            limit: Target::token(format!("/token/{algorithm}"), tenant),
        });
    }
    for tenant in &fixture.tenants {
        let algorithm = tenant.algorithm;
        for (name, tokens) in [("", &tenant.pods_tokens[..1]), (", another each time", &tenant.pods_tokens[..])] {
            cases.push(Case {
                name: format!("by ServiceAccount, {algorithm}{name}"),
                goal: Goal::Ratio(1.25),
                provider: Target::workload(format!("{}/oauth/token", tenant.path), tokens),
                limit: Target::workload(format!("/workload/{algorithm}"), tokens),
            });
        }
    }
    cases
}

fn workload(assertion: &str) -> String {
    format!(
        "grant_type=client_credentials&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    )
}

/// Keeps the provider's own answers, which the limit then returns, and one of the pods' tokens, for its length.
///
/// # Errors
/// When the provider does not answer 200.
pub(crate) async fn save_answers(provider: &Server, fixture: &Fixture, folder: &Path) -> Result<()> {
    let agent = reqwest::Client::new();
    let first = format!("http://{}{}", provider.address, fixture.tenants[0].path);
    let mut requests = vec![
        ("discovery.json".to_owned(), agent.get(format!("{first}/.well-known/openid-configuration"))),
        ("jwks.json".to_owned(), agent.get(format!("{first}/.well-known/jwks.json"))),
    ];
    for tenant in &fixture.tenants {
        let request = agent
            .post(format!("http://{}{}/oauth/token", provider.address, tenant.path))
            .basic_auth(&tenant.client_id, Some(&tenant.client_secret))
            .form(&[("grant_type", "client_credentials")]);
        requests.push((format!("token-{}.json", tenant.algorithm), request));
        let request = agent
            .post(format!("http://{}{}/oauth/token", provider.address, tenant.path))
            .header("content-type", FORM)
            .body(workload(&tenant.pods_tokens[0]));
        requests.push((format!("workload-{}.json", tenant.algorithm), request));
    }
    std::fs::write(folder.join("assertion.jwt"), &fixture.tenants[0].pods_tokens[0])?;
    for (file, request) in requests {
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status.is_success(), "{file}: {status}: {}", String::from_utf8_lossy(&body));
        std::fs::write(folder.join(file), body)?;
    }
    Ok(())
}
