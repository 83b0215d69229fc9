//! Claviger's provider: OpenID Connect from published documents.
//!
//! It reads published documents, never custom resources, and writes nothing to Kubernetes.

pub mod acknowledge;
mod audit;
mod authorize;
mod claims;
pub mod clock;
mod endpoint;
mod expiry;
mod flow;
mod grant;
mod handle;
mod interaction;
pub mod internal;
mod login;
mod login_ui;
mod logout;
pub mod metrics;
mod now_and_then;
mod openapi;
pub mod outbound;
mod password;
pub mod provider;
mod router;
mod run;
mod secret_use;
mod secrets;
pub mod served;
pub mod server;
mod session;
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
pub use web::client_address::{ProxyHeader, TrustedProxies};
