//! The store over SQL: every call's statements, nearly all of them one text for both databases.
//!
//! They keep to what CockroachDB and YugabyteDB run too: no functions, no locks beyond the rows'.

mod expiry;
mod grants;
mod logouts;
mod once;
mod people;
mod sessions;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::database::Database;
use super::metrics::{Operation, StoreMetrics};
use super::work::Statement;
use super::{
    Answer, ClientKey, DueLogout, Failures, Grant, GrantLookup, Id, KeptRoom, LogoutOutcome, NewGrant, Redeemed,
    Rotated, Rotation, Session, SessionEnd, Store, StoreError, TenantKey, TokenLookup,
};

/// A store over a database, and whoever brings that to its schema.
pub(super) struct SqlStore {
    pub(super) database: Arc<Database>,
    /// Where the database did not answer at once.
    pub(super) migration: Option<JoinHandle<()>>,
    /// Where it is.
    pub(super) place: String,
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlStore({})", self.place)
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        if let Some(migration) = &self.migration {
            migration.abort();
        }
    }
}

impl SqlStore {
    /// `work`, counted as a call when it is over. One that nobody waits for any more is none.
    fn counted<'a, T: Send>(
        &'a self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Answer<'a, T> {
        let began = Instant::now();
        // An async block would hold `work` twice, as it came and as it is polled, and each call copies that.
        Box::pin(work.inspect(move |answer| {
            // That there is no room for more is an answer.
            let answered = matches!(answer, Ok(_) | Err(StoreError::Full));
            self.database.metrics().called(operation, answered, began.elapsed());
        }))
    }
}

async fn ping(database: &Database) -> Result<(), StoreError> {
    database.read(Statement::new("SELECT 1", [])).await.map(drop)
}

impl Store for SqlStore {
    fn is_held_up(&self) -> bool {
        self.database.is_held_up()
    }

    fn redeem_code<'a>(&'a self, grant: &'a NewGrant) -> Answer<'a, Redeemed> {
        self.counted(Operation::RedeemCode, grants::redeem(&self.database, grant))
    }

    fn grant<'a>(&'a self, lookup: GrantLookup<'a>) -> Answer<'a, Option<Grant>> {
        self.counted(Operation::Grant, grants::grant(&self.database, lookup))
    }

    fn rotate_refresh<'a>(&'a self, rotation: &'a Rotation) -> Answer<'a, Rotated> {
        self.counted(Operation::RotateRefresh, grants::rotate(&self.database, rotation))
    }

    fn take_rotation_back<'a>(&'a self, rotation: &'a Rotation) -> Answer<'a, ()> {
        self.counted(Operation::TakeRotationBack, grants::take_rotation_back(&self.database, rotation))
    }

    fn end_grant<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, ()> {
        self.counted(Operation::EndGrant, grants::end(&self.database, tenant, id, now))
    }

    fn is_revoked<'a>(&'a self, token: TokenLookup<'a>) -> Answer<'a, bool> {
        self.counted(Operation::IsRevoked, grants::is_revoked(&self.database, token))
    }

    fn live_grant<'a>(&'a self, token: TokenLookup<'a>) -> Answer<'a, Option<Grant>> {
        self.counted(Operation::LiveGrant, grants::live(&self.database, token))
    }

