//! `make bench`: what a request costs the provider, in CPU time of its process, as a ratio to the
//! least that it could cost: a bare axum handler that returns the same bytes, plus a raw signature
//! for every token that is signed and a hash for every password. Both servers run on one core, in
//! turn, in the same run; the load and the database are on another. Nothing here asserts: it prints.
//!
//! `claviger-bench CLAVIGER LIMIT [PART…]`: the two programs, built for release, and what to measure where
//! not all of it: `documents`, `sqlite`, `postgresql`, `rest`.

mod awake;
mod cases;
mod counts;
mod cpu;
mod fixture;
mod flows;
mod generator;
mod load;
mod person;
mod postgres;
mod programmed;
mod report;
mod servers;
mod workload;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use claviger_tests::control_plane::ControlPlane;
use claviger_tests::temp::TempDir;

use crate::flows::Store;
use crate::postgres::Postgres;
use crate::report::Line;

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some(generator::ARGUMENT) {
        return generator::main();
    }
    tokio::runtime::Runtime::new()?.block_on(bench())
}

/// What to measure.
struct Parts(Vec<OsString>);

impl Parts {
    const ALL: [&str; 4] = ["documents", "sqlite", "postgresql", "rest"];

    fn parse(words: Vec<OsString>) -> Result<Self> {
        for word in &words {
            ensure!(Self::ALL.iter().any(|part| word == part), "{}: one of {:?}", word.display(), Self::ALL);
        }
        Ok(Self(words))
    }

    fn has(&self, part: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| word == part)
    }
}

async fn bench() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let claviger = PathBuf::from(arguments.next().context("the claviger program is not named")?);
    let limit = PathBuf::from(arguments.next().context("the limit program is not named")?);
    let parts = Parts::parse(arguments.collect())?;
    let _awake = awake::keep();
    let plane = ControlPlane::start(&[]).await?;
    let cluster = plane.cluster();
    let folder = TempDir::new("bench")?;

    let fixture = fixture::publish(cluster).await?;
    let (provider, first_answer) = servers::start_provider(&claviger, cluster, &fixture, "sqlite::memory:").await?;
    report::memory("provider, 300 clients", cpu::resident(provider.process.pid())?);
    report::milliseconds("provider, exec to first answer", first_answer);
    // The limits of all parts return these.
    cases::save_answers(&provider, &fixture, folder.path()).await?;
    if parts.has("documents") {
        let limit_server = servers::start_limit(&limit, folder.path()).await?;
        for case in cases::all(&fixture) {
            let measured = load::compare(&case, &provider, &limit_server, folder.path()).await?;
            report::line(&Line { name: &case.name, goal: case.goal, measured, asked: None });
        }
        report::memory("provider at its peak", cpu::peak(provider.process.pid())?);
    }
    drop(provider);
    let programs = (claviger.as_path(), limit.as_path());
    if parts.has("sqlite") {
        flows::measure(programs, cluster, &fixture, &Store::Sqlite, folder.path()).await?;
    }
    if parts.has("postgresql") {
        let store = Store::Postgres(Postgres::start(load::CORE).await?);
        flows::measure(programs, cluster, &fixture, &store, folder.path()).await?;
    }
    drop(plane);
    if parts.has("rest") {
        rest(&claviger, folder.path()).await?;
    }
    Ok(())
}

/// Operator and `claviger dev`.
async fn rest(claviger: &Path, folder: &Path) -> Result<()> {
    let programmed = programmed::measure().await?;
    report::memory("provider, quick start", programmed.provider);
    report::memory("operator, quick start", programmed.operator);
    report::memory("claviger dev, quick start", servers::dev_at_rest(claviger, folder).await?);
    report::programmed(&programmed.times);
    Ok(())
}
