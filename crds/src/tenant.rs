//! Tenant: one issuer.

mod parse;
mod spec;
mod status;

pub use parse::{Ceilings, Login, LoginUi, ValidTenant, parse};
pub use spec::*;
pub use status::TenantStatus;
