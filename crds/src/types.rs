//! Values that meet Kubernetes or OAuth: one newtype a file, each with its rule in Rust and in the
//! schema.
//!
//! The specs hold plain strings whose schema comes from these types (`#[schemars(with = …)]`), so
//! that an object which an older schema let in is still read and each of its faults told. Only
//! `parse` makes these types from a spec; nothing below it handles raw text.

mod audience;
mod bounds;
mod client_id;
mod data_key;
mod duration;
mod endpoint_uri;
mod grant_type;
mod host_name;
mod jose_names;
mod kubernetes_name;
mod redirect_pattern;
mod redirect_uri;
mod scope_token;
mod secret_template;
mod slug;
mod subject;
mod text;
mod text_pattern;
mod username;
mod web_origin;

pub use audience::Audience;
pub use bounds::Bounds;
pub(crate) use bounds::{
    ACCESS_TOKEN, AUTHORIZATION_CODE, CACHE_LIFETIME, CLIENT_SECRET_INTERVAL, CLIENT_SECRET_OVERLAP, ID_TOKEN,
    KEY_INTERVAL, PUBLISH_AHEAD, REFRESH_TOKEN, REFRESH_TOKEN_GRACE, SESSION,
};
pub use client_id::ClientId;
pub use data_key::DataKey;
pub use duration::Duration;
pub use endpoint_uri::EndpointUri;
pub use grant_type::GrantType;
pub use host_name::HostName;
pub(crate) use jose_names::{parse_algorithm, parse_kid};
pub use kubernetes_name::{KubernetesName, NamespaceName};
pub use redirect_pattern::RedirectPattern;
pub use redirect_uri::{RedirectUri, RedirectUriKind};
pub use scope_token::ScopeToken;
pub(crate) use secret_template::LONGEST as TEMPLATE_LONGEST;
pub use secret_template::{Placeholder, SecretTemplate};
pub use slug::Slug;
pub use subject::{Subject, subject};
pub use text::Unusable;
pub(crate) use text::{is_dns_label, is_dns_subdomain};
pub use text_pattern::TextPattern;
pub use username::Username;
pub use web_origin::WebOrigin;
