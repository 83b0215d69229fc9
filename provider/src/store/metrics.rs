//! What a store counts: its calls, what they sent to the database, and what they wrote there.
//!
//! The store counts and [`crate::metrics`] shows. Each counter is resolved once.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::health::StoreHealth;
use super::work::Access;

/// Seconds: SQLite reads in microseconds, an fsync takes milliseconds, a call may wait for seconds.
const BUCKETS: [f64; 8] = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5];

/// What a call is for: [`super::Store`]'s method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    RedeemCode,
    Grant,
    RotateRefresh,
    TakeRotationBack,
    EndGrant,
    IsRevoked,
    LiveGrant,
    RevokeToken,
    BeginSession,
    RenewSession,
    Session,
    SessionToEnd,
    TouchSession,
    SessionClients,
    EndSession,
    Consent,
    RememberConsent,
    ConsumeLogin,
    ConsumeAssertion,
    Keep,
    KeepInstead,
    Kept,
    LoginFailures,
    LoginTried,
    TakeLoginBack,
    ForgetFailures,
    ClaimLogouts,
    LogoutAttempted,
    ForgetLateLogouts,
    DeleteExpired,
    Ping,
}

/// The counters of one store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    health: StoreHealth,
    calls: Family<Call, Counter>,
    counters: Vec<[Counter; 2]>,
    durations: Histogram,
    statements: Counter,
    rows: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: &'static str,
    outcome: &'static str,
}

impl StoreMetrics {
    /// All at zero.
    pub(super) fn new() -> Self {
        let calls = Family::<Call, Counter>::default();
        let counters = Operation::ALL.iter().map(|operation| {
            let operation = operation.as_str();
            // In the order of `false` and `true`.
            ["failed", "ok"].map(|outcome| calls.get_or_create_owned(&Call { operation, outcome }))
        });
        Self {
            health: StoreHealth::default(),
            counters: counters.collect(),
            calls,
            durations: Histogram::new(BUCKETS),
            statements: Counter::default(),
            rows: Counter::default(),
        }
    }

    /// Shows them in `registry`, under the prefix `store`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.health.register(registry);
        let registry = registry.sub_registry_with_prefix("store");
        registry.register("calls", "Calls of the store; one that failed got no answer", self.calls.clone());
        registry.register("call_duration_seconds", "Seconds that a call took", self.durations.clone());
        let help = "Statements that the database answered, BEGIN and COMMIT included";
        registry.register("statements", help, self.statements.clone());
        registry.register("rows_written", "Rows inserted, updated or deleted", self.rows.clone());
    }

    /// Whether it answers.
    pub(super) fn health(&self) -> &StoreHealth {
        &self.health
    }

    /// A call has ended.
    pub(super) fn called(&self, operation: Operation, answered: bool, took: Duration) {
        if let Some(counters) = self.counters.get(operation as usize) {
            counters[usize::from(answered)].inc();
        }
        self.durations.observe(took.as_secs_f64());
    }

    /// The database has answered so many statements, which wrote so many rows.
    pub(super) fn answered(&self, access: Access, statements: u64, rows_written: u64) {
        self.health.answered(access, rows_written);
        self.statements.inc_by(statements);
        self.rows.inc_by(rows_written);
    }
}

impl Operation {
    /// In the order of their numbers.
    const ALL: [Self; 31] = [
        Self::RedeemCode,
        Self::Grant,
        Self::RotateRefresh,
        Self::TakeRotationBack,
        Self::EndGrant,
        Self::IsRevoked,
        Self::LiveGrant,
        Self::RevokeToken,
        Self::BeginSession,
        Self::RenewSession,
        Self::Session,
        Self::SessionToEnd,
        Self::TouchSession,
        Self::SessionClients,
        Self::EndSession,
        Self::Consent,
        Self::RememberConsent,
        Self::ConsumeLogin,
        Self::ConsumeAssertion,
        Self::Keep,
        Self::KeepInstead,
        Self::Kept,
        Self::LoginFailures,
        Self::LoginTried,
        Self::TakeLoginBack,
        Self::ForgetFailures,
        Self::ClaimLogouts,
        Self::LogoutAttempted,
        Self::ForgetLateLogouts,
        Self::DeleteExpired,
        Self::Ping,
    ];

