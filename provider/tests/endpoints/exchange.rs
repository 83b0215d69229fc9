//! Token exchange (RFC 8693) and the JWT bearer grant (RFC 7523 §2.1).

mod bearer;
mod delegation;
mod keys_elsewhere;
mod limits;
mod refused;
mod silence;
mod table;
mod trust;
mod world;

pub(crate) use self::bearer::BEARER;
pub(crate) use self::world::{
    ACCESS_TOKEN, Brought, EXCHANGE, STOCK, World, api_of, every_kind, rule, text, token_type,
};
