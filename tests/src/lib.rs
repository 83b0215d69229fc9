//! Real parts for Claviger's tests: a Kubernetes control plane, `kubectl`, the `claviger` program
//! as a process, a proxy that counts and cuts writes, PostgreSQL, and a token verifier that others wrote.
//!
//! The tests under `tests/` call it. It holds no product logic and imitates nothing:
//! what a test cannot get from a real part, it does not get. Everything listens on loopback, and
//! everything ends and is removed when the test binary ends, also by SIGKILL.

pub mod apache;
pub mod api_proxy;
pub mod browser;
pub mod claviger;
pub mod cluster;
pub mod control_plane;
pub mod dev;
pub mod foreign_key;
pub mod installation;
pub mod kubectl;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod relying_party;
pub mod repository;
pub mod temp;
pub mod token_verifier;
pub mod user_agent;
pub mod wait;
