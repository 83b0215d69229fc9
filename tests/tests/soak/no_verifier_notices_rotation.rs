//! The soak. Its short form is what there is without settings; `make soak` is the long one.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::chaos;
use crate::figures::say;
use crate::operators::Work;
use crate::rings::Signed;
use crate::settings::Settings;
use crate::stage::Stage;
use crate::verifiers::Report;

/// How often it says how it is going.
const PROGRESS: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_token_verifies_until_it_expires_whatever_happens_meanwhile() -> Result<()> {
    let settings = Settings::from_environment()?;
    say(&format!("soak: {settings:?}"));
    let stage = Stage::set(settings, 3, 2).await?;
    let mut score = Score::begin(&stage).await?;
    let promoted = soak(&stage, &mut score).await;
    let logs = stage.operators.logs().await;
    let reports = stage.finish().await?;
    say(&score.summary(&stage, &reports).await);
    // What failed says more than that it took too long.
    judge(&stage, &reports)?;
    promoted.map_err(|error| error.context(logs))
}

/// Until there are enough promotions, and everything has happened.
async fn soak(stage: &Stage, score: &mut Score) -> Result<()> {
    if stage.settings.undisturbed {
        return watch(stage, score).await;
    }
    tokio::select! {
        ended = watch(stage, score) => ended,
        // A blow that cannot be struck is a fault of its own, and none of these ends by itself.
        ended = chaos::at_the_pods(stage) => ended,
        ended = chaos::at_the_control_plane(stage) => ended,
        ended = chaos::at_the_tenants(stage) => ended,
    }
}

async fn watch(stage: &Stage, score: &mut Score) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut told = Instant::now();
    loop {
        ticks.tick().await;
        score.measure(stage).await;
        if told.elapsed() < PROGRESS {
            continue;
        }
        told = Instant::now();
        // The API server may be away.
        let _ = score.signed.look(&stage.installation).await;
        let reports = stage.reports().await;
        say(&score.summary(stage, &reports).await);
        ensure!(reports.iter().all(|report| report.failed == 0) && stage.figures.faults().is_empty(), "see below");
        let everything_happened = stage.settings.undisturbed || stage.figures.struck_all();
        if score.promotions() >= stage.settings.promotions && everything_happened {
            return Ok(());
        }
        let (took, limit) = (stage.begun.elapsed(), stage.settings.limit);
        ensure!(took < limit, "{} promotions after {took:?}, {}", score.promotions(), stage.figures);
    }
}

/// No failure, and every token was verified by everyone, twice.
fn judge(stage: &Stage, reports: &[Report]) -> Result<()> {
    let faults = stage.figures.faults();
    ensure!(faults.is_empty(), "{} faults, the first:\n{}", faults.len(), faults[..faults.len().min(10)].join("\n"));
    let issued = u64::try_from(stage.figures.issued.load(Ordering::Relaxed))?;
    let expected = 2 * issued * u64::try_from(stage.settings.copies)?;
    for report in reports {
        let failures: Vec<String> = report.failures.iter().map(|failure| format!("{failure:#}")).collect();
        ensure!(report.failed == 0 && failures.is_empty(), "{report}:\n{}", failures.join("\n"));
        ensure!(report.verified == expected, "{report}, and {expected} were asked for");
        ensure!(report.late * 20 <= expected, "{report}: the machine is too slow for this to tell anything");
    }
    Ok(())
}

/// What came of it, since the load began.
struct Score {
    signed: Signed,
    promotions_before: usize,
    work_before: Work,
    /// When writes were counted last, and how many there were.
    counted: (Instant, f64),
    /// The most in a second.
    peak: f64,
}

impl Score {
    async fn begin(stage: &Stage) -> Result<Self> {
        let mut signed = Signed::default();
        signed.look(&stage.installation).await?;
        let promotions_before = signed.promotions();
        let work_before = stage.operators.work().await;
        let counted = (Instant::now(), work_before.writes.values().sum());
        Ok(Self { signed, promotions_before, work_before, counted, peak: 0.0 })
    }

    async fn measure(&mut self, stage: &Stage) {
        let writes: f64 = stage.operators.work().await.writes.values().sum();
        let (at, before) = std::mem::replace(&mut self.counted, (Instant::now(), writes));
        self.peak = self.peak.max((writes - before) / at.elapsed().as_secs_f64().max(1.0));
    }

    fn promotions(&self) -> usize {
        self.signed.promotions() - self.promotions_before
    }

    async fn summary(&self, stage: &Stage, reports: &[Report]) -> String {
        let Stage { settings, figures, begun, .. } = stage;
        let promotions = self.promotions();
        let Work { cpu, writes } = stage.operators.work().await.since(&self.work_before);
        let each = f64::from(u32::try_from(promotions).unwrap_or(u32::MAX).max(1));
        let reports: Vec<String> = reports.iter().map(ToString::to_string).collect();
        let kinds: Vec<String> = writes.iter().map(|(kind, writes)| format!("{kind} {:.2}", writes / each)).collect();
        format!(
            "soak: {} s: {promotions} promotions of {} rings, {figures}\n      {}\n      operators: {cpu:.1} s of CPU; {:.1} \
             writes a promotion: {}; {:.0} a second at most",
            begun.elapsed().as_secs(),
            settings.tenants * settings.rings,
            reports.join("; "),
            writes.values().sum::<f64>() / each,
            kinds.join(", "),
            self.peak,
        )
    }
}
