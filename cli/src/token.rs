//! `claviger token`: an access token for a workload, by the token that Kubernetes, or a CI system, gives
//! it anyway.
//!
//! `issuer`, `request`, `answer`, `renewal` and `exec_credential` are pure; `caller` and `file` do I/O; `watch`
//! keeps a file fresh. No token is ever logged or part of an error.

mod answer;
mod caller;
mod exec_credential;
mod file;
mod issuer;
mod renewal;
mod request;
mod watch;

use std::process::ExitCode;

use anyhow::Context as _;
use claviger_provider::clock::{Clock as _, SystemClock};
use tokio_util::sync::CancellationToken;

use self::answer::Token;
use self::caller::Caller;
use self::exec_credential::ExecVersion;
use self::issuer::Issuer;
use self::request::Evidence;
use crate::args::{TokenArgs, exec_info};
use crate::ca_bundle::CaBundle;
use crate::output::Output;
use crate::runtime::run_until_signal;

/// Gets a token, and with `--watch` another one whenever it is time, until a signal ends it.
pub(crate) fn run(args: TokenArgs, output: &Output) -> anyhow::Result<ExitCode> {
    let errand = Errand::new(args)?;
    let exec = errand.args.exec_credential.then(|| ExecVersion::wanted(exec_info().as_deref())).transpose()?;
    run_until_signal(Some(1), async |shutdown| errand.run(exec, output, shutdown).await)
}

/// What is to be done, checked as far as that goes without asking anybody.
struct Errand {
    args: TokenArgs,
    issuer: Issuer,
}

impl Errand {
    fn new(args: TokenArgs) -> anyhow::Result<Self> {
        request::check(&args)?;
        let issuer = Issuer::parse(&args.issuer)?;
        let errand = Self { issuer, args };
        errand.caller()?;
        Ok(errand)
    }

    /// By the CAs that are there now: a bundle that is mounted may be another one by then.
    fn caller(&self) -> anyhow::Result<Caller> {
        let bundle = self.args.ca_bundle.as_deref().map(CaBundle::read).transpose()?.unwrap_or_default();
        Caller::new(&bundle)
    }

    async fn run(
        &self,
        exec: Option<ExecVersion>,
        output: &Output,
        shutdown: CancellationToken,
    ) -> anyhow::Result<ExitCode> {
        if self.args.watch {
            return watch::keep(async || self.fetch().await, |token| self.put(token), shutdown).await;
        }
        let once = async {
            let token = self.fetch().await?;
            if self.args.output.is_some() {
                return self.put(&token);
            }
            match exec {
                Some(version) => output.print(&exec_credential::text(version, &token, SystemClock.now())?),
                None => output.print(token.text.expose()),
            }
            Ok(())
        };
        let done = shutdown.run_until_cancelled(once).await;
        done.context("ended by a signal before there was a token")?.map(|()| ExitCode::SUCCESS)
    }

    /// A new token. The files are read each time, for the kubelet renews what is in them.
    async fn fetch(&self) -> anyhow::Result<Token> {
        let evidence = Evidence::read(&self.args)?;
        let caller = self.caller()?;
        let document = caller.get(self.issuer.discovery()).await?;
        let endpoint = self.issuer.token_endpoint(&document)?;
        let answer = caller.post(&endpoint, &request::form(&self.args, &evidence)).await?;
        answer::read(&answer, &evidence.secrets()).map_err(|refusal| refusal.at(&endpoint))
    }

    /// Writes it where `--output` says.
    fn put(&self, token: &Token) -> anyhow::Result<()> {
        let path = self.args.output.as_deref().context("--output is not set")?;
        file::replace(path, token.text.expose().as_bytes())
            .with_context(|| format!("--output: cannot write {}", path.display()))
    }
}
