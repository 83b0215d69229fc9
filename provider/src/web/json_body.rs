//! A JSON object in a request's body: read with bounds, every fault of its fields told at once.

use axum::body::{Body, Bytes};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{ErrorCode, Fault, OAuthError};
use super::{form, media_type};

/// What is wrong with a body.
#[derive(Debug)]
pub(crate) enum Invalid {
    /// It is no JSON object.
    Body(OAuthError),
    /// These fields are not text.
    Fields(Vec<Fault>),
}

/// Whether the request says that its body is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    media_type::is(headers, "application/json") == Some(true)
}

/// Reads the body, with the bounds of a form.
pub(crate) async fn read(body: Body) -> Result<Bytes, OAuthError> {
    form::bytes(body).await
}

/// The object in `bytes`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, OAuthError> {
    // serde_json's errors can hold the text.
    serde_json::from_slice(bytes).map_err(|_| malformed())
}

/// The object in `bytes`, all of whose fields are text or null.
pub(crate) fn parse_fields<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Invalid> {
    let object: Value = serde_json::from_slice(bytes).map_err(|_| Invalid::Body(malformed()))?;
    let fields = object.as_object().ok_or_else(|| Invalid::Body(malformed()))?;
    let not_text = fields.iter().filter(|(_, value)| !value.is_string() && !value.is_null());
    let faults: Vec<Fault> = not_text.map(|(name, _)| Fault::not_text("body", name)).collect();
    if !faults.is_empty() {
        return Err(Invalid::Fields(faults));
    }
    serde_json::from_value(object).map_err(|_| Invalid::Body(malformed()))
}

fn malformed() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, "the body is not the JSON object that this endpoint takes")
}
