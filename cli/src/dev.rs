//! `claviger dev`: the embedded mode.
//!
//! A folder of YAML stands in the place of a cluster. The operator's own engine decides, over an
//! [`embedded`](crate::embedded) cluster; a provider in this process serves. What is here reads the folder, carries
//! what happens from one part to the other, and tells the user. It decides nothing of the product.

mod clock;
mod difference;
mod folder;
mod hosts;
mod listen;
mod parts;
mod report;
mod table;
mod tls;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use claviger_crds::names::ObjectName;
use claviger_operator::clock::Clock as _;
use claviger_provider::outbound::{Allow, Outbound, OutboundOptions};
use claviger_provider::store::{self, Store, StoreOptions};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::clock::DevClock;
use self::folder::{Change, Folder};
use self::hosts::Hosts;
use self::parts::{News, Parts};
use self::report::Report;
use self::table::Served;
use self::tls::{Certificates, Name};
use crate::args::DevArgs;
use crate::embedded::{Embedded, State, standing};
use crate::logging::AuditTo;
use crate::manifests::Sort;
use crate::output::Output;
use crate::runtime::run_until_signal;
use crate::{external_url, outbound};

/// Two are plenty for one developer, and each costs memory.
const THREADS: usize = 2;
/// The table is printed once every object is judged, or after this.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
/// Statuses that come this close together are told together.
const TOGETHER: Duration = Duration::from_millis(150);

/// Runs until a signal ends it.
pub(crate) fn run(args: DevArgs, audit: &AuditTo, output: &Output) -> anyhow::Result<ExitCode> {
    run_until_signal(Some(THREADS), |shutdown| serve(args, audit, *output, shutdown))
}

async fn serve(
    args: DevArgs,
    audit: &AuditTo,
    output: Output,
    shutdown: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let shown = args.dir.display();
    let folder = Folder::new(args.dir.clone());
    let empty = folder.is_empty().with_context(|| format!("cannot read {shown}"))?;
    ensure!(!empty, "{shown} holds no YAML (*.yaml, *.yml, *.json)");
    let listener = listen::listen(args.listen, args.tls).await?;
    let listening = listener.local_addr()?;
    let served_at = listen::url(listening, args.tls);
    let url = external_url::parse(args.external_url.as_deref().unwrap_or(&served_at))?;
    let outbound = Arc::new(Outbound::new(reaching_loopback(outbound::options(args.outbound)?))?);
    let state = State::open(&args.state, &args.dir)?;
    audit.set(state.audit_log()?);
    let store = open_store(&state).await?;
    let clock = DevClock::open(&state, args.clock_speed)?;
    let certificates =
        args.tls.then(|| Certificates::open(&state, Name::of(&url), clock.machine.now().wall)).transpose()?;

    let (tell, told) = mpsc::unbounded_channel();
    let cluster = Arc::new(Embedded::open(state, Arc::new(clock), tell)?);
    let watch = watch::begin(&args.dir);
    let mut session = Session {
        report: Report::new(output),
        hosts: Arc::new(Hosts::new(&url, listening)),
        external_url: external_url::root(&url),
        output,
        folder,
        cluster: cluster.clone(),
        clock,
        ca: certificates.as_ref().map(|certificates| certificates.ca.clone()),
    };
    session.read(true);
    output.print(&format!(
        "claviger dev serves {shown} on {served_at}\nstate (keys, secrets, logins, audit.log): {}\n",
        args.state.canonicalize().unwrap_or(args.state).display()
    ));
    let more = certificates.as_ref().map(Certificates::told).into_iter().chain(clock.told());
    more.for_each(|line| output.print(&line));
    let options = parts::Options {
        external_url: session.external_url.clone(),
        hosts: session.hosts.clone(),
        store,
        outbound,
        tls: certificates.as_ref().map(Certificates::tls),
        clock,
    };
    let (mut parts, news) = Parts::start(&cluster, told, listener, options, &shutdown);
    if let Some(certificates) = certificates {
        parts.add(certificates.keep(Arc::new(clock.machine), shutdown.clone()));
    }
    parts.add(clock.keep(cluster, shutdown.clone()));
    session.follow(watch, news, &shutdown).await;
    parts.end().await;
    Ok(ExitCode::SUCCESS)
}

