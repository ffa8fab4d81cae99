//! The cosine distance: three lane sums, the last step in f64, and what is done with vectors so long or so short
//! that the sums leave the range of f32.

use super::lane_rule::lane_sum;
use crate::math::{mul_add, sqrt_f64};

/// The least and the greatest squared norm that are used as they are: 2⁻¹⁰⁰ and 2¹²⁷. Above, the norm or
/// the dot product may overflow. Below, underflow may cost digits: each of *n* squares loses up to 2⁻¹⁵⁰.
const LEAST: f32 = f32::from_bits((127 - 100) << 23);
const GREATEST: f32 = f32::from_bits((127 + 127) << 23);

/// Whether a vector with this squared norm has it, and its dot products with other such vectors, to full precision.
/// Not if it is NaN.
#[inline(always)] // compiled anew for each instruction set
pub(crate) fn is_sound(squared_norm: f32) -> bool {
    // The bits of positive floats order like integers, and those of NaN are beyond: one comparison
    // instead of two.
    squared_norm.to_bits().wrapping_sub(LEAST.to_bits()) <= GREATEST.to_bits() - LEAST.to_bits()
}

/// `1 − a·b / √(‖a‖²·‖b‖²)` from the three lane sums; see [`cosine_of`].
///
/// Where a squared norm is less than 2⁻¹⁰⁰, greater than 2¹²⁷ or NaN, the sums are taken again over vectors that are
/// each multiplied by a power of two: the one that brings its largest magnitude into `1…2`. (The product is rounded
/// once to f32; only elements that vanish beside the largest lose digits.) A zero vector gives 1; NaN or
/// an infinity in either vector gives NaN.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    cosine_by(a.len(), |i| a[i], |i| b[i])
}

/// The same of the `len` numbers that `a` and `b` give.
pub(crate) fn cosine_by(len: usize, a: impl Fn(usize) -> f32, b: impl Fn(usize) -> f32) -> f32 {
    let [dot, aa, bb] = sums(len, &a, &b);
    if is_sound(aa) && is_sound(bb) { cosine_of(dot, aa, bb) } else { rescaled_cosine(len, &a, &b) }
}

/// The cosine of vectors of which one has a squared norm that is not sound. Seldom needed, and so compiled once
/// for all elements.
#[cold]
pub(crate) fn rescaled_cosine(
    len: usize,
    a: &dyn Fn(usize) -> f32,
    b: &dyn Fn(usize) -> f32,
) -> f32 {
    let (largest_a, largest_b) = (largest(len, a), largest(len, b));
    if !(largest_a.is_finite() && largest_b.is_finite()) {
        return f32::NAN;
    }
    if largest_a == 0.0 || largest_b == 0.0 {
        return 1.0;
    }
    let (scale_a, scale_b) = (inverse_power_of_two(largest_a), inverse_power_of_two(largest_b));
    let scaled_a = |i| (f64::from(a(i)) * scale_a) as f32;
    let scaled_b = |i| (f64::from(b(i)) * scale_b) as f32;
    let [dot, aa, bb] = sums(len, &scaled_a, &scaled_b);
    cosine_of(dot, aa, bb)
}

/// The dot product and both squared norms.
fn sums(len: usize, a: &impl Fn(usize) -> f32, b: &impl Fn(usize) -> f32) -> [f32; 3] {
    [
        lane_sum(len, |i| (a(i), b(i)), mul_add),
        lane_sum(len, |i| (a(i), a(i)), mul_add),
        lane_sum(len, |i| (b(i), b(i)), mul_add),
    ]
}

/// The largest magnitude; NaN if there is one.
fn largest(len: usize, x: &dyn Fn(usize) -> f32) -> f32 {
    // The bits of magnitudes order like integers, NaN last.
    f32::from_bits((0..len).map(|i| x(i).abs().to_bits()).max().unwrap_or(0))
}

/// 2⁻ᵉ, where `x`, finite and positive, lies in 2ᵉ…2ᵉ⁺¹. In f64: of a subnormal `x` it leaves the range of f32.
fn inverse_power_of_two(x: f32) -> f64 {
    let exponent = f64::from(x).to_bits() >> 52; // biased by 1023; every f32 is a normal f64
    f64::from_bits((2 * 1023 - exponent) << 52)
}

/// The last step of the cosine distance, in f64 (at norms of 1e-12 or 1e15 the product of the squared norms
/// leaves the range of f32). A squared norm of zero gives 1; NaN wins over both.
///
/// Where the three sums are equal the distance is exactly 0: the root of a number's square is that number,
/// even if the square was rounded.
pub fn cosine_of(dot: f32, aa: f32, bb: f32) -> f32 {
    cosine_in_f64(dot.into(), aa.into(), bb.into())
}

pub(super) fn cosine_in_f64(dot: f64, aa: f64, bb: f64) -> f32 {
    let norms = aa * bb;
    if norms == 0.0 {
        return 1.0;
    }
    cosine_under(dot, norms)
}

/// That of sound sums, which are not zero.
#[inline(always)] // compiled anew for each instruction set
pub(crate) fn cosine_of_sound(dot: f32, aa: f32, bb: f32) -> f32 {
    cosine_under(dot.into(), f64::from(aa) * f64::from(bb))
}

/// That of vectors that are not zero.
#[inline(always)] // compiled anew for each instruction set
fn cosine_under(dot: f64, norms: f64) -> f32 {
    // clamp keeps NaN.
    (1.0 - dot / sqrt_f64(norms)).clamp(0.0, 2.0) as f32
}

/// The same as [`cosine_of`] for one query and the dot products and squared norms of many rows. Without a
/// branch, so that it is compiled for vectors.
#[inline(always)] // compiled anew for each instruction set
pub(crate) fn cosines_of<S: Copy + Into<f64>>(aa: f64, rows: &[[S; 2]], out: &mut [f32]) {
    for (out, &[dot, bb]) in out.iter_mut().zip(rows) {
        let norms = aa * bb.into();
        let distance = cosine_under(dot.into(), norms);
        *out = if norms == 0.0 { 1.0 } else { distance };
    }
}
