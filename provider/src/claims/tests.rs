use claviger_crds::published::UserDocument;
use serde_json::json;

use super::request::ClaimsRequest;
use super::*;

fn user(claims: Value, groups: &[&str]) -> User {
    let document: UserDocument = serde_json::from_value(json!({
        "subject": "usr_ada",
        "username": "ada",
        "claims": claims,
        "groups": groups,
    }))
    .unwrap();
    User::new("user-ada".into(), &document)
}

fn ada() -> User {
    let claims = json!({
        "name": "Ada Lovelace",
        "email": "ada@acme.example",
        "email_verified": false,
        "phone_number": "+41441234567",
        "address": {"country": "CH"},
        "updated_at": 1_700_000_000,
        "staff_id": "4711",
        "salary": 1,
    });
    user(claims, &["engineering"])
}

fn employee() -> Vec<ScopeDocument> {
    let scope = |name: &str, claims: &[&str]| ScopeDocument {
        name: name.to_owned(),
        description: String::new(),
        claims: claims.iter().map(|&claim| claim.to_owned()).collect(),
    };
    vec![scope("employee", &["staff_id", "iss", "sub"]), scope("email", &["salary"])]
}

fn scopes(scopes: &str) -> Vec<String> {
    scopes.split_whitespace().map(str::to_owned).collect()
}

/// What UserInfo says of `user`, without `sub`, which is always there.
fn shown(user: &User, granted: &str, within: &str, asked: Value) -> Value {
    let request = ClaimsRequest::parse(&json!({ "userinfo": asked }).to_string()).unwrap();
    let (granted, within, declared) = (scopes(granted), scopes(within), employee());
    let release = Release { granted: &granted, within: &within, declared: &declared };
    let mut claims = userinfo(user, release, &request.userinfo).unwrap();
    assert_eq!(claims.remove("sub"), Some(json!("usr_ada")));
    claims.into()
}

#[test]
fn a_scope_releases_its_claims_and_no_others() {
    for (granted, claims) in [
        ("openid", json!({})),
        ("profile", json!({"name": "Ada Lovelace", "updated_at": 1_700_000_000})),
        ("email", json!({"email": "ada@acme.example", "email_verified": false})),
        ("address", json!({"address": {"country": "CH"}})),
        ("phone", json!({"phone_number": "+41441234567"})),
        ("groups", json!({"groups": ["engineering"]})),
        ("offline_access", json!({})),
        ("orders:read", json!({})),
        ("employee phone", json!({"staff_id": "4711", "phone_number": "+41441234567"})),
    ] {
        assert_eq!(shown(&ada(), granted, "", json!(null)), claims, "{granted}");
    }
}

#[test]
fn every_claim_of_the_standard_has_its_scope() {
    // OpenID Connect Core 1.0 §5.1, all but `sub`.
    let all = "name given_name family_name middle_name nickname preferred_username profile picture website \
               gender birthdate zoneinfo locale email email_verified phone_number phone_number_verified";
    let mut claims: Map<String, Value> = all.split_whitespace().map(|name| (name.to_owned(), json!("x"))).collect();
    claims.insert("updated_at".to_owned(), json!(1));
    claims.insert("address".to_owned(), json!({"formatted": "x"}));
    let claims = Value::from(claims);
    assert_eq!(shown(&user(claims.clone(), &[]), "profile email address phone", "", json!(null)), claims);
}

#[test]
fn what_is_empty_or_of_the_wrong_kind_is_left_out() {
    let hollow = json!({
        "name": "", "nickname": null, "email": [], "website": {}, "address": {}, "updated_at": "2026-01-01",
        "email_verified": false,
    });
    let granted = "profile email address groups";
    assert_eq!(shown(&user(hollow, &[]), granted, granted, json!({"name": null})), json!({"email_verified": false}));
    let address = user(json!({"address": "Bern"}), &[]);
    assert_eq!(shown(&address, "address", "", json!(null)), json!({}));
}

#[test]
fn nobody_overrides_a_claim_of_the_protocol() {
    let forged = user(json!({"iss": "evil", "sub": "root", "aud": "x", "staff_id": "1"}), &[]);
    let asked = json!({"iss": null, "aud": {"essential": true}});
    assert_eq!(shown(&forged, "employee", "employee", asked), json!({"staff_id": "1"}));
}

#[test]
fn a_claim_may_be_asked_for_by_name_essential_or_not() {
    let asked =
        json!({"email": null, "staff_id": {"essential": true}, "nickname": {"essential": true}, "groups": null});
    let claims = json!({"email": "ada@acme.example", "staff_id": "4711", "groups": ["engineering"]});
    assert_eq!(shown(&ada(), "openid", "openid email employee groups profile", asked), claims);
}

#[test]
fn asking_by_name_reaches_no_further_than_the_clients_scopes() {
    let asked = json!({"email": null, "salary": null, "groups": null, "staff_id": null});
    assert_eq!(shown(&ada(), "openid", "openid", asked.clone()), json!({}));
    // A declared scope that is called like a standard one does not widen it.
    assert_eq!(shown(&ada(), "openid", "openid email", asked), json!({"email": "ada@acme.example"}));
}

#[test]
fn a_value_that_is_not_asked_for_is_left_out() {
    let within = "email profile";
    for (request, there) in [
        (json!({"value": "ada@acme.example"}), true),
        (json!({"value": "bob@acme.example"}), false),
        (json!({"values": ["x", "ada@acme.example"]}), true),
        (json!({"values": ["x", 1], "essential": true}), false),
    ] {
        for granted in ["openid", "email"] {
            let claims = shown(&ada(), granted, within, json!({"email": request}));
            assert_eq!(claims.get("email").is_some(), there, "{granted} {request}");
        }
    }
}

#[test]
fn another_person_than_the_one_asked_for_is_not_told_of() {
    let release = Release { granted: &scopes("email"), within: &[], declared: &[] };
    for (sub, allowed) in [(json!("usr_ada"), true), (json!("usr_bob"), false), (json!(1), false)] {
        let request = ClaimsRequest::parse(&json!({"userinfo": {"sub": {"value": sub}}}).to_string()).unwrap();
        assert_eq!(userinfo(&ada(), release, &request.userinfo).is_ok(), allowed, "{sub}");
    }
}
