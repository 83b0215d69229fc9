//! What must be remembered between requests: one trait, named by intent, that SQLite and PostgreSQL
//! serve and one conformance suite tests.
//!
//! Little is: what can be sealed and given to the browser or the client is. Every row belongs to one
//! tenant and has an end; what is over is deleted in bounded batches. Times are whole seconds of the
//! caller's clock: no backend asks its own.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// Whose rows: the Tenant by namespace, name and slug, so that one that is made anew elsewhere
/// inherits none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey(Arc<str>);

/// Which client, by namespace, name and `client_id`: one recreated elsewhere inherits no grant, no
/// consent and no session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey(Arc<str>);

/// 128 random bits: of a grant, a session, a single-use value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; 16]);

/// Why the store did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It is away, or too slow: the request may be tried again.
    #[error("the store is not available")]
    Unavailable,
    /// It answered with what this release cannot read.
    #[error("the store holds something unreadable: {0}")]
    Unreadable(&'static str),
}

/// What a call answers.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

// === grants: what a redeemed code began ===

/// A grant as it is first written, when its code is redeemed. The code's ID is the grant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    /// Which.
    pub id: Id,
    /// Whose.
    pub tenant: TenantKey,
    /// To whom.
    pub client: ClientKey,
    /// `sub`.
    pub subject: String,
    /// The session that it came from.
    pub session: Id,
    /// Whether it outlives that session: `offline_access` was granted.
    pub offline: bool,
    /// What the token endpoint needs again at a refresh, at most 4 KiB; the caller's format.
    pub payload: Vec<u8>,
    /// Now.
    pub created_at: Timestamp,
    /// None where the grant has no refresh token.
    pub refresh: Option<RefreshWindow>,
    /// The row is of no use after this: no token of the grant lives longer.
    pub expires_at: Timestamp,
}

/// Until when a refresh token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshWindow {
    /// However often it is used.
    pub expires_at: Timestamp,
    /// Unless it is used before.
    pub idle_expires_at: Timestamp,
}

/// A grant as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// As it was written.
    pub id: Id,
    /// As it was written.
    pub client: ClientKey,
    /// As it was written.
    pub subject: String,
    /// As it was written.
    pub session: Id,
    /// As it was written.
    pub offline: bool,
    /// As it was written.
    pub payload: Vec<u8>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often its refresh token was rotated; 0 is the first token's.
    pub generation: u32,
    /// None where it has no refresh token.
    pub refresh: Option<RefreshWindow>,
    /// Whether it was ended, or lived by a session that is over.
    pub over: bool,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It was redeemed now, and the grant is written.
    First,
    /// It was before. The grant is ended now (RFC 6749 §4.1.2).
    Again,
    /// The session that it came from is over. Nothing was written.
    SessionOver,
}

/// A refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Whose.
    pub tenant: TenantKey,
    /// Which grant.
    pub grant: Id,
    /// Who presents the token; another client's grant is [`Rotated::Unknown`].
    pub client: ClientKey,
    /// Generation of the token that is presented.
    pub generation: u32,
    /// Now.
    pub now: Timestamp,
    /// Until when the successor counts, unless it is used.
    pub idle_expires_at: Timestamp,
    /// For so many seconds the predecessor of an unused token yields that token again.
    pub grace: u32,
}

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The token's successor has this generation; also for whoever asks again within the grace.
    Successor(u32),
    /// The token was used before, outside the grace: the grant is ended now (RFC 9700 §4.14.2).
    Reused,
    /// Another request with the same token was faster, and there is no grace. The grant goes on.
    Lost,
    /// The grant is ended or expired, or its session is over.
    Over,
    /// There is no such grant of this client.
    Unknown,
}

/// An access token, as introspection and UserInfo look it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLookup<'a> {
    /// Whose.
    pub tenant: &'a TenantKey,
    /// `jti`.
    pub jti: &'a str,
    /// The grant that it came from, if a person's.
    pub grant: Option<Id>,
    /// Now.
    pub now: Timestamp,
}

// === sessions ===

