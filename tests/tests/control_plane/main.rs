//! Tests against a real control plane, one behaviour a module. Those that need no more than an API
//! server share one that the first of them starts (`control_plane::shared`); those that need
//! Claviger have an `Installation` each. See ../../README.md.

mod a_killed_operator_leaves_nothing_half_done;
mod a_paused_leader_harms_nothing;
mod a_restored_ring_stops_rotation;
mod a_revoked_key_is_out_everywhere;
mod a_ring_rotates_and_tells_of_it;
mod an_imported_key_signs;
mod applied_yaml_becomes_a_verified_token;
mod client_secrets_rotate_unnoticed;
mod clients_attach_by_both_sides;
mod control_plane_is_real;
mod deletions_are_undone_by_applying_again;
mod every_rule_holds_on_the_api_server;
mod kubernetes_accepts_a_tenants_tokens;
mod nothing_changed_is_nothing_written;
mod programmed_tells_who_is_behind;
mod proxy_counts_and_cuts_writes;
mod published_secrets_are_repaired;
mod serving_goes_on_without_the_api_server;
mod the_guide_to_workloads_works;
mod token_verifier_is_strict;
mod workloads_prove_who_they_are;
