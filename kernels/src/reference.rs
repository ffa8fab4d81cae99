//! The specification: every distance in plain scalar code. The fast kernels equal it to the bit.
//!
//! A float sum has [`LANES`] lanes. Element *i* belongs to lane *i mod 64*; each lane accumulates in
//! index order with a fused multiply-add (or an addition for Manhattan); a tail is padded with zeros
//! and accumulated like the rest; then the lanes are folded in halves, 64→32→16→8→4→2→1.

/// Virtual lanes of a float sum: 4 AVX-512 registers, 8 of AVX2, 16 of NEON.
pub const LANES: usize = 64;

/// Sums `step` over the pairs of `a` and `b` by the lane rule. Never −0.0.
fn lane_sum(a: &[f32], b: &[f32], step: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for (i, lane) in lanes.iter_mut().enumerate() {
            let a = a.get(i).copied().unwrap_or(0.0);
            let b = b.get(i).copied().unwrap_or(0.0);
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

/// `Σ (aᵢ − bᵢ)²`.
pub fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(a, b, |a, b, sum| {
        let d = a - b;
        d.mul_add(d, sum)
    })
}

/// `Σ aᵢ·bᵢ`.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(a, b, f32::mul_add)
}

/// `Σ |aᵢ − bᵢ|`.
pub fn manhattan(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(a, b, |a, b, sum| sum + (a - b).abs())
}

/// `1 − a·b / √(‖a‖²·‖b‖²)` from the three lane sums; see [`cosine_of`].
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    cosine_of(dot(a, b), dot(a, a), dot(b, b))
}

/// The last step of the cosine distance, in f64 (at norms of 1e-12 or 1e15 the product of the
/// squared norms leaves the range of f32). A zero vector gives 1; NaN wins over both.
pub fn cosine_of(dot: f32, aa: f32, bb: f32) -> f32 {
    let norms = f64::from(aa) * f64::from(bb);
    if norms == 0.0 {
        return 1.0;
    }
    // clamp keeps NaN.
    (1.0 - f64::from(dot) / norms.sqrt()).clamp(0.0, 2.0) as f32
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

/// `(union − intersection) / union`, rounded once; two empty sets give 0.
pub fn jaccard_of(union: u64, intersection: u64) -> f32 {
    if union == 0 { 0.0 } else { ((union - intersection) as f64 / union as f64) as f32 }
}
