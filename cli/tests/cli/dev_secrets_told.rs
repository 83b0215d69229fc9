//! What the program tells others beside the person at the browser, at the finest level of its log: the statement of
//! a login page of somebody's own, and the logout token that a client gets. Neither is in what it prints.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::browser::{Browser, code};
use crate::dev_secrets::{audit_with, kept};
use crate::support::{Dev, Folder};

const TENANT: &str = "/api/v1/auth/tenants/staff";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn manifests(told_at: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: staff}}\n\
         ---\napiVersion: claviger.dev/v1alpha1\nkind: Tenant\nmetadata: {{name: staff, namespace: staff}}\n\
         spec: {{login: {{ui: {{url: 'https://page.example/login', clientRef: {{name: page}}}}}}}}\n\
         ---\napiVersion: claviger.dev/v1alpha1\nkind: User\nmetadata: {{name: bob, namespace: staff}}\n\
         spec: {{tenantRef: {{name: staff}}}}\n\
         ---\napiVersion: claviger.dev/v1alpha1\nkind: OAuthClient\nmetadata: {{name: page, namespace: staff}}\n\
         spec: {{tenantRef: {{name: staff}}, grantTypes: [client_credentials], authentication: {{secret: {{}}}}}}\n\
         ---\napiVersion: claviger.dev/v1alpha1\nkind: OAuthClient\nmetadata: {{name: till, namespace: staff}}\n\
         spec:\n  tenantRef: {{name: staff}}\n  redirectUris: ['https://till.example/callback']\n  consent: Skip\n  \
         scopes: [openid, offline_access]\n  grantTypes: [authorization_code, refresh_token]\n  \
         backchannelLogout: {{uri: '{told_at}', sessionRequired: true}}\n  authentication: {{secret: {{}}}}\n"
    )
}

/// The body of the one request that comes, which is answered 200.
fn posted_to(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().expect("somebody comes");
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).expect("it can be read");
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        if read == 0 || length.is_some_and(|length| body.len() >= length) {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").expect("it reads");
            return body.to_owned();
        }
    }
}

fn secret(folder: &Folder, client: &str) -> String {
    let path = folder.path().join(format!("state/secrets/staff/{client}-oidc.yaml"));
    let manifest: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).expect("a Secret")).expect("YAML");
    manifest["stringData"]["client_secret"].as_str().expect("a secret").to_owned()
}

fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let mut pairs = url.split(['?', '&']).filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}: {url}")).1
}

#[test]
fn no_statement_and_no_logout_token_is_logged() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let told_at = format!("http://{}/logout", listener.local_addr().expect("bound"));
    folder.write("staff.yaml", &manifests(&told_at));
    let dev = Dev::launch(&folder, &["--log", "trace"]);
    dev.wait_for("Following changes");
    let mut browser = Browser::new(&dev.address, &dev.address);

    let callback = "https%3A%2F%2Ftill.example%2Fcallback";
    let begin = format!(
        "{TENANT}/oauth/authorize?response_type=code&client_id=staff.till&redirect_uri={callback}\
         &scope=openid+offline_access&state=a-state&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let page = browser.get(&begin).header("location");
    assert!(page.starts_with("https://page.example/login?"), "{page}");
    let page_secret = secret(&folder, "page");
    let stated = browser.post(
        &format!("{TENANT}/oauth/login/statement"),
        &format!(
            "client_id=staff.page&client_secret={page_secret}&username=bob&amr=hwk&acr=gold&flow={}",
            parameter(&page, "flow")
        ),
    );
    assert_eq!(stated.status, 200, "{}", stated.body);
    let stated: Value = serde_json::from_str(&stated.body).expect("JSON");
    let back = stated["redirect_to"].as_str().expect("where to go");
    let answer = browser.get(back).header("location");
    // A second time it is worth nothing, and that is told to nobody either.
    browser.get(back);
    let till = format!("client_id=staff.till&client_secret={}", secret(&folder, "till"));
    let redeem = format!(
        "{till}&grant_type=authorization_code&redirect_uri={callback}&code_verifier={VERIFIER}&code={}",
        code(&answer)
    );
    let tokens = browser.post(&format!("{TENANT}/oauth/token"), &redeem);
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens: Value = serde_json::from_str(&tokens.body).expect("JSON");
    let hint = tokens["id_token"].as_str().expect("an ID token");
    let left = browser.get(&format!("{TENANT}/oauth/logout?id_token_hint={hint}"));
    assert_eq!(left.status, 200, "{}", left.body);
    let told = posted_to(&listener);
    let logout_token = told.strip_prefix("logout_token=").unwrap_or_else(|| panic!("no logout token: {told}"));

    let audit = audit_with(&folder, &["login", "token", "logout", "backchannel_logout"]);
    let printed = dev.printed();
    assert!(printed.contains("TRACE"), "{printed}");
    let mut secrets = Vec::new();
    kept(&folder.path().join("state/secrets"), &mut secrets);
    let statement = parameter(back, "statement");
    let signature = logout_token.rsplit('.').next().unwrap_or_default();
    secrets.extend([statement, logout_token, signature, hint, page_secret.as_str()].map(str::to_owned));
    let logged: Vec<&str> = printed.lines().filter(|line| !line.contains("curl -s")).collect();
    for told in [audit, logged.join("\n")] {
        browser.expect_no_secret(&told);
        for secret in &secrets {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
    }
}
