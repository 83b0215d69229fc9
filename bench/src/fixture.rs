//! What the provider serves while it is measured: one tenant for each algorithm, published as the
//! operator would, and enough other clients that a look-up is not free.

use anyhow::{Context as _, Result, anyhow, bail};
use argon2::password_hash::PasswordHasher as _;
use argon2::{Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{
    AccessTokenType, ApplicationType, ClientAuthentication, ClientDocument, ClientLifetimes, ConsentPolicy, Content,
    Document, IdTokenClaims, KeyDocument, KeyPhase, KeysDocument, LoginDocument, SealingKeyDocument, SealingPhase,
    SecretHash, SecretText, TenantDocument, TenantLifetimes, UserDocument,
};
use claviger_jose::{Algorithm, ClientSecret, ClientSecretHash, PrivateKey};
use claviger_tests::cluster::Cluster;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use serde_json::json;

use crate::workload;

/// The published namespace.
pub(crate) const NAMESPACE: &str = "bench-published";
const OTHER_CLIENTS: usize = 100;
/// Of each tenant.
const PODS: u32 = 5_000;
/// Accounts of each tenant: one that logs in twice at once is throttled.
pub(crate) const PEOPLE: usize = 64;
/// Of every account.
pub(crate) const PASSWORD: &str = "correct-horse";
/// Where the issuers are.
pub(crate) const ORIGIN: &str = "https://login.example";
/// Of the application.
pub(crate) const CALLBACK: &str = "https://shop.example/callback";

/// All tenants.
pub(crate) struct Fixture {
    pub(crate) tenants: Vec<Tenant>,
}

/// A tenant and the client that gets tokens.
pub(crate) struct Tenant {
    pub(crate) algorithm: Algorithm,
    /// Path of the issuer.
    pub(crate) path: String,
    /// The client that people log in for; its secret is the same.
    pub(crate) application: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// What pods prove with to be a client, each another; more than a provider knows again.
    pub(crate) pods_tokens: Vec<String>,
}

impl Fixture {
    /// The tenant whose people log in.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn rs256(&self) -> Result<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.algorithm == Algorithm::Rs256).context("no tenant signs by RS256")
    }
}

