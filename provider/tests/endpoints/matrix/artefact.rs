//! What a tenant hands out, or is shown: each once, at the tenant `acme`, for its client `shop.app`.

use claviger_crds::published::BackchannelLogoutDocument;
use claviger_jose::{Purpose, TokenType};
use serde_json::json;

use super::{PASSWORD, Secrets, Stranger, logout_token};
use crate::assertions::ClientKey;
use crate::away::finished;
use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;
use crate::foreign::{account, job};

macro_rules! artefacts {
    ($($name:ident),+ $(,)?) => {
        /// See the module.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Artefact {
            $($name),+
        }

        impl Artefact {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// Whether it looks like an ID token.
            pub(crate) fn is_token(self) -> bool {
                matches!(self, AccessToken | MachinesToken | IdToken | LogoutToken | ClientAssertion | PodToken | JobToken)
            }
        }
    };
}

artefacts! {
    Code, KeptCode, AccessToken, MachinesToken, RefreshToken, IdToken, LogoutToken, Session, FlowCookie,
    FinishedCookie, Flow, KeptFlow, SessionId, Statement, LogoutAsked, LogoutResumed, ClientSecret, ClientAssertion, Password,
    PodToken, JobToken,
}
use Artefact::*;

/// What is sealed for a purpose. A purpose that comes later does not compile before it stands here.
fn sealed_for(purpose: Purpose) -> &'static [Artefact] {
    match purpose {
        Purpose::Flow => &[Flow, KeptFlow],
        Purpose::FlowCookie => &[FlowCookie, FinishedCookie],
        Purpose::Session => &[Session],
        Purpose::Code => &[Code, KeptCode],
        Purpose::LoginStep => &[SessionId, Statement],
        Purpose::RefreshToken => &[RefreshToken],
        Purpose::LogoutRequest => &[LogoutAsked],
        Purpose::StoredRequest => &[LogoutResumed],
    }
}

/// And what is signed with a type.
fn signed_as(token: TokenType) -> &'static [Artefact] {
    match token {
        TokenType::AccessToken | TokenType::Jwt => &[AccessToken, MachinesToken],
        TokenType::IdToken => &[IdToken],
        TokenType::LogoutToken => &[LogoutToken],
    }
}

/// Beside what is sealed and signed there is only what people and clients bring themselves.
#[test]
fn whatever_is_sealed_or_signed_is_in_the_matrix() {
    let purposes = [
        Purpose::Flow,
        Purpose::FlowCookie,
        Purpose::Session,
        Purpose::Code,
        Purpose::LoginStep,
        Purpose::RefreshToken,
        Purpose::LogoutRequest,
        Purpose::StoredRequest,
    ];
    let types = [TokenType::AccessToken, TokenType::Jwt, TokenType::IdToken, TokenType::LogoutToken];
    let sealed = purposes.into_iter().flat_map(sealed_for);
    let ours: Vec<&Artefact> = sealed.chain(types.into_iter().flat_map(signed_as)).collect();
    for artefact in Artefact::ALL {
        let is_brought = matches!(artefact, ClientSecret | ClientAssertion | Password | PodToken | JobToken);
        assert_ne!(ours.contains(&artefact), is_brought, "{artefact:?}");
    }
}

/// Each of them, with the browser that the session and the flow are in, and the one of `session_id`.
pub(crate) struct Held<'a> {
    texts: Vec<(Artefact, String)>,
    pub(crate) browser: Browser<'a>,
    pub(crate) finished: Browser<'a>,
    /// Of each stranger: an access token of its own, which it may exchange.
    subjects: Vec<(Stranger, String)>,
}

