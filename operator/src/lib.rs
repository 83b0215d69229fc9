//! Claviger's operator: custom resources become keys, credentials and published documents.
//!
//! Everything that decides is here and knows Kubernetes only through the trait
//! [`cluster::Cluster`] and the [`engine::Change`]s that it is told: the embedded mode feeds the
//! same [`engine::Engine`] from a folder. Each kind has a folder with the same steps: `observe`
//! (reads), `plan` (pure), `apply` (writes), `status` (pure); a reconcile is their table of contents.

pub mod acknowledgements;
pub mod clock;
pub mod cluster;
mod context;
pub mod engine;
mod error;
mod index;
mod internal;
mod liveness;
pub mod metrics;
mod oauth_client;
mod publish;
mod queue;
mod report;
mod run;
mod secret_uses;
mod service_account_issuer;
mod settings;
mod signing_key;
mod sweep;
mod tenant;
mod term;
#[cfg(test)]
mod testing;
mod user;
mod withheld;
pub mod work;

pub use self::run::{RunError, run};
pub use self::settings::{Providers, Rate, Settings};
