//! What must be remembered between requests: one trait, named by intent, that SQLite and PostgreSQL
//! serve and one conformance suite tests.
//!
//! Little is: what can be sealed and given to the browser or the client is. Every row belongs to one
//! tenant and, but for consent, has an end; what is over is deleted in bounded batches. Times are
//! whole seconds of the caller's clock: no backend asks its own.

mod database;
mod health;
mod key;
mod metrics;
mod options;
mod postgres;
mod problem;
mod record;
mod schema;
mod sql;
mod sqlite;
mod work;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;

use database::{Backend, Database};
use options::Backend as Where;
use postgres::Postgres;
use schema::Schema;
use sql::SqlStore;
use sqlite::Sqlite;

pub use key::{ClientKey, Id, TenantKey};
pub use metrics::StoreMetrics;
pub use options::{OptionsError, StoreOptions};
pub(crate) use record::Presented;
pub use record::{
    DueLogout, Failures, Grant, GrantLookup, KeptKind, KeptRoom, LogoutOutcome, NewGrant, NewLogout, Redeemed,
    RefreshWindow, Rotated, Rotation, Session, SessionEnd, Tell, TokenLookup,
};

/// Why the store did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It is away, or too slow: the request may be tried again.
    #[error("the store is not available")]
    Unavailable,
    /// It answered with what this release cannot read.
    #[error("the store holds something unreadable: {0}")]
    Unreadable(&'static str),
    /// The tenant has as much there as it may.
    #[error("the store holds as much of this as it may")]
    Full,
}

/// Why there is no store. What only time can mend is none of these.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer release was here, and has changed more than this one can go on with. Going back needs a backup from
    /// before it, or that release.
    #[error("the store was changed by a newer release of Claviger, and is only for those that know schema version {0}")]
    Newer(i64),
    /// The file cannot be made or written, or no thread begun.
    #[error("the store's file is unusable: {0}")]
    File(#[from] std::io::Error),
    /// It is no database, or not ours.
    #[error("the store's file is unusable: {0}")]
    Unusable(String),
}

/// What a call answers.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Opens a store and brings it to this release's schema. A PostgreSQL that is away is no error: the
/// store is there, its calls fail, and it comes to life when PostgreSQL does. Within a Tokio runtime.
pub async fn open(options: &StoreOptions) -> Result<Arc<dyn Store>, OpenError> {
    let (backend, may_be_away) = match &options.backend {
        Where::Memory => (Backend::Sqlite(Sqlite::memory(options)?), false),
        Where::File(path) => (Backend::Sqlite(Sqlite::file(options, path)?), false),
        Where::Postgres(postgres) => (Backend::Postgres(Postgres::new(options, postgres)?), true),
    };
    let database = Arc::new(Database::new(backend, options.statement_timeout, options.acquire_timeout));
    let migration = match schema::migrate(&database).await {
        Ok(Schema::Closed(least)) => return Err(OpenError::Newer(least)),
        Ok(Schema::Known | Schema::HeldUp | Schema::Unknown) => None,
        Err(problem) if may_be_away => {
            Some(tokio::spawn(schema::migrate_when_it_answers(Arc::clone(&database), problem)))
        }
        Err(problem) => return Err(OpenError::Unusable(problem.describe())),
    };
    Ok(Arc::new(SqlStore { database, migration, place: options.to_string() }))
}

/// A store. Every call is one round trip where it can be, and safe to be made by many pods at once.
pub trait Store: fmt::Debug + Send + Sync {
    /// Whether a change of the schema waits, for a table that is in use or for a right that the role has not. Until it is made
    /// no call is answered, and pods of the release before serve better.
    fn is_held_up(&self) -> bool;

    /// Redeems a code: writes its grant, once.
    fn redeem_code<'a>(&'a self, grant: &'a NewGrant) -> Answer<'a, Redeemed>;

    /// The grant, if there is one of that tenant.
    fn grant<'a>(&'a self, lookup: GrantLookup<'a>) -> Answer<'a, Option<Grant>>;

    /// Rotates a refresh token: compare and set of its generation.
    fn rotate_refresh<'a>(&'a self, rotation: &'a Rotation) -> Answer<'a, Rotated>;

    /// Takes a rotation back that answered [`Rotated::Successor`], of which its caller has issued nothing: the token
    /// counts again, if the successor was not used meanwhile. The successor does too, for a request that asked again
    /// may have got it.
    fn take_rotation_back<'a>(&'a self, rotation: &'a Rotation) -> Answer<'a, ()>;

    /// Ends a grant: its refresh token, and its access tokens where they are looked up.
    fn end_grant<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, ()>;

    /// Whether an access token was revoked, itself or with its grant or its grant's session.
    fn is_revoked<'a>(&'a self, token: TokenLookup<'a>) -> Answer<'a, bool>;

    /// The grant that an access token came from, if neither the token nor the grant nor its session is
    /// over; none for a token without a grant.
    fn live_grant<'a>(&'a self, token: TokenLookup<'a>) -> Answer<'a, Option<Grant>>;

