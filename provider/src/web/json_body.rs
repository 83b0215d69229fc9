//! A JSON object in a request's body: read with bounds, every fault of its fields told at once.

use axum::body::{Body, Bytes};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{ErrorCode, Fault, OAuthError};
use super::{form, media_type};

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

/// The object in `bytes`, whose fields have to be text or null; and of those that are neither the faults. To what is
/// read these are missing.
pub(crate) fn parse_fields<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, Vec<Fault>), OAuthError> {
    let mut object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|_| malformed())?;
    let mut faults = Vec::new();
    object.retain(|name, value| {
        let is_text = value.is_string() || value.is_null();
        if !is_text {
            faults.push(Fault::not_text("body", name));
        }
        is_text
    });
    let read = serde_json::from_value(Value::Object(object)).map_err(|_| malformed())?;
    Ok((read, faults))
}

fn malformed() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, "the body is not the JSON object that this endpoint takes")
}
