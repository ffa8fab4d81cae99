//! How much a run measures: everything, or what fits into two minutes.

use std::time::Duration;

use bench_suite::kernel_runs;

/// Many short samples rather than few long ones: a scheduler lets a process run for some
/// milliseconds, so that some samples pass undisturbed even on a busy machine.
const SAMPLE: Duration = Duration::from_millis(1);

/// The extent of one run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Passes of every probe of the machine, of which the best counts.
    pub(super) passes: usize,
    /// Length of one sample of such a probe.
    pub(super) sample: Duration,
    /// Largest working set of the curves, where memory allows.
    pub(super) largest: usize,
    pub(super) kernels: kernel_runs::Plan,
    pub(super) index: IndexPlan,
}

/// The extent of the index runs.
#[derive(Clone, Debug)]
pub(super) struct IndexPlan {
    /// Rows and queries to keep of each data set.
    pub(super) rows: usize,
    pub(super) queries: usize,
    pub(super) ef: Vec<usize>,
    pub(super) passes: usize,
}

impl Plan {
    /// The plan of a full or quick run with `memory` bytes to be had. No single table takes more
    /// than an eighth of them.
    pub(super) fn new(quick: bool, memory: usize) -> Self {
        let most = (memory / 8).max(64 << 20);
        if quick { Self::quick(most) } else { Self::full(most) }
    }

    fn full(most: usize) -> Self {
        let largest = most.min(1 << 30);
        Self {
            passes: 40,
            sample: SAMPLE,
            largest,
            kernels: kernel_runs::Plan {
                float_dims: vec![32, 100, 128, 256, 384, 768, 1536, 4096],
                bit_dims: vec![256, 512, 1024, 2048, 4096, 8192],
                gather_dims: vec![128, 384, 768, 1536],
                gather_bits: vec![256, 1024],
                gather_bytes: largest,
                passes: 25,
                sample: SAMPLE,
            },
            index: IndexPlan {
                rows: usize::MAX,
                queries: usize::MAX,
                ef: vec![10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400],
                passes: 3,
            },
        }
    }

    fn quick(most: usize) -> Self {
        let full = Self::full(most);
        let largest = most.min(256 << 20);
        Self {
            passes: 20,
            sample: SAMPLE,
            largest,
            kernels: kernel_runs::Plan {
                float_dims: vec![128, 384, 768, 1536],
                bit_dims: vec![256, 1024, 4096],
                gather_dims: vec![128, 768],
                gather_bits: vec![1024],
                gather_bytes: largest,
                passes: 10,
                ..full.kernels
            },
            index: IndexPlan {
                rows: 20_000,
                queries: 1_000,
                ef: vec![10, 16, 32, 64, 128, 256],
                passes: 2,
            },
        }
    }
}