    /// Revokes one access token until it expires.
    fn revoke_token<'a>(&'a self, tenant: &'a TenantKey, jti: &'a str, expires_at: Timestamp) -> Answer<'a, ()>;

    /// Begins a session. One that it takes the place of in the browser ends, as by [`Store::end_session`].
    fn begin_session<'a>(&'a self, session: &'a Session, replaced: Option<SessionEnd<'a>>) -> Answer<'a, ()>;

    /// The same person has logged in again: new handle, `auth_time`, `amr`, `acr` and ends. The rows of its
    /// grants stay as long, for [`Store::session_clients`].
    /// False if the session is over, by `last_seen_at` as now, or another person's.
    fn renew_session<'a>(&'a self, session: &'a Session) -> Answer<'a, bool>;

    /// The live session with this ID and handle; none if it is over, idle too long or unknown.
    fn session<'a>(&'a self, tenant: &'a TenantKey, id: Id, handle: Id, now: Timestamp) -> Answer<'a, Option<Session>>;

    /// The live session with this ID, for whoever may end it and is not logged in by it: an ID token says its ID. It
    /// logs nobody in.
    fn session_to_end<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Session>>;

    /// A request came with it. Written at most once a minute: `seen` is what the caller last read.
    fn touch_session<'a>(&'a self, seen: &'a Session, idle_expires_at: Timestamp, now: Timestamp) -> Answer<'a, ()>;

    /// The clients that have had a grant by this session, over or not.
    fn session_clients<'a>(&'a self, tenant: &'a TenantKey, id: Id) -> Answer<'a, Vec<ClientKey>>;

    /// Ends a session and its grants without `offline_access`, and notes whom to tell, in one
    /// transaction: a code that is redeemed before is told of, and one that comes after is refused.
    /// Once: of a session that is over and forgotten nobody is told.
    fn end_session<'a>(&'a self, end: SessionEnd<'a>) -> Answer<'a, ()>;

    /// The scopes that a person has let a client have.
    fn consent<'a>(
        &'a self,
        tenant: &'a TenantKey,
        subject: &'a str,
        client: &'a ClientKey,
    ) -> Answer<'a, BTreeSet<String>>;

    /// Remembers consent; scopes that were let before stay. It has no end, but is bounded by the
    /// scopes of the client.
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

    /// Keeps what is too large for a URL or a code, at most 64 KiB. [`StoreError::Full`] where the tenant has as much of
    /// that kind kept already; of many at once a few more may come in.
    fn keep<'a>(
        &'a self,
        tenant: &'a TenantKey,
        id: Id,
        bytes: &'a [u8],
        expires_at: Timestamp,
        room: KeptRoom,
    ) -> Answer<'a, ()>;

    /// Keeps `bytes` in the place of what is kept under `id`, until the same end: that takes no more room. False if
    /// nothing is kept there any more.
    fn keep_instead<'a>(&'a self, tenant: &'a TenantKey, id: Id, bytes: &'a [u8], now: Timestamp) -> Answer<'a, bool>;

    /// What was kept, as often as it is asked for.
    fn kept<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Vec<u8>>>;

    /// Failed logins under each of `keys`, in their order. Keys are hashes: no name, no address.
    fn login_failures<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id], now: Timestamp)
    -> Answer<'a, Vec<Failures>>;

    /// One more under each of `keys`, all forgotten at `forget_at`. What there was before: of many at once
    /// no two are told the same.
    fn login_tried<'a>(
        &'a self,
        tenant: &'a TenantKey,
        keys: &'a [Id],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Answer<'a, Vec<Failures>>;

    /// One less under each of `keys`: a try was not made. `before` is what
    /// [`Store::login_tried`] told of it.
    fn take_login_back<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id], before: &'a [Failures]) -> Answer<'a, ()>;

    /// Forgets those under `keys`.
    fn forget_failures<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id]) -> Answer<'a, ()>;

    /// At most `limit` logouts that are due, which no other pod is given until `lease`.
    fn claim_logouts<'a>(&'a self, now: Timestamp, lease: Timestamp, limit: u32) -> Answer<'a, Vec<DueLogout>>;

    /// How the attempt at `id` ended.
    fn logout_attempted<'a>(&'a self, tenant: &'a TenantKey, id: Id, outcome: LogoutOutcome) -> Answer<'a, ()>;

    /// Deletes at most `limit` logouts that nobody has delivered in time. Each is told to one caller.
    fn forget_late_logouts<'a>(&'a self, now: Timestamp, limit: u32) -> Answer<'a, Vec<DueLogout>>;

    /// Deletes at most `limit` rows of each kind that are over, but logouts. How many it deleted.
    fn delete_expired<'a>(&'a self, now: Timestamp, limit: u32) -> Answer<'a, u64>;

    /// Whether it answers.
    fn ping(&self) -> Answer<'_, ()>;

    /// What it counts.
    fn metrics(&self) -> &StoreMetrics;
}
