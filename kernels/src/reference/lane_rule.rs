//! The lane rule: the order in which a float sum is taken.

use crate::math::mul_add;

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
