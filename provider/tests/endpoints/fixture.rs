//! A provider with a clock that stands still, documents to feed it, and what to ask it.

#[path = "fixture/keys.rs"]
mod keys;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Once, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use claviger_crds::names::ObjectName;
use claviger_crds::published::acknowledgement::Frame;
use claviger_crds::published::{
    AccessTokenType, ApplicationType, AudienceGrant, ClientAuthentication, ClientDocument, ClientLifetimes,
    ConsentPolicy, Content, Document, IdTokenClaims, LoginDocument, SealingKeyDocument, SealingPhase, SecretHash,
    SecretText, TenantDocument, TenantLifetimes, UserDocument,
};
use claviger_jose::{ClientSecret, ClientSecretHash};
use claviger_provider::outbound::{Outbound, OutboundOptions};
use claviger_provider::store::{self, Store, StoreOptions};
use claviger_provider::{Options, Provider, TrustedProxies, clock::Clock, served::Pod};
use futures::StreamExt as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

pub(crate) use self::keys::*;

/// When tests happen.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// The secret of every client that [`client`] makes.
pub(crate) const SECRET: &str = "s3cret";
/// With its secret, for the header of [`Fixture::token`].
pub(crate) const SHOP: (&str, &str) = ("shop.app", SECRET);

pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// What opens stores.
static STORES: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// With a store of its own, in memory.
pub(crate) fn options(pod: Pod) -> Options {
    options_with(pod, open(StoreOptions::parse("sqlite::memory:").unwrap()))
}

/// Opens a store. A test's own runtime cannot wait for it here, and works one task at a time.
pub(crate) fn open(options: StoreOptions) -> Arc<dyn Store> {
    std::thread::spawn(move || STORES.block_on(store::open(&options))).join().unwrap().unwrap()
}

fn options_with(pod: Pod, store: Arc<dyn Store>) -> Options {
    // Every program does this once; here every test does, and the first one counts.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let allow = ["127.0.0.1".parse().unwrap()].into();
    let outbound = Arc::new(Outbound::new(OutboundOptions { ca_bundle: None, allow }).unwrap());
    Options { pod, store, outbound, trusted_proxies: TrustedProxies::default() }
}

fn pod() -> Pod {
    Pod { name: "provider-0".to_owned(), uid: "uid-0".to_owned() }
}

pub(crate) struct Fixture {
    pub(crate) provider: Arc<Provider>,
    pub(crate) store: Arc<dyn Store>,
    clock: Arc<TestClock>,
    /// Put around the router, to see what passes.
    pub(crate) around: OnceLock<Box<dyn Fn(Router) -> Router + Send + Sync>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Before anything is logged: an event that first happens where nobody listens, while somebody else begins to, may be
/// taken for one that nobody listens to, for good.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap());
}

impl Fixture {
    /// A provider that has loaded nothing yet.
    pub(crate) fn loading() -> Self {
        Self::with(options(pod()))
    }

    /// The same, which remembers in `store`, as another may.
    pub(crate) fn loading_in(store: Arc<dyn Store>) -> Self {
        Self::with(options_with(pod(), store))
    }

    fn with(options: Options) -> Self {
        listen();
        let (clock, store) = (Arc::new(TestClock(AtomicI64::new(NOW))), Arc::clone(&options.store));
        Self { provider: Provider::with_clock(options, clock.clone()), store, clock, around: OnceLock::new() }
    }

    /// A provider that has loaded `documents` and remembers in `store`, as another may.
    pub(crate) fn remembering_in(store: Arc<dyn Store>, documents: &[Document]) -> Self {
        let fixture = Self::loading_in(store);
        documents.iter().for_each(|document| fixture.apply(document, 1));
        fixture.provider.loaded();
        fixture
    }

    /// A provider that has loaded `documents`.
    pub(crate) fn serving(documents: impl IntoIterator<Item = Document>) -> Self {
        let fixture = Self::loading();
        documents.into_iter().for_each(|document| fixture.apply(&document, 1));
        fixture.provider.loaded();
        fixture
    }

