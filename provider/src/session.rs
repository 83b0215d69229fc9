//! The login of one browser at one tenant: a sealed cookie that names it, and its row in the store.
//!
//! [`find`] and [`begin`] alone make a [`LiveSession`]: a login whose row is live and whose account is
//! there and may log in.

use std::sync::Arc;
use std::time::Duration;

use claviger_crds::published::LoginDocument;
use claviger_jose::Purpose;
use http::HeaderMap;
use jiff::Timestamp;

use crate::logout;
use crate::password::verify::VerifiedUser;
use crate::provider::Provider;
use crate::store::{Id, Session, SessionEnd, StoreError};
use crate::tenant::snapshot::TenantSnapshot;
use crate::tenant::user::User;
use crate::web::cookie::{CookieName, Cookies};
use crate::web::exchange::Exchange;

/// A row is touched no more often than this.
const TOUCH: i64 = 60;
/// Seconds after a login in which another pod may not know its account yet.
const SPREADING: i64 = 60;

/// A login that counts now.
#[derive(Clone, Debug)]
pub(crate) struct LiveSession {
    session: Session,
    user: Arc<User>,
}

/// What the cookie of a request names.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// No session, or one that is over.
    None,
    /// A login that counts.
    Live(LiveSession),
    /// A row that is live, of somebody whose account is disabled or gone, or a login that counts no more: it counts for
    /// nothing, and waits to be ended.
    Orphaned(Session),
}

impl Found {
    /// Its row, whether it counts or not.
    pub(crate) fn row(&self) -> Option<&Session> {
        match self {
            Self::None => None,
            Self::Live(session) => Some(&session.session),
            Self::Orphaned(session) => Some(session),
        }
    }
}

/// How somebody has just shown who he is.
#[derive(Clone, Debug)]
pub(crate) struct Authentication {
    /// When: `auth_time`. At a login UI of the tenant's own that is a moment before the browser comes back.
    pub(crate) at: Timestamp,
    /// `amr` (RFC 8176).
    pub(crate) amr: Vec<String>,
    /// `acr`.
    pub(crate) acr: String,
}

/// Of a login by a password alone. It claims no assurance level of anybody's framework: it says what was
/// done.
const PASSWORD: &str = "urn:claviger:acr:password";

/// The `acr` values that a login at the built-in page can have; none where nobody logs in there.
pub(crate) fn acr_values(login: &LoginDocument) -> Option<[&'static str; 1]> {
    (login.ui.is_none() && login.passwords).then_some([PASSWORD])
}

impl Authentication {
    /// By a password alone (RFC 8176 §2), now.
    pub(crate) fn password(now: Timestamp) -> Self {
        Self { at: now, amr: vec!["pwd".to_owned()], acr: PASSWORD.to_owned() }
    }
}

impl LiveSession {
    /// Its row.
    pub(crate) fn row(&self) -> &Session {
        &self.session
    }

    /// Whose it is.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.user
    }
}

/// The session that the request's cookie names. One that counts is touched, so that it does not fall
/// idle.
pub(crate) async fn find(exchange: &Exchange<'_>) -> Result<Found, StoreError> {
    let (provider, tenant) = (exchange.provider, &exchange.tenant);
    let Some((id, handle)) = named(tenant, &Cookies::read(&exchange.parts.headers)) else { return Ok(Found::None) };
    let (now, key) = (provider.now(), &tenant.issuer.key);
    let Some(session) = provider.store().session(key, id, handle, now).await? else { return Ok(Found::None) };
    let Some(user) = tenant.users.live_since(&session.subject, session.authenticated_at.as_second(), now) else {
        return Ok(Found::Orphaned(session));
    };
    if now.as_second().saturating_sub(session.last_seen_at.as_second()) >= TOUCH {
        provider.store().touch_session(&session, idle_end(tenant, &session, now), now).await?;
    }
    Ok(Found::Live(LiveSession { session, user: Arc::clone(user) }))
}

