//! Tenant: raw → valid.

use k8s_openapi::jiff::Timestamp;

use super::parse_trusted_issuers::{self, TrustedIssuer};
use super::{BrandingSpec, CeilingsSpec, LifetimesSpec, LoginSpec, LoginUiSpec, SigningSpec, Tenant, TenantSpec};
use crate::allowed_clients::{AllowedClients, AllowedClientsSpec};
use crate::fault::{Fault, Faults};
use crate::metadata::Metadata;
use crate::names::ObjectName;
use crate::published::{REFRESH_TOKEN_GRACE, TenantLifetimes};
use crate::scope::{self, Scope};
use crate::types::{self, Duration, EndpointUri, GrantType, HostName, KubernetesName, RedirectPattern, Slug};

/// A Tenant that makes sense by itself, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidTenant {
    /// Namespace and name of the Tenant.
    pub name: ObjectName,
    /// `metadata.uid`; empty where there is no API server.
    pub uid: String,
    /// `metadata.generation`; 0 where there is no API server.
    pub generation: i64,
    /// `metadata.creationTimestamp`
    pub created_at: Option<Timestamp>,
    /// Whether the operator must not write for it.
    pub paused: bool,
    /// The tenant's slug.
    pub slug: Slug,
    /// Name for people.
    pub display_name: String,
    /// The host at whose root the issuer sits.
    pub host: Option<HostName>,
    /// Which OAuthClients may point here.
    pub allowed_clients: AllowedClients,
    /// Lifetimes in seconds.
    pub lifetimes: TenantLifetimes,
    /// Scopes beside the standard ones.
    pub scopes: Vec<Scope>,
    /// Name of the SigningKey (same namespace) that signs access tokens, if one was named.
    pub default_signing_key: Option<ObjectName>,
    /// How people log in.
    pub login: Login,
    /// Issuers of somebody else's whose tokens clients may exchange.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Whether assertions must be for the issuer, and not for an endpoint of it.
    pub strict_audience: bool,
    /// What clients may not exceed.
    pub ceilings: Ceilings,
}

impl ValidTenant {
    /// Whether it declares `issuer` (`iss`) as somebody else's whom it trusts.
    pub fn declares(&self, issuer: &str) -> bool {
        self.trusted_issuers.iter().any(|trusted| trusted.issuer.as_str() == issuer)
    }
}

/// How people log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Whether local accounts may use a password.
    pub passwords: bool,
    /// Address of an image.
    pub logo: Option<EndpointUri>,
    /// `#rgb` or `#rrggbb`.
    pub accent: Option<String>,
    /// A login page of the tenant's own.
    pub ui: Option<LoginUi>,
}

/// A login page of the tenant's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginUi {
    /// Where the browser is sent.
    pub url: EndpointUri,
    /// The OAuthClient that may state who logged in.
    pub client: ObjectName,
}

/// What clients may not exceed; `None` is no ceiling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// Grant types that clients may have.
    pub grant_types: Option<Vec<GrantType>>,
    /// Longest access token lifetime, seconds.
    pub access_token: Option<u32>,
    /// Where clients may redirect to.
    pub redirect_uris: Option<Vec<RedirectPattern>>,
    /// How many clients may be served.
    pub clients: Option<u32>,
}

const DEFAULT_LIFETIMES: TenantLifetimes = TenantLifetimes {
    access_token: 600,
    id_token: 3600,
    authorization_code: 60,
    refresh_token: Duration::from_hours(720).as_secs(),
    refresh_token_idle: Duration::from_hours(168).as_secs(),
    refresh_token_grace: REFRESH_TOKEN_GRACE,
    session: Duration::from_hours(12).as_secs(),
    session_idle: Duration::from_hours(2).as_secs(),
};

/// Reads a Tenant.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(tenant: &Tenant) -> Result<ValidTenant, Vec<Fault>> {
    let mut faults = Faults::default();
    let Metadata { name, uid, generation, created_at, paused, rotate_at: _, accept_stored_ring: _ } =
        Metadata::parse(&tenant.metadata, &mut faults);
    let TenantSpec {
        slug,
        display_name,
        host,
        allowed_clients,
        lifetimes,
        scopes,
        signing,
        login,
        trusted_issuers,
        strict_audience,
        ceilings,
    } = &tenant.spec;

    let slug = match slug {
        Some(slug) => faults.parse("spec.slug", slug),
        None => name.name.parse::<Slug>().ok().or_else(|| {
            faults.add("spec.slug", "must be set: metadata.name is not a DNS label of at most 63 characters");
            None
        }),
    };
    let display_name = display_name.clone().unwrap_or_else(|| name.name.clone());
    faults.plain_text("spec.displayName", &display_name, 253);
    let host = faults.parse_optional("spec.host", host.as_ref());
    let allowed_clients = AllowedClientsSpec::parse(allowed_clients.as_ref(), "spec.allowedClients", &mut faults);
    let lifetimes = parse_lifetimes(lifetimes.as_ref(), &mut faults);
    let scopes = scope::parse_scopes("spec.scopes", scopes, &mut faults);
    let default_signing_key = parse_signing(signing.as_ref(), &name, &mut faults);
    let login = parse_login(login.as_ref(), &name, &mut faults);
    let trusted_issuers = parse_trusted_issuers::parse(trusted_issuers, &mut faults);
    let ceilings = parse_ceilings(ceilings.as_ref(), &lifetimes, &mut faults);

    let valid = slug.map(|slug| ValidTenant {
        name,
        uid,
        generation,
        created_at,
        paused,
        slug,
        display_name,
        host,
        allowed_clients,
        lifetimes,
        scopes,
        default_signing_key,
        login,
        trusted_issuers,
        strict_audience: strict_audience.unwrap_or_default(),
        ceilings,
    });
    faults.finish(valid)
}

