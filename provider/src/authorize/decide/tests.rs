use serde_json::{Value, json};

use super::*;
use crate::authorize::fixture::{CALLBACK, CHALLENGE, ISSUER, client, tenant};
use crate::authorize::parameters::{Parameters, Source};
use crate::authorize::prompt;
use crate::authorize::refusal::AuthorizationErrorCode as Code;
use crate::claims::request::ClaimsRequest;

const NOW: i64 = 1_800_000_000;

/// A situation that owns its parts. As it begins: ada has a session of ten minutes and has consented.
struct Case {
    client: Client,
    request: AuthorizationRequest,
    session: Option<(&'static str, i64, &'static str)>,
    consented: BTreeSet<String>,
    flow: FlowFacts,
    reachable: Vec<&'static str>,
}

/// A step without its contents.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Login,
    Select,
    Consent,
    Finish,
    Error(Code),
}

fn request(client: Client) -> AuthorizationRequest {
    let query = format!(
        "client_id=shop.app&redirect_uri={CALLBACK}&response_type=code&scope=openid+email+offline_access\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let parameters = Parameters::parse(Source::Query, query.as_bytes()).unwrap();
    crate::authorize::check::check(&parameters, &tenant(client), Timestamp::from_second(NOW).unwrap()).unwrap()
}

impl Case {
    fn new(members: Value) -> Self {
        let request = request(client(members.clone()));
        Self {
            client: client(members),
            consented: request.scopes.iter().cloned().collect(),
            request,
            session: Some(("ada", NOW - 600, "pwd")),
            flow: FlowFacts::default(),
            reachable: vec!["pwd"],
        }
    }

    fn prompt(mut self, prompt: &str) -> Self {
        self.request.prompt = prompt::parse(prompt).unwrap();
        self
    }

    fn max_age(mut self, seconds: u32) -> Self {
        self.request.max_age = Some(seconds);
        self
    }

    fn claims(mut self, claims: &Value) -> Self {
        self.request.claims = ClaimsRequest::parse(&claims.to_string()).unwrap();
        self
    }

    fn acr(self, acr: &Value) -> Self {
        self.claims(&json!({ "id_token": { "acr": acr } }))
    }

    fn hint(mut self, subject: &'static str) -> Self {
        self.request.hint_subject = Some(subject.to_owned());
        self
    }

    fn nobody(mut self) -> Self {
        self.session = None;
        self
    }

    fn session(mut self, subject: &'static str, age: i64, acr: &'static str) -> Self {
        self.session = Some((subject, NOW - age, acr));
        self
    }

    fn not_consented(mut self) -> Self {
        self.consented.clear();
        self
    }

    fn native(mut self) -> Self {
        self.request.native = true;
        self
    }

    /// What ada did in this flow.
    fn did(mut self, change: impl FnOnce(&mut FlowFacts)) -> Self {
        change(&mut self.flow);
        self
    }

    fn logged_in(self) -> Self {
        self.did(|flow| flow.authenticated = true)
    }

    fn said_yes(self) -> Self {
        self.did(|flow| flow.consented = true)
    }

    fn step(&self) -> Step<'_> {
        let session = self.session.map(|(subject, at, acr)| SessionFacts {
            subject,
            authenticated_at: Timestamp::from_second(at).unwrap(),
            acr,
        });
        decide(&Situation {
            request: &self.request,
            client: &self.client,
            session,
            consented: &self.consented,
            flow: self.flow,
            reachable_acr: &self.reachable,
            now: Timestamp::from_second(NOW).unwrap(),
        })
    }

    fn next(&self) -> Next {
        match self.step() {
            Step::Login(_) => Next::Login,
            Step::SelectAccount => Next::Select,
            Step::Consent { .. } => Next::Consent,
            Step::Finish => Next::Finish,
            Step::Error(error) => Next::Error(error.code),
        }
    }

    fn account(&self) -> Account {
        match self.step() {
            Step::Login(account) => account,
            other => panic!("no login but {other:?}"),
        }
    }
}

fn asked() -> Case {
    Case::new(json!({}))
}

fn skipping() -> Case {
    Case::new(json!({ "consent": "Skip" })).not_consented()
}

#[track_caller]
fn table<const N: usize>(rows: [(Case, Next); N]) {
    for (at, (case, expected)) in rows.into_iter().enumerate() {
        assert_eq!(case.next(), expected, "row {at}");
    }
}

#[test]
fn a_session_and_a_remembered_consent_suffice() {
    table([
        (asked(), Next::Finish),
        (asked().nobody(), Next::Login),
        (asked().not_consented(), Next::Consent),
        (asked().not_consented().said_yes(), Next::Finish),
        (asked().logged_in(), Next::Finish),
        (asked().nobody().not_consented(), Next::Login),
    ]);
}

