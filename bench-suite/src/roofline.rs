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
        let source = self.source(time);
        let bandwidth = match source {
            Bound::Dram => self.dram,
            Bound::L2 => self.l2,
            Bound::L1 | Bound::Compute => self.l1,
        };
        let memory = Limit { ns: time.bytes as f64 / bandwidth, bound: source };
        let compute = self
            .gflops
            .zip(operations(time))
            .map(|(gflops, operations)| Limit { ns: operations / gflops, bound: Bound::Compute });
        compute.filter(|compute| compute.ns > memory.ns).unwrap_or(memory)
    }

    /// Lifts each roof to the most that any of the kernels reached, and returns those that were too
    /// low: what a kernel does, the machine allows.
    pub fn lift(&mut self, times: &[KernelTime]) -> Vec<Bound> {
        let mut beaten = vec![];
        for time in times {
            let source = self.source(time);
            let read = Some((source, time.bytes as f64 / time.ns));
            let computed = operations(time).map(|n| (Bound::Compute, n / time.ns));
            for (bound, reached) in read.into_iter().chain(computed) {
                let Some(roof) = self.roof(bound).filter(|roof| **roof < reached) else { continue };
                *roof = reached;
                if !beaten.contains(&bound) {
                    beaten.push(bound);
                }
            }
        }
        beaten
    }

    /// Where the vectors of a distance are read from.
    fn source(&self, time: &KernelTime) -> Bound {
        match time.access {
            Access::Gather => Bound::Dram,
            Access::Pair if time.bytes <= self.l1_bytes => Bound::L1,
            Access::Pair => Bound::L2,
        }
    }

    fn roof(&mut self, bound: Bound) -> Option<&mut f64> {
        match bound {
            Bound::Compute => self.gflops.as_mut(),
            Bound::L1 => Some(&mut self.l1),
            Bound::L2 => Some(&mut self.l2),
            Bound::Dram => Some(&mut self.dram),
        }
    }
}

/// What the multiply-add units have to do for a distance, in the operations of which they do so many a
/// nanosecond: two per instruction.
fn operations(time: &KernelTime) -> Option<f64> {
    Work::of(&time.metric).map(|work| 2.0 * (time.dim * work.instructions) as f64)
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

    #[test]
    fn no_kernel_takes_more_than_the_lifted_roofs() {
        let (ip, cosine) =
            (time("ip", Access::Pair, 64, 512), time("cosine", Access::Pair, 64, 512));
        let gather = time("hamming", Access::Gather, 64, 8);
        // 512 bytes and 384 operations in 1 ns, where 200 and 100 seemed to be the most.
        let times = [ip, cosine, gather];
        let mut roofs = ROOFS;
        assert_eq!(roofs.lift(&times), [Bound::L1, Bound::Compute]);
        assert_eq!((roofs.l1, roofs.gflops, roofs.dram), (512.0, Some(384.0), 10.0));
        for time in &times {
            assert!(roofs.limit(time).ns <= time.ns, "{time:?}");
        }
        assert_eq!(roofs.lift(&times), []);
    }

    #[test]
    fn a_roof_that_nobody_reached_stays() {
        let slow = KernelTime { ns: 1_000.0, ..time("cosine", Access::Pair, 64, 512) };
        let mut roofs = ROOFS;
        assert_eq!(roofs.lift(&[slow]), []);
        assert_eq!(roofs, ROOFS);
        let mut without = Roofs { gflops: None, ..ROOFS };
        assert_eq!(without.lift(&[time("cosine", Access::Pair, 64, 100)]), []);
        assert_eq!(without.gflops, None);
    }
}
