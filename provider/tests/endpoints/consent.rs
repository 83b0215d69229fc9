use claviger_crds::published::{ClientDocument, ConsentPolicy, ResourceServerDocument, ScopeDocument};

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;

/// A browser in which Ada is logged in and has let the application have `openid email`.
async fn agreed(fixture: &Fixture) -> Browser<'_> {
    let mut browser = Browser::new(fixture);
    let page = browser.open(&authorize(&[("scope", "openid email")])).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    assert!(page.is_page("consent"));
    assert!(browser.press(&page, "decision", "allow").await.redirected("code").is_some());
    browser
}

fn asking() -> Fixture {
    shop(|shop| shop.consent = ConsentPolicy::Required)
}

#[tokio::test]
async fn what_was_let_once_is_not_asked_again() {
    let fixture = asking();
    let mut browser = agreed(&fixture).await;
    for scope in ["openid email", "openid", "email openid"] {
        assert!(browser.get(&authorize(&[("scope", scope)])).await.redirected("code").is_some(), "{scope}");
    }
    // In another browser too, for it is the person's.
    let mut other = Browser::new(&fixture);
    let page = other.open(&authorize(&[("scope", "openid email")])).await;
    assert!(other.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
    let mut bobs = Browser::new(&fixture);
    let page = bobs.open(&authorize(&[("scope", "openid email")])).await;
    assert!(bobs.log_in(&page, "bob", "bobs password").await.is_page("consent"), "and nobody else's");
}

#[tokio::test]
async fn more_is_asked_for_and_so_is_whatever_the_client_wants_asked() {
    let fixture = asking();
    let mut browser = agreed(&fixture).await;
    let page = browser.open(&authorize(&[("scope", "openid email profile")])).await;
    assert!(page.is_page("consent"));
    let page = browser.open(&authorize(&[("scope", "openid"), ("prompt", "consent")])).await;
    assert!(page.is_page("consent"));
    assert!(browser.press(&page, "decision", "allow").await.redirected("code").is_some());
    let none = browser.get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("consent_required"), "what was shown was not agreed to");
}

#[tokio::test]
async fn a_no_is_told_to_the_client_and_not_remembered() {
    let fixture = asking();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    let answer = browser.press(&page, "decision", "deny").await;
    assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
    assert_eq!(answer.redirected("code"), None);
    assert!(browser.open(&authorize(&[])).await.is_page("consent"));
}