impl<'a> Held<'a> {
    /// Logs Ada in, and so on.
    pub(crate) async fn at(fixture: &'a Fixture, key: &ClientKey, secrets: &Secrets) -> Self {
        let mut texts = Vec::new();
        let (mut browser, url) = (Browser::new(fixture), |path: &str| format!("{}/oauth/{path}", issuer("acme")));
        let page = browser.open(&authorize(&[])).await;
        browser.log_in(&page, "ada", PASSWORD).await;
        let long = "n".repeat(1_000);
        let codes = [(Code, "n-1"), (KeptCode, &long)];
        for (code, nonce) in codes {
            texts.push((code, browser.code(&authorize(&[("nonce", nonce)])).await));
        }
        let session = browser.cookies["__Host-claviger-session-acme"].clone();
        texts.push((Session, session));

        let code = browser.code(&authorize(&[])).await;
        let tokens = redeem_as(fixture, secrets, &code).await.json();
        for (artefact, name) in [(AccessToken, "access_token"), (RefreshToken, "refresh_token"), (IdToken, "id_token")]
        {
            texts.push((artefact, tokens[name].as_str().unwrap().to_owned()));
        }
        let machine = ("machine.app", secrets.client.as_str());
        let machines = fixture.token("acme", machine, "grant_type=client_credentials").await.json();
        texts.push((MachinesToken, machines["access_token"].as_str().unwrap().to_owned()));

        let (state, claims) = ("s".repeat(2_048), json!({"userinfo": {"email": {"value": "x".repeat(1_500)}}}));
        let claims = claims.to_string();
        let long = [("prompt", "login"), ("state", state.as_str()), ("claims", claims.as_str())];
        texts.push((KeptFlow, browser.open(&authorize(&long)).await.hidden("flow")));
        let before = browser.cookies.clone();
        texts.push((Flow, browser.open(&authorize(&[("prompt", "login")])).await.hidden("flow")));
        let cookie = browser.cookies.iter().find(|(name, _)| !before.contains_key(*name)).unwrap();
        texts.push((FlowCookie, cookie.1.clone()));
        texts.push((FinishedCookie, browser.cookies["__Host-claviger-finished-acme"].clone()));
        let (_, flow) = texts.iter().find(|(held, _)| *held == Flow).unwrap();
        texts.push((Statement, statement(fixture, secrets, flow).await));

        texts.push((LogoutAsked, browser.get(&url("logout")).await.hidden("flow")));
        let answer = browser.post(&url("logout"), &[("client_id", "shop.app")]).await;
        let (_, text) = answer.header("location").unwrap().split_once("/oauth/logout/resume?flow=").unwrap();
        texts.push((LogoutResumed, text.to_owned()));
        let (finished, body) = finished(fixture).await;
        texts.push((SessionId, body["session_id"].as_str().unwrap().to_owned()));
        texts.push((ClientSecret, secrets.client.clone()));
        texts.push((ClientAssertion, key.sign(&crate::assertions::claims("acme", "jwt.app"))));
        texts.push((Password, PASSWORD.to_owned()));
        texts.push((PodToken, secrets.cluster.sign(&account("shop", "billing", &issuer("acme")))));
        texts.push((JobToken, secrets.ci.sign(&job(&issuer("acme")))));
        texts.push((LogoutToken, logout_token(fixture).await));
        assert!(texts.iter().filter(|(_, text)| text.starts_with("k.")).count() == 2, "the long ones are kept");
        assert_eq!(texts.len(), Artefact::ALL.len());
        let mut subjects = Vec::new();
        for stranger in Stranger::ALL {
            let client = (stranger.client(), secrets.of(stranger));
            let own = fixture.token(stranger.slug(), client, "grant_type=client_credentials").await.json();
            subjects.push((stranger, own["access_token"].as_str().unwrap().to_owned()));
        }
        Self { texts, browser, finished, subjects }
    }

    /// An access token of `stranger`'s own, which it may exchange.
    pub(crate) fn subject(&self, stranger: Stranger) -> &str {
        &self.subjects.iter().find(|(other, _)| *other == stranger).unwrap().1
    }

    pub(crate) fn text(&self, artefact: Artefact) -> &str {
        &self.texts.iter().find(|(held, _)| *held == artefact).unwrap_or_else(|| panic!("no {artefact:?}")).1
    }
}

/// What the login UI has stated of `flow`.
async fn statement(fixture: &Fixture, secrets: &Secrets, flow: &str) -> String {
    secrets.use_login_ui(fixture, true);
    let fields = [("flow", flow), ("username", "ada"), ("amr", "pwd"), ("acr", "gold")];
    let ui = ("ui.app", secrets.client.as_str());
    let answer = fixture.post_form("acme", "/oauth/login/statement", ui, &fields).await.json();
    secrets.use_login_ui(fixture, false);
    answer["redirect_to"].as_str().unwrap().split_once("&statement=").unwrap().1.to_owned()
}

/// Ada's application redeems `code`.
pub(crate) async fn redeem_as(fixture: &Fixture, secrets: &Secrets, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    fixture.token("acme", ("shop.app", &secrets.client), &form(&fields)).await
}

/// A client that is told of logouts at `uri`.
pub(crate) fn told_at(uri: &str, secret: &str) -> claviger_crds::published::Document {
    let uri = uri.to_owned();
    app("acme", "told.app", |app| {
        app.authentication = super::by_secret(secret);
        app.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    })
}
