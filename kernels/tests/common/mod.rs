//! What the kernel tests share: the backends to test, reproducible noise, the reference by metric.
#![allow(dead_code, reason = "each test binary uses its part of it")]

pub(crate) mod shapes;

use nearfield_kernels::{Backend, Metric, reference as r};

/// The backends of this CPU. Which they must be is asked of std, not of the crate under test: one
/// that the CPU has and the run skips is a failure.
pub(crate) fn backends() -> Vec<Backend> {
    let tested: Vec<Backend> = Backend::available().collect();
    assert_eq!(tested, expected_backends(), "the backends of this CPU");
    tested
}

/// The same list, spelled out with std's own feature detection.
pub(crate) fn expected_backends() -> Vec<Backend> {
    let mut expected = vec![Backend::Scalar];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            expected.push(Backend::Avx2);
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            expected.push(Backend::Avx512);
        }
    }
    #[cfg(target_arch = "aarch64")]
    expected.push(Backend::Neon); // part of the architecture
    expected
}

/// The distance by the specification.
pub(crate) fn reference(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    match metric {
        Metric::L2Squared => r::l2_squared(a, b),
        Metric::L2 => r::l2(a, b),
        Metric::InnerProduct => 0.0 - r::dot(a, b),
        Metric::Cosine => r::cosine(a, b),
        Metric::Manhattan => r::manhattan(a, b),
        _ => unreachable!("{metric} over floats"),
    }
}

/// The distance of packed bits, counted one bit at a time.
pub(crate) fn reference_bits(metric: Metric, a: &[u64], b: &[u64]) -> f32 {
    let bits = |words: &[u64]| -> Vec<bool> {
        words.iter().flat_map(|word| (0..64).map(move |bit| word >> bit & 1 == 1)).collect()
    };
    let (a, b) = (bits(a), bits(b));
    let count = |keep: fn(bool, bool) -> bool| {
        a.iter().zip(&b).filter(|&(&a, &b)| keep(a, b)).count() as f64
    };
    match metric {
        Metric::Hamming => count(|a, b| a != b) as f32,
        Metric::Jaccard => {
            let (union, both) = (count(|a, b| a || b), count(|a, b| a && b));
            if union == 0.0 { 0.0 } else { ((union - both) / union) as f32 }
        }
        _ => unreachable!("{metric} over bits"),
    }
}

/// Every length up to four blocks and a bit, then lengths that people use, and an awkward one.
pub(crate) fn dims() -> impl Iterator<Item = usize> {
    (0..=260).chain([384, 768, 784, 960, 1000, 1536, 4096, 4099])
}

/// Equal bits; any NaN equals any NaN (x86 and Arm make different ones).
#[track_caller]
pub(crate) fn assert_same(got: f32, expected: f32, at: impl Fn() -> String) {
    let same = got.to_bits() == expected.to_bits() || (got.is_nan() && expected.is_nan());
    assert!(
        same,
        "{}: {got:e} ({:#010x}), expected {expected:e} ({:#010x})",
        at(),
        got.to_bits(),
        expected.to_bits()
    );
}

/// Reproducible values: SplitMix64.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In −1…1, all 24 bits of the significand in use: every sum rounds.
    pub(crate) fn float(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub(crate) fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        self.words(len.div_ceil(8)).into_iter().flat_map(u64::to_le_bytes).take(len).collect()
    }

    pub(crate) fn words(&mut self, len: usize) -> Vec<u64> {
        (0..len).map(|_| self.word()).collect()
    }
}
