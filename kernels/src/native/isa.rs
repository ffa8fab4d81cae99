//! What the float kernels need of an instruction set and pulp does not offer, or not fast enough.

use half::{bf16, f16};
use pulp::Simd;

/// A pulp token with loads that widen, each also for the tail of a vector.
///
/// A load takes as many elements as a register has lanes ([`load_bf16_pairs`](Self::load_bf16_pairs)
/// twice as many). A partial load takes the first of `part`, as many as there are and fit; the rest of
/// the register is zero.
pub(crate) trait Isa: Simd {
    fn load_f32(self, lanes: &[f32]) -> Self::f32s {
        Self::as_simd_f32s(lanes).0[0]
    }

    fn load_part_f32(self, part: &[f32]) -> Self::f32s;

    fn load_f16(self, lanes: &[f16]) -> Self::f32s;

    fn load_part_f16(self, part: &[f16]) -> Self::f32s;

    fn load_bf16(self, lanes: &[bf16]) -> Self::f32s;

    fn load_part_bf16(self, part: &[bf16]) -> Self::f32s;

    /// Two elements per lane, the even one in the lower half.
    fn load_bf16_pairs(self, lanes: &[bf16]) -> Self::u32s;

    fn load_part_bf16_pairs(self, part: &[bf16]) -> Self::u32s;

    fn load_u8(self, lanes: &[u8]) -> Self::f32s;

    fn load_part_u8(self, part: &[u8]) -> Self::f32s;

    fn load_i8(self, lanes: &[i8]) -> Self::f32s;

    fn load_part_i8(self, part: &[i8]) -> Self::f32s;

    fn shift_left_16(self, lanes: Self::u32s) -> Self::u32s;
}

/// The first elements of `part`, followed by zeros.
#[inline(always)]
pub(super) fn padded<E: Copy + Default, const N: usize>(part: &[E]) -> [E; N] {
    let mut lanes = [E::default(); N];
    for (lane, element) in lanes.iter_mut().zip(part) {
        *lane = *element;
    }
    lanes
}

/// The elements of a whole register.
#[inline(always)]
pub(super) fn whole<E: Copy, const N: usize>(lanes: &[E]) -> [E; N] {
    *lanes.first_chunk().expect("a register's worth of elements")
}
