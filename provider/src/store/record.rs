//! What goes into the store and comes out of it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{ClientKey, Id, TenantKey};

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
    /// Whether it outlives that session: `offline_access` was granted. It begins in it all the same, and lives by it
    /// where its client does not have that scope any more.
    pub offline: bool,
    /// What the token endpoint needs again at a refresh, at most 4 KiB; the caller's format.
    pub payload: Vec<u8>,
    /// Now.
    pub created_at: Timestamp,
    /// None where the grant has no refresh token.
    pub refresh: Option<RefreshWindow>,
    /// The row is of no use after this: no token of the grant lives longer, nor does the session
    /// where the client is to hear of its end ([`super::Store::session_clients`] reads these rows).
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
    /// When its refresh token was rotated last, if ever.
    pub rotated_at: Option<Timestamp>,
    /// Whether it was ended, or lives by a session that is over.
    pub over: bool,
}

/// What a refresh token is that is brought, beside its grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// The last one.
    Current,
    /// The one before, within the grace.
    Again,
    /// The one before, a moment ago; or one that the grant does not know, whose state came back from an old backup.
    Lost,
    /// An older one: it was stolen, or its successors were (RFC 9700 §4.14.2).
    Reused,
}

/// Without a grace, who asks again so soon has lost a race; later it is a token that was stolen.
const RACE: i64 = 2;

impl Grant {
    /// What the refresh token of `generation` is that is brought `now`, with a grace of so many seconds.
    pub(crate) fn presented(&self, generation: u32, now: Timestamp, grace: u32) -> Presented {
        let elapsed = self.rotated_at.map_or(0, |rotated_at| now.as_second() - rotated_at.as_second());
        // Clocks of two pods differ a little. One that stepped far back opens no window for a
        // stolen token and ends nobody's grant either.
        let apart = elapsed.saturating_abs();
        match i64::from(self.generation) - i64::from(generation) {
            0 => Presented::Current,
            1 if grace > 0 && apart <= i64::from(grace) => Presented::Again,
            1 if elapsed < 0 || apart <= RACE => Presented::Lost,
            ..0 => Presented::Lost,
            _ => Presented::Reused,
        }
    }
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It was redeemed now, and the grant is written.
    First,
    /// It was before. The grant is ended now (RFC 6749 §4.1.2), also if both came at once.
    Again,
    /// The session that it came from is over, whether the grant was to outlive it or not: who has
    /// logged out begins nothing any more. Nothing was written.
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
    /// Whether the client has the scope `offline_access` still: else the grant lives by its session, whatever was
    /// granted.
    pub offline_access: bool,
    /// Now.
    pub now: Timestamp,
    /// Until when the successor counts, unless it is used; never longer than the grant's window.
    pub idle_expires_at: Timestamp,
    /// Until when the session of a grant that lives by it counts, for it is used by this; never longer than the session's
    /// own end. Written where a quarter of that time is over.
    pub session_idle_expires_at: Timestamp,
    /// When the last token that is made of this is over: the grant's row stays so long.
    pub tokens_expire_at: Timestamp,
    /// For so many seconds the predecessor of an unused token yields that token again.
    pub grace: u32,
}

/// What became of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The token is used up; the grant as it stands now, with the generation of the successor.
    Successor(Grant),
    /// The token was used before, within the grace; the grant as it stands, with the generation of that successor.
    Again(Grant),
    /// The token was used before, outside the grace: the grant of this `sub` is ended now (RFC 9700 §4.14.2).
    Reused(String),
    /// Another request with the same token was faster, and there is no grace; or the clock stands
    /// before the last rotation, or the token is two generations or more ahead of the row. The grant goes on.
    Lost,
    /// The grant is ended or expired, or its session is over.
    Over,
    /// There is no such grant of this client.
    Unknown,
}

/// A grant, as it is looked up without an access token of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantLookup<'a> {
    /// Whose.
    pub tenant: &'a TenantKey,
    /// Which.
    pub grant: Id,
    /// Whether the grant's client has the scope `offline_access` still: else the grant lives by its session, whatever
    /// was granted.
    pub offline_access: bool,
    /// Now.
    pub now: Timestamp,
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
    /// As in [`GrantLookup`]: of the grant's client, whoever has the token.
    pub offline_access: bool,
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
    /// Unless it is used before. What is later than `expires_at` is stored as that.
    pub idle_expires_at: Timestamp,
}

/// Whether and how one of a session's clients is told of its end.
pub type Tell = Arc<dyn Fn(ClientKey) -> Option<NewLogout> + Send + Sync>;

/// The end of a session.
#[derive(Clone)]
pub struct SessionEnd<'a> {
    /// Whose.
    pub tenant: &'a TenantKey,
    /// Which.
    pub session: Id,
    /// Now.
    pub now: Timestamp,
    /// Asked for each client that has had a grant by it, and noted in the same transaction: an end that
    /// nobody will hear of must not be. A transaction that is tried again asks again.
    pub tell: Tell,
}

impl fmt::Debug for SessionEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEnd")
            .field("tenant", &self.tenant)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

// === what is kept for a while ===

/// What is kept, each kind counted apart: strangers make one, and must not keep the other out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptKind {
    /// A login on its way, which anybody begins.
    Flow,
    /// A code, which takes a login.
    Code,
}

/// How much of it a tenant may have kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptRoom {
    /// Of what.
    pub kind: KeptKind,
    /// At once.
    pub most: u32,
}

impl KeptKind {
    /// As it is stored.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Flow => 0,
            Self::Code => 1,
        }
    }
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
