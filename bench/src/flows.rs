//! What people's tokens cost, with each store: from the login to the introspection of a token.
//!
//! Provider and limit are measured in turn by the same requests. What the database is asked is counted
//! while the provider is.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::counts::{self, Counts};
use crate::fixture::{Fixture, PEOPLE, username};
use crate::generator::{Answer, Plan, Request, Then, generate};
use crate::load::{CONNECTIONS, CORE, Comparison, Measured, ROUNDS, TIME, median};
use crate::person::{LoggedIn, Place};
use crate::postgres::Postgres;
use crate::report::{self, Goal, Line};
use crate::servers::{self, Server};

/// Codes that are redeemed in a round, at most: more than fit into its time.
const CODES: usize = 2_500;

/// A store to measure with.
pub(crate) enum Store {
    Sqlite,
    Postgres(Postgres),
}

impl Store {
    fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    fn url(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", folder.join("bench.db").display()),
            Self::Postgres(postgres) => postgres.url(),
        }
    }

    async fn counts(&self, provider: &Server) -> Result<Counts> {
        match self {
            Self::Sqlite => counts::of_provider(provider.internal.context("no metrics")?).await,
            Self::Postgres(postgres) => postgres.counts(),
        }
    }
}

/// The servers of a comparison.
struct Bench<'a> {
    store: &'a Store,
    provider: &'a Server,
    limit: &'a Server,
}

/// One thing to measure.
struct Case {
    name: &'static str,
    goal: Goal,
    /// Rows written, and round trips, at most.
    most: (f64, f64),
    /// Path of the limit.
    limit: &'static str,
    then: Then,
    status: u16,
}

impl Case {
    const fn new(name: &'static str, goal: Goal, most: (f64, f64), limit: &'static str) -> Self {
        Self { name, goal, most, limit, then: Then::Again, status: 200 }
    }
}

/// Measures and prints every case.
///
/// # Errors
/// When a server does not start, or an answer is not what it should be.
pub(crate) async fn measure(
    programs: (&Path, &Path),
    cluster: &claviger_tests::cluster::Cluster,
    fixture: &Fixture,
    store: &Store,
    folder: &Path,
) -> Result<()> {
    let (provider, _) = servers::start_provider(programs.0, cluster, fixture, &store.url(folder)).await?;
    let place = Place::new(provider.address, fixture.rs256()?)?;
    let person = place.log_in(&username(0)).await?;
    save_answers(&place, &person, folder).await?;
    let limit = servers::start_limit(programs.1, folder).await?;
    let bench = Bench { store, provider: &provider, limit: &limit };

    let case = Case::new("client credentials", Goal::Ratio(1.1), (0.0, 0.0), "/token/RS256");
    bench.compare(&case, &vec![place.client_credentials(); CONNECTIONS]).await?;
    let granted = bench.redeem(&place, &person).await?;
    let case = Case::new("refresh", Goal::Ratio(1.15), (1.0, 2.0), "/two/refresh");
    let refreshes: Vec<Request> = granted.iter().map(|(_, refresh)| place.refresh(refresh)).collect();
    bench.compare(&Case { then: Then::Refresh, ..case }, &refreshes).await?;
    let case = Case::new("introspection", Goal::Micros(50.0), (0.0, 1.0), "/plain/introspect");
    let requests: Vec<Request> = granted.iter().map(|(access, _)| place.introspection(access)).collect();
    bench.compare(&case, &requests).await?;
    let case = Case::new("userinfo", Goal::None, (0.0, 1.0), "/plain/userinfo");
    let requests: Vec<Request> = granted.iter().map(|(access, _)| place.userinfo(access)).collect();
    bench.compare(&case, &requests).await?;

    let mut logins = Vec::new();
    for number in 0..PEOPLE {
        logins.push(place.login(&username(number)).await?);
    }
    let case = Case::new("login", Goal::None, (f64::MAX, f64::MAX), "/login");
    bench.compare(&Case { status: 303, ..case }, &logins).await?;
    report::memory(&format!("provider at its peak, {}", store.name()), crate::cpu::peak(provider.process.pid())?);
    Ok(())
}

/// Keeps the provider's own answers, which the limit then returns.
async fn save_answers(place: &Place<'_>, person: &LoggedIn, folder: &Path) -> Result<()> {
    let save = async |file: &str, request: Request, status| -> Result<String> {
        let body = one(place, request, status).await?;
        std::fs::write(folder.join(file), &body)?;
        Ok(body)
    };
    let redemption = place.redemptions(person, 1).await?.pop().context("no code")?;
    let (access, refresh) = tokens(&save("exchange.json", redemption, 200).await?)?;
    save("refresh.json", place.refresh(&refresh), 200).await?;
    save("introspect.json", place.introspection(&access), 200).await?;
    save("userinfo.json", place.userinfo(&access), 200).await?;
    Ok(())
}

