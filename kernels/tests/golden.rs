//! Golden values: the bits that every backend gave when they were written down. A change here is a
//! breaking change, whatever the other tests say.

mod common;

use common::backends;
use nearfield_kernels::{Backend, Element, Kernel, Metric, Query, Scale, bf16, f16};

/// Element `i` of the vectors: an integer formula and one IEEE division, no libm, no generator.
fn float(i: usize) -> f32 {
    (((i * 7919 + 31) % 20011) as f32 - 10005.0) / 4097.0
}

fn word(i: usize) -> u64 {
    (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i as u64).rotate_right(7)
}

fn byte(i: usize) -> u8 {
    (word(i) >> 56) as u8
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

/// Metric, dimension, bits of the distance of `byte(0..dim)` and `byte(dim..2·dim)` as `u8` and as `i8`.
#[rustfmt::skip]
const INTEGERS: [(Metric, usize, u32, u32); 25] = [
    (Metric::L2Squared, 1, 0x46100000, 0x46c80000), // 9216, 25600
    (Metric::L2Squared, 33, 0x48f81860, 0x48ea9860), // 508099, 480451
    (Metric::L2Squared, 100, 0x497d62d0, 0x4980a168), // 1037869, 1053741
    (Metric::L2Squared, 768, 0x4b311ec9, 0x4b2d2ac9), // 11607753, 11348681
    (Metric::L2Squared, 4099, 0x4c5895ee, 0x4c57e4ee), // 56776632, 56595384
    (Metric::L2, 1, 0x42c00000, 0x43200000), // 96, 160
    (Metric::L2, 33, 0x443233e1, 0x442d4954), // 712.81061, 693.14575
    (Metric::L2, 100, 0x447eb08c, 0x4480509b), // 1018.7585, 1026.5189
    (Metric::L2, 768, 0x4554f03f, 0x45528c7c), // 3407.0154, 3368.7803
    (Metric::L2, 4099, 0x45eb7837, 0x45eb17ec), // 7535.0269, 7522.9902
    (Metric::InnerProduct, 1, 0xc6191000, 0x45bde000), // -9796, 6076
    (Metric::InnerProduct, 33, 0xc8f68760, 0x4773c500), // -504891, 62405
    (Metric::InnerProduct, 100, 0xc9d9a478, 0xc6851e00), // -1782927, -17039
    (Metric::InnerProduct, 768, 0xcb281e2b, 0x49b4c6a8), // -11017771, 1480917
    (Metric::InnerProduct, 4099, 0xcc674791, 0x4ab4e77a), // -60628548, 5927869
    (Metric::Cosine, 1, 0x00000000, 0x40000000), // 0, 2
    (Metric::Cosine, 33, 0x3eaaff06, 0x3faced6b), // 0.33397692, 1.3509954
    (Metric::Cosine, 100, 0x3e66d611, 0x3f77fa67), // 0.22542597, 0.96866459
    (Metric::Cosine, 768, 0x3eb0a194, 0x3fad342c), // 0.34498274, 1.3531547
    (Metric::Cosine, 4099, 0x3ea347bd, 0x3fa1eb53), // 0.31890669, 1.264994
    (Metric::Manhattan, 1, 0x42c00000, 0x43200000), // 96, 160
    (Metric::Manhattan, 33, 0x45567000, 0x454fb000), // 3431, 3323
    (Metric::Manhattan, 100, 0x45ff0800, 0x46007c00), // 8161, 8223
    (Metric::Manhattan, 768, 0x47a49b80, 0x47a2a180), // 84279, 83267
    (Metric::Manhattan, 4099, 0x48ce04a0, 0x48cdac20), // 421925, 421217
];

/// Metric, dimension, bits of the distance of the first half of the values to the second: f16, bf16, an
/// f32 query and rows of f16, bf16, u8 and i8 with a scale.
#[rustfmt::skip]
const WIDENED: [(Metric, usize, [u32; 6]); 20] = [
    (Metric::L2Squared, 1, [0x406eeb79, 0x40704000, 0x406f2299, 0x406f7f6a, 0x401c996b, 0x401c996b]),
    (Metric::L2Squared, 33, [0x4233519c, 0x42332f39, 0x423349a2, 0x42338146, 0x43c6352a, 0x441d03ca]),
    (Metric::L2Squared, 100, [0x44122fc4, 0x44123698, 0x4412303d, 0x44122f9c, 0x44af4068, 0x44d4b37c]),
    (Metric::L2Squared, 768, [0x44a26ac2, 0x44a26394, 0x44a26b46, 0x44a26a09, 0x4611cf0c, 0x4665a597]),
    (Metric::L2, 1, [0x3ff75000, 0x3ff80000, 0x3ff76c86, 0x3ff79c86, 0x3fc83932, 0x3fc83932]),
    (Metric::L2, 33, [0x40d64186, 0x40d62cf9, 0x40d63cc2, 0x40d65dfd, 0x419f480d, 0x41c87d27]),
    (Metric::L2, 100, [0x41c173c5, 0x41c1784a, 0x41c17415, 0x41c173ab, 0x4215c61a, 0x42250093]),
    (Metric::L2, 768, [0x42102f6b, 0x42102c3b, 0x42102fa5, 0x42102f19, 0x42c133bc, 0x42f27735]),
    (Metric::InnerProduct, 1, [0xbf9c34d0, 0xbf9c0000, 0xbf9c431e, 0xbf9bce43, 0xc00795c6, 0xc00795c6]),
    (Metric::InnerProduct, 33, [0xc2302f48, 0xc2305d6e, 0xc230337a, 0xc2302134, 0x402dafb4, 0xc1a4c162]),
    (Metric::InnerProduct, 100, [0x42b8e7dc, 0x42b8e626, 0x42b8e7ab, 0x42b8dcb2, 0x428eb1f2, 0xc2cf0de2]),
    (Metric::InnerProduct, 768, [0xc45b6451, 0xc45b6a70, 0xc45b6374, 0xc45b65d4, 0x429e6bb9, 0xc32a0498]),
    (Metric::Cosine, 1, [0x00000000, 0x00000000, 0x00000000, 0x3278ede3, 0x32a62343, 0x32a62343]),
    (Metric::Cosine, 33, [0x3eaca8d5, 0x3eac7511, 0x3eaca106, 0x3eacd045, 0x3f82601a, 0x3f6588ac]),
    (Metric::Cosine, 100, [0x3fbb3213, 0x3fbb2d3f, 0x3fbb31b5, 0x3fbb2cee, 0x3f93c669, 0x3f52d3b6]),
    (Metric::Cosine, 768, [0x3ed9cc7b, 0x3ed9c376, 0x3ed9cd5f, 0x3ed9cb0f, 0x3f82f766, 0x3f766b99]),
    (Metric::Manhattan, 1, [0x3ff75000, 0x3ff80000, 0x3ff76c86, 0x3ff79c86, 0x3fc83932, 0x3fc83932]),
    (Metric::Manhattan, 33, [0x41913280, 0x41913180, 0x419131a2, 0x41913ea2, 0x42cc39e8, 0x42fcfe4a]),
    (Metric::Manhattan, 100, [0x436f3530, 0x436f3bb0, 0x436f3579, 0x436f3609, 0x439c1402, 0x43abd8ab]),
    (Metric::Manhattan, 768, [0x440598e8, 0x440592c0, 0x440598eb, 0x440597fb, 0x4509fe42, 0x452d1ba4]),
];

#[test]
fn float_kernels_give_the_golden_bits() {
    for (metric, dim, expected) in FLOATS {
        let values: Vec<f32> = (0..2 * dim).map(float).collect();
        assert_golden(metric, &values, expected);
    }
}

#[test]
fn bit_kernels_give_the_golden_bits() {
    for (metric, dim, expected) in BITS {
        let values: Vec<u64> = (0..2 * dim).map(word).collect();
        assert_golden(metric, &values, expected);
    }
}

#[test]
fn integer_kernels_give_the_golden_bits() {
    for (metric, dim, unsigned, signed) in INTEGERS {
        let values: Vec<u8> = (0..2 * dim).map(byte).collect();
        assert_golden(metric, &values, unsigned);
        let values: Vec<i8> = values.iter().map(|value| value.cast_signed()).collect();
        assert_golden(metric, &values, signed);
    }
}

/// What a pairing's values are made of, like those of the floats.
fn half_float<E>(widened: fn(f32) -> E, dim: usize) -> Vec<E> {
    (0..2 * dim).map(|i| widened(float(i))).collect()
}

#[test]
fn widening_kernels_give_the_golden_bits() {
    let scale = Scale { factor: 0.037_109_375, offset: -3.171 };
    for (metric, dim, expected) in WIDENED {
        let (f16s, bf16s) = (half_float(f16::from_f32, dim), half_float(bf16::from_f32, dim));
        let query = half_float(|x| x, dim);
        let codes: Vec<u8> = (0..2 * dim).map(byte).collect();
        let signed: Vec<i8> = codes.iter().map(|code| code.cast_signed()).collect();
        for backend in backends() {
            let got = [
                on::<f16, f16>(backend, metric).distance(&f16s[..dim], &f16s[dim..]),
                on::<bf16, bf16>(backend, metric).distance(&bf16s[..dim], &bf16s[dim..]),
                on::<f32, f16>(backend, metric).distance(&query[..dim], &f16s[dim..]),
                on::<f32, bf16>(backend, metric).distance(&query[..dim], &bf16s[dim..]),
                on::<f32, u8>(backend, metric).scaled(scale).distance(&query[..dim], &codes[dim..]),
                on::<f32, i8>(backend, metric)
                    .scaled(scale)
                    .distance(&query[..dim], &signed[dim..]),
            ];
            let got = got.map(f32::to_bits);
            assert_eq!(got, expected, "(Metric::{metric:?}, {dim}, {got:#010x?}) on {backend}");
        }
    }
}

fn on<Q: Query<R>, R: Element>(backend: Backend, metric: Metric) -> Kernel<Q, R> {
    Kernel::on(backend, metric).unwrap()
}

fn assert_golden<E: Element>(metric: Metric, values: &[E], expected: u32) {
    let (a, b) = values.split_at(values.len() / 2);
    for backend in backends() {
        let got = Kernel::<E>::on(backend, metric).unwrap().distance(a, b).to_bits();
        let dim = a.len();
        assert_eq!(got, expected, "(Metric::{metric:?}, {dim}, {got:#010x}) on {backend}");
    }
}
