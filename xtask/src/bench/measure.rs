//! Measures everything that a report holds. What fails becomes a reason in it.

use std::process::Command;
use std::time::SystemTime;

use bench_suite::kernel_runs::{self, KernelTime};
use bench_suite::machine::{self, Facts, LatencyCurve, Levels, NotAvailable, Pages, Probed};
use bench_suite::roofline::{Bound, Roofs};

use super::index;
use super::plan::Plan;
use super::progress::Progress;
use crate::report::{self, Compute, LevelFigures, Memory, Report, Run, SCHEMA};

/// One report of this machine.
pub(super) fn all(quick: bool) -> Report {
    // First of all, while the load is still that of others.
    let facts = Facts::gather();
    let plan = Plan::new(quick, facts.memory_bytes as usize);
    let mut progress = Progress::new(4 + index::DATA_SETS.len());

    progress.step("clock and peak arithmetic");
    let ghz = machine::clock_ghz(plan.passes, plan.sample);
    let mut compute = Compute { ghz, peaks: machine::peaks(ghz, plan.passes, plan.sample) };

    progress.step("memory bandwidth");
    let levels = Levels::of(&facts.caches, plan.largest);
    let mut memory = memory(&facts, levels, &compute, &plan, &mut progress);

    progress.step("distance kernels");
    let times = kernel_runs::measure(&plan.kernels, |what| progress.detail(what.to_owned()));
    if let Ok(times) = &times {
        progress.detail("the limits that a kernel beat".to_owned());
        check_roofs(times, &mut compute, &mut memory, &plan);
    }
    let kernels = times.map(|times| report::kernel_figures(times, memory.roofs.as_ref()));

    let indexes = index::all(&plan.index, facts.cpu.threads, &mut progress);
    let seconds = progress.finish().as_secs_f64();
    let run = Run {
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        quick,
        seconds,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: revision(),
        rustc: output("rustc", &["--version"]),
    };
    Report { schema: SCHEMA, run, facts, compute, memory, kernels, indexes }
}

fn memory(
    facts: &Facts,
    levels: Levels,
    compute: &Compute,
    plan: &Plan,
    progress: &mut Progress,
) -> Memory {
    let threads = facts.cpu.threads;
    let sizes = Levels::working_sets(plan.largest);
    let detail = |bytes: usize| progress.detail(format!("{} KiB", bytes >> 10));
    let bandwidth = machine::one_thread(&sizes, plan.passes, plan.sample, detail);

    // Half of each cache: the rest is for what else must lie there, and for hash conflicts.
    let l3 = levels.l3.map(|bytes| ("L3", bytes / 2));
    let sets =
        [Some(("L1", levels.l1 / 2)), Some(("L2", levels.l2 / 2)), l3, Some(("DRAM", levels.dram))];
    let by_level: Vec<LevelFigures> = sets
        .into_iter()
        .flatten()
        .map(|(name, bytes)| level(name, bytes, threads, plan, progress))
        .collect();

    progress.step("memory latency");
    let latency = [Pages::Huge, Pages::Small].map(|pages| {
        let detail = |bytes: usize| progress.detail(format!("{pages}, {} KiB", bytes >> 10));
        machine::latency(&sizes, pages, plan.passes, plan.sample, detail)
    });
    let roofs = roofs(&levels, compute, &by_level);
    Memory { levels, threads, by_level, bandwidth, latency: latency.into(), roofs, lifted: vec![] }
}

/// Holds the roofs against the kernels. A probe that a kernel beat was disturbed, or is worse than the
/// kernel: it is measured once more, and if it is beaten again, the kernel is the roof.
fn check_roofs(times: &[KernelTime], compute: &mut Compute, memory: &mut Memory, plan: &Plan) {
    let Some(mut first) = memory.roofs else { return };
    for bound in first.lift(times) {
        match bound {
            Bound::Compute => peaks_again(compute, plan),
            Bound::L1 => level_again("L1", memory, plan),
            Bound::L2 => level_again("L2", memory, plan),
            Bound::Dram => level_again("DRAM", memory, plan),
        }
    }
    memory.roofs = roofs(&memory.levels, compute, &memory.by_level);
    memory.lifted = memory.roofs.as_mut().map(|roofs| roofs.lift(times)).unwrap_or_default();
}

/// Keeps the better of two measurements of each backend.
fn peaks_again(compute: &mut Compute, plan: &Plan) {
    let again = machine::peaks(compute.ghz, plan.passes, plan.sample);
    for (peak, again) in compute.peaks.iter_mut().zip(again) {
        if again.gflops > peak.gflops {
            *peak = again;
        }
    }
}

/// Keeps the better of two measurements of one thread's reads.
fn level_again(name: &str, memory: &mut Memory, plan: &Plan) {
    let Some(level) = memory.by_level.iter_mut().find(|level| level.name == name) else { return };
    let again = machine::one_thread(&[level.bytes], plan.passes, plan.sample, |_| ());
    if let (Ok(gb_per_s), Ok(points)) = (&mut level.one_thread, again) {
        *gb_per_s = gb_per_s.max(points[0].gb_per_s);
    }
}

fn level(
    name: &str,
    bytes: usize,
    threads: usize,
    plan: &Plan,
    progress: &Progress,
) -> LevelFigures {
    progress.detail(name.to_owned());
    let one_thread = machine::one_thread(&[bytes], plan.passes, plan.sample, |_| ());
    // A shared cache has to hold the working sets of all threads; memory is large enough for all.
    let own = match name {
        "L3" => bytes / threads,
        "DRAM" => (bytes / threads).max(64 << 20),
        _ => bytes,
    };
    let latency = machine::latency(&[bytes], Pages::Huge, plan.passes, plan.sample, |_| ());
    LevelFigures {
        name: name.to_owned(),
        bytes,
        one_thread: one_thread.map(|points| points[0].gb_per_s),
        all_threads: machine::all_threads(threads, own, plan.passes, plan.sample * 4),
        latency_ns: latency.map(|LatencyCurve { points, .. }| points[0].ns),
    }
}

/// The roofs of one thread; `None` when a level that every machine has could not be measured.
fn roofs(levels: &Levels, compute: &Compute, by_level: &[LevelFigures]) -> Option<Roofs> {
    let of = |name: &str| {
        let level = by_level.iter().find(|level| level.name == name)?;
        level.one_thread.as_ref().ok().copied()
    };
    Some(Roofs {
        gflops: compute.peaks.iter().map(|peak| peak.gflops).max_by(f64::total_cmp),
        l1: of("L1")?,
        l2: of("L2")?,
        l3: of("L3"),
        dram: of("DRAM")?,
        l1_bytes: levels.l1,
    })
}

/// The revision of the sources, with `+` when they differ from it.
fn revision() -> Probed<String> {
    let revision = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changes = output("git", &["status", "--porcelain", "--untracked-files=no"])?;
    Ok(if changes.is_empty() { revision } else { revision + "+" })
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> Probed<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|e| NotAvailable::because(format_args!("{program}: {e}")))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(NotAvailable::because(format_args!("{program}: {}", complaint.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
