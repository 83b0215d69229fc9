//! One request for one tenant, as endpoints get it.

use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;

use crate::provider::Provider;
use crate::tenant::snapshot::TenantSnapshot;

/// What an endpoint answers.
pub(crate) struct Exchange<'a> {
    /// Clock, readiness, counters.
    pub(crate) provider: &'a Provider,
    /// The tenant as it was when the request came: one request sees one moment.
    pub(crate) tenant: Arc<TenantSnapshot>,
    /// For logs.
    pub(crate) request_id: &'a HeaderValue,
    /// Method and headers. The body goes apart, to the one endpoint that reads it.
    pub(crate) parts: Parts,
}
