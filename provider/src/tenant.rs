//! Tenants as this pod serves them: documents in, immutable snapshots out.
//!
//! [`index`] is pure state with `apply` and `delete`; [`directory`] is where requests find the
//! [`snapshot`] of their tenant. Only [`watch`] knows that Kubernetes exists.

pub(crate) mod directory;
pub(crate) mod exchange_rule;
pub(crate) mod index;
pub(crate) mod key_source;
pub(crate) mod metadata;
pub(crate) mod oauth_client;
pub(crate) mod password_cost;
pub(crate) mod ring;
pub(crate) mod sealing;
pub(crate) mod shared_map;
pub(crate) mod snapshot;
pub(crate) mod trust;
pub(crate) mod user;
pub(crate) mod watch;