/// The live session that the request's cookie names. One that counts for nothing ([`Found::Orphaned`]) is ended, and its
/// clients are told.
pub(crate) async fn load(exchange: &Exchange<'_>) -> Result<Option<LiveSession>, StoreError> {
    match find(exchange).await? {
        Found::None => Ok(None),
        Found::Live(session) => Ok(Some(session)),
        Found::Orphaned(session) => {
            // What was stated may be two minutes old when its session begins.
            let began = session.authenticated_at.max(session.created_at);
            let age = exchange.provider.now().as_second().saturating_sub(began.as_second());
            let is_known = exchange.tenant.users.get(&session.subject).is_some();
            if is_known || age > SPREADING {
                logout::end(exchange.provider, &exchange.tenant, &session).await?;
                exchange.audit().logout(None, &session.subject);
            }
            Ok(None)
        }
    }
}

/// Makes the login that `user` has just shown into this browser's. The same person's goes on under
/// another handle; another's ends, and its clients are told.
pub(crate) async fn begin(
    provider: &Provider,
    tenant: &Arc<TenantSnapshot>,
    user: VerifiedUser,
    by: Authentication,
    before: Option<LiveSession>,
) -> Result<LiveSession, StoreError> {
    if *user.tenant() != tenant.issuer.key {
        return Err(StoreError::Unreadable("the tenant of a login"));
    }
    let (now, user) = (provider.now(), Arc::clone(user.user()));
    let lifetime = Duration::from_secs(tenant.issuer.lifetimes.session.into());
    let same = before.as_ref().filter(|before| before.session.subject == *user.subject);
    let mut session = Session {
        id: same.map_or_else(Id::random, |before| before.session.id),
        tenant: tenant.issuer.key.clone(),
        handle: Id::random(),
        subject: user.subject.to_string(),
        authenticated_at: by.at,
        amr: by.amr,
        acr: by.acr,
        created_at: same.map_or(now, |before| before.session.created_at),
        last_seen_at: now,
        expires_at: now.saturating_add(lifetime).unwrap_or(now),
        idle_expires_at: now,
    };
    session.idle_expires_at = idle_end(tenant, &session, now);
    if same.is_some() {
        if provider.store().renew_session(&session).await? {
            return Ok(LiveSession { session, user });
        }
        // It ended a moment ago: this login begins one of its own.
        (session.id, session.created_at) = (Id::random(), now);
    }
    let other = before.as_ref().filter(|_| same.is_none());
    let replaced = other.map(|other| SessionEnd {
        tenant: &tenant.issuer.key,
        session: other.session.id,
        now,
        tell: logout::teller(tenant, &other.session, now),
    });
    provider.store().begin_session(&session, replaced).await?;
    provider.logouts_due().notify_one();
    Ok(LiveSession { session, user })
}

/// Sets the cookie that names `session`. It ends with the browser: how long the session lives is
/// for the store to say.
pub(crate) fn set_cookie(headers: &mut HeaderMap, tenant: &TenantSnapshot, session: &LiveSession) {
    let mut plain = [0; 32];
    plain[..16].copy_from_slice(session.session.id.as_bytes());
    plain[16..].copy_from_slice(session.session.handle.as_bytes());
    let sealed = tenant.issuer.sealer.as_ref().and_then(|sealer| sealer.seal(Purpose::Session, b"", &plain).ok());
    if let Some(sealed) = sealed {
        cookie(tenant).set(headers, &sealed, None);
    }
}

/// Ends the cookie.
pub(crate) fn clear_cookie(headers: &mut HeaderMap, tenant: &TenantSnapshot) {
    cookie(tenant).clear(headers);
}

fn cookie(tenant: &TenantSnapshot) -> CookieName {
    CookieName::new("session", &tenant.issuer.slug, tenant.issuer.secure)
}

/// The ID and the handle in the cookie, if this tenant sealed them.
fn named(tenant: &TenantSnapshot, cookies: &Cookies<'_>) -> Option<(Id, Id)> {
    let opened = tenant.issuer.sealer.as_ref()?.open(Purpose::Session, b"", cookies.get(&cookie(tenant))?).ok()?;
    let (id, handle) = opened.as_bytes().split_at_checked(16)?;
    Some((Id::from_bytes(id.try_into().ok()?), Id::from_bytes(handle.try_into().ok()?)))
}

/// When the session is over, unless it is used before.
fn idle_end(tenant: &TenantSnapshot, session: &Session, now: Timestamp) -> Timestamp {
    let idle = Duration::from_secs(tenant.issuer.lifetimes.session_idle.into());
    now.saturating_add(idle).unwrap_or(now).min(session.expires_at)
}