/// An application under development listens on loopback, without TLS, and here nobody but its developer
/// says what is called.
fn reaching_loopback(mut options: OutboundOptions) -> OutboundOptions {
    let loopback = ["127.0.0.0/8", "::1"].iter().filter_map(|network| network.parse::<Allow>().ok());
    options.allow.extend(loopback);
    options
}

async fn open_store(state: &State) -> anyhow::Result<Arc<dyn Store>> {
    let path = state.store_path();
    let options = StoreOptions::parse(&format!("sqlite://{}", path.display()));
    let options = options.with_context(|| format!("the state folder cannot be at {}", path.display()))?;
    Ok(store::open(&options).await?)
}

/// What the user sees of all this.
struct Session {
    folder: Folder,
    cluster: Arc<Embedded>,
    clock: DevClock,
    /// The CA's certificate, with TLS.
    ca: Option<PathBuf>,
    report: Report,
    hosts: Arc<Hosts>,
    external_url: String,
    output: Output,
}

impl Session {
    /// Follows the folder and the statuses until the end.
    async fn follow(
        &mut self,
        mut watch: mpsc::Receiver<()>,
        News { mut statuses, mut happened }: News,
        shutdown: &CancellationToken,
    ) {
        let began = Instant::now();
        let mut shown = false;
        // When to tell what the statuses say; at first also if there are none.
        let mut due = Some(began + TOGETHER);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(()) = watch.recv() => {
                    self.read(false);
                    due.get_or_insert(Instant::now() + TOGETHER);
                }
                Some(()) = statuses.recv() => due = Some(Instant::now() + TOGETHER),
                Some(event) = happened.recv(), if shown => self.report.happened(&event, self.clock.shown()),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    if !shown {
                        shown = self.cluster.all(|object| standing(object).is_some()) || began.elapsed() > FIRST_PATIENCE;
                        if shown {
                            self.show();
                        } else {
                            due = Some(Instant::now() + TOGETHER);
                        }
                    } else {
                        self.report.standings(&self.cluster.resources(), self.folder.admitted(), false);
                    }
                }
            }
        }
    }

    /// Reads the folder and takes its changes in.
    fn read(&mut self, first: bool) {
        match self.folder.read() {
            Err(error) => self.report.unreadable(&error),
            Ok(reading) => {
                self.report.reading(&reading, first);
                // One object that cannot be taken in costs only itself.
                let refused = reading.changes.iter().filter_map(|change| self.take(change).err());
                let refused = refused.collect::<Vec<_>>();
                for error in refused.into_iter().chain(self.cluster.keep_births().err()) {
                    self.output.problem(&format!("claviger: {error:#}"));
                }
                let values = self.folder.admitted().values();
                let hosts = values.filter_map(|admitted| admitted.value["spec"]["host"].as_str());
                self.hosts.declare(hosts.map(str::to_owned));
            }
        }
    }

    fn take(&self, change: &Change) -> anyhow::Result<()> {
        match change {
            Change::Created((sort, name), admitted) | Change::Changed((sort, name), admitted, _) => {
                let namespace = (Sort::Namespace, ObjectName::new("", &name.namespace));
                if *sort != Sort::Namespace && !self.folder.admitted().contains_key(&namespace) {
                    self.cluster.imply_namespace(&name.namespace);
                }
                self.cluster.declare(*sort, name, &admitted.value)
            }
            Change::Deleted((sort, name)) => self.cluster.undeclare(*sort, name),
        }
    }

    /// Prints the table, and what is not ready with its reason.
    fn show(&mut self) {
        let objects = self.cluster.resources();
        let served = Served {
            external_url: &self.external_url,
            objects: &objects,
            generated: &|name| self.cluster.generated(name),
            ca: self.ca.as_deref(),
        };
        self.output.print(&table::text(&served));
        self.report.standings(&objects, self.folder.admitted(), true);
        let folder = self.folder.dir().display();
        self.output.print(&format!("\nFollowing changes in {folder}; Ctrl-C ends.\n"));
    }
}
