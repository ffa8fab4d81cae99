//! The cosine at every magnitude, and of equal vectors: by every backend, element and shape of call.

mod common;

use common::shapes::{every_alignment, every_shape};
use common::{Noise, assert_same, backends, reference};
use nearfield_kernels::{
    Backend, Element, Kernel, Metric, Query, Rows, Scale, bf16, cosine, cosine_from, dot, f16,
    squared_norm,
};

/// Factors that bring elements of about 1 to the magnitudes at which squares overflow, vanish or lose digits, and zero.
const FACTORS: [f32; 9] = [1.0, 1e20, 1e-25, 1e-42, 1.0, 1e-16, 3e38, 1e19, 0.0];

/// Noise in stretches of every magnitude, of such lengths that vectors lie within one and across some.
fn of_every_magnitude(seed: u64, len: usize) -> Vec<f32> {
    let noise = Noise::new(seed).floats(len);
    let factor = |i: usize| FACTORS[(i / 331 + seed as usize) % FACTORS.len()];
    noise.iter().enumerate().map(|(i, x)| x * factor(i)).collect()
}

fn on<Q: Query<R>, R: Element>(backend: Backend) -> Kernel<Q, R> {
    Kernel::on(backend, Metric::Cosine).unwrap()
}

/// Every alignment and every shape, against the reference over what the elements stand for.
fn every_call<Q: Query<R> + Clone, R: Element>(
    what: &str,
    queries: &[Q],
    rows: &[R],
    kernel: impl Fn(Backend) -> Kernel<Q, R>,
    number: (impl Fn(&Q) -> f32, impl Fn(&R) -> f32),
) {
    let expected = |a: &[Q], b: &[R]| {
        let a: Vec<f32> = a.iter().map(&number.0).collect();
        let b: Vec<f32> = b.iter().map(&number.1).collect();
        reference(Metric::Cosine, &a, &b)
    };
    let dims = (0..=130).chain([384, 1000, 3000]);
    every_alignment(what, queries, rows, dims, &kernel, expected);
    for start in [0, 331, 700] {
        let (queries, dims) = (&queries[start..], [1, 3, 16, 33, 64, 100, 260]);
        every_shape(what, queries, rows, dims.into_iter(), &kernel, expected);
    }
}

const LEN: usize = 3100;

#[test]
fn vectors_of_every_magnitude_equal_the_reference() {
    let (a, b) = (of_every_magnitude(1, LEN), of_every_magnitude(5, LEN));
    let f16s: Vec<f16> = b.iter().map(|x| f16::from_f32(*x)).collect();
    let bf16s = |floats: &[f32]| floats.iter().map(|x| bf16::from_f32(*x)).collect::<Vec<_>>();
    let same = |x: &f32| *x;
    every_call("f32", &a, &b, on, (same, same));
    every_call("bf16", &bf16s(&a), &bf16s(&b), on, (|x: &bf16| x.to_f32(), |x: &bf16| x.to_f32()));
    every_call("f32 × f16", &a, &f16s, on, (same, |x: &f16| x.to_f32()));
    every_call("f32 × bf16", &a, &bf16s(&b), on, (same, |x: &bf16| x.to_f32()));
}

#[test]
fn codes_of_every_magnitude_equal_the_reference() {
    let (a, codes) = (of_every_magnitude(2, LEN), Noise::new(3).bytes(LEN));
    for factor in [1e18, 1e-24, 1e-45] {
        let scale = Scale { factor, offset: -3.0 * factor };
        let kernel = |backend| on::<f32, u8>(backend).scaled(scale);
        let number = |code: &u8| f32::from(*code).mul_add(scale.factor, scale.offset);
        every_call("f32 × u8", &a, &codes, kernel, (|x: &f32| *x, number));
    }
}

/// What each shape of call gives for these two vectors.
fn by_every_shape<Q: Query<R> + Clone, R: Element>(
    kernel: Kernel<Q, R>,
    a: &[Q],
    b: &[R],
) -> Vec<f32> {
    const COUNT: usize = 5;
    let (queries, values): (Vec<Q>, Vec<R>) =
        ((0..COUNT).flat_map(|_| a.to_vec()).collect(), b.repeat(COUNT));
    let (queries, rows) = (Rows::new(&queries, a.len()), Rows::new(&values, b.len()));
    let mut out = vec![f32::NAN; 1 + COUNT + 2 + COUNT * COUNT];
    out[0] = kernel.distance(a, b);
    kernel.one_to_many(a, &rows, &mut out[1..][..COUNT]);
    kernel.gather(a, &rows, &[3, 0], &mut out[1 + COUNT..][..2]);
    kernel.many_to_many(&queries, &rows, &mut out[1 + COUNT + 2..]);
    out
}

/// Two vectors have this distance, to the bit, on every backend and by every shape of call.
fn assert_distance<Q: Query<R> + Clone, R: Element>(
    expected: f32,
    a: &[Q],
    b: &[R],
    kernel: impl Fn(Backend) -> Kernel<Q, R>,
) {
    for backend in backends() {
        for got in by_every_shape(kernel(backend), a, b) {
            assert_same(got, expected, || format!("{} on {backend}, dim {}", R::NAME, b.len()));
        }
    }
}

const DIMS: [usize; 13] = [1, 2, 3, 7, 16, 33, 64, 65, 100, 128, 384, 768, 1000];