    /// A provider with the tenant `acme`, a ring and the client of [`SHOP`].
    pub(crate) fn acme() -> Self {
        Self::serving([tenant("acme"), ring("acme", "es256", "ES256"), client("acme", "shop.app")])
    }

    pub(crate) fn apply(&self, document: &Document, revision: u64) {
        self.provider.apply_secret(&document.to_secret("claviger-published", "uid", revision));
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let router = self.provider.router();
        let router = if let Some(around) = self.around.get() { around(router) } else { router };
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// What it has counted.
    pub(crate) fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.provider.metrics()).unwrap();
        text
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Asks the token endpoint of `slug` with client_secret_basic.
    pub(crate) async fn token(&self, slug: &str, (id, secret): (&str, &str), form: &str) -> Answer {
        let request = token_request(slug).header(AUTHORIZATION, basic(id, secret));
        self.send(request.body(form.to_owned().into()).unwrap()).await
    }

    /// Asks with a bearer token.
    pub(crate) async fn bearer(&self, slug: &str, path: &str, token: &str) -> Answer {
        let request = Request::get(format!("/api/v1/auth/tenants/{slug}{path}"));
        self.send(request.header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap()).await
    }

    /// Posts a form with client_secret_basic.
    pub(crate) async fn post_form(
        &self,
        slug: &str,
        path: &str,
        (id, secret): (&str, &str),
        fields: &[(&str, &str)],
    ) -> Answer {
        let request = Request::post(format!("/api/v1/auth/tenants/{slug}{path}")).header(CONTENT_TYPE, FORM);
        let request = request.header(AUTHORIZATION, basic(id, secret));
        self.send(request.body(crate::browser::form(fields).into()).unwrap()).await
    }

    /// What this pod says that it serves and refuses, by name of the document, with revisions or reasons.
    pub(crate) async fn acknowledged(&self) -> (Vec<(String, u64)>, Vec<(String, String)>) {
        let (mut serving, mut refused) = (Vec::new(), Vec::new());
        let mut frames = std::pin::pin!(self.provider.acknowledgements());
        loop {
            match frames.next().await.unwrap() {
                Frame::Serving { documents } => serving.extend(documents.into_iter().map(|it| (it.name, it.revision))),
                Frame::Refused { documents } => refused.extend(documents.into_iter().map(|it| (it.name, it.reason))),
                Frame::Synced => return (serving, refused),
                _ => {}
            }
        }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The claims of the access token, unverified.
    pub(crate) fn claims(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        part(self.json()["access_token"].as_str().unwrap(), 1)
    }

    pub(crate) fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}

/// Header (0) or claims (1) of a JWT.
pub(crate) fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

/// The claims of `token`, verified as a resource server would, with the keys in `jwks`.
pub(crate) fn verify(token: &str, jwks: &[u8], issuer: &str, audience: &str) -> Result<Map<String, Value>, String> {
    let keys: JwkSet = serde_json::from_slice(jwks).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).ok_or("unknown kid")?;
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    // The clock of these tests is not the machine's.
    validation.validate_exp = false;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    jsonwebtoken::decode(token, &key, &validation).map(|data| data.claims).map_err(|error| error.to_string())
}

pub(crate) fn path(slug: &str, rest: &str) -> String {
    format!("/api/v1/auth/tenants/{slug}{rest}")
}

pub(crate) fn issuer(slug: &str) -> String {
    format!("https://login.example{}", path(slug, ""))
}

