//! The engine against a cluster in memory, by behaviour.

mod authority;
mod crashes;
mod departures;
mod life;
mod losses;
mod pods;
