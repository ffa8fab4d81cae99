//! What the float kernels need of an instruction set and pulp does not offer, or not fast enough.

use bytemuck::Pod;
use half::{bf16, f16};
use pulp::Simd;

/// A pulp token with loads that widen, each also for the tail of a vector.
///
/// A load takes as many elements as a register has lanes ([`load_bf16_pairs`](Self::load_bf16_pairs)
/// twice as many); that of a tail takes the `at`-th such elements, of which some are missing and count as zero.
pub(crate) trait Isa: Simd {
    /// What a tail is loaded from.
    type Tail<'a, E: Pod>: Tail<'a, E>;

    /// The same of f32.
    type TailF32<'a>: Tail<'a, f32>;

    /// Vector registers to use.
    const REGISTERS: usize = Self::REGISTER_COUNT;

    fn load_f32(self, lanes: &[f32]) -> Self::f32s {
        Self::as_simd_f32s(lanes).0[0]
    }

    /// Unlike the other elements these can be masked on every CPU.
    fn load_tail_f32(self, tail: &Self::TailF32<'_>, at: usize) -> Self::f32s;

    fn load_f16(self, lanes: &[f16]) -> Self::f32s;

    fn load_tail_f16(self, tail: &Self::Tail<'_, f16>, at: usize) -> Self::f32s;

    fn load_bf16(self, lanes: &[bf16]) -> Self::f32s;

    fn load_tail_bf16(self, tail: &Self::Tail<'_, bf16>, at: usize) -> Self::f32s;

    /// Two elements per lane, the even one in the lower half.
    fn load_bf16_pairs(self, lanes: &[bf16]) -> Self::u32s;

    fn load_tail_bf16_pairs(self, tail: &Self::Tail<'_, bf16>, at: usize) -> Self::u32s;

    fn load_u8(self, lanes: &[u8]) -> Self::f32s;

    fn load_tail_u8(self, tail: &Self::Tail<'_, u8>, at: usize) -> Self::f32s;

    fn load_i8(self, lanes: &[i8]) -> Self::f32s;

    fn load_tail_i8(self, tail: &Self::Tail<'_, i8>, at: usize) -> Self::f32s;

    fn shift_left_16(self, lanes: Self::u32s) -> Self::u32s;

    /// The sum of the lanes of a register, folded in halves: lane *i* and lane *i + h* are added, with *h* half of
    /// the lanes, a quarter, … 1.
    fn fold(self, register: Self::f32s) -> f32;

    /// The same of each register.
    #[inline(always)]
    fn fold_each(self, registers: [Self::f32s; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for (sum, register) in sums.iter_mut().zip(registers) {
            *sum = self.fold(register);
        }
        sums
    }
}

/// The elements of a whole register.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn whole<E: Copy, const N: usize>(lanes: &[E]) -> [E; N] {
    *lanes.first_chunk().expect("a register's worth of elements")
}

/// A few elements, fewer than `N`, followed by zeros.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn padded<E: Pod, const N: usize>(part: &[E]) -> [E; N] {
    let mut lanes = [E::zeroed(); N];
    if !part.is_empty() {
        lanes[..part.len()].copy_from_slice(part);
    }
    lanes
}

/// The `at`-th eight elements of a tail, of which some are missing and zero, for instruction sets that
/// cannot mask loads. They are loaded with the elements before them, which are shifted out: a copy would be
/// read before it is stored (AVX2: 23 instead of 9 ns for a pair of 100 f16).
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn rest<E: Pod>(tail: &[E], at: usize) -> [E; 8] {
    let Some(last) = tail.last_chunk::<8>() else { return padded(tail) };
    let missing = (at + 1) * 8 - tail.len();
    match size_of::<E>() {
        1 => bytemuck::cast(bytemuck::cast::<[E; 8], u64>(*last) >> (missing * 8)),
        _ => bytemuck::cast(bytemuck::cast::<[E; 8], u128>(*last) >> (missing * 16)),
    }
}

/// The last, incomplete block of a vector, such that registers can be loaded from it.
pub(crate) trait Tail<'a, E: 'a>: From<&'a [E]> + Copy {
    fn elements(&self) -> &'a [E];

    /// The `at`-th `lanes` elements if all of them are there.
    #[inline(always)]
    fn whole(&self, at: usize, lanes: usize) -> Option<&'a [E]> {
        self.elements().get(at * lanes..(at + 1) * lanes)
    }
}

impl<'a, E> Tail<'a, E> for &'a [E] {
    #[inline(always)]
    fn elements(&self) -> &'a [E] {
        self
    }
}