/// A form for the token endpoint of `slug`.
pub(crate) fn token_request(slug: &str) -> http::request::Builder {
    Request::builder().method(Method::POST).uri(path(slug, "/oauth/token")).header(CONTENT_TYPE, FORM)
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

pub(crate) fn serving(slug: &str, name: &str, content: Content) -> Document {
    Document::serving(slug, ObjectName::new(format!("ns-{slug}"), name), content)
}

pub(crate) fn tenant_document(slug: &str) -> TenantDocument {
    TenantDocument {
        slug: slug.to_owned(),
        issuer: issuer(slug),
        host: None,
        display_name: slug.to_owned(),
        lifetimes: TenantLifetimes {
            access_token: 600,
            id_token: 3_600,
            authorization_code: 60,
            refresh_token: 2_592_000,
            refresh_token_idle: 604_800,
            refresh_token_grace: 10,
            session: 43_200,
            session_idle: 7_200,
        },
        scopes: Vec::new(),
        default_signing_key: None,
        login: LoginDocument::default(),
        sealing_keys: vec![sealing_key()],
        service_account_issuer: None,
        trusted_issuers: Vec::new(),
        strict_audience: false,
    }
}

pub(crate) fn tenant(slug: &str) -> Document {
    serving(slug, slug, Content::Tenant(tenant_document(slug)))
}

/// A new key: another tenant's is another one.
fn sealing_key() -> SealingKeyDocument {
    SealingKeyDocument {
        id: claviger_jose::random::hex128()[..12].to_owned(),
        phase: SealingPhase::Active,
        key: SecretText::new(STANDARD.encode(claviger_jose::random::bytes::<32>())),
        published_at: Timestamp::UNIX_EPOCH,
        active_at: Some(Timestamp::UNIX_EPOCH),
        retiring_at: None,
    }
}

/// A tenant at the root of `host`.
pub(crate) fn tenant_at(slug: &str, host: &str) -> Document {
    let document =
        TenantDocument { issuer: format!("https://{host}"), host: Some(host.to_owned()), ..tenant_document(slug) };
    serving(slug, slug, Content::Tenant(document))
}

pub(crate) fn client_document(id: &str) -> ClientDocument {
    ClientDocument {
        client_id: id.to_owned(),
        display_name: id.to_owned(),
        application_type: ApplicationType::Web,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec!["client_credentials".to_owned()],
        scopes: Vec::new(),
        audiences: Vec::new(),
        resource_server: None,
        consent: ConsentPolicy::Skip,
        authentication: ClientAuthentication::Secret { hashes: vec![hash(SECRET, None)] },
        require_pkce: true,
        id_token_signed_response_alg: None,
        id_token_claims: IdTokenClaims::Minimal,
        access_token_type: AccessTokenType::AtJwt,
        lifetimes: ClientLifetimes::default(),
        allowed_origins: Vec::new(),
        backchannel_logout: None,
        frontchannel_logout: None,
        revoked_secrets: Vec::new(),
        token_exchange: Vec::new(),
        exchangeable_by: Vec::new(),
    }
}

pub(crate) fn client(slug: &str, id: &str) -> Document {
    serving(slug, id, Content::OAuthClient(client_document(id)))
}

/// An account with this password. The hash is cheap: what it costs is not tested here.
pub(crate) fn user(slug: &str, name: &str, password: &str) -> Document {
    use argon2::password_hash::PasswordHasher as _;
    let params = argon2::Params::new(64, 1, 1, None).unwrap();
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = hasher.hash_password_with_salt(password.as_bytes(), b"saltsaltsalt").unwrap().to_string();
    let document = UserDocument {
        subject: format!("usr_{name}"),
        username: name.to_owned(),
        claims: [
            ("email".to_owned(), json!(format!("{name}@acme.example"))),
            ("email_verified".to_owned(), json!(true)),
            ("name".to_owned(), json!(name)),
        ]
        .into(),
        groups: vec!["engineering".to_owned()],
        password_hash: Some(SecretText::new(hash)),
        password_source: None,
        disabled: false,
        sessions_not_before: None,
    };
    serving(slug, name, Content::User(document))
}

pub(crate) fn hash(secret: &str, expires_at: Option<i64>) -> SecretHash {
    let hash = ClientSecretHash::of(&ClientSecret::new(secret.to_owned())).to_string();
    let expires_at = expires_at.map(|end| Timestamp::from_second(end).unwrap());
    SecretHash { expires_at, ..SecretHash::current(hash, Timestamp::UNIX_EPOCH) }
}

pub(crate) fn audience(name: &str, scopes: &[&str]) -> AudienceGrant {
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    AudienceGrant { audience: name.to_owned(), scopes, token_exchange: false }
}

pub(crate) fn withdrawn(document: &Document) -> Document {
    Document { withdrawn_at: Some(Timestamp::from_second(NOW).unwrap()), ..document.clone() }
}