#[test]
fn consent_names_everything_and_finishing_grants_it() {
    let case = asked().not_consented();
    assert_eq!(case.step(), Step::Consent { scopes: &case.request.scopes });
    assert!(case.request.scopes.contains(&"offline_access".to_owned()));
    let case = asked();
    assert_eq!(case.step(), Step::Finish);
}

#[test]
fn one_scope_more_asks_again() {
    let mut case = asked();
    case.consented.remove("offline_access");
    assert_eq!(case.next(), Next::Consent);
}

#[test]
fn skip_asks_nobody_unless_the_client_wants_it() {
    table([
        (skipping(), Next::Finish),
        (skipping().nobody(), Next::Login),
        (skipping().prompt("consent"), Next::Consent),
        (skipping().prompt("consent").said_yes(), Next::Finish),
    ]);
}

#[test]
fn prompt_none_answers_without_a_page() {
    table([
        (asked().prompt("none"), Next::Finish),
        (skipping().prompt("none"), Next::Finish),
        (asked().prompt("none").nobody(), Next::Error(Code::LoginRequired)),
        (asked().prompt("none").not_consented(), Next::Error(Code::ConsentRequired)),
        (asked().prompt("none").max_age(599), Next::Error(Code::LoginRequired)),
        (asked().prompt("none").max_age(600), Next::Finish),
        (asked().prompt("none").hint("bob"), Next::Error(Code::LoginRequired)),
        (asked().prompt("none").hint("ada"), Next::Finish),
        (asked().prompt("none").native(), Next::Error(Code::ConsentRequired)),
    ]);
}

#[test]
fn prompt_login_asks_once_in_each_flow() {
    table([
        (asked().prompt("login"), Next::Login),
        (asked().prompt("login").nobody(), Next::Login),
        (asked().prompt("login").logged_in(), Next::Finish),
        // A new session that another flow made is not this flow's login.
        (asked().prompt("login").session("ada", 0, "pwd"), Next::Login),
        (asked().prompt("login").said_yes(), Next::Login),
    ]);
}

#[test]
fn prompt_consent_asks_though_it_was_given() {
    table([
        (asked().prompt("consent"), Next::Consent),
        (asked().prompt("consent").logged_in(), Next::Consent),
        (asked().prompt("consent").said_yes(), Next::Finish),
        (asked().prompt("login consent"), Next::Login),
        (asked().prompt("login consent").logged_in(), Next::Consent),
    ]);
}

#[test]
fn prompt_select_account_asks_unless_a_login_was_the_choice() {
    table([
        (asked().prompt("select_account"), Next::Select),
        (asked().prompt("select_account").nobody(), Next::Login),
        (asked().prompt("select_account").logged_in(), Next::Finish),
        (asked().prompt("select_account").did(|flow| flow.account_selected = true), Next::Finish),
        (asked().prompt("select_account").not_consented(), Next::Select),
        (asked().prompt("login select_account").did(|flow| flow.account_selected = true), Next::Login),
        (asked().prompt("login select_account").logged_in(), Next::Finish),
    ]);
}

#[test]
fn max_age_counts_from_the_login() {
    table([
        (asked().max_age(600), Next::Finish),
        (asked().max_age(599), Next::Login),
        (asked().max_age(599).logged_in(), Next::Finish),
        (asked().max_age(0).session("ada", 0, "pwd"), Next::Login),
        (asked().max_age(0).session("ada", 0, "pwd").logged_in(), Next::Finish),
        (asked().max_age(u32::MAX).session("ada", i64::from(u32::MAX), "pwd"), Next::Finish),
        // The clocks of two pods differ.
        (asked().max_age(1).session("ada", -5, "pwd"), Next::Finish),
    ]);
}

#[test]
fn the_person_who_was_meant_logs_in_or_nobody() {
    let sub = |value: Value| json!({ "id_token": { "sub": value } });
    table([
        (asked().hint("ada"), Next::Finish),
        (asked().hint("bob"), Next::Login),
        (asked().hint("bob").nobody(), Next::Login),
        (asked().hint("bob").logged_in(), Next::Error(Code::LoginRequired)),
        (asked().claims(&sub(json!({ "value": "ada" }))), Next::Finish),
        (asked().claims(&sub(json!({ "value": "bob" }))), Next::Login),
        (asked().claims(&sub(json!({ "values": ["bob", "ada"] }))), Next::Finish),
        (asked().claims(&sub(json!({ "value": "bob" }))).logged_in(), Next::Error(Code::LoginRequired)),
        (asked().hint("ada").claims(&sub(json!({ "value": "bob" }))), Next::Error(Code::LoginRequired)),
    ]);
}

