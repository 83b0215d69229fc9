use claviger_crds::published::ClientDocument;
use serde_json::json;

use super::*;
use crate::claims::request::ClaimsRequest;
use crate::token::fixture::{self, NOW, acme, ada, now, person};

/// The ID token of `person` for the client as `change` leaves it, of a tenant with an ES256 ring.
fn token(
    change: impl FnOnce(&mut ClientDocument),
    person: &PersonGrant,
    scopes: &str,
    moment: Moment,
) -> Result<Value, OAuthError> {
    let (tenant, _) = acme(&["ES256"], change);
    let client = tenant.clients.get("shop.app").unwrap();
    let scopes: Vec<String> = scopes.split(' ').map(str::to_owned).collect();
    let grant = IdTokenGrant { person, user: &ada(), scopes: &scopes, at_hash: "77QmUPtjPfzWtF2AnpK9RQ", moment };
    let token = IdTokenKey::of(&tenant.issuer, client)?.issue(&grant, now())?;
    assert_eq!(fixture::part(&token, 0)["typ"], "JWT");
    let mut claims = fixture::part(&token, 1);
    // Of each another one, and all lead to the grant.
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti::origin(jti.as_str().unwrap()), Some(jti::Origin::Grant(person.id)));
    Ok(claims)
}

fn minimal(person: &PersonGrant) -> Value {
    json!({
        "iss": "https://login.example/acme",
        "sub": "usr_ada",
        "aud": "shop.app",
        "exp": NOW + 1_800,
        "iat": NOW,
        "auth_time": NOW - 60,
        "nonce": "n-0S6_WzA2Mj",
        "acr": "1",
        "amr": ["pwd"],
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "sid": person.session.to_string(),
    })
}

#[test]
fn an_id_token_holds_what_core_demands_and_no_more() {
    let person = person();
    // No tenant_id, no azp, and the claims of scopes go to UserInfo.
    let claims = token(|_| {}, &person, "openid profile email", Moment::Redemption).unwrap();
    assert_eq!(claims, minimal(&person));
}

#[test]
fn a_refresh_repeats_the_login_but_not_the_nonce() {
    let person = person();
    let mut expected = minimal(&person);
    expected.as_object_mut().unwrap().remove("nonce");
    assert_eq!(token(|_| {}, &person, "openid", Moment::Refresh).unwrap(), expected);
    let without = PersonGrant { nonce: None, amr: Vec::new(), ..person };
    expected.as_object_mut().unwrap().remove("amr");
    assert_eq!(token(|_| {}, &without, "openid", Moment::Redemption).unwrap(), expected);
}

#[test]
fn groups_stand_in_it_once_granted_and_other_scopes_claims_once_declared() {
    let person = person();
    let mut expected = minimal(&person);
    expected["groups"] = json!(["engineering"]);
    assert_eq!(token(|_| {}, &person, "openid groups email", Moment::Redemption).unwrap(), expected);

    let declared = |client: &mut ClientDocument| client.id_token_claims = IdTokenClaims::Scopes;
    expected["email"] = json!("ada@acme.example");
    assert_eq!(token(declared, &person, "openid groups email", Moment::Redemption).unwrap(), expected);
    assert_eq!(token(declared, &person, "openid", Moment::Redemption).unwrap(), minimal(&person));
}

#[test]
fn the_claims_parameter_adds_to_it_and_overrides_nothing() {
    let mut person = person();
    let parameter = r#"{"id_token": {"email": null, "name": {"value": "Bob"}, "iss": {"value": "evil"},
        "acr": {"essential": true, "values": ["9"]}, "exp": null, "tenant_id": null, "sub": {"value": "usr_ada"}},
        "userinfo": {"groups": null}}"#;
    person.claims = ClaimsRequest::parse(parameter).unwrap();
    let mut expected = minimal(&person);
    assert_eq!(token(|_| {}, &person, "openid", Moment::Redemption).unwrap(), expected, "nobody was shown more");
    person.claim_scopes = vec!["email".to_owned(), "phone".to_owned()];
    expected["email"] = json!("ada@acme.example");
    assert_eq!(token(|_| {}, &person, "openid", Moment::Redemption).unwrap(), expected);
}

#[test]
fn no_token_speaks_of_another_person_than_the_grant_or_the_request() {
    let other = PersonGrant { subject: "usr_bob".to_owned(), ..person() };
    assert!(token(|_| {}, &other, "openid", Moment::Redemption).is_err());
    let mut asked = person();
    asked.claims = ClaimsRequest::parse(r#"{"id_token":{"sub":{"value":"usr_bob"}}}"#).unwrap();
    assert!(token(|_| {}, &asked, "openid", Moment::Redemption).is_err());
}

#[test]
fn it_lives_as_the_client_says_but_no_longer_than_the_ring_allows() {
    for (declared, lifetime) in [(None, 1_800), (Some(60), 60), (Some(86_400), 3_600)] {
        let change = |client: &mut ClientDocument| client.lifetimes.id_token = declared;
        let claims = token(change, &person(), "openid", Moment::Redemption).unwrap();
        assert_eq!(claims["exp"], NOW + lifetime, "{declared:?}");
    }
}

#[test]
fn the_key_is_that_of_the_clients_algorithm_or_the_default() {
    for (pinned, index) in [(None, 0), (Some("ES384"), 1), (Some("ES256"), 0)] {
        let (tenant, keys) =
            acme(&["ES256", "ES384"], |client| client.id_token_signed_response_alg = pinned.map(str::to_owned));
        let client = tenant.clients.get("shop.app").unwrap();
        let key = IdTokenKey::of(&tenant.issuer, client).unwrap();
        assert_eq!(key.algorithm(), keys[index].algorithm());
        let person = person();
        let grant =
            IdTokenGrant { person: &person, user: &ada(), scopes: &[], at_hash: "x", moment: Moment::Redemption };
        let header = fixture::part(&key.issue(&grant, now()).unwrap(), 0);
        assert_eq!(header["kid"], keys[index].kid().as_str());
        assert_eq!(header["alg"], keys[index].algorithm().as_str());
    }
}

#[test]
fn without_a_key_of_the_pinned_algorithm_there_is_no_token_of_another() {
    for (algorithms, pinned) in [(&["ES256"][..], Some("RS256")), (&[], Some("ES256")), (&[], None)] {
        let (tenant, _) = acme(algorithms, |client| client.id_token_signed_response_alg = pinned.map(str::to_owned));
        let client = tenant.clients.get("shop.app").unwrap();
        let error = IdTokenKey::of(&tenant.issuer, client).unwrap_err();
        assert_eq!(error.code, ErrorCode::TemporarilyUnavailable);
    }
}
