//! A tenant in which tokens are exchanged: Ada logs in, pods and jobs have tokens, and three clients of different
//! policy bring what they get for another API.

use claviger_crds::published::{
    ActorToken, ClientDocument, Content, Document, ResourceServerDocument, SubjectToken, TokenExchangeRuleDocument,
};
use serde_json::{Value, json};

use crate::assertions::ClientKey;
use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;
use crate::foreign::*;

pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The API that tokens are exchanged for.
pub(crate) const STOCK: &str = "https://stock.example";
/// One whose owner lets nobody have tokens by an exchange.
pub(crate) const CLOSED: &str = "https://closed.example";
/// Whose policy allows all.
pub(crate) const ALLOWED: (&str, &str) = ("allowed.app", SECRET);

pub(crate) struct World {
    pub(crate) fixture: Fixture,
    /// The cluster's.
    pub(crate) cluster: ClientKey,
    /// The CI system's.
    pub(crate) ci: ClientKey,
}

/// What kind of token is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    AccessToken,
    IdToken,
    RefreshToken,
    ServiceAccount,
    TrustedIssuer,
}

impl Brought {
    pub(crate) const ALL: [(&str, Self); 5] = [
        ("access_token", Self::AccessToken),
        ("id_token", Self::IdToken),
        ("refresh_token", Self::RefreshToken),
        ("service_account", Self::ServiceAccount),
        ("trusted_issuer", Self::TrustedIssuer),
    ];

    /// `subject_token_type`
    pub(crate) fn type_uri(self) -> String {
        token_type(match self {
            Self::AccessToken => "access_token",
            Self::IdToken => "id_token",
            Self::RefreshToken => "refresh_token",
            Self::ServiceAccount | Self::TrustedIssuer => "jwt",
        })
    }
}

pub(crate) fn token_type(name: &str) -> String {
    format!("urn:ietf:params:oauth:token-type:{name}")
}

/// The API of the client `id`.
pub(crate) fn api_of(id: &str) -> String {
    format!("https://{id}.example")
}

/// A rule for these tokens, for all that the client may have.
pub(crate) fn rule(subject_tokens: &[SubjectToken]) -> TokenExchangeRuleDocument {
    TokenExchangeRuleDocument {
        subject_tokens: subject_tokens.to_vec(),
        trusted_issuers: Vec::new(),
        audiences: vec![STOCK.to_owned(), CLOSED.to_owned()],
        actor_token: ActorToken::Optional,
        subjects: Vec::new(),
        actor_tokens: vec![SubjectToken::ServiceAccount, SubjectToken::TrustedIssuer],
        actors: Vec::new(),
    }
}

pub(crate) fn every_kind() -> Vec<SubjectToken> {
    use SubjectToken::*;
    vec![AccessToken, IdToken, RefreshToken, ServiceAccount, TrustedIssuer]
}

/// A client that logs people in, is an API itself, and exchanges what it gets.
pub(crate) fn exchanger(id: &str, change: impl FnOnce(&mut ClientDocument)) -> Document {
    app("acme", id, |client| {
        client.grant_types.extend([EXCHANGE.to_owned(), "client_credentials".to_owned()]);
        client.scopes.push("read".to_owned());
        client.resource_server = Some(ResourceServerDocument { audience: api_of(id), scopes: Vec::new() });
        let mut stock = audience(STOCK, &["read", "write"]);
        stock.token_exchange = true;
        client.audiences = vec![stock, audience(CLOSED, &["read"])];
        client.token_exchange = vec![rule(&every_kind())];
        change(client);
    })
}

impl World {
    pub(crate) fn new() -> Self {
        let (cluster, ci) = (ClientKey::new(), ClientKey::new());
        let mut tenant = tenant_document("acme");
        tenant.login.passwords = true;
        trust_cluster(&mut tenant, &cluster);
        trust_ci(&mut tenant, &ci);
        let stock = app("acme", "stock.app", |client| {
            client.resource_server = Some(ResourceServerDocument { audience: STOCK.to_owned(), scopes: Vec::new() });
        });
        let requesters = ["allowed.app", "ruleless.app", "refused.app", "stranger.app", "friend.app", "open.app"];
        let shop = app("acme", "shop.app", |client| {
            client.audiences = requesters.iter().map(|id| audience(&api_of(id), &["read", "write"])).collect();
        });
        let fixture = Fixture::serving([
            serving("acme", "acme", Content::Tenant(tenant)),
            ring("acme", "es256", "ES256"),
            user("acme", "ada", "correct horse"),
            shop,
            stock,
            exchanger("allowed.app", |_| {}),
            exchanger("ruleless.app", |client| client.token_exchange = Vec::new()),
            exchanger("refused.app", |client| {
                client.audiences.iter_mut().for_each(|api| api.token_exchange = false);
            }),
            exchanger("stranger.app", |_| {}),
            exchanger("friend.app", |_| {}),
            exchanger("open.app", |client| client.exchangeable_by = vec!["friend.app".to_owned()]),
        ]);
        Self { fixture, cluster, ci }
    }

