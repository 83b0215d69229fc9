//! What every store does. Each function is a test, run once for each backend on a store of its own.

pub(crate) mod earlier;
pub(crate) mod grants;
pub(crate) mod logouts;
pub(crate) mod once;
pub(crate) mod people;
pub(crate) mod races;
pub(crate) mod refresh;
pub(crate) mod sessions;

use std::time::Duration;

use claviger_provider::store::{
    ClientKey, GrantLookup, Id, KeptKind, KeptRoom, NewGrant, RefreshWindow, Session, Store, TenantKey,
};
use jiff::Timestamp;

/// The suite for a backend; `$fresh` makes an empty store, and what must live as long.
macro_rules! conformance {
    ($fresh:path) => {
        conformance! { $fresh:
            grants::a_code_is_redeemed_once,
            grants::a_grant_reads_as_it_was_written,
            grants::a_code_of_a_session_that_is_over_writes_nothing,
            grants::an_offline_grant_outlives_its_session_and_does_not_begin_after_it,
            grants::the_end_of_a_grant_is_the_end_of_its_tokens,
            grants::the_end_of_a_session_is_the_end_of_its_grants_but_offline_ones,
            grants::an_offline_grant_ends_with_its_session_while_its_client_lacks_the_scope,
            grants::a_revoked_token_is_revoked_alone,
            grants::an_unknown_grant_is_revoked,
            grants::tenants_with_the_same_ids_do_not_meet,
            grants::what_is_over_is_deleted_in_bounded_batches,
            grants::a_payload_beyond_its_bound_is_refused,
            refresh::a_refresh_token_rotates_to_its_successor,
            refresh::a_rotation_answers_the_grant_as_it_stands,
            refresh::a_session_that_lives_by_refreshes_does_not_fall_idle,
            refresh::a_rotation_that_is_taken_back_was_none,
            refresh::a_rotation_is_not_taken_back_when_its_successor_was_used,
            refresh::who_got_the_successor_of_a_rotation_that_is_taken_back_goes_on,
            refresh::to_take_a_rotation_back_opens_no_grace_for_the_token_before,
            refresh::the_predecessor_of_an_unused_token_yields_it_within_the_grace,
            refresh::after_the_grace_it_ends_the_grant,
            refresh::two_generations_back_ends_the_grant_at_once,
            refresh::without_a_grace_a_race_is_lost_and_later_is_reuse,
            refresh::another_client_finds_nothing_and_harms_nothing,
            refresh::an_expired_window_is_over,
            refresh::a_grant_stays_as_long_as_the_last_tokens_of_it,
            refresh::a_grant_without_a_refresh_token_does_not_rotate,
            refresh::rotation_ends_with_the_session_unless_offline,
            refresh::an_offline_grant_rotates_by_its_session_while_its_client_lacks_the_scope,
            refresh::a_clock_that_steps_back_neither_reissues_nor_ends,
            refresh::a_generation_from_the_future_ends_nothing,
            refresh::the_state_of_a_call_is_small,
            sessions::a_session_reads_as_it_was_written,
            sessions::another_handle_is_no_session,
            sessions::a_session_ends_when_it_is_idle_and_at_its_end,
            sessions::a_session_is_found_by_its_id_alone_only_while_it_lives,
            sessions::a_session_that_is_used_lasts_and_is_written_once_a_minute,
            sessions::a_new_login_changes_the_handle,
            sessions::a_session_that_lasts_longer_still_knows_its_clients,
            sessions::a_session_that_is_over_is_not_renewed,
            sessions::a_session_ends_once_and_tells_its_clients_once,
            sessions::a_session_takes_the_place_of_another,
            sessions::the_clients_of_a_session_are_those_with_a_grant,
            logouts::a_logout_is_claimed_by_one_until_its_lease_ends,
            logouts::a_logout_is_tried_again_until_it_is_done,
            logouts::a_logout_that_expired_is_not_claimed,
            logouts::claims_are_bounded_and_the_oldest_come_first,
            once::a_login_is_consumed_once,
            once::an_assertion_is_consumed_once_a_client,
            once::what_is_kept_has_a_bound_for_each_tenant,
            once::a_kind_that_is_full_leaves_room_for_the_other,
            once::what_is_kept_instead_takes_no_more_room,
            once::what_is_kept_is_there_until_it_expires,
            people::consent_grows,
            people::failures_count_until_they_are_forgotten,
            people::a_try_is_told_what_was_counted_before_and_can_be_taken_back,
            people::failures_of_many_keys_come_in_their_order,
            races::of_many_redemptions_one_wins,
            races::of_many_refreshes_one_rotates,
            races::of_many_refreshes_without_grace_the_losers_end_nothing,
            races::of_many_assertions_and_logins_one_wins,
            races::of_many_ends_one_tells_the_clients,
            races::many_claims_share_the_logouts,
            races::many_failures_are_all_counted,
            races::of_many_tries_no_two_are_told_the_same,
            races::of_many_late_logouts_each_is_told_to_one,
            races::many_sweeps_delete_each_row_once,
            races::a_redemption_that_meets_a_logout_leaves_no_grant_alive_and_nobody_untold,
        }
    };
    ($fresh:path: $($module:ident::$name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (store, _kept) = $fresh().await;
                crate::conformance::$module::$name(&*store).await;
            }
        )+
    };
}

