//! The kernels against f64, within the bounds that the crate documents, and on extreme values.

mod common;

use approx::abs_diff_eq;
use common::{assert_same, backends, reference};
use nearfield_kernels::{Kernel, Metric};
use proptest::prelude::*;

const METRICS: [Metric; 4] =
    [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];

/// 2^`exponent`, exactly.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::try_from(1023 + exponent).expect("a normal number") << 52)
}

/// The distance in f64, and how far the f32 kernels may be from it (crate docs, "Error").
fn oracle(metric: Metric, a: &[f32], b: &[f32]) -> (f64, f64) {
    let sum = |term: fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| term(a.into(), b.into())).sum()
    };
    let unit = power_of_two(-24);
    let n = a.len() as f64;
    let roundings = (n / 64.0).ceil() + 6.0;
    let underflow = n * power_of_two(-149);
    match metric {
        Metric::L2Squared => {
            let exact = sum(|a, b| (a - b) * (a - b));
            (exact, (roundings + 3.0) * unit * exact + underflow)
        }
        Metric::InnerProduct => {
            (-sum(|a, b| a * b), (roundings + 1.0) * unit * sum(|a, b| (a * b).abs()) + underflow)
        }
        Metric::Manhattan => {
            let exact = sum(|a, b| (a - b).abs());
            (exact, (roundings + 2.0) * unit * exact)
        }
        Metric::Cosine => {
            let norms = sum(|a, _| a * a) * sum(|_, b| b * b);
            let exact = if norms == 0.0 { 1.0 } else { 1.0 - sum(|a, b| a * b) / norms.sqrt() };
            (exact, (2.0 * roundings + 4.0) * unit)
        }
        _ => unreachable!("{metric} over floats"),
    }
}

/// Two vectors of one length, whose elements lie within 2^±`spread` of 2^`scale`.
fn pairs(scale: i32, spread: i32) -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let element = (-1.0f32..1.0, -spread..=spread)
        .prop_map(move |(x, exponent)| (f64::from(x) * power_of_two(scale + exponent)) as f32);
    (0..700usize).prop_flat_map(move |len| {
        let vector = prop::collection::vec(element.clone(), len);
        (vector.clone(), vector)
    })
}

fn within_the_bound(a: &[f32], b: &[f32], metrics: &[Metric]) {
    for &metric in metrics {
        let (exact, bound) = oracle(metric, a, b);
        for backend in backends() {
            let got = f64::from(Kernel::on(backend, metric).unwrap().distance(a, b));
            assert!(
                abs_diff_eq!(got, exact, epsilon = bound),
                "{metric} on {backend}, dim {}: {got:e}, exactly {exact:e} ± {bound:e}",
                a.len()
            );
        }
    }
}

/// What breaks kernels: signed zeros, subnormals, values whose squares leave f32, what is no number.
fn extreme() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -1.0f32..1.0,
        1 => prop::sample::select(vec![0.0, -0.0, 1e-45, -1e-45, f32::MIN_POSITIVE, 3e-39, -1e-23]),
        1 => prop::sample::select(vec![1e15, -1e15, 1e19, 1e30, -1e30, f32::MAX, f32::MIN]),
    ]
}