    /// A token that is for `client`.
    pub(crate) async fn token_for(&self, brought: Brought, client: &str) -> String {
        match brought {
            Brought::AccessToken => self.access_token(client, "openid email groups read write").await,
            Brought::IdToken => text(&self.login(client).await, "id_token"),
            Brought::RefreshToken => text(&self.login(client).await, "refresh_token"),
            Brought::ServiceAccount => self.cluster.sign(&account("shop", "billing", &api_of(client))),
            Brought::TrustedIssuer => self.ci.sign(&job(&api_of(client))),
        }
    }

    /// The same, which says that `actor` may act for its subject, where its issuer says such things.
    pub(crate) async fn naming(&self, brought: Brought, client: &str, actor: &str) -> String {
        if brought != Brought::TrustedIssuer {
            return self.token_for(brought, client).await;
        }
        let may_act = json!({"iss": issuer("acme"), "sub": actor});
        self.ci.sign(&with(&job(&api_of(client)), "may_act", may_act))
    }

    /// The same, and it is over.
    pub(crate) async fn stale(&self, brought: Brought, client: &str) -> String {
        let end = |claims: serde_json::Value| with(&claims, "exp", json!(NOW - 60));
        match brought {
            Brought::AccessToken => {
                let token = self.access_token(client, "openid read").await;
                let fields = [("token", token.as_str())];
                self.fixture.post_form("acme", "/oauth/revoke", SHOP, &fields).await;
                token
            }
            Brought::IdToken | Brought::RefreshToken => {
                let tokens = self.login(client).await;
                let refresh = text(&tokens, "refresh_token");
                let fields = [("token", refresh.as_str())];
                self.fixture.post_form("acme", "/oauth/revoke", (client, SECRET), &fields).await;
                if brought == Brought::IdToken { text(&tokens, "id_token") } else { refresh }
            }
            Brought::ServiceAccount => self.cluster.sign(&end(account("shop", "billing", &api_of(client)))),
            Brought::TrustedIssuer => self.ci.sign(&end(job(&api_of(client)))),
        }
    }

    /// An access token of Ada's for the API of `client`, which the shop got.
    pub(crate) async fn access_token(&self, client: &str, scope: &str) -> String {
        let api = api_of(client);
        let more = [("resource", api.as_str()), ("scope", scope)];
        text(&tokens(&self.fixture, &more).await, "access_token")
    }

    /// Ada's tokens of `client`.
    pub(crate) async fn login(&self, client: &str) -> Value {
        self.login_for(client, "").await
    }

    /// The same, for this API.
    pub(crate) async fn login_for(&self, client: &str, api: &str) -> Value {
        self.login_in(&mut Browser::new(&self.fixture), client, api).await
    }

    /// The same, in this browser.
    pub(crate) async fn login_in(&self, browser: &mut Browser<'_>, client: &str, api: &str) -> Value {
        let scope = "openid email read offline_access";
        let more = [("client_id", client), ("scope", scope), ("resource", api)];
        let code = browser.code(&authorize(&more)).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", "https://shop.example/callback"),
            ("code_verifier", VERIFIER),
        ];
        self.fixture.token("acme", (client, SECRET), &form(&fields)).await.json()
    }

    /// `client` brings this token.
    pub(crate) async fn exchange(&self, client: &str, brought: Brought, token: &str, more: &[(&str, &str)]) -> Answer {
        let kind = brought.type_uri();
        let fields = [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", &kind)];
        self.fixture.token("acme", (client, SECRET), &form(&[&fields, more].concat())).await
    }

    /// What `client` is told of a token.
    pub(crate) async fn introspect(&self, client: &str, token: &str) -> Value {
        let fields = [("token", token)];
        self.fixture.post_form("acme", "/oauth/introspect", (client, SECRET), &fields).await.json()
    }

    /// Serves `client` as `change` makes it.
    pub(crate) fn change(&self, id: &str, revision: u64, change: impl FnOnce(&mut ClientDocument)) {
        self.fixture.apply(&exchanger(id, change), revision);
    }
}

pub(crate) fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}
