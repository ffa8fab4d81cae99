//! Every backend gives the exact sums over integers, rounded once: any length, any alignment, any
//! value, any shape of call.

mod common;

use common::shapes::{every_alignment, every_shape};
use common::{Noise, assert_same, backends, dims};
use nearfield_kernels::exact::{self, Integer};
use nearfield_kernels::{Element, Kernel, Metric, Rows};

const METRICS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];

/// Σ a·b, Σ (a − b)² and Σ |a − b|, in numbers that no test overflows.
fn sums<E: Integer>(a: &[E], b: &[E]) -> [i128; 3] {
    let mut sums = [0; 3];
    for (&a, &b) in a.iter().zip(b) {
        let (a, b): (i64, i64) = (a.into(), b.into());
        let (a, b) = (i128::from(a), i128::from(b));
        sums[0] += a * b;
        sums[1] += (a - b) * (a - b);
        sums[2] += (a - b).abs();
    }
    sums
}

fn naive<E: Integer>(metric: Metric, a: &[E], b: &[E]) -> f32 {
    let [dot, squares, differences] = sums(a, b);
    match metric {
        Metric::L2Squared => squares as f32,
        Metric::L2 => (squares as f32).sqrt(),
        Metric::InnerProduct => -dot as f32,
        Metric::Manhattan => differences as f32,
        Metric::Cosine => {
            let norms = sums(a, a)[0] as f64 * sums(b, b)[0] as f64;
            if norms == 0.0 {
                return 1.0;
            }
            (1.0 - dot as f64 / norms.sqrt()).clamp(0.0, 2.0) as f32
        }
        _ => unreachable!("{metric} over integers"),
    }
}

fn assert_pair<E: Element + Integer>(a: &[E], b: &[E], at: impl Fn() -> String) {
    for metric in METRICS {
        let expected = naive(metric, a, b);
        for backend in backends() {
            let kernel = Kernel::<E>::on(backend, metric).unwrap();
            let at = || format!("{metric} over {} on {backend}, {}", E::NAME, at());
            let got = kernel.distance(a, b);
            assert_same(got, expected, at);
            assert_ne!(got.to_bits(), (-0.0f32).to_bits(), "{}", at());
        }
    }
}

fn pairs_are_exact<E: Element + Integer>(a: &[E], b: &[E]) {
    for metric in METRICS {
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        every_alignment(metric.name(), a, b, dims(), kernel, |a, b| naive(metric, a, b));
    }
}

/// The same noise as signed numbers.
fn signed(values: &[u8]) -> Vec<i8> {
    values.iter().map(|value| value.cast_signed()).collect()
}

#[test]
fn pairs_of_noise_are_exact() {
    let (a, b) = (Noise::new(6).bytes(4099 + 15), Noise::new(10).bytes(4099 + 15));
    pairs_are_exact(&a, &b);
    pairs_are_exact(&signed(&a), &signed(&b));
}

fn extremes_are_exact<E: Element + Integer>(extremes: &[E]) {
    // Beyond 33,026 elements squares of 255 leave 32 bits, beyond 131,071 products of −128.
    for dim in [1, 3, 31, 32, 63, 64, 65, 100, 300, 32_768, 33_027, 70_000, 140_001, 1 << 20] {
        for &a in extremes {
            for &b in extremes {
                let (a, b) = (vec![a; dim], vec![b; dim]);
                assert_pair(&a, &b, || format!("dim {dim} of {:?} and {:?}", a[0], b[0]));
            }
        }
    }
}

#[test]
fn extreme_values_are_exact_at_any_length() {
    extremes_are_exact(&[0u8, 127, 128, 255]);
    extremes_are_exact(&[-128i8, -1, 0, 127]);
}

#[test]
fn long_noise_is_exact() {
    for dim in [32_767, 32_769, 65_536 + 63, 200_001] {
        let values = Noise::new(7).bytes(2 * dim);
        assert_pair(&values[..dim], &values[dim..], || format!("dim {dim}"));
        let values = signed(&values);
        assert_pair(&values[..dim], &values[dim..], || format!("dim {dim}"));
    }
}

fn rows_are_exact<E: Element + Integer>(queries: &[E], values: &[E]) {
    let dims = || (1..=80).chain([96, 100, 127, 128, 129, 200, 256, 260, 384, 784]);
    for metric in METRICS {
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        let what = format!("{metric} over {}", E::NAME);
        every_shape(&what, queries, values, dims(), kernel, |a, b| naive(metric, a, b));
    }
}

#[test]
fn rows_equal_the_pairs() {
    let (queries, values) = (Noise::new(11).bytes(820), Noise::new(8).bytes(10 * 820));
    rows_are_exact(&queries, &values);
    rows_are_exact(&signed(&queries), &signed(&values));
}

#[test]
fn long_rows_equal_the_pairs() {
    let dim = 70_001;
    let values = vec![255u8; 3 * dim];
    let rows = Rows::new(&values, dim);
    for metric in METRICS {
        for backend in backends() {
            let kernel = Kernel::<u8>::on(backend, metric).unwrap();
            let expected = naive(metric, rows.row(0), rows.row(1));
            let mut out = [f32::NAN; 9];
            kernel.many_to_many(&rows, &rows, &mut out);
            assert_eq!(out, [expected; 9], "{metric} on {backend}");
            kernel.one_to_many(rows.row(0), &rows, &mut out[..3]);
            assert_eq!(out, [expected; 9], "{metric} on {backend}");
        }
    }
}

fn exact_functions_are_exact<E: Integer>(values: &[E]) {
    for dim in (0..=130).chain([1000, 70_000]) {
        let (a, b) = (&values[..dim], &values[values.len() - dim..]);
        let [dot, squares, differences] = sums(a, b);
        assert_eq!(i128::from(exact::dot(a, b)), dot, "dim {dim}");
        assert_eq!(i128::from(exact::l2_squared(a, b)), squares, "dim {dim}");
        assert_eq!(i128::from(exact::manhattan(a, b)), differences, "dim {dim}");
        assert_eq!(i128::from(exact::squared_norm(a)), sums(a, a)[0], "dim {dim}");
    }
}

#[test]
fn exact_functions_equal_the_naive_sums() {
    let values = Noise::new(9).bytes(100_000);
    exact_functions_are_exact(&values);
    exact_functions_are_exact(&signed(&values));
    exact_functions_are_exact(&[255u8; 70_000]);
    exact_functions_are_exact(&[-128i8; 70_000]);
}

#[test]
#[should_panic(expected = "vectors of 1 and 2 elements")]
fn lengths_that_differ_panic() {
    let _ = exact::dot(&[1u8], &[1, 2]);
}

#[test]
fn the_cosine_of_a_zero_vector_is_one() {
    for dim in [0, 1, 64, 100] {
        let (zero, other) = (vec![0i8; dim], vec![-3i8; dim]);
        for backend in backends() {
            let kernel = Kernel::<i8>::on(backend, Metric::Cosine).unwrap();
            assert_eq!(kernel.distance(&zero, &zero), 1.0);
            assert_eq!(kernel.distance(&zero, &other), 1.0);
            assert_eq!(kernel.distance(&other, &zero), 1.0);
        }
    }
}
