//! What the provider serves while it is measured: one tenant for each algorithm, published as the
//! operator would, and enough other clients that a look-up is not free.

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{
    AccessTokenType, ApplicationType, ClientAuthentication, ClientDocument, ClientLifetimes, ConsentPolicy, Content,
    Document, IdTokenClaims, KeyDocument, KeyPhase, KeysDocument, LoginDocument, SecretHash, SecretText,
    TenantDocument, TenantLifetimes,
};
use claviger_jose::{Algorithm, ClientSecret, ClientSecretHash, PrivateKey};
use claviger_tests::cluster::Cluster;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

/// The published namespace.
pub(crate) const NAMESPACE: &str = "bench-published";
const OTHER_CLIENTS: usize = 100;

/// All tenants.
pub(crate) struct Fixture {
    pub(crate) tenants: Vec<Tenant>,
}

/// A tenant and the client that gets tokens.
pub(crate) struct Tenant {
    pub(crate) algorithm: Algorithm,
    /// Path of the issuer.
    pub(crate) path: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
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
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let (tenant, documents) = documents(algorithm)?;
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

fn documents(algorithm: Algorithm) -> Result<(Tenant, Vec<Document>)> {
    let slug = algorithm.to_string().to_lowercase();
    let path = format!("/api/v1/auth/tenants/{slug}");
    let owner = |name: &str| ObjectName::new("bench", format!("{slug}-{name}"));
    let secret = ClientSecret::generate();
    let client_id = "bench.client".to_owned();
    let mut documents = vec![
        Document::serving(&slug, owner("tenant"), Content::Tenant(tenant(&slug, &path))),
        Document::serving(&slug, owner("ring"), Content::SigningKey(ring(algorithm)?)),
        Document::serving(&slug, owner("client"), Content::OAuthClient(client(&client_id, &secret))),
    ];
    for number in 0..OTHER_CLIENTS {
        let id = format!("bench.other-{number}");
        let content = Content::OAuthClient(client(&id, &ClientSecret::generate()));
        documents.push(Document::serving(&slug, owner(&format!("other-{number}")), content));
    }
    Ok((Tenant { algorithm, path, client_id, client_secret: secret.expose().to_owned() }, documents))
}

fn tenant(slug: &str, path: &str) -> TenantDocument {
    TenantDocument {
        slug: slug.to_owned(),
        issuer: format!("https://login.example{path}"),
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
        sealing_keys: Vec::new(),
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
        cache_lifetime: 900,
        max_token_lifetime: 3_600,
        keys: vec![key(KeyPhase::Active)?, key(KeyPhase::Published)?],
    })
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
            hashes: vec![SecretHash {
                hash: ClientSecretHash::of(secret).to_string(),
                created_at: Timestamp::UNIX_EPOCH,
                expires_at: None,
            }],
        },
        require_pkce: false,
        id_token_signed_response_alg: None,
        id_token_claims: IdTokenClaims::Minimal,
        access_token_type: AccessTokenType::AtJwt,
        lifetimes: ClientLifetimes::default(),
        allowed_origins: Vec::new(),
        backchannel_logout: None,
        frontchannel_logout: None,
    }
}
