//! The specification: every distance in plain scalar code. The fast kernels equal it to the bit.
//!
//! A float sum has [`LANES`] lanes. Element *i* belongs to lane *i mod 64*; each lane accumulates in
//! index order with a fused multiply-add (or an addition for Manhattan); a tail is padded with zeros
//! and accumulated like the rest; then the lanes are folded in halves, 64→32→16→8→4→2→1.

use crate::math::{mul_add, sqrt_f32, sqrt_f64};

pub mod integers;

/// Virtual lanes of a float sum: 4 AVX-512 registers, 8 of AVX2, 16 of NEON.
pub const LANES: usize = 64;

/// Sums `step` over the pairs that `pair` gives for 0…`len` by the lane rule. Never −0.0.
pub(crate) fn lane_sum(
    len: usize,
    pair: impl Fn(usize) -> (f32, f32),
    step: impl Fn(f32, f32, f32) -> f32,
) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for block in 0..len.div_ceil(LANES) {
        for (i, lane) in lanes.iter_mut().enumerate() {
            let i = block * LANES + i;
            let (a, b) = if i < len { pair(i) } else { (0.0, 0.0) };
            *lane = step(a, b, *lane);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    // A lane can underflow to −0.0. Adding +0.0 makes the sign of a zero sum unobservable, so that a
    // kernel may skip registers that hold padding only.
    lanes[0] + 0.0
}

/// One step of a sum of squared differences.
pub(crate) fn squared_difference(a: f32, b: f32, sum: f32) -> f32 {
    let d = a - b;
    mul_add(d, d, sum)
}

/// One step of a sum of magnitudes of differences.
pub(crate) fn difference(a: f32, b: f32, sum: f32) -> f32 {
    sum + (a - b).abs()
}

/// `Σ (aᵢ − bᵢ)²`.
pub fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(a.len(), |i| (a[i], b[i]), squared_difference)
}

/// `√Σ (aᵢ − bᵢ)²`.
pub fn l2(a: &[f32], b: &[f32]) -> f32 {
    sqrt_f32(l2_squared(a, b))
}

/// `Σ aᵢ·bᵢ`.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(a.len(), |i| (a[i], b[i]), mul_add)
}

/// `Σ |aᵢ − bᵢ|`.
pub fn manhattan(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(a.len(), |i| (a[i], b[i]), difference)
}

/// `1 − a·b / √(‖a‖²·‖b‖²)` from the three lane sums; see [`cosine_of`].
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    cosine_of(dot(a, b), dot(a, a), dot(b, b))
}

/// The last step of the cosine distance, in f64 (at norms of 1e-12 or 1e15 the product of the
/// squared norms leaves the range of f32). A zero vector gives 1; NaN wins over both.
pub fn cosine_of(dot: f32, aa: f32, bb: f32) -> f32 {
    cosine_in_f64(dot.into(), aa.into(), bb.into())
}

fn cosine_in_f64(dot: f64, aa: f64, bb: f64) -> f32 {
    let norms = aa * bb;
    if norms == 0.0 {
        return 1.0;
    }
    cosine_under(dot, norms)
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

/// Number of bits that differ.
#[inline(always)] // compiled anew for each instruction set
pub fn hamming(a: &[u64], b: &[u64]) -> u64 {
    a.iter().zip(b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum()
}

/// `(union, intersection)` of the set bits.
#[inline(always)] // compiled anew for each instruction set
pub fn union_intersection(a: &[u64], b: &[u64]) -> (u64, u64) {
    a.iter().zip(b).fold((0, 0), |(union, intersection), (a, b)| {
        (union + u64::from((a | b).count_ones()), intersection + u64::from((a & b).count_ones()))
    })
}

/// Number of bits that differ.
#[inline(always)] // compiled anew for each instruction set
pub fn hamming_bytes(a: &[u8], b: &[u8]) -> u64 {
    let ((a, last_a), (b, last_b)) = (words(a), words(b));
    let whole = a.iter().zip(b).map(|(a, b)| differing(*a, *b)).sum::<u64>();
    whole + differing(last_a, last_b)
}

#[inline(always)]
fn differing(a: [u8; 8], b: [u8; 8]) -> u64 {
    u64::from((u64::from_le_bytes(a) ^ u64::from_le_bytes(b)).count_ones())
}

/// `(union, intersection)` of the set bits.
#[inline(always)] // compiled anew for each instruction set
pub fn union_intersection_bytes(a: &[u8], b: &[u8]) -> (u64, u64) {
    let ((a, last_a), (b, last_b)) = (words(a), words(b));
    let step = |(union, intersection), (a, b): (&[u8; 8], &[u8; 8])| {
        let (a, b) = (u64::from_le_bytes(*a), u64::from_le_bytes(*b));
        (union + u64::from((a | b).count_ones()), intersection + u64::from((a & b).count_ones()))
    };
    step(a.iter().zip(b).fold((0, 0), step), (&last_a, &last_b))
}

/// Words of eight bytes, and what is left with zeros behind it. (Apart: a chain of both is not
/// vectorised, and 8 times as slow.)
#[inline(always)]
fn words(bytes: &[u8]) -> (&[[u8; 8]], [u8; 8]) {
    let (words, rest) = bytes.as_chunks();
    let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
    (words, last.to_le_bytes())
}

/// `(union − intersection) / union`, rounded once; two empty sets give 0.
pub fn jaccard_of(union: u64, intersection: u64) -> f32 {
    if union == 0 { 0.0 } else { ((union - intersection) as f64 / union as f64) as f32 }
}