#[test]
fn the_login_page_names_nobody_but_the_sessions_own_person() {
    let sub = |value: Value| json!({ "id_token": { "sub": value } });
    assert_eq!(asked().nobody().account(), Account::Any);
    assert_eq!(asked().nobody().hint("bob").account(), Account::Any);
    assert_eq!(asked().hint("bob").account(), Account::Any);
    assert_eq!(asked().claims(&sub(json!({ "value": "bob" }))).account(), Account::Any);
    assert_eq!(asked().prompt("login").account(), Account::Own);
    assert_eq!(asked().prompt("login").hint("ada").account(), Account::Own);
    let selected = asked().prompt("login select_account").did(|flow| flow.account_selected = true);
    assert_eq!(selected.account(), Account::Any);
}

#[test]
fn an_essential_acr_is_reached_or_the_client_is_told() {
    let gold = json!({ "essential": true, "values": ["gold"] });
    let either = json!({ "essential": true, "values": ["gold", "pwd"] });
    table([
        (asked().acr(&json!({ "values": ["gold"] })), Next::Finish),
        (asked().acr(&json!({ "essential": true })), Next::Finish),
        (asked().acr(&either), Next::Finish),
        (asked().acr(&either).session("ada", 600, "low"), Next::Login),
        (asked().acr(&either).session("ada", 600, "low").prompt("none"), Next::Error(Code::LoginRequired)),
        (asked().acr(&either).session("ada", 0, "low").logged_in(), Next::Error(Code::UnmetAuthenticationRequirements)),
        // Out of reach: before anybody types a password.
        (asked().acr(&gold), Next::Error(Code::UnmetAuthenticationRequirements)),
        (asked().acr(&gold).nobody(), Next::Error(Code::UnmetAuthenticationRequirements)),
        (asked().acr(&gold).prompt("none"), Next::Error(Code::UnmetAuthenticationRequirements)),
        (asked().acr(&gold).session("ada", 600, "gold"), Next::Finish),
    ]);
}

#[test]
fn a_native_application_is_always_seen() {
    table([
        (asked().native(), Next::Consent),
        (asked().native().logged_in(), Next::Consent),
        (skipping().native(), Next::Consent),
        (skipping().native().said_yes(), Next::Finish),
    ]);
}

#[test]
fn no_is_no() {
    table([
        (asked().did(|flow| flow.denied = true), Next::Error(Code::AccessDenied)),
        (asked().said_yes().did(|flow| flow.denied = true), Next::Error(Code::AccessDenied)),
    ]);
    let mut cancelled = asked().nobody();
    cancelled.flow.denied = true;
    assert_eq!(cancelled.next(), Next::Error(Code::AccessDenied), "the login was cancelled");
}

#[test]
fn consent_to_one_api_is_none_to_anothers_scope_of_that_name() {
    let (a, b) = ("https://a.example", "https://b.example");
    let audiences = json!([{ "audience": a, "scopes": ["read"] }, { "audience": b, "scopes": ["read"] }]);
    let mut case = Case::new(json!({ "audiences": audiences }));
    case.request.scopes = vec!["openid".to_owned(), "read".to_owned()];
    case.request.audience = a.to_owned();
    case.consented = consent_entries(&case.request, &case.client);
    assert_eq!(case.consented, BTreeSet::from(["openid".to_owned(), format!("read {a}")]));
    assert_eq!(case.next(), Next::Finish);
    case.request.audience = b.to_owned();
    assert_eq!(case.next(), Next::Consent);
    case.request.audience = ISSUER.to_owned();
    assert_eq!(case.next(), Next::Consent);
}

#[test]
fn consent_to_one_api_is_none_to_another_that_is_named_without_a_scope() {
    let (a, b) = ("https://a.example", "https://b.example");
    let audiences = json!([{ "audience": a, "scopes": ["read"] }, { "audience": b, "scopes": ["read"] }]);
    let mut case = Case::new(json!({ "audiences": audiences }));
    case.request.scopes = vec!["openid".to_owned()];
    case.request.audience = a.to_owned();
    case.consented = consent_entries(&case.request, &case.client);
    assert_eq!(case.consented, BTreeSet::from(["openid".to_owned(), format!(" {a}")]));
    assert_eq!(case.next(), Next::Finish);
    case.request.audience = b.to_owned();
    assert_eq!(case.next(), Next::Consent);
    case.request.audience = ISSUER.to_owned();
    assert_eq!(case.next(), Next::Finish, "whoever may act at an API for him may have a token for nobody");
}