#[test]
fn equal_floats_have_the_distance_zero_and_opposite_ones_two() {
    for (seed, factor) in (1..).zip(FACTORS.into_iter().filter(|factor| *factor > 0.0)) {
        for dim in DIMS {
            let a: Vec<f32> = Noise::new(seed).floats(dim).iter().map(|x| x * factor).collect();
            let opposite: Vec<f32> = a.iter().map(|x| -x).collect();
            assert_distance(0.0, &a, &a, on);
            assert_distance(2.0, &a, &opposite, on);
            let a: Vec<bf16> = a.iter().map(|x| bf16::from_f32(*x)).collect();
            if a.iter().all(|x| x.to_f32() == 0.0) {
                continue; // the smallest of these floats are zero as a bf16
            }
            let opposite: Vec<bf16> = a.iter().map(|x| -x).collect();
            let wide: Vec<f32> = a.iter().map(|x| x.to_f32()).collect();
            assert_distance(0.0, &a, &a, on);
            assert_distance(2.0, &a, &opposite, on);
            assert_distance(0.0, &wide, &a, on);
        }
    }
}

#[test]
fn equal_f16_have_the_distance_zero_and_opposite_ones_two() {
    for (seed, factor) in (1..).zip([1.0, 6e4, 1e-6]) {
        for dim in DIMS {
            let noise = Noise::new(seed).floats(dim);
            let a: Vec<f16> = noise.iter().map(|x| f16::from_f32(x * factor)).collect();
            let opposite: Vec<f16> = a.iter().map(|x| -x).collect();
            let wide: Vec<f32> = a.iter().map(|x| x.to_f32()).collect();
            assert_distance(0.0, &a, &a, on);
            assert_distance(2.0, &a, &opposite, on);
            assert_distance(0.0, &wide, &a, on);
        }
    }
}

#[test]
fn equal_integers_and_codes_have_the_distance_zero() {
    for dim in DIMS.into_iter().chain([40_000]) {
        let unsigned: Vec<u8> = Noise::new(9).bytes(dim).iter().map(|x| x | 1).collect();
        let signed: Vec<i8> = unsigned.iter().map(|x| x.cast_signed()).collect();
        assert_distance(0.0, &unsigned, &unsigned, on);
        assert_distance(0.0, &signed, &signed, on);
        for factor in [1.0, 0.037_109_375, 1e18, 1e-24] {
            let scale = Scale { factor, offset: -3.171 * factor };
            let number = |code: f32| code.mul_add(scale.factor, scale.offset);
            let wide: Vec<f32> = unsigned.iter().map(|x| number((*x).into())).collect();
            assert_distance(0.0, &wide, &unsigned, |on| {
                Kernel::<f32, u8>::on(on, Metric::Cosine).unwrap().scaled(scale)
            });
            let wide: Vec<f32> = signed.iter().map(|x| number((*x).into())).collect();
            assert_distance(0.0, &wide, &signed, |on| {
                Kernel::<f32, i8>::on(on, Metric::Cosine).unwrap().scaled(scale)
            });
        }
    }
}

#[test]
fn a_zero_vector_gives_one_and_what_is_not_finite_nan_at_every_magnitude() {
    for factor in FACTORS {
        for dim in DIMS {
            let noise: Vec<f32> =
                Noise::new(4).floats(dim).iter().map(|x| (x + 1.5) * factor).collect();
            let noise: Vec<f32> = noise.iter().map(|x| x.min(f32::MAX)).collect();
            let zero = vec![-0.0; dim];
            assert_distance(1.0, &noise, &zero, on);
            assert_distance(1.0, &zero, &noise, on);
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut poisoned = noise.clone();
                poisoned[dim / 2] = bad;
                for other in [&noise, &zero, &poisoned] {
                    assert_distance(f32::NAN, other, &poisoned, on);
                    assert_distance(f32::NAN, &poisoned, other, on);
                }
            }
        }
    }
}

/// A norm at the ends of the range in which sums are taken as they are, and one step beyond, where they are taken anew:
/// without underflow both ways give the same bits.
#[expect(
    clippy::disallowed_methods,
    reason = "a power of two, and the factor near which it is looked for"
)]
#[test]
fn both_ways_meet_at_the_ends_of_the_range() {
    let mut both = [0; 2];
    let ends = [-100, 127].map(|exponent| 2f64.powi(exponent));
    for dim in [1, 5, 64, 100] {
        let (a, b) = (Noise::new(8).floats(dim), Noise::new(9).floats(dim));
        let plain = cosine(&a, &b);
        for end in ends {
            let exponent = (end / f64::from(squared_norm(&a))).log2() / 2.0;
            for exponent in [exponent.floor() as i32, exponent.ceil() as i32] {
                let factor = 2f64.powi(exponent);
                let scaled: Vec<f32> = a.iter().map(|x| (f64::from(*x) * factor) as f32).collect();
                let norm = f64::from(squared_norm(&scaled));
                both[usize::from((ends[0]..=ends[1]).contains(&norm))] += 1;
                assert_distance(plain, &scaled, &b, on);
                assert_distance(plain, &b, &scaled, on);
            }
        }
    }
    assert_eq!(both, [8, 8], "of each end, one norm within and one beyond");
}

#[test]
fn stored_norms_give_the_cosine_within_their_range() {
    for factor in [1e-13f32, 1e-10, 1.0, 1e10, 1e17] {
        let a: Vec<f32> = Noise::new(6).floats(100).iter().map(|x| x * factor).collect();
        let b = Noise::new(7).floats(100);
        let from_norms = cosine_from(dot(&a, &b), squared_norm(&a), squared_norm(&b));
        assert_eq!(from_norms.to_bits(), cosine(&a, &b).to_bits(), "{factor:e}");
    }
}
