//! The engine against a cluster in memory, by behaviour.

mod life;
