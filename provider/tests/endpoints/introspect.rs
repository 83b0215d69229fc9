use claviger_crds::published::{ClientAuthentication, Document, ResourceServerDocument};
use serde_json::{Value, json};

use crate::code_flow::*;
use crate::fixture::*;

const API: (&str, &str) = ("api.app", SECRET);
const OTHER: (&str, &str) = ("other.app", SECRET);

fn api() -> Document {
    app("acme", "api.app", |api| {
        api.resource_server =
            Some(ResourceServerDocument { audience: "https://api.example".to_owned(), scopes: Vec::new() });
    })
}

fn fixture() -> Fixture {
    let fixture = shop(|shop| shop.audiences = vec![audience("https://api.example", &["read"])]);
    fixture.apply(&api(), 1);
    fixture.apply(&app("acme", "other.app", |_| {}), 1);
    fixture
}

async fn introspect(fixture: &Fixture, client: (&str, &str), token: &str) -> Value {
    let answer = fixture.post_form("acme", "/oauth/introspect", client, &[("token", token)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

#[tokio::test]
async fn owner_and_audience_see_every_field() {
    let fixture = fixture();
    let scope = "openid profile email groups read";
    let tokens = tokens(&fixture, &[("scope", scope)]).await;
    let token = text(&tokens, "access_token");
    let expected = json!({
        "active": true, "sub": "usr_ada", "client_id": "shop.app", "username": "ada", "scope": scope,
        "exp": NOW + 600, "iat": NOW, "iss": issuer("acme"), "aud": "https://api.example", "token_type": "Bearer",
        "tenant_id": "acme", "email": "ada@acme.example", "groups": ["engineering"], "jti": part(token, 1)["jti"],
    });
    for client in [SHOP, API] {
        assert_eq!(introspect(&fixture, client, token).await, expected, "{client:?}");
    }
    let hinted = [("token", token), ("token_type_hint", "refresh_token")];
    let hinted = fixture.post_form("acme", "/oauth/introspect", SHOP, &hinted).await.json();
    assert_eq!(hinted, expected, "a hint that is wrong changes nothing");
}

#[tokio::test]
async fn what_was_not_granted_is_not_told() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid read")]).await;
    let told = [(API, "access_token"), (SHOP, "access_token"), (SHOP, "refresh_token")];
    for (client, name) in told {
        let seen = introspect(&fixture, client, text(&tokens, name)).await;
        assert_eq!(seen["active"], true);
        for name in ["username", "email", "groups"] {
            // The field is there, and says nothing: what a person logs in by is often an e-mail address.
            assert_eq!(seen.get(name), Some(&Value::Null), "{name} {client:?}");
        }
    }
}

#[tokio::test]
async fn a_clients_own_token_has_no_person() {
    let fixture = fixture();
    fixture.apply(&client("acme", "machine.app"), 1);
    let machine = ("machine.app", SECRET);
    let tokens = fixture.token("acme", machine, "grant_type=client_credentials").await.json();
    let seen = introspect(&fixture, machine, text(&tokens, "access_token")).await;
    assert_eq!((&seen["active"], &seen["sub"], &seen["username"]), (&json!(true), &json!("machine.app"), &Value::Null));
}

#[tokio::test]
async fn a_refresh_token_is_its_owners_alone() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid read")]).await;
    let token = text(&tokens, "refresh_token");
    let seen = introspect(&fixture, SHOP, token).await;
    assert_eq!((&seen["active"], &seen["token_type"]), (&json!(true), &json!("refresh_token")));
    assert_eq!((&seen["exp"], &seen["sub"]), (&json!(NOW + 604_800), &json!("usr_ada")));
    assert_eq!((&seen["email"], &seen["groups"], &seen["jti"]), (&Value::Null, &Value::Null, &Value::Null));
    for client in [API, OTHER] {
        assert_eq!(introspect(&fixture, client, token).await, json!({"active": false}));
    }
    refresh(&fixture, token).await;
    assert_eq!(introspect(&fixture, SHOP, token).await, json!({"active": false}), "it was used");
}

#[tokio::test]
async fn a_refresh_token_that_its_client_may_not_use_any_more_is_not_active() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid read")]).await;
    let token = text(&tokens, "refresh_token");
    let may_refresh = |may| {
        app("acme", "shop.app", |shop| {
            shop.audiences = vec![audience("https://api.example", &["read"])];
            shop.grant_types.retain(|name| may || name != "refresh_token");
        })
    };
    fixture.apply(&may_refresh(false), 3);
    assert_eq!(introspect(&fixture, SHOP, token).await, json!({"active": false}));
    assert_eq!(refresh(&fixture, token).await.error(), (400, "unauthorized_client".to_owned()));
    assert_eq!(introspect(&fixture, SHOP, text(&tokens, "access_token")).await["active"], true);
    fixture.apply(&may_refresh(true), 4);
    assert_eq!(introspect(&fixture, SHOP, token).await["active"], true);
    assert_eq!(refresh(&fixture, token).await.status, 200);
}