fn extreme_pairs() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    (0..200usize).prop_flat_map(|len| {
        (prop::collection::vec(extreme(), len), prop::collection::vec(extreme(), len))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn ordinary_vectors((a, b) in pairs(0, 4)) {
        within_the_bound(&a, &b, &METRICS);
    }

    #[test]
    fn large_vectors((a, b) in pairs(40, 10)) {
        within_the_bound(&a, &b, &METRICS);
    }

    /// Squares underflow here.
    #[test]
    fn tiny_vectors((a, b) in pairs(-70, 6)) {
        within_the_bound(&a, &b, &METRICS);
    }

    /// The norms of these leave f32 in both directions; elements are subnormal, or nearly overflow.
    #[test]
    fn cosines_at_every_magnitude(
        (a, b) in (-149..=109i32, -149..=109i32, 0..=18i32)
            .prop_flat_map(|(a, b, spread)| (pairs(a, spread), pairs(b, spread)))
            .prop_map(|((a, _), (_, mut b))| {
                b.resize(a.len(), 0.0);
                (a, b)
            })
    ) {
        within_the_bound(&a, &b, &[Metric::Cosine]);
    }

    #[test]
    fn extreme_values((a, b) in extreme_pairs()) {
        for metric in METRICS {
            let expected = reference(metric, &a, &b);
            for backend in backends() {
                let got = Kernel::on(backend, metric).unwrap().distance(&a, &b);
                assert_same(got, expected, || format!("{metric} on {backend}"));
                prop_assert_ne!(got.to_bits(), (-0.0f32).to_bits(), "{} on {}", metric, backend);
                match metric {
                    Metric::Cosine => prop_assert!((0.0..=2.0).contains(&got), "{}", got),
                    // Differences may overflow, but never cancel.
                    Metric::L2Squared | Metric::Manhattan => prop_assert!(got >= 0.0),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn nan_and_infinity_propagate(
        (mut a, mut b) in pairs(0, 2),
        at in any::<prop::sample::Index>(),
        bad in prop::sample::select(vec![f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
        left in any::<bool>(),
    ) {
        prop_assume!(!a.is_empty());
        let at = at.index(a.len());
        if left { a[at] = bad } else { b[at] = bad }
        for metric in METRICS {
            for backend in backends() {
                let kernel = Kernel::on(backend, metric).unwrap();
                let mut row = [0.0];
                let rows = nearfield_kernels::Rows::new(&b, b.len());
                kernel.gather(&a, &rows, &[0], &mut row);
                for got in [kernel.distance(&a, &b), row[0]] {
                    match metric {
                        _ if bad.is_nan() => prop_assert!(got.is_nan(), "{}: {}", metric, got),
                        Metric::Cosine => prop_assert!(got.is_nan(), "{}: {}", metric, got),
                        _ => prop_assert!(!got.is_finite(), "{}: {}", metric, got),
                    }
                }
            }
        }
    }
}

#[test]
fn the_cosine_of_a_zero_vector_is_one() {
    for dim in [0, 1, 3, 64, 100] {
        let zero = vec![0.0f32; dim];
        let other: Vec<f32> = (0..dim).map(|i| i as f32 + 0.5).collect();
        for backend in backends() {
            let kernel = Kernel::on(backend, Metric::Cosine).unwrap();
            assert_eq!(kernel.distance(&zero, &zero), 1.0);
            assert_eq!(kernel.distance(&zero, &other), 1.0);
            assert_eq!(kernel.distance(&other, &zero), 1.0);
            let poisoned = vec![f32::NAN; dim];
            assert!(dim == 0 || kernel.distance(&zero, &poisoned).is_nan());
        }
    }
}

#[test]
fn the_cosine_neither_underflows_nor_leaves_its_range() {
    for scale in [1e-38f32, 1e-25, 1e-18, 1e-12, 1.0, 1e15, 1e17, 1e20, 1e37] {
        let a: Vec<f32> = (0..97).map(|i| scale * ((i % 7) as f32 - 2.5)).collect();
        let opposite: Vec<f32> = a.iter().map(|x| -x).collect();
        for backend in backends() {
            let kernel = Kernel::on(backend, Metric::Cosine).unwrap();
            let (same, far) = (kernel.distance(&a, &a), kernel.distance(&a, &opposite));
            assert!(same == 0.0, "{backend}, scale {scale:e}: {same:e}");
            assert!(far == 2.0, "{backend}, scale {scale:e}: {far:e}");
        }
    }
}

/// Parallel vectors: rounding alone would put some of their cosine distances outside of 0…2.
#[test]
fn the_cosine_is_clamped() {
    let mut outside = 0;
    for dim in 1..300 {
        let a: Vec<f32> = common::Noise::new(dim).floats(dim as usize);
        for factor in [0.7f32, -0.7] {
            let b: Vec<f32> = a.iter().map(|x| x * factor).collect();
            let sum = |a: &[f32], b: &[f32]| f64::from(nearfield_kernels::reference::dot(a, b));
            let raw = (1.0 - sum(&a, &b) / (sum(&a, &a) * sum(&b, &b)).sqrt()) as f32;
            outside += u32::from(!(0.0..=2.0).contains(&raw));
            for backend in backends() {
                let distance = Kernel::on(backend, Metric::Cosine).unwrap().distance(&a, &b);
                assert_eq!(distance, raw.clamp(0.0, 2.0), "{backend}, dim {dim}");
            }
        }
    }
    assert!(outside > 0, "no case needed the clamp: the test shows nothing");
}
