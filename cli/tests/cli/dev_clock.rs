//! `claviger dev --clock-speed`: what keys do in months, within seconds.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::support::{Dev, Folder, LIMIT, claviger, parts, refused, stderr};

const TENANT: &str = "/api/v1/auth/tenants/acme";
/// Ten minutes, for which a token lives, are a second and a half; a key signs for ten seconds.
const SPEED: &str = "400";

fn quickstart() -> Folder {
    let folder = Folder::quickstart();
    folder.edit("10-tenant.yaml", "interval: 2160h # 90 days", "interval: 70m\n    publishAhead: 31m");
    folder
}

fn start(folder: &Folder, speed: &str) -> Dev {
    let dev = Dev::launch(folder, &["--clock-speed", speed]);
    dev.wait_for("Following changes");
    dev
}

/// Gets a token and verifies it with the JWK Set that is served at that moment. Returns its `kid`.
fn verified(dev: &Dev) -> String {
    let token = dev.token();
    let (status, head, body) = dev.get(&format!("{TENANT}/.well-known/jwks.json"));
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("max-age=900"), "{head}");
    let keys: JwkSet = serde_json::from_str(&body).expect("a JWK Set");
    let header = decode_header(&token).expect("a JWT");
    let kid = header.kid.expect("a kid");
    let key = keys.find(&kid).unwrap_or_else(|| panic!("{kid} is not in {body}\n{}", dev.printed()));
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&["https://orders.shop.example"]);
    let key = DecodingKey::from_jwk(key).expect("a key");
    decode::<Value>(&token, &key, &validation).expect("it verifies");
    kid
}

/// Verifies tokens until a line with `word` was printed after the first `seen`; returns that line.
fn verified_until(dev: &Dev, seen: usize, word: &str) -> String {
    let end = Instant::now() + LIMIT;
    loop {
        verified(dev);
        let printed = dev.printed();
        if let Some(line) = printed.lines().skip(seen).find(|line| line.starts_with(word)) {
            return line.to_owned();
        }
        assert!(Instant::now() < end, "no line begins with {word:?}:\n{printed}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the clock shows, as the line at the start says.
fn clock(dev: &Dev) -> jiff::Timestamp {
    let line = dev.wait_for("shows 2");
    let text = line.split("shows ").nth(1).and_then(|rest| rest.split(": ").next()).expect("a time");
    text.parse().unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn a_ring_rotates_before_ones_eyes_and_every_token_verifies() {
    let folder = quickstart();
    let dev = start(&folder, SPEED);
    dev.wait_for("the clock runs 400 times as fast");
    let first = verified(&dev);
    let promoted = verified_until(&dev, 0, "promoted");
    assert!(promoted.contains("SigningKey identity/acme-rs256: The key "), "{promoted}");
    assert!(promoted.contains(&format!("instead of {first}: the interval is over")), "{promoted}");
    assert_ne!(verified(&dev), first);
    let retired = verified_until(&dev, 0, "retired");
    assert!(retired.contains(&format!("The key {first} left the JWK Set")), "{retired}");
    let printed = dev.printed();
    assert!(printed.lines().any(|line| line.starts_with("published")), "{printed}");
    assert!(!printed.contains("blocked") && !printed.contains("not ready"), "{printed}");
}

#[test]
fn the_clock_goes_on_where_it_ended_and_so_does_the_ring() {
    let folder = quickstart();
    let dev = start(&folder, SPEED);
    let began = clock(&dev);
    verified_until(&dev, 0, "promoted");
    let kid = verified(&dev);
    let issued = parts(&dev.token()).1["iat"].as_i64().expect("iat");
    assert_eq!(dev.terminate(), 0);

    let dev = start(&folder, SPEED);
    let again = clock(&dev);
    assert!(again > began && again.as_second() >= issued, "{began}, {issued}, {again}");
    assert_eq!(verified(&dev), kid, "nothing is lost, and nothing is due");
    let line = verified_until(&dev, 0, "promoted");
    assert!(line.contains(&format!("instead of {kid}: the interval is over")), "{line}");
    let issued = parts(&dev.token()).1["iat"].as_i64().expect("iat");
    drop(dev); // SIGKILL

    // A clock that is the machine's again would find everything in the future.
    let dev = start(&folder, "1");
    dev.wait_for("it was fast before");
    assert!(clock(&dev).as_second() >= issued);
    verified(&dev);
    assert!(!dev.printed().contains("blocked"), "{}", dev.printed());
}

#[test]
fn a_clock_that_stands_still_or_races_is_refused() {
    let folder = Folder::quickstart();
    for speed in ["0", "100001", "fast"] {
        let output = refused(claviger().arg("dev").arg(folder.yaml()).args(["--clock-speed", speed]));
        assert_eq!(output.status.code(), Some(2), "{speed}");
        assert!(stderr(&output).contains("--clock-speed"), "{}", stderr(&output));
    }
}
