//! The findings: what a reader should take away, in plain language.

use bench_suite::kernel_runs::Access;

use super::document::Finding;
use super::format::{bytes, count, number, percent, times};
use super::kernels::{best_backend, find};
use super::model::{IndexFigures, KernelFigure, Report};
use super::names::{backend_title, bound, metric_phrase};

/// What matters most, most important first.
pub(super) fn findings(report: &Report) -> Vec<Finding> {
    let mut findings = vec![];
    if let Ok(figures) = &report.kernels {
        findings.extend(kernel(figures));
        findings.extend(row(figures));
    }
    for run in &report.indexes {
        if let Ok(figures) = &run.figures {
            findings.extend(search(&run.data_set, figures));
            findings.extend(build(&run.data_set, figures));
        }
    }
    findings.extend(memory(report));
    findings
}

/// What the reader should know before trusting the figures.
pub(super) fn caveats(report: &Report) -> Vec<String> {
    let mut caveats = vec![];
    let load = report.facts.load;
    if load > 0.3 {
        caveats.push(format!(
            "Other processes were running ({load:.1} on average in the minute before): times may be too long."
        ));
    }
    if let Some(hypervisor) = &report.facts.cpu.hypervisor {
        caveats.push(format!(
            "This is a virtual machine ({hypervisor}): neighbours share its caches and memory, and \
             its account of them may not be true."
        ));
    }
    if !report.memory.lifted.is_empty() {
        let roofs: Vec<&str> = report.memory.lifted.iter().map(|roof| bound(*roof)).collect();
        caveats.push(format!(
            "A kernel did more than the probe of what the machine allows, also when that was measured \
             again: the limit of {} is what the kernel reached.",
            roofs.join(" and of ")
        ));
    }
    if report.run.quick {
        caveats.push(
            "A quick run: fewer lengths, smaller data and fewer passes. Compare it with quick runs only."
                .to_owned(),
        );
    }
    caveats
}

/// The metric and length that stand for all: those of common text embeddings.
const TYPICAL: (&str, usize) = ("l2", 768);

fn typical(figures: &[KernelFigure], access: Access) -> Option<&KernelFigure> {
    find(figures, TYPICAL.0, access, TYPICAL.1, best_backend(figures)?)
}

fn kernel(figures: &[KernelFigure]) -> Option<Finding> {
    let best = typical(figures, Access::Pair)?;
    let name = backend_title(&best.time.implementation);
    let limit =
        best.share_of_limit.map(|share| format!(", {} of what the machine allows", percent(share)));
    Some(Finding {
        figure: times(best.speedup_over_plain?),
        meaning: format!(
            "{name} is that much faster than a plain loop on {} of {} floats: {} ns per distance{} (and \
             {} the scalar reference, with equal bits).",
            metric_phrase(TYPICAL.0),
            TYPICAL.1,
            number(best.time.ns),
            limit.unwrap_or_default(),
            times(best.speedup_over_scalar?)
        ),
    })
}

fn row(figures: &[KernelFigure]) -> Option<Finding> {
    let row = typical(figures, Access::Gather)?;
    let pair = typical(figures, Access::Pair)?;
    Some(Finding {
        figure: format!("{} ns", number(row.time.ns)),
        meaning: format!(
            "is what a random row of {} floats costs when it comes from memory, {} the time of one in \
             cache: bytes matter more than arithmetic.",
            TYPICAL.1,
            times(row.time.ns / pair.time.ns)
        ),
    })
}

fn search(data_set: &str, figures: &IndexFigures) -> Option<Finding> {
    // The highest of the usual recalls that it reaches.
    let (recall, qps) = [0.99, 0.95, 0.9].iter().find_map(|&r| Some((r, figures.qps_at(r)?)))?;
    Some(Finding {
        figure: number(qps),
        meaning: format!(
            "queries per second on one thread at recall {recall}, {data_set} ({} × {}).",
            count(figures.rows),
            figures.dim
        ),
    })
}

fn build(data_set: &str, figures: &IndexFigures) -> Option<Finding> {
    let fastest = figures.builds.iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
    let threads = if fastest.threads == 1 {
        "one thread".to_owned()
    } else {
        format!("{} threads", fastest.threads)
    };
    let size = bytes(fastest.bytes_per_vector?.round() as usize);
    Some(Finding {
        figure: format!("{} s", number(fastest.seconds)),
        meaning: format!("to build {data_set} on {threads}, at {size} per vector, rows included."),
    })
}

fn memory(report: &Report) -> Option<Finding> {
    let dram = report.memory.by_level.iter().find(|level| level.name == "DRAM")?;
    let (one, all) = (dram.one_thread.as_ref().ok()?, dram.all_threads.as_ref().ok()?);
    let latency = dram.latency_ns.as_ref().ok()?;
    Some(Finding {
        figure: format!("{} GB/s", number(*all)),
        meaning: format!(
            "read from memory by all {} threads ({} by one); a random read takes {} ns.",
            report.memory.threads,
            number(*one),
            number(*latency)
        ),
    })
}
