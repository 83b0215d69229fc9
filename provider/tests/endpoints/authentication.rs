use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::published::acknowledgement::{Frame, Used};
use claviger_crds::published::{ClientAuthentication, ClientDocument, Content, Document, RevokedSecret, SecretHash};
use futures::StreamExt as _;
use futures::future::ready;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use serde_json::json;

use crate::fixture::*;

const GRANT: &str = "grant_type=client_credentials";

fn with_authentication(id: &str, authentication: ClientAuthentication) -> Document {
    serving("acme", id, Content::OAuthClient(ClientDocument { authentication, ..client_document(id) }))
}

/// The answer to `form` with these `Authorization` headers.
async fn ask(fixture: &Fixture, authorizations: &[&str], form: &str) -> Answer {
    let request = authorizations.iter().fold(token_request("acme"), |request, it| request.header(AUTHORIZATION, *it));
    fixture.send(request.body(form.to_owned().into()).unwrap()).await
}

fn encoded(pair: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

#[tokio::test]
async fn a_secret_counts_in_the_header_and_in_the_body() {
    let fixture = Fixture::acme();
    let good = basic("shop.app", SECRET);
    for (authorizations, form) in [
        (vec![good.as_str()], GRANT.to_owned()),
        (vec![&good.replace("Basic", "bASIC")], GRANT.to_owned()),
        (vec![good.trim_end_matches('=')], GRANT.to_owned()),
        (vec![good.as_str()], format!("{GRANT}&client_id=shop.app")),
        (vec![good.as_str()], format!("{GRANT}&client_secret=")),
        (vec![], format!("{GRANT}&client_id=shop.app&client_secret={SECRET}")),
        (vec![], format!("{GRANT}&client_id=shop%2Eapp&client_secret=s3c%72et")),
    ] {
        assert_eq!(ask(&fixture, &authorizations, &form).await.status, 200, "{authorizations:?} {form}");
    }
}

#[tokio::test]
async fn both_halves_of_the_header_are_form_encoded() {
    let hashes = vec![hash("a:b+c%d é", None)];
    let fixture = Fixture::acme();
    fixture.apply(&with_authentication("x:y", ClientAuthentication::Secret { hashes }), 1);
    let answer = ask(&fixture, &[&encoded(b"x%3Ay:a%3Ab%2Bc%25d+%C3%A9")], GRANT).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

#[tokio::test]
async fn a_secret_in_the_header_counts_as_it_stands_there_too() {
    let fixture = Fixture::acme();
    for (name, secret) in [("plus", "q1+/Zm9v+YmFy="), ("percent", "100%+zz"), ("escape", "a%2Bb")] {
        let hashes = vec![hash(secret, None)];
        fixture.apply(&with_authentication(name, ClientAuthentication::Secret { hashes }), 1);
        let pair = format!("{name}:{secret}");
        assert_eq!(ask(&fixture, &[&encoded(pair.as_bytes())], GRANT).await.status, 200, "{secret}");
    }
    // What it could have meant, and what that could have meant, are other secrets.
    for wrong in ["plus:q1 /Zm9v YmFy=", "plus:q1%252B/Zm9v%252BYmFy=", "escape:a+b", "percent:100%25 zz"] {
        assert_eq!(ask(&fixture, &[&encoded(wrong.as_bytes())], GRANT).await.status, 401, "{wrong}");
    }
}

#[tokio::test]
async fn what_a_stranger_learns_is_the_same_whatever_is_wrong() {
    let fixture = Fixture::acme();
    let none = with_authentication("none", ClientAuthentication::None);
    let algorithms = vec!["ES256".to_owned()];
    let jwt = ClientAuthentication::PrivateKeyJwt { jwks: None, jwks_uri: None, algorithms };
    let empty = ClientAuthentication::Secret { hashes: Vec::new() };
    for document in [none, with_authentication("jwt", jwt), with_authentication("empty", empty)] {
        fixture.apply(&document, 1);
    }
    for (id, secret) in [
        ("shop.app", "wrong"),
        ("shop.app", ""),
        ("shop.app", "s3cret "),
        ("SHOP.APP", SECRET),
        ("nobody", SECRET),
        ("none", SECRET),
        ("none", ""),
        ("jwt", SECRET),
        ("empty", ""),
    ] {
        let answer = fixture.token("acme", (id, secret), GRANT).await;
        let body = json!({"error": "invalid_client", "error_description": "client authentication failed"});
        assert_eq!((answer.status.as_u16(), answer.json()), (401, body.clone()), "{id} {secret}");
        let challenge = format!("Basic realm=\"{}\", charset=\"UTF-8\"", issuer("acme"));
        assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        if !secret.is_empty() {
            let encoded = secret.replace(' ', "+");
            let in_body = ask(&fixture, &[], &format!("{GRANT}&client_id={id}&client_secret={encoded}")).await;
            assert_eq!((in_body.status.as_u16(), in_body.json()), (401, body), "{id} {secret}");
        }
    }
}

#[tokio::test]
async fn one_way_only_and_well_formed() {
    let fixture = Fixture::acme();
    let good = basic("shop.app", SECRET);
    let jwt = "client_assertion=x&client_assertion_type=y";
    let table: [(&[&str], String, u16, &str); 19] = [
        (&[], GRANT.to_owned(), 401, "invalid_client"),
        (&[], format!("{GRANT}&client_id=shop.app"), 401, "invalid_client"),
        (&[], format!("{GRANT}&client_id=shop.app&client_secret="), 401, "invalid_client"),
        (&[], format!("{GRANT}&client_id=shop.app&{jwt}"), 401, "invalid_client"),
        (&[], format!("{GRANT}&client_secret={SECRET}"), 400, "invalid_request"),
        (&[], format!("{GRANT}&client_id=shop.app&client_secret={SECRET}&{jwt}"), 400, "invalid_request"),
        (&[&good], format!("{GRANT}&client_id=shop.app&client_secret={SECRET}"), 400, "invalid_request"),
        (&[&good], format!("{GRANT}&{jwt}"), 400, "invalid_request"),
        (&[&good], format!("{GRANT}&client_id=other"), 400, "invalid_request"),
        (&[&good, &good], GRANT.to_owned(), 400, "invalid_request"),
        (&["Basic"], GRANT.to_owned(), 401, "invalid_client"),
        (&["Basic "], GRANT.to_owned(), 401, "invalid_client"),
        (&["Basic !!!"], GRANT.to_owned(), 401, "invalid_client"),
        (&["Bearer abc"], GRANT.to_owned(), 401, "invalid_client"),
        (&[&encoded(b"shop.app")], GRANT.to_owned(), 401, "invalid_client"),
        (&[&encoded(b":s3cret")], GRANT.to_owned(), 401, "invalid_client"),
        (&[&encoded(b"shop.app:%zz")], GRANT.to_owned(), 401, "invalid_client"),
        (&[&encoded(b"shop.app:\xff")], GRANT.to_owned(), 401, "invalid_client"),
        (&[&encoded("ä".as_bytes())], GRANT.to_owned(), 401, "invalid_client"),
    ];
    for (authorizations, form, status, error) in table {
        let answer = ask(&fixture, authorizations, &form).await;
        assert_eq!(answer.error(), (status, error.to_owned()), "{authorizations:?} {form}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
}

#[tokio::test]
async fn during_a_rotation_both_secrets_count_until_the_old_one_ends() {
    let hashes = vec![hash("new", None), hash("old", Some(NOW + 10))];
    let rotating = with_authentication("shop.app", ClientAuthentication::Secret { hashes });
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), rotating]);
    let ask = async |secret| fixture.token("acme", ("shop.app", secret), GRANT).await.status.as_u16();
    assert_eq!((ask("new").await, ask("old").await), (200, 200));
    fixture.advance(9);
    assert_eq!(ask("old").await, 200);
    fixture.advance(1);
    assert_eq!((ask("new").await, ask("old").await), (200, 401));
}

#[tokio::test]
async fn a_secret_that_is_longer_than_any_is_refused_whatever_its_hash() {
    let fixture = Fixture::acme();
    for (length, status) in [(1024, 200), (1025, 401)] {
        let secret = "x".repeat(length);
        let hashes = vec![hash(&secret, None)];
        fixture.apply(&with_authentication(&format!("long{length}"), ClientAuthentication::Secret { hashes }), 1);
        let id = format!("long{length}");
        let in_body = ask(&fixture, &[], &format!("{GRANT}&client_id={id}&client_secret={secret}")).await;
        let in_header = fixture.token("acme", (&id, &secret), GRANT).await;
        assert_eq!((in_body.status.as_u16(), in_header.status.as_u16()), (status, status), "{length}");
        if status == 401 {
            let body = json!({"error": "invalid_client", "error_description": "client authentication failed"});
            assert_eq!((in_body.json(), in_header.json()), (body.clone(), body));
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_to_follow_counts_beside_the_present_one() {
    let hashes = vec![SecretHash { pending: true, ..hash("next", None) }, hash("now", None)];
    let rotating = with_authentication("shop.app", ClientAuthentication::Secret { hashes });
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), rotating]);
    for secret in ["next", "now"] {
        assert_eq!(fixture.token("acme", ("shop.app", secret), GRANT).await.status, 200, "{secret}");
    }
}

#[tokio::test]
async fn a_secret_that_was_revoked_counts_at_once_no_more() {
    let fixture = Fixture::acme();
    let ask = async || fixture.token("acme", ("shop.app", SECRET), GRANT).await.status.as_u16();
    assert_eq!(ask().await, 200);
    let SecretHash { hash: leaked, salt, created_at, .. } = hash(SECRET, None);
    let revoked_secrets = vec![RevokedSecret { hash: leaked, salt, revoked_at: created_at }];
    let authentication = ClientAuthentication::Secret { hashes: vec![hash("next", None)] };
    let document = ClientDocument { authentication, revoked_secrets, ..client_document("shop.app") };
    let revoked = document.revoked_secrets.clone();
    fixture.apply(&serving("acme", "shop.app", Content::OAuthClient(document)), 2);
    assert_eq!(ask().await, 401);
    // The operator's memory was set back: this pod reminds it.
    fixture.apply(&client("acme", "other.app"), 1);
    fixture.apply(&with_authentication("shop.app", ClientAuthentication::Secret { hashes: Vec::new() }), 3);
    let frames = fixture.provider.acknowledgements().take_while(|frame| ready(*frame != Frame::Synced));
    let frames: Vec<Frame> = frames.collect().await;
    let served = frames.into_iter().flat_map(|frame| match frame {
        Frame::Serving { documents } => documents,
        _ => Vec::new(),
    });
    let known: Vec<_> = served.map(|served| served.revoked_secrets).filter(|revoked| !revoked.is_empty()).collect();
    assert_eq!(known, [revoked]);
}

/// What the provider tells the operator of secrets until as much time has passed.
async fn told(fixture: &Fixture, seconds: u64) -> Vec<Vec<Used>> {
    let frames = fixture.provider.acknowledgements();
    let frames = frames.take_until(tokio::time::sleep(Duration::from_secs(seconds)));
    let used = frames.filter_map(|frame| async {
        match frame {
            Frame::Used { secrets } => Some(secrets),
            _ => None,
        }
    });
    used.collect().await
}

#[tokio::test(start_paused = true)]
async fn which_secret_was_used_and_when_is_told_in_batches() {
    let (new, old) = (hash("new", None), hash("old", Some(NOW + 90)));
    let authentication = ClientAuthentication::Secret { hashes: vec![new.clone(), old.clone()] };
    let rotating = with_authentication("shop.app", authentication);
    let name = rotating.secret_name();
    let fixture = Fixture::serving([tenant("acme"), ring("acme", "ring", "ES256"), rotating.clone()]);
    let used = |hash: &SecretHash, second: i64| {
        let at = Timestamp::from_second(second).unwrap();
        Used { name: name.clone(), fingerprint: hash.fingerprint(), at }
    };
    let ask = async |secret| fixture.token("acme", ("shop.app", secret), GRANT).await.status.as_u16();
    assert_eq!(told(&fixture, 130).await, Vec::<Vec<Used>>::new(), "nothing was used");
    assert_eq!((ask("wrong").await, ask("old").await, ask("old").await), (401, 200, 200));
    assert_eq!(told(&fixture, 59).await, Vec::<Vec<Used>>::new(), "no request makes a frame");
    assert_eq!(told(&fixture, 200).await, [vec![used(&old, NOW)]], "once");
    // The document changes, and what was not told yet is not lost.
    fixture.advance(90);
    assert_eq!((ask("new").await, ask("old").await), (200, 401));
    fixture.apply(&rotating, 2);
    let mut all = told(&fixture, 61).await.concat();
    all.sort_by_key(|used| used.at);
    assert_eq!(all, [used(&old, NOW), used(&new, NOW + 90)], "one that is refused is not used");
}
