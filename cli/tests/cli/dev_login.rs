//! A person logs in at `claviger dev`: by the lines that it prints, over sockets, as a browser would.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::browser::{Browser, code};
use crate::support::{Dev, Folder, parts, paste};

pub(crate) const PASSWORD: &str = "demo-only-change-me";

/// From the URL that the table shows to the URL that the application gets.
pub(crate) fn log_in(dev: &Dev, browser: &mut Browser) -> String {
    let begin = dev.wait_for("/oauth/authorize?").trim().to_owned();
    browser.log_in(&begin, PASSWORD)
}

pub(crate) fn redeem(dev: &Dev, code: &str) -> Value {
    let line = dev.wait_for("code=CODE").replace("code=CODE", &format!("code={code}"));
    serde_json::from_str(&paste(line.trim())).expect("JSON")
}

fn audit(folder: &Path) -> (String, Vec<Value>) {
    let text = std::fs::read_to_string(folder.join("state/audit.log")).expect("the audit stream");
    let events = text.lines().map(|line| serde_json::from_str(line).expect("each line is one JSON object"));
    let events = events.collect();
    (text, events)
}

#[test]
fn a_login_by_the_printed_lines_gives_tokens_and_leaves_a_trail_without_a_secret() {
    let folder = Folder::quickstart();
    // Whatever is logged, the trail is complete.
    let dev = Dev::launch(&folder, &["--log", "off"]);
    dev.wait_for("Following changes");
    let address = dev.address.clone();
    let mut browser = Browser::new(&address, &address);
    let callback = log_in(&dev, &mut browser);
    assert!(callback.starts_with("http://127.0.0.1:8081/callback?"), "{callback}");
    let code = code(&callback);
    let tokens = redeem(&dev, code);
    let access = tokens["access_token"].as_str().expect("an access token");
    assert_eq!(parts(access).1["client_id"], "shop.shop");

    let printed = dev.printed();
    // The end of the process writes the last lines.
    assert_eq!(dev.terminate(), 0);
    let (text, events) = audit(folder.path());
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["event"].as_str().unwrap_or_default(), event["outcome"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(told, [("login", "refused"), ("login", "ok"), ("consent", "ok"), ("token", "ok")]);
    for event in &events {
        assert_eq!((&event["tenant"], &event["client"]), (&Value::from("acme"), &Value::from("shop.shop")), "{event}");
        assert!(event["at"].is_string() && event["request_id"].is_string() && event["target"] == "audit", "{event}");
    }
    let secrets = ["refresh_token", "access_token", "id_token"].map(|name| tokens[name].as_str().expect(name));
    let cookies = browser.cookies.iter().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    for secret in secrets.into_iter().chain(cookies).chain([code, PASSWORD, "letmein"]) {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    // Neither on the terminal, where a person works.
    assert!(!printed.contains("\"event\""), "{printed}");
}

#[test]
fn a_login_outlives_a_restart_and_its_files_are_this_users_alone() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let address = dev.address.clone();
    let mut browser = Browser::new(&address, &address);
    log_in(&dev, &mut browser);
    assert_eq!(dev.terminate(), 0);

    let dev = Dev::launch_at(&folder, &address, &[]);
    let again = dev.wait_for("/oauth/authorize?").trim().to_owned() + "&prompt=none";
    let location = browser.get(&again).header("location");
    assert!(location.starts_with("http://127.0.0.1:8081/callback?code="), "{location}");
    for name in ["logins.db", "audit.log"] {
        let mode = std::fs::metadata(folder.path().join("state").join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_audit_stream_is_ended_only_by_its_name() {
    let folder = Folder::quickstart();
    let dev = Dev::launch(&folder, &["--log", "warn,audit=off"]);
    dev.wait_for("Following changes");
    log_in(&dev, &mut Browser::new(&dev.address, &dev.address));
    assert_eq!(dev.terminate(), 0);
    assert_eq!(audit(folder.path()).0, "");
}

#[test]
fn with_tls_a_client_that_trusts_the_ca_gets_a_token() {
    let folder = Folder::quickstart();
    let dev = Dev::launch(&folder, &["--tls"]);
    let line = dev.token_line();
    assert!(line.contains("/state/ca.pem") && line.contains(&format!("https://{}", dev.address)), "{line}");
    let claims = parts(&paste(&line)).1;
    assert_eq!(claims["iss"], format!("https://{}/api/v1/auth/tenants/acme", dev.address));
    // One that does not trust it gets nothing.
    let ca = line.split("--cacert ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a CA");
    let untrusting = line.replace(&format!("--cacert {ca} "), "");
    assert_eq!(paste(&untrusting), "");
}
