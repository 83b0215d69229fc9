//! The store is away: what needs it answers 503 and when to come again, and uses nothing up; the
//! rest goes on.

use std::collections::BTreeSet;

use claviger_crds::published::{ConsentPolicy, Content, Document, LoginUiDocument};
use claviger_provider::internal::Readiness;
use serde_json::{Value, json};

use crate::browser::{ADAS_PASSWORD, Browser};
use crate::code_flow::*;
use crate::database::Database;
use crate::fixture::*;
use crate::operations::operations;

const MACHINE: (&str, &str) = ("machine.app", SECRET);
const GRANT: &str = "grant_type=client_credentials";

fn documents() -> Vec<Document> {
    let mut documents = vec![
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        app("acme", "shop.app", |_| {}),
        app("acme", "asking.app", |app| app.consent = ConsentPolicy::Required),
        client("acme", "machine.app"),
        user("acme", "ada", ADAS_PASSWORD),
    ];
    documents.extend(with_ui("hall"));
    documents
}

/// A tenant with a login UI of its own.
fn with_ui(slug: &str) -> Vec<Document> {
    let mut tenant = tenant_document(slug);
    let url = "https://accounts.example/login".to_owned();
    tenant.login.ui = Some(LoginUiDocument { url, client_id: "ui.app".to_owned() });
    vec![
        serving(slug, slug, Content::Tenant(tenant)),
        ring(slug, "es256", "ES256"),
        app(slug, "shop.app", |_| {}),
        client(slug, "ui.app"),
        user(slug, "ada", ADAS_PASSWORD),
    ]
}

async fn state(fixture: &Fixture, flow: &str) -> Answer {
    let fields = [("flow", flow), ("username", "ada"), ("amr", "pwd"), ("acr", "gold")];
    fixture.post_form("hall", "/oauth/login/statement", ("ui.app", SECRET), &fields).await
}

/// What is too long for a URL, so that the store has to keep it.
fn long<'a>(state: &'a str, claims: &'a str) -> [(&'a str, &'a str); 2] {
    [("state", state), ("claims", claims)]
}

fn long_claims() -> String {
    json!({"userinfo": {"email": {"value": "x".repeat(600)}}}).to_string()
}

fn at(path: &str) -> String {
    format!("{}{path}", issuer("acme"))
}

