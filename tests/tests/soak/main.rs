//! Rotation that no verifier notices, shown by doing it: a real API server, two operators and provider
//! processes that are Pods to them, rings that rotate as fast as their schema lets them, and resource
//! servers in two languages that verify every token. See ../../README.md.
//!
//! The second half shows that the first can fail: an operator that breaks a promise is noticed.

mod balancer;
mod broken_operators_are_noticed;
mod chaos;
mod figures;
mod fleet;
mod load;
mod no_verifier_notices_rotation;
mod operators;
mod rings;
mod settings;
mod stage;
mod verifiers;