    fn revoke_token<'a>(&'a self, tenant: &'a TenantKey, jti: &'a str, expires_at: Timestamp) -> Answer<'a, ()> {
        self.counted(Operation::RevokeToken, grants::revoke(&self.database, tenant, jti, expires_at))
    }

    fn begin_session<'a>(&'a self, session: &'a Session, replaced: Option<SessionEnd<'a>>) -> Answer<'a, ()> {
        self.counted(Operation::BeginSession, sessions::begin(&self.database, session, replaced))
    }

    fn renew_session<'a>(&'a self, session: &'a Session) -> Answer<'a, bool> {
        self.counted(Operation::RenewSession, sessions::renew(&self.database, session))
    }

    fn session<'a>(&'a self, tenant: &'a TenantKey, id: Id, handle: Id, now: Timestamp) -> Answer<'a, Option<Session>> {
        self.counted(Operation::Session, sessions::session(&self.database, tenant, id, handle, now))
    }

    fn session_to_end<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Session>> {
        self.counted(Operation::SessionToEnd, sessions::to_end(&self.database, tenant, id, now))
    }

    fn touch_session<'a>(&'a self, seen: &'a Session, idle_expires_at: Timestamp, now: Timestamp) -> Answer<'a, ()> {
        self.counted(Operation::TouchSession, sessions::touch(&self.database, seen, idle_expires_at, now))
    }

    fn session_clients<'a>(&'a self, tenant: &'a TenantKey, id: Id) -> Answer<'a, Vec<ClientKey>> {
        self.counted(Operation::SessionClients, sessions::clients(&self.database, tenant, id))
    }

    fn end_session<'a>(&'a self, end: SessionEnd<'a>) -> Answer<'a, ()> {
        self.counted(Operation::EndSession, sessions::end(&self.database, end))
    }

    fn consent<'a>(
        &'a self,
        tenant: &'a TenantKey,
        subject: &'a str,
        client: &'a ClientKey,
    ) -> Answer<'a, BTreeSet<String>> {
        self.counted(Operation::Consent, people::consent(&self.database, tenant, subject, client))
    }

    fn remember_consent<'a>(
        &'a self,
        tenant: &'a TenantKey,
        subject: &'a str,
        client: &'a ClientKey,
        scopes: &'a BTreeSet<String>,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        self.counted(
            Operation::RememberConsent,
            people::remember_consent(&self.database, tenant, subject, client, scopes, now),
        )
    }

    fn consume_login<'a>(&'a self, tenant: &'a TenantKey, id: Id, expires_at: Timestamp) -> Answer<'a, bool> {
        self.counted(Operation::ConsumeLogin, once::login(&self.database, tenant, id, expires_at))
    }

    fn consume_assertion<'a>(
        &'a self,
        tenant: &'a TenantKey,
        client: &'a ClientKey,
        jti: &'a str,
        expires_at: Timestamp,
    ) -> Answer<'a, bool> {
        self.counted(Operation::ConsumeAssertion, once::assertion(&self.database, tenant, client, jti, expires_at))
    }

    fn keep<'a>(
        &'a self,
        tenant: &'a TenantKey,
        id: Id,
        bytes: &'a [u8],
        expires_at: Timestamp,
        room: KeptRoom,
    ) -> Answer<'a, ()> {
        self.counted(Operation::Keep, once::keep(&self.database, tenant, id, bytes, expires_at, room))
    }

    fn keep_instead<'a>(&'a self, tenant: &'a TenantKey, id: Id, bytes: &'a [u8], now: Timestamp) -> Answer<'a, bool> {
        self.counted(Operation::KeepInstead, once::keep_instead(&self.database, tenant, id, bytes, now))
    }

    fn kept<'a>(&'a self, tenant: &'a TenantKey, id: Id, now: Timestamp) -> Answer<'a, Option<Vec<u8>>> {
        self.counted(Operation::Kept, once::kept(&self.database, tenant, id, now))
    }

    fn login_failures<'a>(
        &'a self,
        tenant: &'a TenantKey,
        keys: &'a [Id],
        now: Timestamp,
    ) -> Answer<'a, Vec<Failures>> {
        self.counted(Operation::LoginFailures, people::failures(&self.database, tenant, keys, now))
    }

    fn login_tried<'a>(
        &'a self,
        tenant: &'a TenantKey,
        keys: &'a [Id],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Answer<'a, Vec<Failures>> {
        self.counted(Operation::LoginTried, people::tried(&self.database, tenant, keys, now, forget_at))
    }

    fn take_login_back<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id], before: &'a [Failures]) -> Answer<'a, ()> {
        self.counted(Operation::TakeLoginBack, people::take_back(&self.database, tenant, keys, before))
    }

    fn forget_failures<'a>(&'a self, tenant: &'a TenantKey, keys: &'a [Id]) -> Answer<'a, ()> {
        self.counted(Operation::ForgetFailures, people::forget(&self.database, tenant, keys))
    }

    fn claim_logouts<'a>(&'a self, now: Timestamp, lease: Timestamp, limit: u32) -> Answer<'a, Vec<DueLogout>> {
        self.counted(Operation::ClaimLogouts, logouts::claim(&self.database, now, lease, limit))
    }

    fn logout_attempted<'a>(&'a self, tenant: &'a TenantKey, id: Id, outcome: LogoutOutcome) -> Answer<'a, ()> {
        self.counted(Operation::LogoutAttempted, logouts::attempted(&self.database, tenant, id, outcome))
    }

    fn forget_late_logouts<'a>(&'a self, now: Timestamp, limit: u32) -> Answer<'a, Vec<DueLogout>> {
        self.counted(Operation::ForgetLateLogouts, logouts::forget_late(&self.database, now, limit))
    }

    fn delete_expired<'a>(&'a self, now: Timestamp, limit: u32) -> Answer<'a, u64> {
        self.counted(Operation::DeleteExpired, expiry::delete(&self.database, now, limit))
    }

    fn ping(&self) -> Answer<'_, ()> {
        self.counted(Operation::Ping, ping(&self.database))
    }

    fn metrics(&self) -> &StoreMetrics {
        self.database.metrics()
    }
}
