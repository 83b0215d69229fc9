//! Where something can be put into a request, by the API's own description, and how that is refused.

use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::artefact::{Artefact, Held};
use super::{Secrets, Stranger};
use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::exchange::{ACCESS_TOKEN, BEARER, EXCHANGE, token_type};
use crate::fixture::*;

/// A place in a request: `POST /oauth/token`, `body code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) operation: String,
    pub(crate) field: String,
}

/// Places that no description names: they are not for applications.
pub(crate) const UNDESCRIBED: [(&str, &str); 3] = [
    ("GET /oauth/authorize", "cookie session"),
    ("GET /oauth/logout", "cookie session"),
    ("POST /oauth/login", "cookie flow"),
];

/// What holds nothing that was handed out or that proves anything.
pub(crate) const PLAIN: [&str; 34] = [
    "acr",
    "acr_values",
    "actor_token_type",
    "amr",
    "audience",
    "choice",
    "claims",
    "client_assertion_type",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "decision",
    "display",
    "grant_type",
    "idp_hint",
    "login_hint",
    "logout_hint",
    "max_age",
    "nonce",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "requested_token_type",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "subject",
    "subject_token_type",
    "token_type_hint",
    "ui_locales",
    "username",
];

const STATEMENT: &str = "/oauth/login/statement";
const RETURN: &str = "/oauth/login/return";
const LOGOUT_RESUME: &str = "/oauth/logout/resume";

