//! What the machine would allow at best: the smaller of its arithmetic and its bandwidth.

use nearfield_kernels::Metric;
use serde::{Deserialize, Serialize};

use crate::kernel_runs::{Access, KernelTime};

/// The measured ceilings of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roofs {
    /// Most f32 operations, in billions a second, a fused multiply-add being two.
    pub gflops: Option<f64>,
    /// Read bandwidth of the first-level cache, in billions of bytes a second.
    pub l1: f64,
    /// Of the second-level cache.
    pub l2: f64,
    /// Of the third-level cache, where there is one.
    pub l3: Option<f64>,
    /// Of memory.
    pub dram: f64,
    /// Bytes that surely stay in the first-level cache.
    pub l1_bytes: usize,
}

/// What holds a distance back on a perfect implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Arithmetic instructions.
    Compute,
    /// Reads from the first-level cache.
    L1,
    /// Reads from the second-level cache: the pair is too long for the first.
    L2,
    /// Reads from memory.
    Dram,
}

/// The least time that a distance can take here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Nanoseconds.
    pub ns: f64,
    /// What sets them.
    pub bound: Bound,
}

/// Arithmetic per pair of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Operations as a roofline counts them: a fused multiply-add is two.
    pub flops: usize,
    /// Instructions of the multiply-add units, which is what they can issue only so many of.
    pub instructions: usize,
}

impl Work {
    /// The arithmetic of a metric over f32; `None` for bits, whose instructions differ by CPU.
    pub fn of(metric: &str) -> Option<Self> {
        let metric = Metric::ALL.into_iter().find(|m| m.name() == metric)?;
        Some(match metric {
            // Subtract, multiply-add.
            Metric::L2Squared => Self { flops: 3, instructions: 2 },
            // Multiply-add.
            Metric::InnerProduct => Self { flops: 2, instructions: 1 },
            // Three multiply-adds.
            Metric::Cosine => Self { flops: 6, instructions: 3 },
            // Subtract, add. The sign is cleared by an instruction that is not arithmetic.
            Metric::Manhattan => Self { flops: 2, instructions: 2 },
            _ => return None,
        })
    }
}

impl Roofs {
    /// The least time that `time`'s distance can take, whatever the implementation.
    pub fn limit(&self, time: &KernelTime) -> Limit {
        let (bandwidth, bound) = match time.access {
            Access::Gather => (self.dram, Bound::Dram),
            Access::Pair if time.bytes <= self.l1_bytes => (self.l1, Bound::L1),
            Access::Pair => (self.l2, Bound::L2),
        };
        let memory = Limit { ns: time.bytes as f64 / bandwidth, bound };
        let compute = self.gflops.zip(Work::of(&time.metric)).map(|(gflops, work)| {
            let ns = (time.dim * work.instructions) as f64 / (gflops / 2.0);
            Limit { ns, bound: Bound::Compute }
        });
        compute.filter(|compute| compute.ns > memory.ns).unwrap_or(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOFS: Roofs = Roofs {
        gflops: Some(100.0),
        l1: 200.0,
        l2: 50.0,
        l3: None,
        dram: 10.0,
        l1_bytes: 32 << 10,
    };

    fn time(metric: &str, access: Access, dim: usize, bytes: usize) -> KernelTime {
        let (element, implementation) = ("f32".to_owned(), "avx2".to_owned());
        KernelTime {
            metric: metric.to_owned(),
            element,
            implementation,
            access,
            dim,
            bytes,
            ns: 1.0,
        }
    }

    #[test]
    fn the_higher_cost_is_the_limit() {
        // 1,000 floats: 8,000 bytes at 200 GB/s take 40 ns; at 50 instructions/ns one
        // instruction each takes 20 ns, three take 60.
        let limit = ROOFS.limit(&time("ip", Access::Pair, 1_000, 8_000));
        assert_eq!(limit, Limit { ns: 40.0, bound: Bound::L1 });
        let limit = ROOFS.limit(&time("cosine", Access::Pair, 1_000, 8_000));
        assert_eq!(limit, Limit { ns: 60.0, bound: Bound::Compute });
    }

    #[test]
    fn long_pairs_and_gathered_rows_have_other_roofs() {
        let limit = ROOFS.limit(&time("ip", Access::Pair, 10_000, 80_000));
        assert_eq!(limit, Limit { ns: 1_600.0, bound: Bound::L2 });
        let limit = ROOFS.limit(&time("l2", Access::Gather, 1_000, 4_000));
        assert_eq!(limit, Limit { ns: 400.0, bound: Bound::Dram });
    }

    #[test]
    fn bits_are_held_to_bandwidth_alone() {
        let limit = ROOFS.limit(&time("hamming", Access::Pair, 8_192, 2_000));
        assert_eq!(limit, Limit { ns: 10.0, bound: Bound::L1 });
    }
}