/// What has begun before the store goes away.
struct Begun<'a> {
    /// Logged in.
    browser: Browser<'a>,
    /// Pages of its.
    asked: Answer,
    choosing: Answer,
    leaving: Answer,
    /// Where posted requests of its go on: to log in and to log out.
    resumed: [String; 2],
    /// Not logged in, with the login page.
    stranger: Browser<'a>,
    page: Answer,
    /// A login page of somebody's own, and where it is.
    program: (Browser<'a>, Value),
    /// At a login UI of the tenant's own: the way back, and flows of which nothing was stated yet.
    returning: (Browser<'a>, String),
    unstated: [String; 2],
    /// A login by a page of somebody's own, finished.
    finished: (Browser<'a>, Value),
    code: String,
    tokens: Value,
    machines: String,
}

impl<'a> Begun<'a> {
    async fn at(fixture: &'a Fixture) -> Self {
        let mut browser = Browser::new(fixture);
        let code = browser.code(&authorize(&[])).await;
        let tokens = redeem(fixture, &browser.code(&authorize(&[])).await).await.json();
        let asked = browser.open(&authorize(&[("client_id", "asking.app")])).await;
        assert!(asked.is_page("consent"), "{}", asked.text());
        let choosing = browser.open(&authorize(&[("prompt", "select_account")])).await;
        let leaving = browser.get(&at("/oauth/logout")).await;
        let posted = browser.post(&at("/oauth/authorize"), &request(&[])).await;
        let logout = browser.post(&at("/oauth/logout"), &[("client_id", "shop.app")]).await;
        let resumed = [posted, logout].map(|answer| answer.header("location").unwrap().to_owned());
        let mut stranger = Browser::new(fixture);
        let page = stranger.open(&authorize(&[])).await;
        let machines = fixture.token("acme", MACHINE, GRANT).await.json();
        let machines = machines["access_token"].as_str().unwrap().to_owned();
        let mut returning = Browser::new(fixture);
        let flow = returning.open(&authorize_at("hall", &[])).await.redirected("flow").unwrap();
        let way_back = state(fixture, &flow).await.json()["redirect_to"].as_str().unwrap().to_owned();
        let (returning, mut others) = ((returning, way_back), Browser::new(fixture));
        let (long_state, claims) = ("s".repeat(2048), long_claims());
        let short = others.open(&authorize_at("hall", &[])).await.redirected("flow").unwrap();
        let kept = others.open(&authorize_at("hall", &long(&long_state, &claims))).await;
        let kept = kept.redirected("flow").unwrap_or_else(|| panic!("{:?}", kept.headers));
        assert!(kept.starts_with("k."), "{kept}");
        let unstated = [short, kept];
        let mut program = Browser::new(fixture);
        program.accept = "application/json";
        let step = program.get(&authorize(&[])).await.json();
        let (program, finished) = ((program, step), finished(fixture).await);
        Self {
            browser,
            asked,
            choosing,
            leaving,
            resumed,
            stranger,
            page,
            program,
            returning,
            unstated,
            finished,
            code,
            tokens,
            machines,
        }
    }
}

/// A login by JSON, and what completes it.
pub(crate) async fn finished(fixture: &Fixture) -> (Browser<'_>, Value) {
    let mut browser = Browser::new(fixture);
    browser.accept = "application/json";
    let step = browser.get(&authorize(&[])).await.json();
    let login = json!({"flow": step["flow"], "username": "ada", "password": ADAS_PASSWORD});
    let done = browser.post_json(&at("/oauth/login"), &login).await.json();
    let mut body: Value = request(&[]).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    body["session_id"] = done["session_id"].clone();
    (browser, body)
}

type Answers = Vec<(&'static str, Answer)>;

/// Asks everything that needs the store.
async fn ask(fixture: &Fixture, begun: &mut Begun<'_>) -> Answers {
    let mut answers = Answers::new();
    asked_by_clients(fixture, begun, &mut answers).await;
    asked_by_pages(begun, &mut answers).await;
    answers
}

async fn asked_by_pages(begun: &mut Begun<'_>, answers: &mut Answers) {
    let Begun { browser, asked, choosing, leaving, resumed, stranger, page, program, returning, finished, .. } = begun;
    let mut put = |name, answer: Answer| answers.push((name, answer));
    put("GET /oauth/authorize", browser.get(&authorize(&[])).await);
    put("POST /oauth/authorize", browser.post(&at("/oauth/authorize"), &request(&[])).await);
    let (state, claims) = ("s".repeat(2048), long_claims());
    let kept = request(&long(&state, &claims));
    put("POST /oauth/authorize", stranger.post(&at("/oauth/authorize"), &kept).await);
    let (back, way) = returning;
    put("GET /oauth/login/return", back.get(way).await);
    let (own, body) = finished;
    put("POST /oauth/authorize/complete", own.post_json(&at("/oauth/authorize/complete"), body).await);
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", ADAS_PASSWORD)];
    put("POST /oauth/login", stranger.post(&at("/oauth/login"), &fields).await);
    let (program, step) = program;
    let login = json!({"flow": step["flow"], "username": "ada", "password": ADAS_PASSWORD});
    put("POST /oauth/login", program.post_json(&at("/oauth/login"), &login).await);
    put("GET /oauth/login", browser.get(&format!("{}?flow={}", at("/oauth/login"), asked.hidden("flow"))).await);
    for (path, shown, answer) in [
        ("/oauth/consent", &*asked, ("decision", "allow")),
        ("/oauth/select-account", &*choosing, ("choice", "continue")),
    ] {
        let flow = shown.hidden("flow");
        let (get, post) = if path.ends_with("consent") {
            ("GET /oauth/consent", "POST /oauth/consent")
        } else {
            ("GET /oauth/select-account", "POST /oauth/select-account")
        };
        put(get, browser.get(&format!("{}?flow={flow}", at(path))).await);
        put(post, browser.post(&at(path), &[("flow", &flow), ("username", "ada"), answer]).await);
    }
    put("GET /oauth/authorize/resume", browser.get(&resumed[0]).await);
    put("GET /oauth/logout/resume", browser.get(&resumed[1]).await);
    put("GET /oauth/logout", browser.get(&at("/oauth/logout")).await);
    let fields = [("flow", &*leaving.hidden("flow")), ("decision", "yes")];
    put("POST /oauth/logout/confirm", browser.post(&at("/oauth/logout/confirm"), &fields).await);
}

async fn asked_by_clients(fixture: &Fixture, begun: &Begun<'_>, answers: &mut Answers) {
    let mut put = |name, answer: Answer| answers.push((name, answer));
    let text = |name: &str| begun.tokens[name].as_str().unwrap();
    put("POST /oauth/token", redeem(fixture, &begun.code).await);
    put("POST /oauth/token", refresh(fixture, text("refresh_token")).await);
    put("POST /oauth/login/statement", state(fixture, &begun.unstated[1]).await);
    put("GET /oauth/userinfo", fixture.bearer("acme", "/oauth/userinfo", text("access_token")).await);
    let form = [("access_token", text("access_token"))];
    put("POST /oauth/userinfo", Browser::new(fixture).post(&at("/oauth/userinfo"), &form).await);
    for path in ["introspect", "revoke"] {
        let name = if path == "revoke" { "POST /oauth/revoke" } else { "POST /oauth/introspect" };
        let mine = [(SHOP, text("access_token")), (SHOP, text("refresh_token")), (MACHINE, &begun.machines)];
        for (client, token) in mine {
            let answer = fixture.post_form("acme", &format!("/oauth/{path}"), client, &[("token", token)]).await;
            put(name, answer);
        }
    }
}

/// Asks everything that does not.
async fn goes_on(fixture: &Fixture, begun: &mut Begun<'_>) -> Vec<(&'static str, u16)> {
    let mut answers = Vec::new();
    for (name, status) in [
        ("GET /.well-known/openid-configuration", 200),
        ("GET /.well-known/jwks.json", 200),
        ("GET /oauth/assets/pages.css", 200),
        ("GET /oauth/assets/form-post.js", 200),
        ("GET /oauth/assets/front-channel.js", 200),
    ] {
        assert_eq!(fixture.get(&path("acme", &name[4..])).await.status, status, "{name}");
        answers.push((name, status));
    }
    let rfc_8414 = format!("/.well-known/oauth-authorization-server{}", path("acme", ""));
    answers.push(("GET /.well-known/oauth-authorization-server", fixture.get(&rfc_8414).await.status.as_u16()));
    answers.push(("POST /oauth/token", fixture.token("acme", MACHINE, GRANT).await.status.as_u16()));
    let begins = Browser::new(fixture).get(&authorize(&[])).await;
    answers.push(("GET /oauth/authorize", begins.status.as_u16()));
    let flow = begun.page.hidden("flow");
    let page = begun.stranger.get(&format!("{}?flow={flow}", at("/oauth/login"))).await;
    answers.push(("GET /oauth/login", page.status.as_u16()));
    answers.push(("POST /oauth/login/statement", state(fixture, &begun.unstated[0]).await.status.as_u16()));
    // Sent on to the GET that needs it.
    let posted = begun.browser.post(&at("/oauth/logout"), &[("client_id", "shop.app")]).await;
    answers.push(("POST /oauth/logout", posted.status.as_u16()));
    answers
}

#[tokio::test]
async fn what_needs_the_store_says_when_to_come_again_and_uses_nothing_up() {
    let (database, documents) = (Database::new(), documents());
    let fixture = Fixture::remembering_in(database.store.clone(), &documents);
    let mut begun = Begun::at(&fixture).await;
    let before = database.rows("%");
    assert!(fixture.metrics().contains("claviger_provider_store_available 1\n"), "{}", fixture.metrics());
    database.take_away();

    let refused = ask(&fixture, &mut begun).await;
    for (name, answer) in &refused {
        assert_eq!(answer.status, 503, "{name}: {}", answer.text());
        assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().unwrap() >= 1), "{name}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
        assert!(answer.headers.get("set-cookie").is_none(), "{name}");
        if answer.header("content-type") == Some("application/json") {
            assert_eq!(answer.error().1, "temporarily_unavailable", "{name}");
        } else {
            assert_eq!(answer.shown().1, "temporarily_unavailable", "{name}");
        }
    }
    let served = goes_on(&fixture, &mut begun).await;
    assert!(served.iter().all(|(_, status)| [200, 303].contains(status)), "{served:?}");
    assert_eq!(fixture.provider.readiness(), Readiness::Ready);
    let metrics = fixture.metrics();
    assert!(metrics.contains("claviger_provider_store_available 0\n"), "{metrics}");
    let failures = metrics.split("claviger_provider_store_failures_total ").nth(1).unwrap();
    let failures: usize = failures.lines().next().unwrap().parse().unwrap();
    assert_eq!(failures, refused.len(), "each asked once, in vain");

    let tried: BTreeSet<&str> =
        refused.iter().map(|(name, _)| *name).chain(served.iter().map(|(name, _)| *name)).collect();
    for operation in operations(&fixture).await {
        let name = operation.name.as_str();
        assert!(tried.contains(name) || name == "POST /backchannel-logout", "{name} was not tried");
    }

    database.bring_back();
    assert_eq!(database.rows("%"), before, "nothing was used up");
    for (name, answer) in ask(&fixture, &mut begun).await {
        assert!([200, 303].contains(&answer.status.as_u16()), "{name}: {} {}", answer.status, answer.text());
    }
    assert!(fixture.metrics().contains("claviger_provider_store_available 1\n"));
}

/// In a hidden frame nobody reads a page, and the script that waits sees none.
#[tokio::test]
async fn who_asks_in_silence_is_told_by_the_redirect() {
    let (database, documents) = (Database::new(), documents());
    let fixture = Fixture::remembering_in(database.store.clone(), &documents);
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let silent = [("prompt", "none"), ("state", "s-1")];
    let posted = browser.post(&at("/oauth/authorize"), &request(&silent)).await;
    let resumed = posted.header("location").unwrap().to_owned();
    database.take_away();
    for answer in [browser.get(&authorize(&silent)).await, browser.get(&resumed).await] {
        assert_eq!(answer.redirected("error").as_deref(), Some("temporarily_unavailable"), "{}", answer.text());
        assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
        assert_eq!(answer.redirected("iss"), Some(issuer("acme")));
    }
    database.bring_back();
    assert!(browser.get(&authorize(&silent)).await.redirected("code").is_some());
}
