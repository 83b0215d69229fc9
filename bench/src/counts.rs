//! What requests ask of the database: PostgreSQL's own numbers, or where there are none the provider's.

use std::net::SocketAddr;
use std::ops::{Add, Sub};

use anyhow::{Context as _, Result};

/// Since the start, or between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Statements, BEGIN and COMMIT included.
    pub(crate) round_trips: u64,
    pub(crate) rows_written: u64,
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            round_trips: self.round_trips - before.round_trips,
            rows_written: self.rows_written - before.rows_written,
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { round_trips: self.round_trips + other.round_trips, rows_written: self.rows_written + other.rows_written }
    }
}

/// What the provider with this internal address has counted.
///
/// # Errors
/// When it does not answer with its metrics.
pub(crate) async fn of_provider(internal: SocketAddr) -> Result<Counts> {
    let text = reqwest::get(format!("http://{internal}/metrics")).await?.error_for_status()?.text().await?;
    let value = |name: &str| -> Result<u64> {
        let name = format!("claviger_provider_store_{name}_total ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name)).with_context(|| format!("no {name}"))?;
        Ok(line.parse()?)
    };
    Ok(Counts { round_trips: value("statements")?, rows_written: value("rows_written")? })
}
