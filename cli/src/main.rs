//! `claviger`: the operator, the provider, the embedded mode and the tools, in one program.

mod admission;
mod args;
mod authentication_config;
mod ca_bundle;
mod crds;
mod dev;
mod embedded;
mod external_url;
mod kubernetes;
mod lint;
mod logging;
mod manifests;
mod operator;
mod outbound;
mod output;
mod provider;
mod runtime;
mod token;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Command, Line};
use crate::logging::AuditTo;
use crate::output::Output;

/// Gives freed memory back to the system sooner than the system's own allocator, and spreads less
/// over threads: the provider and the embedded mode rest in little memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let line = Line::parse();
    let colours_refused = args::colours_refused();
    let output = Output::new(colours_refused);
    match run(line, &output, colours_refused) {
        Ok(code) => code,
        Err(error) => {
            output.problem(&format!("claviger: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(line: Line, output: &Output, colours_refused: bool) -> anyhow::Result<ExitCode> {
    // Before anything speaks TLS: without it rustls panics at the first handshake. It fails only
    // if a provider is installed already, and then there is one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = AuditTo::file();
    let audit = match line.command {
        Command::Dev(_) => Some(file.clone()),
        Command::Provider(_) | Command::Operator(_) => Some(AuditTo::Output),
        Command::Lint(_) | Command::Crds(_) | Command::Token(_) | Command::AuthenticationConfig(_) => None,
    };
    // Until all that runs has ended: then the last lines are written.
    let _audit = logging::install(&line.logging, line.command.default_log(), audit, colours_refused)?;
    match line.command {
        Command::Dev(args) => dev::run(args, &file, output),
        Command::Lint(args) => lint::run(&args, output),
        Command::Crds(args) => crds::run(&args, output),
        Command::Token(args) => token::run(args, output),
        Command::AuthenticationConfig(args) => authentication_config::run(&args, output),
        Command::Operator(args) => operator::run(args),
        Command::Provider(args) => provider::run(args),
    }
}
