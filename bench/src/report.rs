//! The printed lines.
#![allow(clippy::print_stdout, reason = "figures are what this program is for")]

use std::time::Duration;

use crate::cases::Case;
use crate::load::Comparison;

/// One case: CPU time of both, their ratio and the goal, then what a client sees of the provider.
pub(crate) fn case(case: &Case, measured: &Comparison) {
    let (ours, least) = (measured.provider, measured.limit);
    let ratio = ours.cpu.as_secs_f64() / least.cpu.as_secs_f64();
    println!(
        "{:<28} {:>7.1} µs CPU a request, limit {:>7.1} µs, ratio {ratio:.2} (goal {:.1}){}; {:>7.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        case.name,
        micros(ours.cpu),
        micros(least.cpu),
        case.goal,
        if ratio <= case.goal { "" } else { " MISSED" },
        ours.rate,
        micros(ours.p50) / 1e3,
        micros(ours.p99) / 1e3,
    );
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
