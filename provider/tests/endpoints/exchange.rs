//! Token exchange (RFC 8693) and the JWT bearer grant (RFC 7523 §2.1).

mod bearer;
mod delegation;
mod limits;
mod table;
mod trust;
mod world;
