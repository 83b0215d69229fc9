//! Tokens for others' tokens: an API that calls another one for its caller, and a CI job.

use claviger_jose::{Algorithm, PrivateKey};
use claviger_provider::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::{API, Stage, client, signed};
use crate::support::{Folder, parts, stderr, stdout};

const GATEWAY: &str = "https://gateway.shop.example";
const CI: &str = "https://ci.example";

/// The orders API lets the clients of its namespace have tokens by an exchange.
fn open_to_exchange(folder: &Folder) {
    let allowed = "    allowedClients:\n      namespaces:\n        from: Same";
    folder.edit("30-shop.yaml", allowed, &format!("    tokenExchange: {{}}\n{allowed}"));
}

fn chain(folder: &Folder, key: &PrivateKey) {
    open_to_exchange(folder);
    let caller = json!({"grantTypes": ["client_credentials"], "scopes": ["orders:read"], "audiences": [GATEWAY]});
    folder.write("40-workload.yaml", &client("workload", key, &caller));
    let gateway = json!({
        "grantTypes": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
        "scopes": ["orders:read"],
        "audiences": [API],
        "resourceServer": {"audience": GATEWAY, "scopes": [{"name": "orders:read", "description": "Read orders"}]},
        "tokenExchange": [{"subjectTokens": ["AccessToken"], "audiences": [API], "actorToken": "Required"}],
    });
    folder.write("50-gateway.yaml", &client("gateway", key, &gateway));
}

impl Stage {
    /// What is printed for `arguments` to this client, in a file.
    fn token_file(&self, name: &str, of: &str, arguments: &[&str]) -> String {
        self.prove(of);
        let path = self.folder.path().join(name);
        let output = self.command(arguments).arg("--output").arg(&path).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        path.display().to_string()
    }
}

#[test]
fn an_api_gets_a_token_for_the_next_one_that_says_for_whom_and_who_acts() {
    let stage = Stage::with(&[], chain);
    let subject = stage.token_file("subject", "shop.workload", &["--audience", GATEWAY]);
    let actor = stage.token_file("actor", "shop.gateway", &[]);
    let exchange = ["--grant", "token-exchange", "--subject-token-type", "access-token", "--audience", API];
    let exchange = [exchange.as_slice(), &["--subject-token-file", &subject]].concat();

    let with_actor = ["--actor-token-type", "access-token", "--actor-token-file", &actor];
    stage.prove("shop.gateway");
    let output = stage.run(&[exchange.as_slice(), &with_actor].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let claims = parts(stdout(&output).trim()).1;
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("shop.workload"), &json!(API)), "{claims}");
    assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("shop.gateway"), &json!("orders:read")), "{claims}");
    assert_eq!(claims["act"]["sub"], "shop.gateway", "{claims}");

    // By the gateway's rule nobody is impersonated.
    stage.prove("shop.gateway");
    let told = stderr(&stage.run(&exchange));
    assert!(told.contains("unauthorized_client: no rule of this client's tokenExchange"), "{told}");
}

#[test]
fn a_ci_job_gets_a_token_by_the_one_that_its_system_gives_it() {
    let ci = PrivateKey::generate(Algorithm::Es256).expect("a key");
    let trusted = json!([{
        "issuer": CI, "jwks": {"keys": [ci.public_jwk()]}, "subjectPrefix": "ci:",
        "subjectRules": [{"subject": "repo:acme/orders:*"}],
    }]);
    let stage = Stage::with(&[], |folder, key| {
        open_to_exchange(folder);
        let tenant = "  displayName: Acme\n";
        folder.edit("10-tenant.yaml", tenant, &format!("{tenant}  trustedIssuers: {trusted}\n"));
        let publish = json!({
            "grantTypes": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "scopes": ["orders:write"], "audiences": [API], "authentication": {"none": {}},
            "tokenExchange": [{
                "subjectTokens": ["TrustedIssuer"], "trustedIssuers": [CI], "subjects": ["repo:acme/orders:*"],
            }],
        });
        folder.write("40-publish.yaml", &client("publish", key, &publish));
    });
    let run = |claims: Value| {
        std::fs::write(stage.proof(), signed(&ci, &claims)).expect("a file");
        stage.run(&["--grant", "jwt-bearer", "--client-id", "shop.publish"])
    };
    let now = SystemClock.now().as_second();
    let claims =
        |subject: &str| json!({"iss": CI, "sub": subject, "aud": stage.issuer(), "iat": now, "exp": now + 120});

    let output = run(claims("repo:acme/orders:ref:refs/heads/main"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let claims_of = parts(stdout(&output).trim()).1;
    assert_eq!(claims_of["sub"], "ci:repo:acme/orders:ref:refs/heads/main", "{claims_of}");
    assert_eq!((&claims_of["aud"], &claims_of["scope"]), (&json!(API), &json!("orders:write")), "{claims_of}");

    let output = run(claims("repo:acme/other:ref:refs/heads/main"));
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert!(stderr(&output).contains("invalid_grant: the assertion is not valid"), "{}", stderr(&output));
}