/// How a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// JSON with this status and error.
    Error(u16, &'static str),
    /// A page with this status and code.
    Page(u16, &'static str),
    /// The application is told this.
    Redirect(&'static str),
    /// A challenge of RFC 6750 with this status and error.
    Bearer(u16, &'static str),
    /// `{"active": false}`, as of a token that is nobody's.
    Inactive,
    /// 200 and nothing, as of a token that is nobody's.
    Nothing,
    /// The login page again.
    LoginPage,
    /// A question to somebody who is not logged in.
    AskedWithoutName,
}
use Refusal::*;

impl Slot {
    pub(crate) fn new(operation: &str, field: &str) -> Self {
        Self { operation: operation.to_owned(), field: field.to_owned() }
    }

    fn name(&self) -> &str {
        self.field.split(' ').nth(1).unwrap()
    }

    /// Whether nothing of the matrix belongs here. What is not known fails: the matrix has to grow.
    pub(crate) fn is_plain(&self) -> bool {
        PLAIN.contains(&self.name()) || self.operation == "POST /backchannel-logout"
    }

    /// Whether it is there only where a tenant has a login UI of its own.
    pub(crate) fn is_of_login_ui(&self) -> bool {
        self.operation.ends_with(STATEMENT) || self.operation.ends_with(RETURN)
    }

    /// Whether the request says which client sends it.
    pub(crate) fn has_client(&self) -> bool {
        let path = self.operation.split(' ').nth(1).unwrap();
        let is_clients = matches!(path, "/oauth/token" | "/oauth/introspect" | "/oauth/revoke" | STATEMENT);
        is_clients || self.name() == "session_id" || (path == "/oauth/logout" && self.name() == "id_token_hint")
    }

    /// Whether `artefact` is what belongs here, if it is one's own.
    pub(crate) fn is_for(&self, artefact: Artefact) -> bool {
        use Artefact::*;
        let path = self.operation.split(' ').nth(1).unwrap();
        match self.field.as_str() {
            "body code" => matches!(artefact, Code | KeptCode),
            "body refresh_token" => artefact == RefreshToken,
            "body token" => matches!(artefact, AccessToken | RefreshToken),
            "body subject_token" => matches!(artefact, AccessToken | IdToken | RefreshToken),
            "body actor_token" => artefact == IdToken,
            "body access_token" => artefact == AccessToken,
            "header authorization" if path == "/oauth/userinfo" => artefact == AccessToken,
            "header authorization" | "body client_secret" => artefact == ClientSecret,
            "body client_assertion" => artefact == ClientAssertion,
            "query id_token_hint" | "body id_token_hint" => artefact == IdToken,
            "query flow" if path == LOGOUT_RESUME => artefact == LogoutResumed,
            "query flow" | "body flow" if path != "/oauth/logout/confirm" => matches!(artefact, Flow | KeptFlow),
            "body flow" => artefact == LogoutAsked,
            "body session_id" => artefact == SessionId,
            "cookie session" => artefact == Session,
            "body password" => artefact == Password,
            _ => false,
        }
    }

    /// What is answered to whatever does not belong here.
    pub(crate) fn refusal(&self) -> Refusal {
        let (method, path) = self.operation.split_once(' ').unwrap();
        match (path, self.field.as_str()) {
            ("/oauth/token", "body code" | "body refresh_token") => Error(400, "invalid_grant"),
            ("/oauth/token", "body subject_token" | "body actor_token") => Error(400, "invalid_request"),
            ("/oauth/token", "body assertion") => Error(400, "invalid_grant"),
            ("/oauth/introspect", "body token") => Inactive,
            ("/oauth/revoke", "body token") => Nothing,
            ("/oauth/userinfo", _) => Bearer(401, "invalid_token"),
            (_, "header authorization" | "body client_secret" | "body client_assertion") => {
                Error(401, "invalid_client")
            }
            ("/oauth/authorize", "query id_token_hint" | "body id_token_hint" | "cookie session") => {
                Redirect("login_required")
            }
            ("/oauth/authorize/complete", "body session_id") => Error(400, "invalid_request"),
            ("/oauth/logout", "cookie session") if method == "GET" => AskedWithoutName,
            ("/oauth/logout", "query id_token_hint" | "body id_token_hint") => Page(400, "invalid_request"),
            (LOGOUT_RESUME, "query flow") | ("/oauth/logout/confirm", "body flow") => Page(400, "invalid_request"),
            (STATEMENT, "body flow") => Error(400, "invalid_request"),
            // It is one of another flow at best.
            (RETURN, "query statement") => Page(400, "invalid_request"),
            ("/oauth/login", "cookie flow") => Page(400, "flow_cookie_missing"),
            ("/oauth/login", "body password") => LoginPage,
            (_, "query flow" | "body flow") => Page(400, "flow_expired"),
            _ => panic!("{self:?}: say how a stranger's is refused here"),
        }
    }

    /// Sends `text` here, as `stranger`; all else of the request is the stranger's own and good.
    pub(crate) async fn send(&self, to: &Target<'_>, held: &Held<'_>, text: &str) -> Answer {
        let (method, path) = self.operation.split_once(' ').unwrap();
        match (path, self.field.as_str()) {
            ("/oauth/token" | "/oauth/introspect" | "/oauth/revoke" | STATEMENT, _) => {
                to.form(held, path, self.name(), text).await
            }
            ("/oauth/userinfo", "header authorization") => to.bearer(method, text).await,
            (_, "cookie session") => to.session(path, text).await,
            (_, "cookie flow") => to.flow_cookie(text).await,
            (_, "body password") => to.password(text).await,
            (_, "body session_id") => to.complete(held, text).await,
            (RETURN, "query statement") => to.statement(text).await,
            _ => to.page(held, method, path, self.name(), text).await,
        }
    }
}

/// Where a try is made, and with what of the stranger's own.
pub(crate) struct Target<'a> {
    pub(crate) fixture: &'a Fixture,
    pub(crate) stranger: Stranger,
    pub(crate) secrets: &'a Secrets,
    pub(crate) artefact: Artefact,
}

impl<'a> Target<'a> {
    fn slug(&self) -> &'static str {
        self.stranger.slug()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", issuer(self.slug()))
    }

    /// At an endpoint of clients.
    async fn form(&self, held: &Held<'_>, to: &str, name: &str, text: &str) -> Answer {
        let (mut id, secret) = (self.stranger.client(), self.secrets.of(self.stranger));
        if to == STATEMENT && self.stranger != Stranger::Client {
            id = "ui.app";
        }
        let kind = token_type(match self.artefact {
            Artefact::AccessToken | Artefact::MachinesToken => "access_token",
            Artefact::IdToken => "id_token",
            Artefact::RefreshToken => "refresh_token",
            _ => "jwt",
        });
        let mut fields = match name {
            _ if to == STATEMENT => {
                let fields = [("username", "ada"), ("amr", "pwd"), ("acr", "gold"), ("flow", "x")];
                fields.into_iter().filter(|(field, _)| *field != name).collect()
            }
            "code" => vec![
                ("grant_type", "authorization_code"),
                ("redirect_uri", "https://shop.example/callback"),
                ("code_verifier", VERIFIER),
            ],
            "refresh_token" => vec![("grant_type", "refresh_token")],
            "subject_token" => vec![("grant_type", EXCHANGE), ("subject_token_type", kind.as_str())],
            "actor_token" => vec![
                ("grant_type", EXCHANGE),
                ("subject_token", held.subject(self.stranger)),
                ("subject_token_type", ACCESS_TOKEN),
                ("actor_token_type", kind.as_str()),
            ],
            "assertion" => vec![("grant_type", BEARER)],
            _ if to == "/oauth/token" => vec![("grant_type", "client_credentials")],
            "token" => vec![],
            _ => vec![("token", "x")],
        };
        let mut request = Request::post(path(self.slug(), to)).header(CONTENT_TYPE, FORM);
        match name {
            "authorization" => {
                let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                request = request.header(AUTHORIZATION, basic(&encode(id), &encode(text)));
            }
            "client_secret" => fields.extend([("client_id", id), (name, text)]),
            "client_assertion" => {
                let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                // At the other tenant there is such a client, and here it is another.
                let named = if self.stranger == Stranger::Tenant { "jwt.app" } else { id };
                fields.extend([("client_assertion_type", assertion), ("client_id", named), (name, text)]);
            }
            _ => {
                request = request.header(AUTHORIZATION, basic(id, secret));
                fields.push((name, text));
            }
        }
        self.fixture.send(request.body(form(&fields).into()).unwrap()).await
    }

    async fn bearer(&self, method: &str, text: &str) -> Answer {
        let request = Request::builder().method(method).uri(path(self.slug(), "/oauth/userinfo"));
        let request = request.header(AUTHORIZATION, format!("Bearer {text}"));
        self.fixture.send(request.body(axum::body::Body::empty()).unwrap()).await
    }

    async fn session(&self, to: &str, text: &str) -> Answer {
        let mut browser = Browser::new(self.fixture);
        browser.cookies.insert(format!("__Host-claviger-session-{}", self.slug()), text.to_owned());
        if to == "/oauth/logout" {
            return browser.get(&self.url(to)).await;
        }
        browser.get(&authorize_at(self.slug(), &[("prompt", "none")])).await
    }

    /// A flow of the stranger's own, with this in its cookie.
    async fn flow_cookie(&self, text: &str) -> Answer {
        let mut browser = Browser::new(self.fixture);
        let page = browser.open(&authorize_at(self.slug(), &[])).await;
        browser.cookies.values_mut().for_each(|value| text.clone_into(value));
        browser.log_in(&page, "ada", self.secrets.password_at(self.slug())).await
    }

    /// For a flow of the stranger's own.
    async fn statement(&self, text: &str) -> Answer {
        let mut browser = Browser::new(self.fixture);
        let flow = browser.open(&authorize_at(self.slug(), &[])).await.redirected("flow").unwrap();
        let fields = [("flow", flow.as_str()), ("statement", text)];
        browser.get(&format!("{}?{}", self.url(RETURN), form(&fields))).await
    }

    async fn password(&self, text: &str) -> Answer {
        let mut browser = Browser::new(self.fixture);
        let page = browser.open(&authorize_at(self.slug(), &[])).await;
        browser.log_in(&page, "ada", text).await
    }

    async fn complete(&self, held: &Held<'_>, text: &str) -> Answer {
        let mut body: Value = request(&[("client_id", self.stranger.client())])
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        body["session_id"] = json!(text);
        self.with_cookies(&held.finished).post_json(&self.url("/oauth/authorize/complete"), &body).await
    }

    /// At an endpoint of browsers, with all the cookies that go with what is tried.
    async fn page(&self, held: &Held<'_>, method: &str, path: &str, name: &str, text: &str) -> Answer {
        let mut browser = self.with_cookies(&held.browser);
        let hinted = [(name, text), ("prompt", "none")];
        let fields = match (path, name) {
            ("/oauth/authorize", "id_token_hint") => {
                browser.cookies.clear();
                request(&hinted)
            }
            ("/oauth/logout", "id_token_hint") => vec![(name, text), ("client_id", self.stranger.client())],
            ("/oauth/logout/confirm", _) => vec![(name, text), ("decision", "yes")],
            (RETURN, _) => vec![(name, text), ("statement", held.text(Artefact::Statement))],
            _ => vec![(name, text), ("decision", "allow"), ("choice", "continue"), ("username", "ada")],
        };
        let url = self.url(path);
        if method == "POST" {
            let answer = browser.post(&url, &fields).await;
            return if path == "/oauth/authorize" { browser.follow(answer).await } else { answer };
        }
        browser.get(&format!("{url}?{}", form(&fields))).await
    }

    /// `browser`'s, under the names that this tenant reads.
    fn with_cookies(&self, browser: &Browser<'_>) -> Browser<'a> {
        let mut thief = Browser::new(self.fixture);
        let renamed = |name: &str| name.replace("-acme", &format!("-{}", self.slug()));
        thief.cookies.extend(browser.cookies.iter().map(|(name, value)| (renamed(name), value.clone())));
        thief
    }
}

impl Refusal {
    /// What `answer` is, as far as it can be this.
    pub(crate) fn check(&self, answer: &Answer, what: &str) {
        match *self {
            Error(status, error) => assert_eq!(answer.error(), (status, error.to_owned()), "{what}"),
            Page(status, code) => assert_eq!(answer.shown(), (status, code.to_owned()), "{what}"),
            Redirect(error) => assert_eq!(answer.redirected("error").as_deref(), Some(error), "{what}"),
            Bearer(status, error) => {
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.contains(&format!("error=\"{error}\"")), "{what}: {challenge}");
                assert_eq!(answer.status, status, "{what}");
            }
            Inactive => {
                assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"active":false}"#), "{what}")
            }
            Nothing => assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""), "{what}"),
            LoginPage => assert!(answer.is_page("login") && answer.text().contains("id=\"error\""), "{what}"),
            AskedWithoutName => {
                assert!(
                    answer.is_page("logout-confirm") && !answer.text().contains("ada"),
                    "{what}: {}",
                    answer.text()
                );
            }
        }
    }
}
