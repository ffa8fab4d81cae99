//! Names as people use them.

use bench_suite::kernel_runs::PLAIN;
use bench_suite::machine::Cpu;
use bench_suite::roofline::Bound;

/// A CPU's name, with a word where it hides the model.
pub(super) fn cpu_title(cpu: &Cpu) -> String {
    if cpu.masked { format!("{} (model hidden)", cpu.name) } else { cpu.name.clone() }
}

/// A metric as people call it.
pub(super) fn metric_title(name: &str) -> &str {
    match name {
        "l2" => "Squared L2",
        "ip" => "Inner product",
        "cosine" => "Cosine",
        "l1" => "Manhattan",
        "hamming" => "Hamming",
        "jaccard" => "Jaccard",
        other => other,
    }
}

/// A metric within a sentence.
pub(super) fn metric_phrase(name: &str) -> String {
    let mut letters = metric_title(name).chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// A backend as people call it.
pub(super) fn backend_title(name: &str) -> &str {
    match name {
        "avx2" => "AVX2",
        "avx512" => "AVX-512",
        "neon" => "NEON",
        "scalar" => "Scalar reference",
        PLAIN => "Plain loop",
        other => other,
    }
}

/// What a limit comes from.
pub(super) fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "arithmetic",
        Bound::L1 => "L1",
        Bound::L2 => "L2",
        Bound::Dram => "DRAM",
    }
}