    /// In metrics.
    fn as_str(self) -> &'static str {
        match self {
            Self::RedeemCode => "redeem_code",
            Self::Grant => "grant",
            Self::RotateRefresh => "rotate_refresh",
            Self::TakeRotationBack => "take_rotation_back",
            Self::EndGrant => "end_grant",
            Self::IsRevoked => "is_revoked",
            Self::LiveGrant => "live_grant",
            Self::RevokeToken => "revoke_token",
            Self::BeginSession => "begin_session",
            Self::RenewSession => "renew_session",
            Self::Session => "session",
            Self::SessionToEnd => "session_to_end",
            Self::TouchSession => "touch_session",
            Self::SessionClients => "session_clients",
            Self::EndSession => "end_session",
            Self::Consent => "consent",
            Self::RememberConsent => "remember_consent",
            Self::ConsumeLogin => "consume_login",
            Self::ConsumeAssertion => "consume_assertion",
            Self::Keep => "keep",
            Self::KeepInstead => "keep_instead",
            Self::Kept => "kept",
            Self::LoginFailures => "login_failures",
            Self::LoginTried => "login_tried",
            Self::TakeLoginBack => "take_login_back",
            Self::ForgetFailures => "forget_failures",
            Self::ClaimLogouts => "claim_logouts",
            Self::LogoutAttempted => "logout_attempted",
            Self::ForgetLateLogouts => "forget_late_logouts",
            Self::DeleteExpired => "delete_expired",
            Self::Ping => "ping",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::store::{Id, KeptKind, KeptRoom, Store, StoreOptions, TenantKey, open};

    #[test]
    fn every_operation_stands_at_its_number() {
        for (number, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, number, "{operation:?}");
        }
    }

    fn text(store: &Arc<dyn Store>) -> String {
        let mut registry = Registry::default();
        store.metrics().register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[tokio::test]
    async fn statements_are_counted_with_what_they_wrote_and_reads_write_nothing() {
        let store = open(&StoreOptions::parse("sqlite::memory:").unwrap()).await.unwrap();
        let (tenant, id, now) = (TenantKey::new("a", "b", "c"), Id::from_bytes([1; 16]), Timestamp::UNIX_EPOCH);
        let end = Timestamp::from_second(9).unwrap();
        assert!(text(&store).contains("store_statements_total 0\n"), "the schema is no call");
        store.keep(&tenant, id, b"x", end, KeptRoom { kind: KeptKind::Code, most: 9 }).await.unwrap();
        store.kept(&tenant, id, now).await.unwrap();
        // Of a transaction BEGIN and the end count too; there is no such session, so this one writes nothing.
        let tell: crate::store::Tell = Arc::new(|_| None);
        store.end_session(crate::store::SessionEnd { tenant: &tenant, session: id, now, tell }).await.unwrap();
        let text = text(&store);
        for line in [
            "store_statements_total 5\n",
            "store_rows_written_total 1\n",
            "store_calls_total{operation=\"keep\",outcome=\"ok\"} 1\n",
            "store_calls_total{operation=\"keep\",outcome=\"failed\"} 0\n",
            "store_call_duration_seconds_count 3\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[tokio::test]
    async fn a_tenant_that_has_as_much_as_it_may_was_answered() {
        let store = open(&StoreOptions::parse("sqlite::memory:").unwrap()).await.unwrap();
        let (tenant, end) = (TenantKey::new("a", "b", "c"), Timestamp::from_second(9).unwrap());
        let answer =
            store.keep(&tenant, Id::from_bytes([1; 16]), b"x", end, KeptRoom { kind: KeptKind::Code, most: 0 }).await;
        assert_eq!(answer, Err(crate::store::StoreError::Full));
        let text = text(&store);
        assert!(text.contains("store_calls_total{operation=\"keep\",outcome=\"failed\"} 0\n"), "{text}");
        assert!(text.contains("store_calls_total{operation=\"keep\",outcome=\"ok\"} 1\n"), "{text}");
    }
}
