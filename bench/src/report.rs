//! The printed lines.
#![allow(clippy::print_stdout, reason = "figures are what this program is for")]

use std::time::Duration;

use crate::counts::Counts;
use crate::load::Comparison;

/// What is aimed at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most so many times the limit.
    Ratio(f64),
    /// At most so many microseconds.
    Micros(f64),
    /// Nothing: it is good to know.
    None,
}

/// What the figures have to be read with.
pub(crate) fn remark(text: &str) {
    println!("{text}");
}

/// One case.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) goal: Goal,
    pub(crate) measured: Comparison,
    /// What the database was asked by so many requests, and how many rows and round trips a request may take.
    pub(crate) asked: Option<(Counts, usize, (f64, f64))>,
}

/// CPU time of both, their ratio and the goal, then what a client sees of the provider, then what the
/// database sees.
pub(crate) fn line(line: &Line<'_>) {
    let (ours, least) = (line.measured.provider, line.measured.limit);
    let ratio = ours.cpu.as_secs_f64() / least.cpu.as_secs_f64();
    let goal = match line.goal {
        Goal::Ratio(most) => format!(" (goal {most}{})", missed(ratio, most)),
        Goal::Micros(most) => format!(" (goal {most} µs{})", missed(micros(ours.cpu), most)),
        Goal::None => String::new(),
    };
    print!(
        "{:<30} {:>7.1} µs CPU a request, limit {:>7.1} µs, ratio {ratio:.2}{goal}; {:>6.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        line.name,
        micros(ours.cpu),
        micros(least.cpu),
        ours.rate,
        micros(ours.p50) / 1e3,
        micros(ours.p99) / 1e3,
    );
    if let Some((asked, requests, (most_rows, most_trips))) = line.asked {
        let each = |number: u64| number as f64 / requests as f64;
        let (trips, rows) = (each(asked.round_trips), each(asked.rows_written));
        // What is deleted because it is over is counted too, and is no request's.
        let missed = [missed(trips, most_trips + 0.01), missed(rows, most_rows + 0.01)];
        print!("; {trips:.2} round trips{}, {rows:.2} rows written{}", missed[0], missed[1]);
    }
    println!();
}

fn missed(measured: f64, most: f64) -> &'static str {
    if measured <= most { "" } else { ", MISSED" }
}

/// Resident memory.
pub(crate) fn memory(what: &str, mebibytes: f64) {
    println!("{what:<28} {mebibytes:>7.1} MiB resident");
}

/// A single time.
pub(crate) fn milliseconds(what: &str, time: Duration) {
    println!("{what:<28} {:>7.1} ms", time.as_secs_f64() * 1e3);
}

/// Times from the answer to a create until the object is Programmed.
pub(crate) fn programmed(times: &[Duration]) {
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!(
        "apply to Programmed          {:>7.1} ms p50, {:.1} ms p99 of {} OAuthClients, two providers",
        at(50),
        at(99),
        times.len()
    );
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
