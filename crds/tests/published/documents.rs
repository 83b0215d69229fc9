//! Documents with every field, and with the fewest.

use std::collections::BTreeMap;

use claviger_crds::names::ObjectName;
use claviger_crds::published::*;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

type Named = (&'static str, Document);

/// Every field is set.
pub(crate) fn full() -> [Named; 15] {
    [
        ("tenant-full", of("acme", Content::Tenant(tenant()))),
        ("tenant-sealing", of("acme", Content::Tenant(sealing_tenant()))),
        ("tenant-idle", of("acme", Content::Tenant(idle_tenant()))),
        ("tenant-workloads", of("acme", Content::Tenant(trusting_tenant()))),
        ("tenant-strict", of("acme", Content::Tenant(TenantDocument { strict_audience: true, ..trusting_tenant() }))),
        ("tenant-renamed-cluster", of("acme", Content::Tenant(renamed_cluster()))),
        ("client-workload", of("worker", Content::OAuthClient(workload()))),
        ("client-exchange", of("gateway", Content::OAuthClient(exchanging_client()))),
        ("client-actors", of("gateway", Content::OAuthClient(acting_clients()))),
        ("client-full", of("shop", Content::OAuthClient(client()))),
        ("keys-full", withdrawn(of("acme-rs256", Content::SigningKey(keys())))),
        ("user-full", of("ada", Content::User(user()))),
        ("user-logged-out", of("ada", Content::User(logged_out_user()))),
        ("client-keys", of("cli", Content::OAuthClient(keyed_client()))),
        ("client-rotating", of("shop", Content::OAuthClient(rotating_client()))),
    ]
}

/// The fewest fields: what a release writes that has not heard of the others.
pub(crate) fn least() -> [Named; 4] {
    let content = |kind: &str, spec: Value| serde_json::from_value(json!({"kind": kind, "spec": spec})).unwrap();
    let lifetimes = json!({"accessToken": 600, "idToken": 3600, "authorizationCode": 60, "refreshToken": 2_592_000,
        "refreshTokenIdle": 604_800, "session": 43_200});
    let tenant = json!({"slug": "acme", "issuer": "https://login.example/api/v1/auth/tenants/acme",
        "displayName": "acme", "lifetimes": lifetimes});
    let client = json!({"clientId": "shop.shop", "displayName": "shop", "applicationType": "web",
        "consent": "Required", "authentication": {"method": "none"}, "requirePkce": true,
        "idTokenClaims": "Minimal", "accessTokenType": "at+jwt"});
    let keys = json!({"algorithm": "ES256", "createdAt": "2026-01-01T00:00:00Z", "cacheLifetime": 900,
        "maxTokenLifetime": 3600, "keys": []});
    let user = json!({"subject": "usr_1", "username": "ada"});
    [
        ("tenant-least", of("acme", content("Tenant", tenant))),
        ("client-least", of("shop", content("OAuthClient", client))),
        ("keys-least", of("acme", content("SigningKey", keys))),
        ("user-least", of("ada", content("User", user))),
    ]
}

fn of(name: &str, content: Content) -> Document {
    Document::serving("acme", ObjectName::new("identity", name), content)
}

fn withdrawn(document: Document) -> Document {
    Document { withdrawn_at: Some(at("2026-03-01T00:00:00Z")), ..document }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn scope(name: &str) -> ScopeDocument {
    ScopeDocument { name: name.to_owned(), description: "What it allows".to_owned(), claims: texts(&["staff_id"]) }
}

fn tenant() -> TenantDocument {
    TenantDocument {
        slug: "acme".to_owned(),
        issuer: "https://login.acme.example:8443".to_owned(),
        host: Some("login.acme.example:8443".to_owned()),
        display_name: "Acme".to_owned(),
        lifetimes: TenantLifetimes {
            access_token: 600,
            id_token: 3_600,
            authorization_code: 60,
            refresh_token: 2_592_000,
            refresh_token_idle: 604_800,
            refresh_token_grace: 10,
            session: 43_200,
            session_idle: 43_200,
        },
        scopes: vec![scope("employee")],
        default_signing_key: Some(ObjectName::new("identity", "acme-rs256")),
        login: LoginDocument {
            passwords: true,
            branding: BrandingDocument {
                logo: Some("https://acme.example/logo.svg".to_owned()),
                accent: Some("#0a7".to_owned()),
            },
            ui: Some(LoginUiDocument {
                url: "https://ui.acme.example/login".to_owned(),
                client_id: "identity.login-ui".to_owned(),
            }),
        },
        sealing_keys: Vec::new(),
        service_account_issuer: None,
        trusted_issuers: Vec::new(),
        strict_audience: false,
    }
}

/// Sessions that nobody uses end before the others.
fn idle_tenant() -> TenantDocument {
    let tenant = tenant();
    TenantDocument { lifetimes: TenantLifetimes { session_idle: 7_200, ..tenant.lifetimes }, ..tenant }
}

/// Its cluster was called otherwise until now.
fn renamed_cluster() -> TenantDocument {
    let mut tenant = trusting_tenant();
    if let Some(issuer) = &mut tenant.service_account_issuer {
        let until = at("2026-01-02T00:00:00Z");
        issuer.previous = Some(FormerIssuer { issuer: "https://cluster.example".to_owned(), until });
    }
    tenant
}

/// Workloads come with tokens of the cluster, and of somebody else.
fn trusting_tenant() -> TenantDocument {
    let key = json!({"kty": "RSA", "e": "AQAB", "n": MODULUS, "kid": "a", "use": "sig", "alg": "RS256"});
    let rule = SubjectRuleDocument {
        subject: "repo:acme/*".to_owned(),
        claims: [("environment".to_owned(), "production".to_owned())].into(),
    };
    let trusted = |issuer: &str, jwks: Option<Value>, jwks_uri: Option<&str>| TrustedIssuerDocument {
        issuer: issuer.to_owned(),
        jwks,
        jwks_uri: jwks_uri.map(str::to_owned),
        audiences: texts(&["https://sts.example"]),
        subject_rules: vec![rule.clone()],
        subject_prefix: format!("{issuer}#"),
    };
    TenantDocument {
        service_account_issuer: Some(ServiceAccountIssuerDocument {
            issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
            jwks: json!({"keys": [key.clone()]}),
            since: at("2026-01-01T00:00:00Z"),
            previous: None,
        }),
        trusted_issuers: vec![
            trusted("https://ci.example", None, Some("https://ci.example/keys")),
            trusted("https://other-cluster.example", Some(json!({"keys": [key]})), None),
        ],
        ..tenant()
    }
}

fn sealing_tenant() -> TenantDocument {
    let key = |id: &str, phase, active_at: Option<&str>, retiring_at: Option<&str>| SealingKeyDocument {
        id: id.to_owned(),
        phase,
        key: SecretText::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        published_at: at("2026-01-01T00:00:00Z"),
        active_at: active_at.map(at),
        retiring_at: retiring_at.map(at),
    };
    let (active_at, retiring_at) = (Some("2026-01-02T00:00:00Z"), Some("2026-01-03T00:00:00Z"));
    TenantDocument {
        sealing_keys: vec![
            key("c2f1a9047be3", SealingPhase::Published, None, None),
            key("08d4e6b1a35f", SealingPhase::Active, active_at, None),
            key("9b7702c4fd1e", SealingPhase::Retiring, active_at, retiring_at),
        ],
        ..tenant()
    }
}

fn client() -> ClientDocument {
    let audience = |audience: &str, scopes: &[&str]| AudienceGrant {
        audience: audience.to_owned(),
        scopes: texts(scopes),
        token_exchange: false,
    };
    ClientDocument {
        client_id: "shop.shop".to_owned(),
        display_name: "Shop".to_owned(),
        application_type: ApplicationType::Web,
        redirect_uris: texts(&["https://shop.example/callback"]),
        post_logout_redirect_uris: texts(&["https://shop.example/"]),
        grant_types: texts(&["authorization_code", "refresh_token", "client_credentials"]),
        scopes: texts(&["openid", "profile"]),
        audiences: vec![audience("https://api.shop.example", &["orders:read"])],
        resource_server: Some(ResourceServerDocument {
            audience: "https://api.shop.example".to_owned(),
            scopes: vec![scope("orders:read")],
        }),
        consent: ConsentPolicy::Skip,
        authentication: ClientAuthentication::Secret {
            hashes: vec![SecretHash {
                hash: "sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0".to_owned(),
                created_at: at("2026-01-01T00:00:00Z"),
                expires_at: Some(at("2026-01-02T00:00:00Z")),
                pending: false,
                salt: None,
            }],
        },
        require_pkce: true,
        id_token_signed_response_alg: Some("ES256".to_owned()),
        id_token_claims: IdTokenClaims::Scopes,
        access_token_type: AccessTokenType::Jwt,
        lifetimes: ClientLifetimes {
            access_token: Some(300),
            id_token: Some(600),
            refresh_token: Some(86_400),
            refresh_token_idle: Some(3_600),
        },
        allowed_origins: texts(&["https://shop.example"]),
        backchannel_logout: Some(BackchannelLogoutDocument {
            uri: "https://shop.example/logout".to_owned(),
            session_required: true,
        }),
        frontchannel_logout: Some(FrontchannelLogoutDocument {
            uri: "https://shop.example/logout-frame".to_owned(),
            session_required: false,
        }),
        revoked_secrets: Vec::new(),
        token_exchange: Vec::new(),
        exchangeable_by: Vec::new(),
    }
}

/// Whose secret is being rotated, after another one was revoked.
fn rotating_client() -> ClientDocument {
    let hash = |text: &str| format!("sha256:{text}Wv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    let salt = Some("AAECAwQFBgcICQoLDA0ODw".to_owned());
    let pending = SecretHash::current(hash("unpg"), at("2026-01-02T00:00:00Z"));
    let current = SecretHash::current(hash("ungu"), at("2026-01-01T00:00:00Z"));
    ClientDocument {
        authentication: ClientAuthentication::Secret {
            hashes: vec![SecretHash { pending: true, ..pending }, SecretHash { salt: salt.clone(), ..current }],
        },
        revoked_secrets: vec![RevokedSecret { hash: hash("ungw"), salt, revoked_at: at("2026-01-03T00:00:00Z") }],
        ..client()
    }
}

fn workload() -> ClientDocument {
    let account = |namespace: &str, name: &str, uid: &str| ServiceAccountSubject {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
    };
    let accounts = vec![
        account("shop", "worker", "6f9619ff-8b86-4d01-b42d-00c04fc964ff"),
        account("batch", "night", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ];
    ClientDocument { authentication: ClientAuthentication::ServiceAccounts { accounts }, ..client() }
}

/// It exchanges what it gets, and others what is for it.
fn exchanging_client() -> ClientDocument {
    let rule = |subject_tokens: Vec<SubjectToken>, actor_token| TokenExchangeRuleDocument {
        subject_tokens,
        trusted_issuers: Vec::new(),
        subjects: Vec::new(),
        audiences: texts(&["https://api.shop.example"]),
        actor_token,
        actor_tokens: Vec::new(),
        actors: Vec::new(),
    };
    let own = vec![SubjectToken::AccessToken, SubjectToken::IdToken, SubjectToken::RefreshToken];
    let others = vec![SubjectToken::ServiceAccount, SubjectToken::TrustedIssuer];
    let others = rule(others, ActorToken::Required);
    let audiences = client().audiences.into_iter().map(|grant| AudienceGrant { token_exchange: true, ..grant });
    ClientDocument {
        grant_types: texts(&[
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ]),
        audiences: audiences.collect(),
        token_exchange: vec![
            rule(own, ActorToken::Optional),
            TokenExchangeRuleDocument {
                trusted_issuers: texts(&["https://ci.example"]),
                subjects: texts(&["repo:acme/*"]),
                actor_tokens: vec![SubjectToken::AccessToken, SubjectToken::ServiceAccount],
                ..others
            },
        ],
        exchangeable_by: texts(&["shop.gateway"]),
        ..client()
    }
}

/// Of those who may act in what it exchanges it knows the names.
fn acting_clients() -> ClientDocument {
    let mut client = exchanging_client();
    client.token_exchange[1].actors = texts(&["system:serviceaccount:shop:*"]);
    client
}

fn keyed_client() -> ClientDocument {
    ClientDocument {
        application_type: ApplicationType::Native,
        authentication: ClientAuthentication::PrivateKeyJwt {
            jwks: Some(json!({"keys": []})),
            jwks_uri: Some("https://shop.example/jwks.json".to_owned()),
            algorithms: texts(&["ES256"]),
        },
        access_token_type: AccessTokenType::AtJwt,
        ..client()
    }
}

fn keys() -> KeysDocument {
    let public_key = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "n": MODULUS,
        "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"});
    KeysDocument {
        algorithm: claviger_jose::Algorithm::Rs256,
        created_at: at("2026-01-01T00:00:00Z"),
        leaving: true,
        joining: true,
        cache_lifetime: 900,
        max_cache_lifetime: 1_800,
        max_token_lifetime: 3_600,
        revoked: ["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".parse().unwrap()].into(),
        keys: vec![KeyDocument {
            kid: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".parse().unwrap(),
            phase: KeyPhase::Active,
            public_key: serde_json::from_value(public_key).unwrap(),
            private_key: Some(SecretText::new("MIIB")),
            revision: 3,
            published_at: at("2026-01-01T00:00:00Z"),
            active_at: Some(at("2026-01-02T00:00:00Z")),
            retiring_at: Some(at("2026-01-03T00:00:00Z")),
            verify_only_at: Some(at("2026-01-04T00:00:00Z")),
            revoked_at: Some(at("2026-01-05T00:00:00Z")),
        }],
    }
}

fn user() -> UserDocument {
    let claims = [("name", json!("Ada Lovelace")), ("email_verified", json!(true))];
    UserDocument {
        subject: "usr_ep2z5skita3mbm4omxczwpdwlhgchaeq".to_owned(),
        username: "ada".to_owned(),
        claims: claims.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<BTreeMap<_, _>>(),
        groups: texts(&["engineering"]),
        password_hash: Some(SecretText::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA")),
        password_source: Some(PasswordSource {
            uid: "8e4a".to_owned(),
            resource_version: "42".to_owned(),
            key: "password".to_owned(),
        }),
        disabled: true,
        sessions_not_before: None,
    }
}

fn logged_out_user() -> UserDocument {
    UserDocument { disabled: false, sessions_not_before: Some(at("2026-01-05T00:00:00Z")), ..user() }
}