/// A login that lasts, at one tenant, of one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `sid`: known to clients, and so no secret.
    pub id: Id,
    /// Whose.
    pub tenant: TenantKey,
    /// Stands in the cookie beside the ID and changes with every login, so that a cookie from before
    /// a login is worth nothing after it.
    pub handle: Id,
    /// `sub`.
    pub subject: String,
    /// `auth_time`.
    pub authenticated_at: Timestamp,
    /// `amr` (RFC 8176).
    pub amr: Vec<String>,
    /// `acr`.
    pub acr: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When a request last came with it; exact to a minute.
    pub last_seen_at: Timestamp,
    /// However much it is used.
    pub expires_at: Timestamp,
    /// Unless it is used before.
    pub idle_expires_at: Timestamp,
}

/// The end of a session.
#[derive(Clone, Debug)]
pub struct SessionEnd<'a> {
    /// Whose.
    pub tenant: &'a TenantKey,
    /// Which.
    pub session: Id,
    /// Now.
    pub now: Timestamp,
    /// Whom to tell, and that in the same write: an end that nobody will hear of must not be.
    pub logouts: &'a [NewLogout],
}

// === logout tokens on their way ===

/// A back-channel logout that is to be delivered (OpenID Connect Back-Channel Logout 1.0 §2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogout {
    /// `jti`, the same for every attempt.
    pub id: Id,
    /// To whom.
    pub client: ClientKey,
    /// Whose session.
    pub subject: String,
    /// Which.
    pub session: Id,
    /// No attempt is made after this.
    pub expires_at: Timestamp,
}

/// One that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLogout {
    /// Whose.
    pub tenant: TenantKey,
    /// As it was written.
    pub logout: NewLogout,
    /// How many attempts have failed.
    pub attempts: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutOutcome {
    /// The client has it, or never will: it is forgotten.
    Done,
    /// It is tried again then.
    Later(Timestamp),
}

// === throttling ===

/// Failed logins of one account or one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// In a row.
    pub count: u32,
    /// The last.
    pub last_at: Option<Timestamp>,
}

/// A store. Every call is one round trip where it can be, and safe to be made by many pods at once.
pub trait Store: fmt::Debug + Send + Sync {
    /// Redeems a code: writes its grant, once.
    fn redeem_code<'a>(&'a self, grant: &'a NewGrant) -> Answer<'a, Redeemed>;

    /// The grant, if there is one of that tenant.
    fn grant<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Grant>>;

    /// Rotates a refresh token: compare and set of its generation.
    fn rotate_refresh<'a>(&'a self, rotation: &'a Rotation) -> Answer<'a, Rotated>;

    /// Ends a grant: its refresh token, and its access tokens where they are looked up.
    fn end_grant<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, ()>;

    /// Whether an access token was revoked, itself or with its grant or its grant's session.
    fn is_revoked<'a>(&'a self, token: TokenLookup<'a>) -> Answer<'a, bool>;

