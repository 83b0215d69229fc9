//! Tests against a real control plane, one behaviour a module. They share one that the first of
//! them starts (`control_plane::shared`); see ../../README.md.

mod control_plane_is_real;
mod proxy_counts_and_cuts_writes;
mod token_verifier_is_strict;