#[tokio::test]
async fn a_yes_before_the_login_counts_for_nothing() {
    let fixture = asking();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let fields = [("flow", page.hidden("flow")), ("decision", "allow".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let consent = format!("{}/oauth/consent", issuer("acme"));
    let answer = browser.post(&consent, &fields).await;
    assert!(browser.follow(answer).await.is_page("login"));
    assert!(browser.log_in(&page, "ada", "correct horse").await.is_page("consent"));
}

#[tokio::test]
async fn a_yes_to_one_person_is_none_for_the_next() {
    let fixture = asking();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let adas = browser.log_in(&page, "ada", "correct horse").await;
    // In another tab Bob logs in.
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    assert!(browser.log_in(&page, "bob", "bobs password").await.is_page("consent"));
    let page = browser.open(&format!("{}?flow={}", adas.action(), adas.hidden("flow"))).await;
    assert!(page.is_page("consent") && page.text().contains("bob"), "{}", page.text());
    assert_eq!(browser.press(&page, "decision", "x").await.shown(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_yes_of_the_person_who_was_shown_the_page_is_none_of_who_logged_in_since() {
    let fixture = asking();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    browser.log_in(&page, "ada", "correct horse").await;
    // Neither tab's request demands a login of its own: in the session alone they differ.
    let adas = browser.open(&authorize(&[("scope", "openid email")])).await;
    assert!(adas.is_page("consent") && adas.hidden("username") == "ada");
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    assert!(browser.log_in(&page, "bob", "bobs password").await.is_page("consent"));
    for decision in ["allow", "deny"] {
        let again = browser.press(&adas, "decision", decision).await;
        assert!(again.is_page("consent") && again.hidden("username") == "bob", "{}", again.text());
    }
    let none = browser.get(&authorize(&[("prompt", "none"), ("scope", "openid email")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("consent_required"), "nothing is remembered of bob");
    let again = browser.press(&adas, "decision", "allow").await;
    assert!(browser.press(&again, "decision", "allow").await.redirected("code").is_some(), "asked himself he may");
    let without = [
        ("flow", &*browser.open(&authorize(&[("scope", "openid profile")])).await.hidden("flow")),
        ("decision", "allow"),
    ];
    assert_eq!(browser.post(&again.action(), &without).await.shown(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn consent_and_its_words_are_those_of_the_audience() {
    let fixture = asking();
    fixture.apply(
        &app("acme", "shop.app", |shop| {
            shop.consent = ConsentPolicy::Required;
            shop.audiences = vec![audience("https://a.example", &["read"]), audience("https://b.example", &["read"])];
        }),
        3,
    );
    let api = |id: &str, audience: &str, words: &str| {
        let scope = ScopeDocument { name: "read".to_owned(), description: words.to_owned(), claims: Vec::new() };
        let (audience, scopes) = (audience.to_owned(), vec![scope]);
        app("acme", id, |api| {
            api.resource_server = Some(ResourceServerDocument { audience, scopes });
        })
    };
    fixture.apply(&api("api.a", "https://a.example", "Read <A>"), 1);
    fixture.apply(&api("api.b", "https://b.example", "Read B"), 1);
    let url = |resource| authorize(&[("scope", "openid read"), ("resource", resource)]);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&url("https://a.example")).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    assert!(page.text().contains("Read &#60;A&#62;") && !page.text().contains("Read B"), "{}", page.text());
    let code = browser.press(&page, "decision", "allow").await.redirected("code").unwrap();
    assert_eq!(redeem(&fixture, &code).await.claims()["aud"], "https://a.example");
    let page = browser.open(&url("https://b.example")).await;
    assert!(page.is_page("consent") && page.text().contains("Read B"), "the same word is another right");
}

#[tokio::test]
async fn an_api_is_named_where_no_scope_names_it() {
    let fixture = asking();
    let change = |shop: &mut ClientDocument| {
        shop.consent = ConsentPolicy::Required;
        shop.audiences = vec![audience("https://a.example", &["read"]), audience("https://b.example", &["read"])];
    };
    fixture.apply(&app("acme", "shop.app", change), 3);
    let api = app("acme", "api.b", |api| {
        api.display_name = "Payments <B>".to_owned();
        let audience = "https://b.example".to_owned();
        api.resource_server = Some(ResourceServerDocument { audience, scopes: Vec::new() });
    });
    fixture.apply(&api, 1);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[("scope", "openid read"), ("resource", "https://a.example")])).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    assert!(browser.press(&page, "decision", "allow").await.redirected("code").is_some());
    let bare = authorize(&[("scope", "openid"), ("resource", "https://b.example")]);
    let page = browser.open(&bare).await;
    assert!(page.is_page("consent"), "{}", page.text());
    assert!(
        page.text().contains("Use <bdi>Payments &#60;B&#62;</bdi> in your name")
            && page.text().contains("https://b.example"),
        "{}",
        page.text()
    );
    assert!(browser.press(&page, "decision", "allow").await.redirected("code").is_some());
    assert!(browser.open(&bare).await.redirected("code").is_some(), "it is remembered");
}

#[tokio::test]
async fn what_the_claims_parameter_asks_for_is_asked_for() {
    let fixture = asking();
    let mut browser = Browser::new(&fixture);
    let claims = r#"{"userinfo":{"email":null}}"#;
    let url = authorize(&[("scope", "openid"), ("claims", claims)]);
    let code = browser.code(&authorize(&[("scope", "openid")])).await;
    assert_eq!(redeem(&fixture, &code).await.json()["scope"], "openid");
    let page = browser.open(&url).await;
    assert!(page.is_page("consent"), "it is more than was let");
    assert!(page.text().to_lowercase().contains("mail"), "{}", page.text());
    let code = browser.press(&page, "decision", "allow").await.redirected("code").unwrap();
    let tokens = redeem(&fixture, &code).await.json();
    assert_eq!(tokens["scope"], "openid");
    let userinfo = fixture.bearer("acme", "/oauth/userinfo", tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.json()["email"], "ada@acme.example");
    assert!(browser.get(&url).await.redirected("code").is_some(), "it is remembered");
}

/// Its documents come in the order of their names, after a watch that broke off.
#[tokio::test]
async fn an_api_that_passed_to_another_client_is_that_clients_though_the_first_goes_later() {
    let fixture = asking();
    fixture.apply(
        &app("acme", "shop.app", |shop| {
            shop.consent = ConsentPolicy::Required;
            shop.audiences = vec![audience("https://a.example", &["read"])];
        }),
        3,
    );
    let api = |id: &str, words: &str| {
        let scope = ScopeDocument { name: "read".to_owned(), description: words.to_owned(), claims: Vec::new() };
        app("acme", id, |api| {
            let audience = "https://a.example".to_owned();
            api.resource_server = Some(ResourceServerDocument { audience, scopes: vec![scope] });
        })
    };
    let first = api("api.first", "Before");
    fixture.apply(&first, 1);
    fixture.apply(&api("api.second", "Now"), 1);
    fixture.apply(&withdrawn(&first), 2);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[("scope", "openid read"), ("resource", "https://a.example")])).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    assert!(page.is_page("consent") && page.text().contains("Now"), "{}", page.text());
}
