//! The engine against a cluster in memory, by behaviour.

mod admission;
mod authority;
mod bounds;
mod caution;
mod client_secrets;
mod crashes;
mod departures;
mod handover;
mod hosts;
mod imports;
mod life;
mod losses;
mod names;
mod pods;
mod refusals;
mod rolled_back;
mod rotation;
mod sealing;
mod service_account_issuer;
mod service_accounts;
mod trusted_issuers;
mod vanished;
mod waking;