    /// Revokes one access token until it expires.
    fn revoke_token<'a>(&'a self, tenant: &'a TenantKey, jti: &'a str, expires_at: Timestamp) -> Answer<'a, ()>;

    /// Begins a session. One that it takes the place of in the browser ends, as by [`Store::end_session`].
    fn begin_session<'a>(&'a self, session: &'a Session, replaced: Option<SessionEnd<'a>>) -> Answer<'a, ()>;

    /// The same person has logged in again: new handle, `auth_time`, `amr`, `acr` and ends.
    /// False if the session is over.
    fn renew_session<'a>(&'a self, session: &'a Session) -> Answer<'a, bool>;

    /// The live session with this ID and handle; none if it is over, idle too long or unknown.
    fn session<'a>(&'a self, tenant: &'a TenantKey, id: Id, handle: Id, now: Timestamp) -> Answer<'a, Option<Session>>;

    /// A request came with it. Written at most once a minute: `seen` is what the caller last read.
    fn touch_session<'a>(&'a self, seen: &'a Session, idle_expires_at: Timestamp, now: Timestamp) -> Answer<'a, ()>;

    /// The clients that have had a grant by this session, over or not.
    fn session_clients<'a>(&'a self, tenant: &'a TenantKey, id: Id) -> Answer<'a, Vec<ClientKey>>;

    /// Ends a session and its grants without `offline_access`, and notes whom to tell. Once.
    fn end_session<'a>(&'a self, end: SessionEnd<'a>) -> Answer<'a, ()>;

    /// The scopes that a person has let a client have.
    fn consent<'a>(
        &'a self,
        tenant: &'a TenantKey,
        subject: &'a str,
        client: &'a ClientKey,
    ) -> Answer<'a, BTreeSet<String>>;

    /// Remembers consent; scopes that were let before stay.
    fn remember_consent<'a>(
        &'a self,
        tenant: &'a TenantKey,
        subject: &'a str,
        client: &'a ClientKey,
        scopes: &'a BTreeSet<String>,
        now: Timestamp,
    ) -> Answer<'a, ()>;

    /// Uses up a finished login's `session_id`. False if it was used before.
    fn consume_login<'a>(&'a self, tenant: &'a TenantKey, id: Id, expires_at: Timestamp) -> Answer<'a, bool>;

    /// Uses up a client assertion's `jti` (RFC 7523 §3). False if it was used before.
    fn consume_assertion<'a>(
        &'a self,
        tenant: &'a TenantKey,
        client: &'a ClientKey,
        jti: &'a str,
        expires_at: Timestamp,
    ) -> Answer<'a, bool>;

    /// Keeps what is too large for a URL or a code, at most 64 KiB.
    fn keep<'a>(&'a self, tenant: &'a TenantKey, id: Id, bytes: &'a [u8], expires_at: Timestamp) -> Answer<'a, ()>;

    /// What was kept, as often as it is asked for.
    fn kept<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Vec<u8>>>;

    /// What was kept, once.
    fn take_kept<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Vec<u8>>>;

    /// Failed logins under each of `keys`, in their order. Keys are hashes: no name, no address.
    fn login_failures<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id], now: Timestamp)
    -> Answer<'a, Vec<Failures>>;

    /// One more under each of `keys`, all forgotten at `forget_at`.
    fn login_failed<'a>(
        &'a self,
        tenant: &'a TenantKey,
        keys: &'a [Id],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Answer<'a, ()>;

    /// Forgets those under `keys`.
    fn forget_failures<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id]) -> Answer<'a, ()>;

    /// At most `limit` logouts that are due, which no other pod is given until `lease`.
    fn claim_logouts<'a>(&'a self, now: Timestamp, lease: Timestamp, limit: u32) -> Answer<'a, Vec<DueLogout>>;

    /// How the attempt at `id` ended.
    fn logout_attempted<'a>(&'a self, tenant: &'a TenantKey, id: Id, outcome: LogoutOutcome) -> Answer<'a, ()>;

    /// Deletes at most `limit` rows of each kind that are over. How many it deleted.
    fn delete_expired<'a>(&'a self, now: Timestamp, limit: u32) -> Answer<'a, u64>;

    /// Whether it answers.
    fn ping(&self) -> Answer<'_, ()>;
}

// === impl TenantKey, ClientKey, Id ===

impl TenantKey {
    /// The key of the Tenant `namespace`/`name` with this slug. None of the three holds a slash.
    pub fn new(namespace: &str, name: &str, slug: &str) -> Self {
        Self(format!("{namespace}/{name}/{slug}").into())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClientKey {
    /// The key of the OAuthClient `namespace`/`name` with this `client_id`, which is all that
    /// follows the second slash.
    pub fn new(namespace: &str, name: &str, client_id: &str) -> Self {
        Self(format!("{namespace}/{name}/{client_id}").into())
    }

    /// A key as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `client_id` in it.
    pub fn client_id(&self) -> &str {
        self.0.splitn(3, '/').nth(2).unwrap_or_default()
    }
}

impl Id {
    /// A new one.
    pub fn random() -> Self {
        Self(claviger_jose::random::bytes())
    }

    /// Of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The one that [`fmt::Display`] wrote so.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        lower.then(|| u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))).flatten()
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The first half: enough to tell two apart in a log, too little to use.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({:016x}…)", u128::from_be_bytes(self.0) >> 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_wrote_and_nothing_else() {
        let id = Id::random();
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        let upper = Id::from_bytes([0xab; 16]).to_string().to_uppercase();
        for text in ["", "0", "+0000000000000000000000000000000", "zz", &upper, &format!("{id}0")] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_client_key_keeps_a_client_id_with_slashes() {
        assert_eq!(ClientKey::new("shop", "shop", "https://a/b").client_id(), "https://a/b");
    }
}
