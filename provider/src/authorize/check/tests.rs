use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::check;
use crate::authorize::fixture::{CALLBACK, CHALLENGE, ISSUER, client, tenant};
use crate::authorize::parameters::{Parameters, Source};
use crate::authorize::prompt::Prompt;
use crate::authorize::refusal::{AuthorizationErrorCode as Code, PageError, RedirectError, Refusal};
use crate::authorize::request::{AuthorizationRequest, ScopeDigest};
use crate::authorize::response::ResponseMode;
use crate::tenant::oauth_client::Client;

const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn ask_of(client: Client, query: &str) -> Result<AuthorizationRequest, Refusal> {
    let tenant = tenant(client);
    check(&Parameters::parse(Source::Query, query.as_bytes()).unwrap(), &tenant, Timestamp::UNIX_EPOCH)
}

/// The good request, with these parameters in place of its own, asked for this client.
fn ask_as(members: Value, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    ask_of(client(members), &query(changes))
}

fn ask(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    ask_as(json!({}), changes)
}

fn query(changes: &[(&str, &str)]) -> String {
    let good = [
        ("client_id", "shop.app"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = good.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let mut query = String::new();
    for (name, value) in kept.chain(changes) {
        query.push_str(name);
        query.push('=');
        crate::web::form_encoding::encode(value, &mut query);
        query.push('&');
    }
    query
}

#[track_caller]
fn page(result: Result<AuthorizationRequest, Refusal>) -> PageError {
    match result {
        Err(Refusal::Page(error)) => error,
        other => panic!("no page but {other:?}"),
    }
}

#[track_caller]
fn redirect(result: Result<AuthorizationRequest, Refusal>) -> RedirectError {
    match result {
        Err(Refusal::Redirect(error)) => error,
        other => panic!("no redirect but {other:?}"),
    }
}

#[track_caller]
fn code(result: Result<AuthorizationRequest, Refusal>) -> Code {
    redirect(result).error.code
}

#[test]
fn a_good_request_is_read() {
    let request = ask(&[
        ("scope", "openid profile unknown"),
        ("nonce", "n1"),
        ("response_mode", "form_post"),
        ("prompt", "login consent"),
        ("max_age", "60"),
        ("login_hint", " ada "),
        ("id_token_hint", "a.b.c"),
        ("acr_values", "gold  silver"),
        ("ui_locales", "de-CH <b> en"),
        ("claims", r#"{"userinfo":{"email":null}}"#),
        ("display", "popup"),
        ("utm_source", "mail"),
    ])
    .unwrap();
    assert_eq!(request.client_id, "shop.app");
    assert_eq!(request.redirect_uri.as_str(), CALLBACK);
    assert_eq!(request.response_mode, ResponseMode::FormPost);
    assert_eq!(request.scopes, ["openid", "profile"]);
    assert_eq!(request.sent_scope, Some(ScopeDigest::of("openid profile unknown")));
    assert!(request.has_scope("openid profile unknown") && !request.has_scope("openid profile"));
    assert_eq!(request.audience, ISSUER);
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("s1"), Some("n1")));
    assert_eq!(request.code_challenge.as_ref().map(ToString::to_string).as_deref(), Some(CHALLENGE));
    assert_eq!(request.prompt, BTreeSet::from([Prompt::Login, Prompt::Consent]));
    assert_eq!(request.max_age, Some(60));
    assert!(request.claims.userinfo.contains_key("email"));
    assert_eq!(request.hint_subject, None, "it is no ID token of ours");
    let preferences = &request.preferences;
    assert_eq!(preferences.login_hint.as_deref(), Some("ada"));
    assert_eq!(preferences.acr_values, ["gold", "silver"]);
    assert_eq!(preferences.ui_locales, ["de-CH", "en"]);
    assert!(!request.native);
}

#[test]
fn the_answer_to_a_good_request_goes_where_it_said() {
    let request = ask(&[("response_mode", "fragment")]).unwrap();
    let location = request.destination(&ISSUER.into()).code("c".to_owned()).location().unwrap();
    assert!(location.starts_with("https://shop.example/cb#code=c&state=s1&iss="), "{location}");
}

#[test]
fn what_is_sealed_is_read_again_and_short() {
    let request =
        ask(&[("scope", "openid nope"), ("max_age", "0"), ("claims", r#"{"id_token":{"acr":null}}"#)]).unwrap();
    let sealed = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<AuthorizationRequest>(&sealed).unwrap(), request);
    let plain = serde_json::to_string(&ask(&[]).unwrap()).unwrap();
    assert!(plain.len() < 250, "{plain}");
}

#[test]
fn debug_tells_neither_state_nor_hints() {
    let request =
        ask(&[("state", "hush"), ("nonce", "hush"), ("login_hint", "hush"), ("id_token_hint", "hush.hush.hush")])
            .unwrap();
    assert!(!format!("{request:?}").contains("hush"));
}

#[test]
fn a_hint_that_is_no_token_is_refused() {
    for hint in ["nonsense", "a.b", "a.b.c.d", "a..c", "a.b.c d", ".b.c", "a.b.c=", "a.b.c.d.e"] {
        let error = redirect(ask(&[("id_token_hint", hint)]));
        assert_eq!(error.error.code, Code::InvalidRequest, "{hint}");
    }
    assert!(ask(&[("id_token_hint", "a.b.c")]).is_ok(), "whose it is, is seen later");
}

#[test]
fn what_is_missing_before_the_redirect_is_told_at_once() {
    for (query, missing) in [
        ("", &["response_type", "client_id", "redirect_uri", "scope"][..]),
        ("client_id=shop.app&scope=openid", &["response_type", "redirect_uri"]),
        ("client_id=&redirect_uri=https://shop.example/cb&response_type=code&scope=openid", &["client_id"]),
        ("client_id=nobody", &["response_type", "redirect_uri", "scope"]),
        ("client_id=nobody&scope=a&scope=b", &["response_type", "redirect_uri"]),
    ] {
        let error = page(ask_of(client(json!({})), query));
        assert_eq!(error.status(), 422, "{query}");
        let faults = error.faults();
        let loc: Vec<[&str; 2]> = faults.iter().map(|fault| fault.loc()).collect();
        assert_eq!(loc, missing.iter().map(|field| ["query", *field]).collect::<Vec<_>>(), "{query}");
    }
    let form = Parameters::parse(Source::Body, b"client_id=shop.app").unwrap();
    let error = page(check(&form, &tenant(client(json!({}))), Timestamp::UNIX_EPOCH));
    assert_eq!(error.faults()[0].loc(), ["body", "response_type"]);
}

#[test]
fn a_bad_client_or_redirect_uri_is_a_page_and_both_look_the_same() {
    let unknown = page(ask(&[("client_id", "nobody")]));
    let unregistered = page(ask(&[("redirect_uri", "https://evil.example/cb")]));
    assert_eq!((unknown.status().as_u16(), unregistered.status().as_u16()), (400, 400));
    assert_eq!((unknown.code(), unknown.description()), (unregistered.code(), unregistered.description()));
    assert_ne!(unknown.detail(), unregistered.detail());
    // Whatever else is wrong with the request.
    page(ask(&[("redirect_uri", "https://evil.example/cb"), ("response_type", "token"), ("request", "x")]));
}

#[test]
fn a_repeated_or_unusable_client_or_redirect_uri_is_a_page() {
    for more in ["client_id=shop.app", "redirect_uri=https://shop.example/cb", "client_id=", "redirect_uri=%zz"] {
        let error = page(ask_of(client(json!({})), &format!("{}{more}", query(&[]))));
        assert_eq!(error.status(), 400, "{more}");
    }
    let error = page(ask(&[("client_id", &"c".repeat(257))]));
    assert_eq!((error.status().as_u16(), error.faults().len()), (400, 0));
}

#[test]
fn every_later_fault_is_a_redirect_with_state_and_iss() {
    let answer = redirect(ask(&[("response_type", "token"), ("response_mode", "fragment")])).into_response();
    let location = answer.location().unwrap();
    assert!(location.starts_with("https://shop.example/cb#error=unsupported_response_type&"), "{location}");
    assert!(location.contains("&state=s1&iss=https%3A%2F%2Flogin.example"), "{location}");
}

#[test]
fn what_else_is_missing_is_told_by_redirect() {
    for (changes, description) in [
        (&[("response_type", "")][..], "missing: response_type"),
        (&[("scope", "")], "missing: scope"),
        (&[("scope", ""), ("response_type", "")], "missing: response_type, scope"),
    ] {
        let error = redirect(ask(changes)).error;
        assert_eq!((error.code, &*error.description), (Code::InvalidRequest, description));
    }
}

#[test]
fn a_flaw_elsewhere_is_told_by_redirect_and_a_flawed_state_does_not_come_back() {
    let error = redirect(ask_of(client(json!({})), &format!("{}nonce=a&nonce=b", query(&[]))));
    assert_eq!((error.error.code, error.destination.state.as_deref()), (Code::InvalidRequest, Some("s1")));
    for more in ["state=other", "state=s1", "state=%zz"] {
        let error = redirect(ask_of(client(json!({})), &format!("{}{more}", query(&[]))));
        assert_eq!((error.error.code, error.destination.state), (Code::InvalidRequest, None), "{more}");
    }
    assert_eq!(code(ask(&[("nonce", &"n".repeat(1025))])), Code::InvalidRequest);
    assert_eq!(code(ask_of(client(json!({})), &format!("{}scope=email", query(&[])))), Code::InvalidRequest);
}

#[test]
fn an_unknown_response_mode_is_told_in_the_query() {
    for mode in ["jwt", "web_message", "QUERY", "query fragment"] {
        let error = redirect(ask(&[("response_mode", mode)]));
        assert_eq!((error.error.code, error.destination.mode), (Code::InvalidRequest, ResponseMode::Query), "{mode}");
    }
    assert_eq!(
        redirect(ask(&[("response_mode", "form_post"), ("max_age", "x")])).destination.mode,
        ResponseMode::FormPost
    );
}

#[test]
fn only_codes_are_served_and_only_to_whom_they_are_granted() {
    for response_type in ["token", "id_token", "code id_token", "code token", "none", "CODE", "code ", "x"] {
        assert_eq!(code(ask(&[("response_type", response_type)])), Code::UnsupportedResponseType, "{response_type}");
    }
    assert_eq!(code(ask_as(json!({ "grantTypes": ["client_credentials"] }), &[])), Code::UnauthorizedClient);
}

#[test]
fn request_objects_are_refused_by_their_own_codes() {
    let long = "x".repeat(20_000);
    for (name, expected) in [
        ("request", Code::RequestNotSupported),
        ("request_uri", Code::RequestUriNotSupported),
        ("registration", Code::RegistrationNotSupported),
    ] {
        assert_eq!(code(ask(&[(name, &long)])), expected);
        // A request object may hold what is missing outside.
        assert_eq!(code(ask(&[(name, "x"), ("scope", "")])), expected);
    }
}

#[test]
fn pkce_is_s256_and_required_of_public_clients() {
    let (challenge, method) = ("code_challenge", "code_challenge_method");
    let none = [(challenge, ""), (method, "")];
    assert!(ask(&none).unwrap().code_challenge.is_none());
    for members in [json!({ "authentication": { "method": "none" } }), json!({ "requirePkce": true })] {
        assert_eq!(code(ask_as(members.clone(), &none)), Code::InvalidRequest);
        assert!(ask_as(members, &[]).is_ok());
    }
    let longer = format!("{CHALLENGE}A");
    for changes in [
        [(challenge, CHALLENGE), (method, "")],
        [(challenge, CHALLENGE), (method, "plain")],
        [(challenge, CHALLENGE), (method, "s256")],
        [(challenge, ""), (method, "S256")],
        [(challenge, ""), (method, "plain")],
        [(challenge, "short"), (method, "S256")],
        [(challenge, &longer), (method, "S256")],
        [(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"), (method, "S256")],
        // The last character has bits that no digest has.
        [(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"), (method, "S256")],
    ] {
        assert_eq!(code(ask(&changes)), Code::InvalidRequest, "{changes:?}");
    }
}

#[test]
fn scopes_that_are_not_granted_are_left_out_unless_none_remains() {
    let scopes = |scope: &str| ask(&[("scope", scope)]).map(|request| request.scopes.join(" "));
    assert_eq!(scopes("email  address openid email phone x").unwrap(), "email openid");
    assert_eq!(scopes("employee").unwrap(), "employee");
    for scope in ["address", "x y", "OpenID", " "] {
        assert_eq!(code(ask(&[("scope", scope)])), Code::InvalidScope, "{scope:?}");
    }
    for scope in ["openid \"", "openid é", "openid\\", &(0..101).map(|at| format!("s{at} ")).collect::<String>()] {
        assert_eq!(code(ask(&[("scope", scope)])), Code::InvalidScope, "{scope:?}");
    }
    assert!(ask(&[("scope", "openid")]).unwrap().sent_scope.is_none());
}

#[test]
fn offline_access_needs_the_scope_and_the_grant_type() {
    let offline = [("scope", "openid offline_access")];
    assert!(ask(&offline).unwrap().scopes.contains(&"offline_access".to_owned()));
    let without = json!({ "grantTypes": ["authorization_code"] });
    assert!(!ask_as(without, &offline).unwrap().scopes.contains(&"offline_access".to_owned()));
    assert!(!ask_as(json!({ "scopes": ["openid"] }), &offline).unwrap().scopes.contains(&"offline_access".to_owned()));
}

#[test]
fn the_audience_is_one_and_a_persons_scopes_go_with_any() {
    let members = json!({ "audiences": [
        { "audience": A, "scopes": ["a:read", "both"] },
        { "audience": B, "scopes": ["b:read", "both"] },
    ] });
    for (scope, targets, audience) in [
        ("openid", &[][..], Ok(A)),
        ("openid b:read", &[], Ok(B)),
        ("openid both", &[("audience", B)], Ok(B)),
        ("openid", &[("resource", B), ("audience", B)], Ok(B)),
        ("openid employee", &[("resource", ISSUER)], Ok(ISSUER)),
        ("openid a:read b:read", &[], Err(())),
        ("openid a:read", &[("resource", B)], Err(())),
        ("openid a:read", &[("resource", ISSUER)], Err(())),
        ("openid", &[("resource", A), ("resource", B)], Err(())),
        ("openid", &[("resource", "https://c.example")], Err(())),
    ] {
        let changes: Vec<_> = [("scope", scope)].iter().chain(targets).copied().collect();
        match (ask_as(members.clone(), &changes), audience) {
            (Ok(request), Ok(audience)) => assert_eq!(request.audience, audience, "{scope} {targets:?}"),
            (result, Err(())) => assert_eq!(code(result), Code::InvalidTarget, "{scope} {targets:?}"),
            (result, _) => panic!("{scope} {targets:?}: {result:?}"),
        }
    }
}

#[test]
fn prompt_max_age_and_claims_are_refused_where_they_say_nothing() {
    for (name, value) in [
        ("prompt", "none login"),
        ("prompt", "create"),
        ("max_age", "-1"),
        ("max_age", "+1"),
        ("max_age", "1.5"),
        ("max_age", "soon"),
        ("claims", "x"),
    ] {
        assert_eq!(code(ask(&[(name, value)])), Code::InvalidRequest, "{name}={value}");
    }
    assert_eq!(ask(&[("max_age", "0")]).unwrap().max_age, Some(0));
    assert_eq!(ask(&[("max_age", "999999999999")]).unwrap().max_age, Some(u32::MAX));
}

#[test]
fn a_wish_for_the_page_is_never_refused() {
    let request =
        ask(&[("display", "hologram"), ("ui_locales", "tlh  !!"), ("acr_values", &"a ".repeat(300))]).unwrap();
    assert_eq!(request.preferences.ui_locales, ["tlh"]);
    assert_eq!(request.preferences.acr_values.len(), 10);
}

#[test]
fn a_public_client_on_the_device_is_native() {
    let public = json!({ "method": "none" });
    for (members, uri, native) in [
        (json!({ "authentication": public, "redirectUris": ["http://127.0.0.1/cb"] }), "http://127.0.0.1:7/cb", true),
        (
            json!({ "authentication": public, "redirectUris": ["com.example:/cb"], "applicationType": "native" }),
            "com.example:/cb",
            true,
        ),
        (json!({ "authentication": public }), CALLBACK, false),
        (json!({ "redirectUris": ["http://127.0.0.1/cb"] }), "http://127.0.0.1/cb", false),
    ] {
        let request = ask_as(members, &[("redirect_uri", uri)]).unwrap();
        assert_eq!((request.native, request.redirect_uri.as_str()), (native, uri));
    }
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{0,40}", Just("none login".to_owned()), Just("{\"id_token\":3}".to_owned())]
}

proptest! {
    #[test]
    fn no_redirect_leaves_the_registered_uri_and_each_says_who_answers(
        name in proptest::sample::select(vec![
            "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt",
            "code_challenge", "code_challenge_method", "max_age", "claims", "resource", "display", "request",
        ]),
        value in any_value(),
    ) {
        match ask(&[(name, &value)]) {
            Ok(request) => prop_assert_eq!(request.redirect_uri.as_str(), CALLBACK),
            Err(Refusal::Page(_)) => prop_assert!(name == "client_id" || name == "redirect_uri"),
            Err(Refusal::Redirect(error)) => {
                let legal = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
                prop_assert!(error.error.description.chars().all(legal), "RFC 6749 appendix A.8");
                let answer = error.into_response();
                prop_assert_eq!(answer.redirect_uri.as_str(), CALLBACK);
                prop_assert_eq!(answer.parameters.last(), Some(&("iss", ISSUER.to_owned())));
                let location = answer.location().unwrap_or_default();
                prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