fn parse_lifetimes(spec: Option<&LifetimesSpec>, faults: &mut Faults) -> TenantLifetimes {
    let Some(spec) = spec else {
        return DEFAULT_LIFETIMES;
    };
    let LifetimesSpec {
        access_token,
        id_token,
        authorization_code,
        refresh_token,
        refresh_token_idle,
        refresh_token_grace,
        session,
        session_idle,
    } = spec;
    let mut seconds = |field: &str, text: &Option<String>, bounds, default: u32| {
        faults.seconds(&format!("spec.lifetimes.{field}"), text.as_ref(), bounds, Duration::from_secs(default))
    };
    let session = seconds("session", session, types::SESSION, DEFAULT_LIFETIMES.session);
    // A session without an idle lifetime of its own is never idle for longer than it may live.
    let idle = DEFAULT_LIFETIMES.session_idle.min(session);
    let lifetimes = TenantLifetimes {
        access_token: seconds("accessToken", access_token, types::ACCESS_TOKEN, DEFAULT_LIFETIMES.access_token),
        id_token: seconds("idToken", id_token, types::ID_TOKEN, DEFAULT_LIFETIMES.id_token),
        authorization_code: seconds(
            "authorizationCode",
            authorization_code,
            types::AUTHORIZATION_CODE,
            DEFAULT_LIFETIMES.authorization_code,
        ),
        refresh_token: seconds("refreshToken", refresh_token, types::REFRESH_TOKEN, DEFAULT_LIFETIMES.refresh_token),
        refresh_token_idle: seconds(
            "refreshTokenIdle",
            refresh_token_idle,
            types::REFRESH_TOKEN,
            DEFAULT_LIFETIMES.refresh_token_idle,
        ),
        refresh_token_grace: seconds(
            "refreshTokenGrace",
            refresh_token_grace,
            types::REFRESH_TOKEN_GRACE,
            DEFAULT_LIFETIMES.refresh_token_grace,
        ),
        session,
        session_idle: seconds("sessionIdle", session_idle, types::SESSION, idle),
    };
    faults.demand(
        lifetimes.refresh_token_idle <= lifetimes.refresh_token,
        "spec.lifetimes",
        "refreshTokenIdle (default 168h) must not exceed refreshToken (default 720h)",
    );
    faults.demand(
        lifetimes.session_idle <= lifetimes.session,
        "spec.lifetimes",
        "sessionIdle must not exceed session (default 12h)",
    );
    lifetimes
}

fn parse_signing(spec: Option<&SigningSpec>, own: &ObjectName, faults: &mut Faults) -> Option<ObjectName> {
    let SigningSpec { default } = spec?;
    let key: KubernetesName = faults.parse_optional("spec.signing.default", default.as_ref())?;
    Some(ObjectName::new(&own.namespace, key))
}

fn parse_login(spec: Option<&LoginSpec>, own: &ObjectName, faults: &mut Faults) -> Login {
    let mut login = Login { passwords: true, logo: None, accent: None, ui: None };
    let Some(LoginSpec { passwords, branding, ui }) = spec else { return login };
    login.passwords = passwords.unwrap_or(true);
    if let Some(BrandingSpec { logo, accent }) = branding {
        login.logo = faults.parse_optional("spec.login.branding.logo", logo.as_ref());
        if logo.as_ref().is_some_and(|logo| !logo.starts_with("https://")) {
            faults.add("spec.login.branding.logo", "must be an https URI");
        }
        if accent.as_ref().is_some_and(|accent| !is_colour(accent)) {
            faults.add("spec.login.branding.accent", "must be #rgb or #rrggbb");
        }
        login.accent.clone_from(accent);
    }
    if let Some(LoginUiSpec { url, client_ref }) = ui {
        let client = client_ref.parse("spec.login.ui.clientRef", own, faults);
        login.ui = faults.parse("spec.login.ui.url", url).map(|url| LoginUi { url, client });
    }
    login
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn parse_ceilings(spec: Option<&CeilingsSpec>, lifetimes: &TenantLifetimes, faults: &mut Faults) -> Ceilings {
    let Some(CeilingsSpec { grant_types, access_token, redirect_uris, clients }) = spec else {
        return Ceilings::default();
    };
    let access_token = faults.optional_seconds("spec.ceilings.accessToken", access_token.as_ref(), types::ACCESS_TOKEN);
    faults.demand(
        access_token.is_none_or(|ceiling| lifetimes.access_token <= ceiling),
        "spec",
        "lifetimes.accessToken must not exceed ceilings.accessToken",
    );
    faults.demand(
        clients.is_none_or(|clients| clients <= 1_000_000),
        "spec.ceilings.clients",
        "must be at most 1000000",
    );
    Ceilings {
        grant_types: grant_types.clone(),
        access_token,
        redirect_uris: redirect_uris
            .as_ref()
            .map(|patterns| faults.parse_list("spec.ceilings.redirectUris", patterns, 50)),
        clients: *clients,
    }
}
