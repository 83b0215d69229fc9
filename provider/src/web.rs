//! Between HTTP and the decisions: extractors that refuse what is malformed and yield proofs, the
//! error surfaces, and the headers that every answer bears.

pub(crate) mod bearer;
pub(crate) mod client_address;
pub(crate) mod client_authentication;
pub(crate) mod cookie;
pub(crate) mod cors;
pub(crate) mod document;
pub(crate) mod edge;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod form;
pub(crate) mod form_encoding;
pub(crate) mod json_body;
pub(crate) mod login_error;
pub(crate) mod media_type;
pub(crate) mod page;
pub(crate) mod request_id;
pub(crate) mod same_origin;