#[tokio::test]
async fn a_stranger_sees_what_is_seen_of_nonsense() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid read")]).await;
    let access_token = text(&tokens, "access_token");
    for (client, token) in [
        (OTHER, access_token),
        (OTHER, "nonsense"),
        (SHOP, "nonsense"),
        (SHOP, text(&tokens, "id_token")),
        (SHOP, &access_token[..access_token.len() - 2]),
    ] {
        let answer = fixture.post_form("acme", "/oauth/introspect", client, &[("token", token)]).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, r#"{"active":false}"#.to_owned()));
    }
    fixture.advance(600);
    assert_eq!(introspect(&fixture, SHOP, access_token).await, json!({"active": false}), "it is expired");
}

#[tokio::test]
async fn who_proves_nothing_learns_nothing() {
    let fixture = fixture();
    fixture.apply(&app("acme", "public.app", |public| public.authentication = ClientAuthentication::None), 1);
    let tokens = tokens(&fixture, &[]).await;
    let token = text(&tokens, "access_token");
    let send = async |body: String| {
        let request = http::Request::post(path("acme", "/oauth/introspect")).header("content-type", FORM);
        fixture.send(request.body(body.into()).unwrap()).await
    };
    let public = send(format!("token={token}&client_id=public.app")).await;
    assert_eq!(public.error(), (401, "invalid_client".to_owned()));
    assert_eq!(send(format!("token={token}")).await.error(), (401, "invalid_client".to_owned()));
    let wrong = fixture.post_form("acme", "/oauth/introspect", ("shop.app", "wrong"), &[("token", token)]).await;
    assert_eq!(wrong.error(), (401, "invalid_client".to_owned()));
    let missing = fixture.post_form("acme", "/oauth/introspect", SHOP, &[]).await;
    assert_eq!(missing.error(), (422, "invalid_request".to_owned()));
    assert_eq!(missing.json()["detail"][0]["loc"], json!(["body", "token"]));
}

#[tokio::test]
async fn whose_client_is_gone_is_not_active_for_its_audience_either() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid read")]).await;
    fixture.apply(&withdrawn(&app("acme", "shop.app", |_| {})), 3);
    assert_eq!(introspect(&fixture, API, text(&tokens, "access_token")).await, json!({"active": false}));
}

#[tokio::test]
async fn a_refresh_token_tells_of_its_person_what_its_scopes_allow() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid profile email groups read")]).await;
    let seen = introspect(&fixture, SHOP, text(&tokens, "refresh_token")).await;
    assert_eq!((&seen["email"], &seen["groups"]), (&json!("ada@acme.example"), &json!(["engineering"])));
    assert_eq!((&seen["username"], &seen["aud"]), (&json!("ada"), &json!(issuer("acme"))));
}

#[tokio::test]
async fn what_was_withdrawn_from_the_client_is_not_told_of_its_tokens_any_more() {
    let fixture = fixture();
    let tokens = tokens(&fixture, &[("scope", "openid email groups read")]).await;
    let both = ["access_token", "refresh_token"].map(|name| text(&tokens, name));
    let less = |shop: &mut claviger_crds::published::ClientDocument| {
        shop.scopes.retain(|scope| scope != "email");
        shop.audiences = vec![audience("https://api.example", &[])];
    };
    fixture.apply(&app("acme", "shop.app", less), 3);
    for token in both {
        let seen = introspect(&fixture, SHOP, token).await;
        assert_eq!((&seen["scope"], &seen["email"]), (&json!("openid groups"), &Value::Null), "{seen}");
    }
    assert_eq!(introspect(&fixture, API, both[0]).await["scope"], "openid groups");
    // Nothing is left to get from that API.
    fixture.apply(&app("acme", "shop.app", |_| {}), 4);
    for token in both {
        assert_eq!(introspect(&fixture, SHOP, token).await, json!({"active": false}));
    }
}
