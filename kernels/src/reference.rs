//! The specification: every distance in plain scalar code. The fast kernels equal it to the bit.
//!
//! A float sum has [`LANES`] lanes. Element *i* belongs to lane *i mod 64*; each lane accumulates in
//! index order with a fused multiply-add (or an addition for Manhattan); a tail is padded with zeros
//! and accumulated like the rest; then the lanes are folded in halves, 64→32→16→8→4→2→1.

use crate::math::{mul_add, sqrt_f32};

mod cosine;
pub mod integers;
mod lane_rule;

pub use cosine::{cosine, cosine_of};
pub(crate) use cosine::{cosine_by, cosine_of_sound, cosines_of, is_sound, rescaled_cosine};
pub use lane_rule::LANES;
pub(crate) use lane_rule::{difference, lane_sum, squared_difference};

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
