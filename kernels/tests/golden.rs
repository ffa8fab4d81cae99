//! Golden values: the bits that every backend gave when they were written down. A change here is a
//! breaking change, whatever the other tests say.

mod common;

use common::backends;
use nearfield_kernels::{Kernel, Metric};

/// Element `i` of the vectors: an integer formula and one IEEE division, no libm, no generator.
fn float(i: usize) -> f32 {
    (((i * 7919 + 31) % 20011) as f32 - 10005.0) / 4097.0
}

fn word(i: usize) -> u64 {
    (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i as u64).rotate_right(7)
}

/// Metric, dimension, bits of the distance of `float(0..dim)` and `float(dim..2·dim)`.
#[rustfmt::skip]
const FLOATS: [(Metric, usize, u32); 48] = [
    (Metric::L2Squared, 1, 0x406f1ae3), // 3.736016e0
    (Metric::L2Squared, 3, 0x402082d2), // 2.5079846e0
    (Metric::L2Squared, 16, 0x42b45a7c), // 9.017673e1
    (Metric::L2Squared, 33, 0x42334a93), // 4.4822826e1
    (Metric::L2Squared, 64, 0x43ac6e64), // 3.4486243e2
    (Metric::L2Squared, 100, 0x44122fc4), // 5.8474634e2
    (Metric::L2Squared, 128, 0x442c37ee), // 6.888739e2
    (Metric::L2Squared, 200, 0x4413e1f8), // 5.9153076e2
    (Metric::L2Squared, 384, 0x43abef3a), // 3.4386896e2
    (Metric::L2Squared, 768, 0x44a26d1c), // 1.2994097e3
    (Metric::L2Squared, 1000, 0x4591e7d2), // 4.6689775e3
    (Metric::L2Squared, 4099, 0x4612685a), // 9.370088e3
    (Metric::InnerProduct, 1, 0xbf9c4cd3), // -1.2210945e0
    (Metric::InnerProduct, 3, 0xc0db3b09), // -6.8509564e0
    (Metric::InnerProduct, 16, 0x414892e9), // 1.2535867e1
    (Metric::InnerProduct, 33, 0xc230374c), // -4.4054e1
    (Metric::InnerProduct, 64, 0x42320d17), // 4.4512783e1
    (Metric::InnerProduct, 100, 0x42b8e5e9), // 9.244904e1
    (Metric::InnerProduct, 128, 0x42b0a384), // 8.831937e1
    (Metric::InnerProduct, 200, 0xc2ce8012), // -1.0325014e2
    (Metric::InnerProduct, 384, 0xc41404e3), // -5.9207635e2
    (Metric::InnerProduct, 768, 0xc45b626c), // -8.7753784e2
    (Metric::InnerProduct, 1000, 0x43ac89ca), // 3.4507648e2
    (Metric::InnerProduct, 4099, 0xc5588c14), // -3.464755e3
    (Metric::Cosine, 1, 0x327fa88a), // 1.4881275e-8
    (Metric::Cosine, 3, 0x3e1e55b7), // 1.5462385e-1
    (Metric::Cosine, 16, 0x3fb185f8), // 1.3869009e0
    (Metric::Cosine, 33, 0x3eac9f14), // 3.3715117e-1
    (Metric::Cosine, 64, 0x3fac8dea), // 1.3480809e0
    (Metric::Cosine, 100, 0x3fbb312a), // 1.4624379e0
    (Metric::Cosine, 128, 0x3fac23b2), // 1.3448393e0
    (Metric::Cosine, 200, 0x3f3dc1b9), // 7.412372e-1
    (Metric::Cosine, 384, 0x3e66715d), // 2.2504182e-1
    (Metric::Cosine, 768, 0x3ed9cf5e), // 4.254102e-1
    (Metric::Cosine, 1000, 0x3f9633d3), // 1.1734565e0
    (Metric::Cosine, 4099, 0x3f132a6f), // 5.7486624e-1
    (Metric::Manhattan, 1, 0x3ff76889), // 1.9328777e0
    (Metric::Manhattan, 3, 0x402f8d07), // 2.7429826e0
    (Metric::Manhattan, 16, 0x420f258e), // 3.5786674e1
    (Metric::Manhattan, 33, 0x419131ed), // 1.8149378e1
    (Metric::Manhattan, 64, 0x430b62aa), // 1.393854e2
    (Metric::Manhattan, 100, 0x436f351e), // 2.3920749e2
    (Metric::Manhattan, 128, 0x438d478c), // 2.8255896e2
    (Metric::Manhattan, 200, 0x43733b5d), // 2.4323189e2
    (Metric::Manhattan, 384, 0x430c508a), // 1.403146e2
    (Metric::Manhattan, 768, 0x440599ca), // 5.3440295e2
    (Metric::Manhattan, 1000, 0x44ef29f0), // 1.9133105e3
    (Metric::Manhattan, 4099, 0x456f5b3e), // 3.8297026e3
];

/// Metric, words, bits of the distance of `word(0..words)` and `word(words..2·words)`.
#[rustfmt::skip]
const BITS: [(Metric, usize, u32); 12] = [
    (Metric::Hamming, 1, 0x41f00000), // 30
    (Metric::Hamming, 2, 0x42400000), // 48
    (Metric::Hamming, 7, 0x43680000), // 232
    (Metric::Hamming, 16, 0x43d38000), // 423
    (Metric::Hamming, 100, 0x45512000), // 3346
    (Metric::Hamming, 1001, 0x47056f00), // 34159
    (Metric::Jaccard, 1, 0x3f10e7d9), // 0.5660377
    (Metric::Jaccard, 2, 0x3ef0f0f1), // 0.47058824
    (Metric::Jaccard, 7, 0x3f232a33), // 0.63736266
    (Metric::Jaccard, 16, 0x3f0f6d85), // 0.5602649
    (Metric::Jaccard, 100, 0x3f2ebd78), // 0.68257856
    (Metric::Jaccard, 1001, 0x3f31eee5), // 0.6950515
];

#[test]
fn float_kernels_give_the_golden_bits() {
    for (metric, dim, expected) in FLOATS {
        let values: Vec<f32> = (0..2 * dim).map(float).collect();
        for backend in backends() {
            let kernel = Kernel::<f32>::on(backend, metric).unwrap();
            let got = kernel.distance(&values[..dim], &values[dim..]).to_bits();
            assert_eq!(got, expected, "(Metric::{metric:?}, {dim}, {got:#010x}) on {backend}");
        }
    }
}

#[test]
fn bit_kernels_give_the_golden_bits() {
    for (metric, dim, expected) in BITS {
        let values: Vec<u64> = (0..2 * dim).map(word).collect();
        for backend in backends() {
            let kernel = Kernel::<u64>::on(backend, metric).unwrap();
            let got = kernel.distance(&values[..dim], &values[dim..]).to_bits();
            assert_eq!(got, expected, "(Metric::{metric:?}, {dim}, {got:#010x}) on {backend}");
        }
    }
}
