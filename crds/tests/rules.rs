//! Every rule of the schemas accepts what it should and refuses what it should, offline. The same
//! fixtures are applied to a real API server elsewhere.
//!
//! `fixtures/{accepted,refused}/<kind>/<what>.yaml` holds one object, or two: what there was and what
//! it is changed to. A refused one begins with `# refused: <part of what is said>`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

#[path = "rules/fixture.rs"]
mod fixture;

use std::collections::BTreeSet;

use claviger_crds::{Fault, oauth_client, validate};
use fixture::{Fixture, accepted, refused};
use serde_json::{Value, json};

#[test]
fn every_accepted_fixture_is_accepted_by_the_schema_and_by_the_parser() {
    for fixture in accepted() {
        let faults = validate::schema(&fixture.kind, &fixture.object, fixture.old.as_ref());
        assert!(faults.is_empty(), "{}: {faults:?}", fixture.path);
        assert_eq!(fixture.parse(), Ok(()), "{}", fixture.path);
        if let Some(old) = &fixture.old {
            let faults = validate::schema(&fixture.kind, old, None);
            assert!(faults.is_empty(), "{}, before: {faults:?}", fixture.path);
        }
    }
}

#[test]
fn every_refused_fixture_is_refused_for_its_reason_and_for_no_other() {
    let mut wrong = Vec::new();
    for fixture in refused() {
        let faults = validate::schema(&fixture.kind, &fixture.object, fixture.old.as_ref());
        if faults.is_empty() {
            wrong.push(format!("{} is accepted", fixture.path));
        }
        let others = faults.iter().map(Fault::to_string).filter(|fault| !fault.contains(&fixture.refusal));
        wrong.extend(others.map(|fault| format!("{}: {fault}", fixture.path)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_schema_refuses_of_one_object_the_parser_refuses_too() {
    for fixture in refused() {
        let faults = validate::schema(&fixture.kind, &fixture.object, None);
        // Unknown fields are gone before the parser sees an object; a change is no matter of one.
        if faults.iter().all(|fault| fault.message == "is an unknown field") {
            continue;
        }
        assert!(fixture.parse().is_err(), "{}: the parser accepts it", fixture.path);
    }
}

/// No schema can tell: that takes an attempt to read them.
#[test]
fn keys_none_of_which_verifies_are_refused_by_the_parser_and_one_that_does_is_enough() {
    let fixture = accepted().into_iter().find(|fixture| fixture.path.ends_with("tenant/trusted-issuers.yaml"));
    let fixture = fixture.expect("a Tenant with keys");
    let keys = "/spec/trustedIssuers/1/jwks/keys";
    let good = fixture.object.pointer(keys).expect("keys")[0].clone();
    let mut other = good.clone();
    other["crv"] = "P-521".into();
    for (given, refused) in [(vec![other.clone()], true), (vec![other, good], false)] {
        let mut object = fixture.object.clone();
        *object.pointer_mut(keys).expect("keys") = given.into();
        let parsed = Fixture::of("Tenant", object).parse();
        let place = "spec.trustedIssuers[1].jwks.keys";
        let told =
            parsed.is_err_and(|faults| faults.iter().any(|fault| fault.contains(place) && fault.contains("none")));
        assert_eq!(told, refused);
    }
}

#[test]
fn who_can_prove_nothing_needs_pkce_and_who_can_says_so() {
    let minimal = accepted().into_iter().find(|fixture| fixture.path.ends_with("oauthclient/minimal.yaml"));
    let minimal = minimal.expect("an OAuthClient").object;
    for (authentication, declared, required) in [
        (json!({"none": {}}), Value::Null, true),
        (json!({"secret": {}}), Value::Null, false),
        (json!({"secret": {}}), json!(true), true),
    ] {
        let mut object = minimal.clone();
        object["spec"]["authentication"] = authentication;
        object["spec"]["requirePkce"] = declared;
        let client = serde_json::from_value(object).expect("an OAuthClient");
        assert_eq!(oauth_client::parse(&client).map(|client| client.require_pkce), Ok(required));
    }
}

#[test]
fn a_change_is_refused_for_being_a_change() {
    for fixture in refused().into_iter().filter(|fixture| fixture.old.is_some()) {
        for object in fixture.old.iter().chain([&fixture.object]) {
            let faults = validate::schema(&fixture.kind, object, None);
            assert!(faults.is_empty(), "{}: {faults:?}", fixture.path);
        }
    }
}

#[test]
fn every_rule_has_a_fixture_that_it_refuses() {
    let refusals: BTreeSet<(String, String, String)> = refused()
        .iter()
        .flat_map(|fixture| {
            let faults = validate::schema(&fixture.kind, &fixture.object, fixture.old.as_ref());
            faults.into_iter().map(|fault| (fixture.kind.clone(), without_indices(&fault.path), fault.message))
        })
        .collect();
    for crd in claviger_crds::all_crds() {
        let kind = crd.spec.names.kind;
        let schema = serde_json::to_value(&crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema).unwrap();
        let mut rules = Vec::new();
        collect_rules(&schema, "", &mut rules);
        assert!(rules.len() >= 4, "{kind} has rules");
        for (path, message) in rules {
            assert!(
                refusals.contains(&(kind.clone(), path.clone(), message.clone())),
                "no fixture is refused by {kind} {path}: {message}; refused at: {:?}",
                refusals.iter().filter(|(of, _, said)| *of == kind && *said == message).collect::<Vec<_>>(),
            );
        }
    }
}

#[test]
fn every_rule_has_a_message_for_people() {
    for crd in claviger_crds::all_crds() {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema).unwrap();
        let mut rules = Vec::new();
        collect_rules(&schema, "", &mut rules);
        for (path, message) in rules {
            assert!(message.len() > 15 && !message.contains('\n') && !message.contains("self."), "{path}: {message}");
        }
    }
}

/// Where each rule's refusal is said, and what is said.
fn collect_rules(schema: &Value, path: &str, rules: &mut Vec<(String, String)>) {
    for rule in schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
        let message = rule["message"].as_str().expect("a rule has a message").to_owned();
        let field = rule.get("fieldPath").and_then(Value::as_str).unwrap_or_default();
        let place = format!("{path}{field}");
        let place = if place.is_empty() { "metadata, spec" } else { place.trim_start_matches('.') };
        rules.push((place.to_owned(), message));
    }
    for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        collect_rules(part, &format!("{path}.{name}"), rules);
    }
    if let Some(items) = schema.get("items") {
        collect_rules(items, &format!("{path}[]"), rules);
    }
}

fn without_indices(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => {
                inside = false;
                out.push_str("[]");
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

#[test]
fn the_parser_tells_every_fault_at_once() {
    let fixture = Fixture::of(
        "OAuthClient",
        serde_json::json!({
            "apiVersion": "claviger.dev/v1alpha1",
            "kind": "OAuthClient",
            "metadata": { "name": "shop", "namespace": "shop" },
            "spec": {
                "tenantRef": { "name": "Acme" },
                "clientId": "usr_1",
                "redirectUris": ["/a", "https://shop.example/", "https://shop.example/"],
                "authentication": {},
            },
        }),
    );
    let faults = fixture.parse().expect_err("it is refused");
    for path in
        ["spec.tenantRef.name", "spec.clientId", "spec.redirectUris[0]", "spec.redirectUris[2]", "spec.authentication"]
    {
        assert!(faults.iter().any(|fault| fault.starts_with(path)), "{path} in {faults:?}");
    }
}