/// Publishes everything.
///
/// # Errors
/// When the API server refuses.
pub(crate) async fn publish(cluster: &Cluster) -> Result<Fixture> {
    let client = cluster.admin_client().await?;
    let metadata = ObjectMeta { name: Some(NAMESPACE.to_owned()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let secrets = Api::<Secret>::namespaced(client, NAMESPACE);
    let mut tenants = Vec::new();
    let pods = workload::Cluster::new()?;
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let (tenant, documents) = documents(algorithm, &pods)?;
        for document in documents {
            secrets.create(&PostParams::default(), &document.to_secret(NAMESPACE, "bench", 1)).await?;
        }
        tenants.push(tenant);
    }
    if tenants.is_empty() {
        bail!("no tenant");
    }
    Ok(Fixture { tenants })
}

fn documents(algorithm: Algorithm, pods: &workload::Cluster) -> Result<(Tenant, Vec<Document>)> {
    let slug = algorithm.to_string().to_lowercase();
    let path = format!("/api/v1/auth/tenants/{slug}");
    let owner = |name: &str| ObjectName::new("bench", format!("{slug}-{name}"));
    let secret = ClientSecret::generate();
    let (client_id, application) = ("bench.client".to_owned(), "bench.application".to_owned());
    let mut documents = vec![
        Document::serving(&slug, owner("tenant"), Content::Tenant(tenant(&slug, &path, pods))),
        Document::serving(&slug, owner("ring"), Content::SigningKey(ring(algorithm)?)),
        Document::serving(&slug, owner("client"), Content::OAuthClient(client(&client_id, &secret))),
        Document::serving(&slug, owner("application"), Content::OAuthClient(of_people(&application, &secret))),
    ];
    let pod = ClientDocument { authentication: workload::authentication(), ..client("bench.pod", &secret) };
    documents.push(Document::serving(&slug, owner("pod"), Content::OAuthClient(pod)));
    let pods_tokens = pods.tokens(&format!("{ORIGIN}{path}"), PODS)?;
    let password_hash = password_hash()?;
    for number in 0..PEOPLE {
        let user = user(number, &password_hash);
        documents.push(Document::serving(&slug, owner(&username(number)), Content::User(user)));
    }
    for number in 0..OTHER_CLIENTS {
        let id = format!("bench.other-{number}");
        let content = Content::OAuthClient(client(&id, &ClientSecret::generate()));
        documents.push(Document::serving(&slug, owner(&format!("other-{number}")), content));
    }
    let client_secret = secret.expose().to_owned();
    Ok((Tenant { algorithm, path, application, client_id, client_secret, pods_tokens }, documents))
}

fn tenant(slug: &str, path: &str, pods: &workload::Cluster) -> TenantDocument {
    TenantDocument {
        slug: slug.to_owned(),
        issuer: format!("{ORIGIN}{path}"),
        host: None,
        display_name: slug.to_owned(),
        lifetimes: TenantLifetimes {
            access_token: 600,
            id_token: 3_600,
            // All codes of a round are made before the first is redeemed.
            authorization_code: 600,
            refresh_token: 2_592_000,
            refresh_token_idle: 604_800,
            refresh_token_grace: 10,
            session: 43_200,
            session_idle: 7_200,
        },
        scopes: Vec::new(),
        default_signing_key: None,
        login: LoginDocument { passwords: true, ..LoginDocument::default() },
        sealing_keys: vec![sealing_key()],
        service_account_issuer: Some(pods.issuer()),
        trusted_issuers: Vec::new(),
        strict_audience: false,
    }
}

fn ring(algorithm: Algorithm) -> Result<KeysDocument> {
    let key = |phase| -> Result<KeyDocument> {
        let private = PrivateKey::generate(algorithm)?;
        Ok(KeyDocument {
            kid: private.public_jwk().kid().clone(),
            phase,
            public_key: private.public_jwk(),
            private_key: Some(SecretText::new(STANDARD.encode(private.to_pkcs8()))),
            revision: 1,
            published_at: Timestamp::UNIX_EPOCH,
            active_at: Some(Timestamp::UNIX_EPOCH),
            retiring_at: None,
            verify_only_at: None,
            revoked_at: None,
        })
    };
    Ok(KeysDocument {
        algorithm,
        created_at: Timestamp::UNIX_EPOCH,
        leaving: false,
        joining: false,
        cache_lifetime: 900,
        max_cache_lifetime: 900,
        max_token_lifetime: 3_600,
        revoked: Default::default(),
        keys: vec![key(KeyPhase::Active)?, key(KeyPhase::Published)?],
    })
}

/// As most applications are: a person logs in, and it gets all three tokens.
fn of_people(client_id: &str, secret: &ClientSecret) -> ClientDocument {
    let grant_types = ["authorization_code", "refresh_token", "client_credentials"];
    ClientDocument {
        redirect_uris: vec![CALLBACK.to_owned()],
        grant_types: grant_types.map(str::to_owned).to_vec(),
        scopes: ["openid", "profile", "email", "groups"].map(str::to_owned).to_vec(),
        require_pkce: true,
        ..client(client_id, secret)
    }
}

/// The name of an account.
pub(crate) fn username(number: usize) -> String {
    format!("person-{number}")
}

fn user(number: usize, password_hash: &str) -> UserDocument {
    let name = username(number);
    UserDocument {
        subject: format!("usr_{name}"),
        claims: [
            ("email".to_owned(), json!(format!("{name}@bench.example"))),
            ("email_verified".to_owned(), json!(true)),
            ("name".to_owned(), json!(name)),
        ]
        .into(),
        username: name,
        groups: vec!["engineering".to_owned(), "on-call".to_owned()],
        password_hash: Some(SecretText::new(password_hash)),
        password_source: None,
        disabled: false,
        sessions_not_before: None,
    }
}

/// With the parameters of the operator's own.
fn password_hash() -> Result<String> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let hasher = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password_with_salt(PASSWORD.as_bytes(), b"salt of the bench");
    Ok(hash.map_err(|error| anyhow!("{error}"))?.to_string())
}

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

fn client(client_id: &str, secret: &ClientSecret) -> ClientDocument {
    ClientDocument {
        client_id: client_id.to_owned(),
        display_name: "Bench".to_owned(),
        application_type: ApplicationType::Web,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec!["client_credentials".to_owned()],
        scopes: Vec::new(),
        audiences: Vec::new(),
        resource_server: None,
        consent: ConsentPolicy::Skip,
        authentication: ClientAuthentication::Secret {
            hashes: vec![SecretHash::current(ClientSecretHash::of(secret).to_string(), Timestamp::UNIX_EPOCH)],
        },
        require_pkce: false,
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
