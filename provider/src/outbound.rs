//! Calls to other people's servers: a client's `jwks_uri`, deliveries of back-channel logout,
//! upstream identity providers.
//!
//! [`Outbound`] is the only way out. Who registers a client chooses the URL, so without care a
//! provider would fetch for them what only it can reach: the cloud's metadata service, the API
//! server, a neighbour (server-side request forgery). Therefore [`Policy`] judges every URL and every
//! address that is connected to, names are not resolved a second time after that, and redirects are
//! not followed. It knows nothing of tenants and clients, and logs nothing of a call: its callers do.

mod ca_file;
mod caller;
mod connect;
mod error;
mod jwks;
mod lifetime;
mod policy;
mod resolver;

pub use self::ca_file::CaFile;
pub use self::caller::{Fetched, Outbound, OutboundOptions, SetupError};
pub use self::error::{OutboundError, Refusal};
pub use self::jwks::{JwksError, KeySets, Parse, Source};
pub use self::policy::{Allow, AllowError, Policy, Target};
