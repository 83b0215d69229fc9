//! Tenant: one issuer.

mod parse;
mod parse_trusted_issuers;
mod spec;
mod status;
mod trusted_issuer;

pub use parse::{Ceilings, Login, LoginUi, ValidTenant, parse};
pub use parse_trusted_issuers::{SubjectRule, TrustedIssuer};
pub use spec::*;
pub use status::{ServiceAccountIssuerStatus, TenantStatus};
pub use trusted_issuer::*;