/// A hundred at once wait in line, on a slow disk longer than a request would.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// `seconds` after the suite's beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn tenant() -> TenantKey {
    TenantKey::new("auth", "main", "main")
}

pub(crate) fn other_tenant() -> TenantKey {
    TenantKey::new("auth", "main", "other")
}

pub(crate) fn shop() -> ClientKey {
    ClientKey::new("shop", "shop", "shop")
}

pub(crate) fn forum() -> ClientKey {
    ClientKey::new("forum", "forum", "https://forum.example/a")
}

/// The suite's n-th ID.
pub(crate) fn id(number: u8) -> Id {
    Id::from_bytes([number; 16])
}

/// Room for so many.
pub(crate) fn flows(most: u32) -> KeptRoom {
    KeptRoom { kind: KeptKind::Flow, most }
}

/// The same for the other kind.
pub(crate) fn codes(most: u32) -> KeptRoom {
    KeptRoom { kind: KeptKind::Code, most }
}

/// A session that lasts 1000 seconds, and 100 unless it is used.
pub(crate) fn session(number: u8) -> Session {
    Session {
        id: id(number),
        tenant: tenant(),
        handle: id(number + 100),
        subject: "jane".to_owned(),
        authenticated_at: at(-5),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        acr: "urn:\"quoted\"".to_owned(),
        created_at: at(-5),
        last_seen_at: at(0),
        expires_at: at(1000),
        idle_expires_at: at(100),
    }
}

/// Begins the session 1.
pub(crate) async fn logged_in(store: &dyn Store) {
    store.begin_session(&session(1), None).await.unwrap();
}

/// The shop's grant by session 1, with a refresh token for 500 seconds, 90 unless it is used.
pub(crate) fn grant(number: u8) -> NewGrant {
    NewGrant {
        id: id(number),
        tenant: tenant(),
        client: shop(),
        subject: "jane".to_owned(),
        session: id(1),
        offline: false,
        payload: vec![0, 255, 1],
        created_at: at(0),
        refresh: Some(RefreshWindow { expires_at: at(500), idle_expires_at: at(90) }),
        expires_at: at(600),
    }
}

/// The same with `offline_access`.
pub(crate) fn offline(number: u8) -> NewGrant {
    NewGrant { offline: true, ..grant(number) }
}

/// The grant `number`, of a client that has `offline_access`.
pub(crate) fn lookup(tenant: &TenantKey, number: u8, seconds: i64) -> GrantLookup<'_> {
    GrantLookup { tenant, grant: id(number), offline_access: true, now: at(seconds) }
}