/// The answer to one request.
async fn one(place: &Place<'_>, request: Request, status: u16) -> Result<String> {
    let plan =
        Plan { address: place.address, connections: 1, time: TIME, requests: vec![request], then: Then::Keep, status };
    generate(&plan, CORE).await?.kept.pop().context("no answer")
}

/// The access and the refresh token of an answer.
fn tokens(answer: &str) -> Result<(String, String)> {
    let answer: Value = serde_json::from_str(answer)?;
    let token = |name: &str| answer[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    Ok((token("access_token")?, token("refresh_token")?))
}

impl Bench<'_> {
    /// Redeems codes. The tokens that they gave.
    async fn redeem(&self, place: &Place<'_>, person: &LoggedIn) -> Result<Vec<(String, String)>> {
        let case = Case::new("code exchange", Goal::Ratio(1.15), (1.0, 1.0), "/two/exchange");
        let case = Case { then: Then::Keep, ..case };
        let (mut ours, mut least, mut asked, mut granted) = (Vec::new(), Vec::new(), Counts::default(), Vec::new());
        for _ in 0..ROUNDS {
            let requests = place.redemptions(person, CODES).await?;
            let (measured, answer, counted) = self.provider(&case, &requests).await?;
            asked = asked + counted;
            ours.push(measured);
            for body in &answer.kept {
                granted.push(tokens(body)?);
            }
            least.push(self.limit(&case, &requests).await?);
        }
        self.print(&case, granted.len(), asked, Comparison { provider: median(ours), limit: median(least) });
        Ok(granted)
    }

    /// Measures and prints a case whose requests can be repeated, or follow from one another.
    async fn compare(&self, case: &Case, requests: &[Request]) -> Result<()> {
        let (mut ours, mut least, mut asked, mut sent) = (Vec::new(), Vec::new(), Counts::default(), 0);
        let mut requests = requests.to_vec();
        for _ in 0..ROUNDS {
            let (measured, answer, counted) = self.provider(case, &requests).await?;
            asked = asked + counted;
            sent += answer.requests as usize;
            ours.push(measured);
            least.push(self.limit(case, &requests).await?);
            if case.then == Then::Refresh {
                requests = answer.left;
            }
        }
        self.print(case, sent, asked, Comparison { provider: median(ours), limit: median(least) });
        Ok(())
    }

    async fn provider(&self, case: &Case, requests: &[Request]) -> Result<(Measured, Answer, Counts)> {
        let before = self.store.counts(self.provider).await?;
        let (measured, answer) = measure_one(self.provider, case, case.status, requests.to_vec()).await?;
        Ok((measured, answer, self.store.counts(self.provider).await? - before))
    }

    /// The same requests for the limit, but for their path.
    async fn limit(&self, case: &Case, requests: &[Request]) -> Result<Measured> {
        let there = |Request { head, body }: &Request| {
            let mut words: Vec<&str> = head.splitn(3, ' ').collect();
            words[1] = case.limit;
            Request { head: words.join(" "), body: body.clone() }
        };
        let case = Case { then: Then::Again, ..*case };
        let (measured, _) = measure_one(self.limit, &case, 200, requests.iter().map(there).collect()).await?;
        Ok(measured)
    }

    fn print(&self, case: &Case, sent: usize, asked: Counts, measured: Comparison) {
        report::line(&Line {
            name: &format!("{}, {}", case.name, self.store.name()),
            goal: case.goal,
            measured,
            asked: Some((asked, sent, case.most)),
        });
    }
}

async fn measure_one(server: &Server, case: &Case, status: u16, requests: Vec<Request>) -> Result<(Measured, Answer)> {
    let plan =
        Plan { address: server.address, connections: CONNECTIONS, time: TIME, requests, then: case.then, status };
    let before = crate::cpu::used(server.process.pid())?;
    let answer = generate(&plan, CORE).await?;
    let used = crate::cpu::used(server.process.pid())? - before;
    let rate = f64::from(answer.requests) / answer.took.max(Duration::from_millis(1)).as_secs_f64();
    Ok((Measured { cpu: used / answer.requests, rate, p50: answer.p50, p99: answer.p99 }, answer))
}
