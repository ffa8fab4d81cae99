//! The clock, and the most multiply-adds a second: the flat part of the roofline.

use std::hint::black_box;
use std::time::Duration;

use nearfield_kernels::Backend;
use pulp::{Simd, WithSimd};
use serde::{Deserialize, Serialize};

use super::simd::run_on;
use crate::timing::fastest;

/// The most f32 arithmetic that one thread gets out of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComputePeak {
    /// The backend's name.
    pub backend: String,
    /// Billions of f32 operations a second; a fused multiply-add counts as two.
    pub gflops: f64,
    /// f32 operations per cycle of the measured clock.
    pub flops_per_cycle: f64,
}

/// The clock in GHz that one busy thread runs at, from a chain of dependent single-cycle operations.
pub fn clock_ghz(passes: usize, sample: Duration) -> f64 {
    // An addition and an exclusive or cannot be merged, and each takes one cycle on every CPU in
    // question. Opaque operands keep the compiler from computing the chain in advance.
    let (a, b) = (black_box(0x9e37_79b9_7f4a_7c15u64), black_box(0x94d0_49bb_1331_11ebu64));
    let mut x = 1u64;
    const LINKS: u64 = 32;
    let ns = fastest(passes, sample, |calls| {
        for _ in 0..calls {
            for _ in 0..LINKS / 2 {
                x = x.wrapping_add(a) ^ b;
            }
        }
        x
    });
    LINKS as f64 / ns
}

/// The peak of every vector backend that this CPU has; empty where it has none.
pub fn peaks(ghz: f64, passes: usize, sample: Duration) -> Vec<ComputePeak> {
    Backend::available()
        .filter_map(|backend| {
            let lanes = run_on(backend, MultiplyAdds { rounds: 1 }).ok()?.lanes;
            let ns = fastest(passes, sample, |rounds| run_on(backend, MultiplyAdds { rounds }));
            let gflops = (2 * lanes * ACCUMULATORS) as f64 / ns;
            let backend = backend.name().to_owned();
            Some(ComputePeak { backend, gflops, flops_per_cycle: gflops / ghz })
        })
        .collect()
}

/// Independent sums: enough to hide a latency of 4 cycles at 2 operations per cycle, and with their
/// operands still within AVX2's 16 registers. (4 pipes of NEON with 4 cycles would need 16 of 32.)
const ACCUMULATORS: usize = if cfg!(target_arch = "aarch64") { 20 } else { 12 };

struct MultiplyAdds {
    rounds: u64,
}

struct Sum {
    lanes: usize,
    _value: f32,
}

impl WithSimd for MultiplyAdds {
    type Output = Sum;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sum {
        // x ← x/2 + 1 tends to 2: neither subnormal nor infinite, so no slow path.
        let half = simd.splat_f32s(black_box(0.5));
        let one = simd.splat_f32s(black_box(1.0));
        let mut sums = [one; ACCUMULATORS];
        for _ in 0..self.rounds {
            #[expect(
                clippy::needless_range_loop,
                reason = "an iterator may keep the sums in memory"
            )]
            for i in 0..ACCUMULATORS {
                sums[i] = simd.mul_add_f32s(sums[i], half, one);
            }
        }
        let total = sums.into_iter().fold(one, |total, sum| simd.add_f32s(total, sum));
        let value = black_box(simd.reduce_sum_f32s(total));
        Sum { lanes: size_of::<S::f32s>() / size_of::<f32>(), _value: value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_backend_has_a_peak() {
        let sample = Duration::from_micros(50);
        let ghz = clock_ghz(1, sample);
        assert!(ghz.is_finite() && ghz > 0.0);
        let names: Vec<_> = peaks(ghz, 1, sample).into_iter().map(|p| p.backend).collect();
        let expected: Vec<_> =
            Backend::available().filter(|&b| b != Backend::Scalar).map(Backend::name).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn the_body_counts_its_own_lanes() {
        for (backend, lanes) in [(Backend::Avx2, 8), (Backend::Avx512, 16), (Backend::Neon, 4)] {
            if backend.is_available() {
                assert_eq!(run_on(backend, MultiplyAdds { rounds: 3 }).unwrap().lanes, lanes);
            }
        }
    }
}
