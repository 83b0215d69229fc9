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
    caller: Caller,
}

impl Errand {
    fn new(args: TokenArgs) -> anyhow::Result<Self> {
        request::check(&args)?;
        let issuer = Issuer::parse(&args.issuer)?;
        let bundle = args.ca_bundle.as_deref().map(CaBundle::read).transpose()?.unwrap_or_default();
        Ok(Self { issuer, caller: Caller::new(&bundle)?, args })
    }

    async fn run(
        &self,
        exec: Option<ExecVersion>,
        output: &Output,
        shutdown: CancellationToken,
    ) -> anyhow::Result<ExitCode> {
        if self.args.watch {
            return watch::keep(async || self.fetch_into_file().await, shutdown).await;
        }
        let once = async {
            if self.args.output.is_some() {
                return self.fetch_into_file().await.map(drop);
            }
            let token = self.fetch().await?;
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
        let document = self.caller.get(self.issuer.discovery()).await?;
        let endpoint = self.issuer.token_endpoint(&document)?;
        let answer = self.caller.post(&endpoint, &request::form(&self.args, &evidence)).await?;
        answer::read(&answer, &evidence.secrets()).map_err(|refusal| refusal.at(&endpoint))
    }

    async fn fetch_into_file(&self) -> anyhow::Result<Token> {
        let path = self.args.output.as_deref().context("--output is not set")?;
        let token = self.fetch().await?;
        file::replace(path, token.text.expose().as_bytes())
            .with_context(|| format!("--output: cannot write {}", path.display()))?;
        Ok(token)
    }
}
