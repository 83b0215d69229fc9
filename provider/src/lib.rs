//! Claviger's provider: OpenID Connect from published documents.
//!
//! It reads published documents, never custom resources, and writes nothing to Kubernetes.

pub mod acknowledge;
pub mod internal;
mod secrets;
pub mod served;
pub mod server;
mod settings;
pub mod tls;

pub use secrets::WatchHealth;
pub use settings::Settings;
