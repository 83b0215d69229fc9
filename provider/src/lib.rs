//! Claviger's provider: OpenID Connect from published documents.
//!
//! It reads published documents, never custom resources, and writes nothing to Kubernetes.

pub mod acknowledge;
pub mod clock;
mod endpoint;
mod grant;
pub mod internal;
pub mod metrics;
pub mod provider;
mod router;
mod run;
mod secrets;
pub mod served;
pub mod server;
pub mod settings;
pub mod store;
mod tenant;
pub mod tls;
mod token;
mod web;

pub use provider::{Options, Provider};
pub use run::{RunError, run};
pub use secrets::WatchHealth;
pub use settings::Settings;
