//! `make bench`: what a request costs the provider, in CPU time of its process, as a ratio to the
//! least that it could cost: a bare axum handler that returns the same bytes, plus a raw signature
//! for every token that is signed and a hash for every password. Both servers run on one core, in
//! turn, in the same run; the load and the database are on another. Nothing here asserts: it prints.
//!
//! `claviger-bench CLAVIGER LIMIT`: the two programs, built for release.

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

use std::path::PathBuf;

use anyhow::{Context as _, Result};
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

async fn bench() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let claviger = arguments.next().context("the claviger program is not named")?;
    let limit = arguments.next().context("the limit program is not named")?;
    let plane = ControlPlane::start(&[]).await?;
    let cluster = plane.cluster();
    let folder = TempDir::new("bench")?;

    let fixture = fixture::publish(cluster).await?;
    let (provider, first_answer) = servers::start_provider(&claviger, cluster, &fixture, "sqlite::memory:").await?;
    report::memory("provider, 300 clients", cpu::resident(provider.process.pid())?);
    report::milliseconds("provider, exec to first answer", first_answer);
    cases::save_answers(&provider, &fixture, folder.path()).await?;
    let limit_server = servers::start_limit(&limit, folder.path()).await?;
    for case in cases::all(&fixture) {
        let measured = load::compare(&case, &provider, &limit_server, folder.path()).await?;
        report::line(&Line { name: &case.name, goal: case.goal, measured, asked: None });
    }
    report::memory("provider at its peak", cpu::peak(provider.process.pid())?);
    drop((provider, limit_server));
    for store in [Store::Sqlite, Store::Postgres(Postgres::start(load::CORE).await?)] {
        flows::measure((&claviger, &limit), cluster, &fixture, &store, folder.path()).await?;
    }
    drop(plane);
    let programmed = programmed::measure().await?;
    report::memory("provider, quick start", programmed.provider);
    report::memory("operator, quick start", programmed.operator);
    report::memory("claviger dev, quick start", servers::dev_at_rest(&claviger, folder.path()).await?);
    report::programmed(&programmed.times);
    Ok(())
}
