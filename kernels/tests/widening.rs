//! Rows of f16, bf16 and integer codes: the bits of the reference over the widened numbers.

mod common;

use common::shapes::{every_alignment, every_shape};
use common::{Noise, backends, reference};
use nearfield_kernels::{Backend, Element, Kernel, Metric, Query, Scale, bf16, f16};

const METRICS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];

const SCALE: Scale = Scale { factor: 0.037_109_375, offset: -3.171 };

fn f16s(seed: u64, len: usize) -> Vec<f16> {
    Noise::new(seed).floats(len).into_iter().map(f16::from_f32).collect()
}

fn bf16s(seed: u64, len: usize) -> Vec<bf16> {
    Noise::new(seed).floats(len).into_iter().map(bf16::from_f32).collect()
}

fn codes<E>(seed: u64, len: usize, code: fn(u64) -> E) -> Vec<E> {
    Noise::new(seed).words(len).into_iter().map(code).collect()
}

/// Every alignment and every shape, against the reference over what `widen_*` make of the elements.
fn every_call<Q: Query<R> + Clone, R: Element>(
    what: &str,
    queries: &[Q],
    rows: &[R],
    kernel: impl Fn(Backend, Metric) -> Kernel<Q, R>,
    widen_query: impl Fn(&Q) -> f32,
    widen_row: impl Fn(&R) -> f32,
) {
    for metric in METRICS {
        let what = format!("{what} {metric}");
        let expected = |a: &[Q], b: &[R]| {
            let a: Vec<f32> = a.iter().map(&widen_query).collect();
            let b: Vec<f32> = b.iter().map(&widen_row).collect();
            reference(metric, &a, &b)
        };
        let kernel = |backend| kernel(backend, metric);
        let dims = (0..=260).chain([384, 768, 1000, 1536, 4099]);
        every_alignment(&what, queries, rows, dims, kernel, expected);
        let dims = (1..=70).chain([96, 100, 127, 128, 129, 260, 384]);
        every_shape(&what, queries, rows, dims, kernel, expected);
    }
}

fn on<Q: Query<R>, R: Element>(backend: Backend, metric: Metric) -> Kernel<Q, R> {
    Kernel::on(backend, metric).unwrap()
}

fn scaled<R: Element>(backend: Backend, metric: Metric) -> Kernel<f32, R>
where
    f32: Query<R, Scale = Scale>,
{
    on(backend, metric).scaled(SCALE)
}

const LEN: usize = 4099 + 15;

#[test]
fn f16_pairs() {
    every_call("f16", &f16s(1, LEN), &f16s(2, LEN), on, |x| x.to_f32(), |x| x.to_f32());
}

#[test]
fn bf16_pairs() {
    every_call("bf16", &bf16s(1, LEN), &bf16s(2, LEN), on, |x| x.to_f32(), |x| x.to_f32());
}

#[test]
fn f32_queries_over_f16_rows() {
    let queries = Noise::new(3).floats(LEN);
    every_call("f32 × f16", &queries, &f16s(4, LEN), on, |x| *x, |x| x.to_f32());
}

#[test]
fn f32_queries_over_bf16_rows() {
    let queries = Noise::new(5).floats(LEN);
    every_call("f32 × bf16", &queries, &bf16s(6, LEN), on, |x| *x, |x| x.to_f32());
}

#[test]
fn f32_queries_over_u8_codes() {
    let queries = Noise::new(7).floats(LEN);
    let rows = codes(8, LEN, |word| word as u8);
    every_call("f32 × u8", &queries, &rows, on, |x| *x, |x| f32::from(*x));
    let number = |code: &u8| f32::from(*code).mul_add(SCALE.factor, SCALE.offset);
    every_call("f32 × scaled u8", &queries, &rows, scaled, |x| *x, number);
}

#[test]
fn f32_queries_over_i8_codes() {
    let queries = Noise::new(9).floats(LEN);
    let rows = codes(10, LEN, |word| word as i8);
    every_call("f32 × i8", &queries, &rows, on, |x| *x, |x| f32::from(*x));
    let number = |code: &i8| f32::from(*code).mul_add(SCALE.factor, SCALE.offset);
    every_call("f32 × scaled i8", &queries, &rows, scaled, |x| *x, number);
}

/// Each of the 65,536 patterns, in every lane of a register and in a tail: the distance to zero is the
/// magnitude, exactly, subnormals included.
fn every_pattern<R: Element>(pattern: fn(u16) -> R, widen: fn(R) -> f32)
where
    f32: Query<R>,
{
    for backend in backends() {
        let kernel = Kernel::<f32, R>::on(backend, Metric::Manhattan).unwrap();
        for dim in [1, 64] {
            let zero = vec![0.0; dim];
            let mut row = vec![pattern(0); dim];
            for bits in 0..=u16::MAX {
                let at = usize::from(bits) % dim;
                row[at] = pattern(bits);
                let expected = widen(row[at]).abs();
                let got = kernel.distance(&zero, &row);
                assert!(
                    got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan(),
                    "{bits:#06x} on {backend}: {got:e}, not {expected:e}"
                );
                row[at] = pattern(0);
            }
        }
    }
}

#[test]
fn every_f16_widens_exactly() {
    every_pattern(f16::from_bits, widened_f16);
    assert_eq!(widened_f16(f16::from_bits(1)), 1.0 / 16_777_216.0, "the least subnormal");
}

#[test]
fn every_bf16_widens_exactly() {
    every_pattern(bf16::from_bits, |x| f32::from_bits(u32::from(x.to_bits()) << 16));
}

/// By the definition of the format, not by the crate that the kernels use.
fn widened_f16(x: f16) -> f32 {
    let bits = u32::from(x.to_bits());
    let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 31, bits & 1023);
    let magnitude = match exponent {
        0 => fraction as f32 / 16_777_216.0, // of 2⁻²⁴
        31 if fraction == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => f32::from_bits((exponent + 127 - 15) << 23 | fraction << 13),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

#[test]
#[should_panic(expected = "codes of inf and 0")]
fn a_factor_that_is_not_finite_panics() {
    let scale = Scale { factor: f32::INFINITY, offset: 0.0 };
    let _ = Kernel::<f32, u8>::best(Metric::Cosine).unwrap().scaled(scale);
}
