//! Widening loads, masked loads and the prefetch hint of x86-64.
#![allow(unsafe_code, reason = "masked loads and prefetches take raw pointers; pulp lacks F16C")]

use core::arch::x86_64::{
    __m128i, __m256, __m256i, __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_cvtph_ps,
};

use bytemuck::Pod;
use half::{bf16, f16};
use pulp::Simd;
use pulp::x86::{V3, V4};

use super::isa::{Isa, Tail, rest, whole};
use crate::bits::CountBits;

/// A tail and the mask of its elements, from which each register takes its part.
#[derive(Clone, Copy)]
pub(crate) struct Masked<'a, E> {
    tail: &'a [E],
    mask: u64,
}

impl<'a, E> From<&'a [E]> for Masked<'a, E> {
    #[inline(always)]
    fn from(tail: &'a [E]) -> Self {
        debug_assert!(tail.len() < 64, "a whole block is no tail");
        Self { tail, mask: !(u64::MAX << (tail.len() % 64)) }
    }
}

impl<E> Masked<'_, E> {
    /// The address of the `at`-th `N` elements, and the mask of those that are there. The address may
    /// lie behind the tail, where the mask is empty.
    #[inline(always)]
    pub(super) fn part<const N: usize>(&self, at: usize) -> (*const E, u64) {
        (self.tail.as_ptr().wrapping_add(at * N), self.mask >> (at * N))
    }
}

impl<'a, E: Copy> Tail<'a, E> for Masked<'a, E> {
    #[inline(always)]
    fn elements(&self) -> &'a [E] {
        self.tail
    }
}

/// Two-byte elements, `N` of which are loaded, at most 32.
#[inline(always)]
fn load_tail_halves<E, const N: usize>(simd: V4, tail: &Masked<'_, E>, at: usize) -> __m512i {
    const { assert!(size_of::<E>() == 2, "elements of two bytes") };
    let (address, mask) = tail.part::<N>(at);
    let mask = (mask & (u64::MAX >> (64 - N))) as u32;
    // SAFETY: the mask enables only elements of the tail; the others are not read.
    unsafe { simd.avx512bw._mm512_maskz_loadu_epi16(mask, address.cast()) }
}

/// 16 bytes.
#[inline(always)]
fn load_tail_bytes<E>(simd: V4, tail: &Masked<'_, E>, at: usize) -> __m128i {
    const { assert!(size_of::<E>() == 1, "elements of one byte") };
    let (address, mask) = tail.part::<16>(at);
    // SAFETY: the mask enables only elements of the tail; the others are not read.
    unsafe { simd.avx512bw._mm_maskz_loadu_epi8(mask as u16, address.cast()) }
}

/// The lower half of a register.
#[inline(always)]
fn lower(simd: V4, register: __m512i) -> __m256i {
    simd.avx512f._mm512_castsi512_si256(register)
}

#[inline(always)]
fn f16_512(simd: V4, halves: __m256i) -> <V4 as Simd>::f32s {
    pulp::cast(simd.avx512f._mm512_cvtph_ps(halves))
}

#[inline(always)]
fn bf16_512(simd: V4, halves: __m256i) -> <V4 as Simd>::f32s {
    let wide = simd.avx512f._mm512_cvtepu16_epi32(halves);
    pulp::cast(simd.avx512f._mm512_slli_epi32::<16>(wide))
}

#[inline(always)]
fn u8_512(simd: V4, codes: __m128i) -> <V4 as Simd>::f32s {
    let wide = simd.avx512f._mm512_cvtepu8_epi32(codes);
    pulp::cast(simd.avx512f._mm512_cvtepi32_ps(wide))
}

#[inline(always)]
fn i8_512(simd: V4, codes: __m128i) -> <V4 as Simd>::f32s {
    let wide = simd.avx512f._mm512_cvtepi8_epi32(codes);
    pulp::cast(simd.avx512f._mm512_cvtepi32_ps(wide))
}

impl Isa for V4 {
    type Tail<'a, E: Pod> = Masked<'a, E>;
    type TailF32<'a> = Masked<'a, f32>;

    #[inline(always)]
    fn load_tail_f32(self, tail: &Masked<'_, f32>, at: usize) -> Self::f32s {
        // pulp's own partial load calls through a table of load sequences (4 ns).
        let (address, mask) = tail.part::<16>(at);
        let mask = pulp::b16(mask as u16);
        // SAFETY: the mask enables only elements of the tail; the others are not read.
        unsafe { self.mask_load_ptr_f32s(mask.into(), address) }
    }

    #[inline(always)]
    fn load_f16(self, lanes: &[f16]) -> Self::f32s {
        f16_512(self, pulp::cast(whole::<f16, 16>(lanes)))
    }

    #[inline(always)]
    fn load_tail_f16(self, tail: &Masked<'_, f16>, at: usize) -> Self::f32s {
        f16_512(self, lower(self, load_tail_halves::<_, 16>(self, tail, at)))
    }

    #[inline(always)]
    fn load_bf16(self, lanes: &[bf16]) -> Self::f32s {
        bf16_512(self, pulp::cast(whole::<bf16, 16>(lanes)))
    }

    #[inline(always)]
    fn load_tail_bf16(self, tail: &Masked<'_, bf16>, at: usize) -> Self::f32s {
        bf16_512(self, lower(self, load_tail_halves::<_, 16>(self, tail, at)))
    }

    #[inline(always)]
    fn load_bf16_pairs(self, lanes: &[bf16]) -> Self::u32s {
        pulp::cast(whole::<bf16, 32>(lanes))
    }

    #[inline(always)]
    fn load_tail_bf16_pairs(self, tail: &Masked<'_, bf16>, at: usize) -> Self::u32s {
        pulp::cast(load_tail_halves::<_, 32>(self, tail, at))
    }

    #[inline(always)]
    fn load_u8(self, lanes: &[u8]) -> Self::f32s {
        u8_512(self, pulp::cast(whole::<u8, 16>(lanes)))
    }

    #[inline(always)]
    fn load_tail_u8(self, tail: &Masked<'_, u8>, at: usize) -> Self::f32s {
        u8_512(self, load_tail_bytes(self, tail, at))
    }

    #[inline(always)]
    fn load_i8(self, lanes: &[i8]) -> Self::f32s {
        i8_512(self, pulp::cast(whole::<i8, 16>(lanes)))
    }

    #[inline(always)]
    fn load_tail_i8(self, tail: &Masked<'_, i8>, at: usize) -> Self::f32s {
        i8_512(self, load_tail_bytes(self, tail, at))
    }

    #[inline(always)]
    fn shift_left_16(self, lanes: Self::u32s) -> Self::u32s {
        pulp::cast(self.avx512f._mm512_slli_epi32::<16>(pulp::cast(lanes)))
    }

    #[inline(always)]
    fn fold(self, register: Self::f32s) -> f32 {
        let f = self.avx512f;
        let lanes: __m512 = pulp::cast(register);
        let upper: __m256 = pulp::cast(f._mm512_extractf64x4_pd::<1>(pulp::cast(lanes)));
        let eight = self.avx._mm256_add_ps(f._mm512_castps512_ps256(lanes), upper);
        Isa::fold(*self, pulp::cast(eight))
    }

    /// All four in the same registers: half the operations of one after another.
    #[inline(always)]
    fn fold_each(self, [a, b, c, d]: [Self::f32s; 4]) -> [f32; 4] {
        let f = self.avx512f;
        let (a, b): (__m512, __m512) = (pulp::cast(a), pulp::cast(b));
        let (c, d): (__m512, __m512) = (pulp::cast(c), pulp::cast(d));
        // Halves of 8 lanes of a and b, and of c and d.
        let halves = |x, y| {
            let lower = f._mm512_shuffle_f32x4::<0b01_00_01_00>(x, y);
            f._mm512_add_ps(lower, f._mm512_shuffle_f32x4::<0b11_10_11_10>(x, y))
        };
        let (ab, cd) = (halves(a, b), halves(c, d));
        // Four lanes of each.
        let lower = f._mm512_shuffle_f32x4::<0b10_00_10_00>(ab, cd);
        let upper = f._mm512_shuffle_f32x4::<0b11_01_11_01>(ab, cd);
        let four = f._mm512_add_ps(lower, upper);
        let two = f._mm512_add_ps(four, f._mm512_permute_ps::<0b00_00_11_10>(four));
        let one = f._mm512_add_ps(two, f._mm512_permute_ps::<0b00_00_00_01>(two));
        let lanes: [f32; 16] = pulp::cast(one);
        [lanes[0], lanes[4], lanes[8], lanes[12]]
    }
}

/// The instruction that pulp's token V3 has no name for.
#[inline(always)]
pub(super) fn f16_256(halves: __m128i) -> __m256 {
    // SAFETY: the only functions that hold a V3 token are compiled with F16C, and called after it was
    // detected (`Backend::Avx2`).
    unsafe { _mm256_cvtph_ps(halves) }
}

#[inline(always)]
pub(super) fn bf16_256(simd: V3, halves: __m128i) -> __m256 {
    let wide = simd.avx2._mm256_cvtepu16_epi32(halves);
    pulp::cast(simd.avx2._mm256_slli_epi32::<16>(wide))
}

#[inline(always)]
pub(super) fn u8_256(simd: V3, codes: __m128i) -> __m256 {
    simd.avx._mm256_cvtepi32_ps(simd.avx2._mm256_cvtepu8_epi32(codes))
}

#[inline(always)]
pub(super) fn i8_256(simd: V3, codes: __m128i) -> __m256 {
    simd.avx._mm256_cvtepi32_ps(simd.avx2._mm256_cvtepi8_epi32(codes))
}

/// Eight bytes in the lower half of a register.
#[inline(always)]
fn eight_bytes<E: Pod>(lanes: [E; 8]) -> __m128i {
    pulp::cast([pulp::cast::<[E; 8], u64>(lanes), 0])
}

impl Isa for V3 {
    type Tail<'a, E: Pod> = &'a [E];
    type TailF32<'a> = &'a [f32];

    #[inline(always)]
    fn load_tail_f32(self, tail: &&[f32], at: usize) -> Self::f32s {
        let tail = &tail[at * 8..];
        /// Eight enabled lanes, then eight disabled ones: a window of it is any mask.
        static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        let first = 8 - tail.len().min(8);
        let mask: [i32; 8] = whole(&MASKS[first..]);
        let mask = pulp::cast(mask);
        // SAFETY: the mask enables only the lanes below `tail.len()`; the others are not read.
        let lanes = unsafe { self.avx._mm256_maskload_ps(tail.as_ptr(), mask) };
        pulp::cast(lanes)
    }

    #[inline(always)]
    fn load_f16(self, lanes: &[f16]) -> Self::f32s {
        pulp::cast(f16_256(pulp::cast(whole::<f16, 8>(lanes))))
    }

    #[inline(always)]
    fn load_tail_f16(self, tail: &&[f16], at: usize) -> Self::f32s {
        self.load_f16(&rest(tail, at))
    }

    #[inline(always)]
    fn load_bf16(self, lanes: &[bf16]) -> Self::f32s {
        pulp::cast(bf16_256(self, pulp::cast(whole::<bf16, 8>(lanes))))
    }

    #[inline(always)]
    fn load_tail_bf16(self, tail: &&[bf16], at: usize) -> Self::f32s {
        self.load_bf16(&rest(tail, at))
    }

    #[inline(always)]
    fn load_bf16_pairs(self, lanes: &[bf16]) -> Self::u32s {
        pulp::cast(whole::<bf16, 16>(lanes))
    }

    #[inline(always)]
    fn load_tail_bf16_pairs(self, tail: &&[bf16], at: usize) -> Self::u32s {
        let (eights, end) = tail[at * 16..].as_chunks::<8>();
        match (eights, end) {
            ([first], []) => pulp::cast([*first, [bf16::ZERO; 8]]),
            ([first], _) => pulp::cast([*first, rest(tail, at * 2 + 1)]),
            _ => pulp::cast([rest(tail, at * 2), [bf16::ZERO; 8]]),
        }
    }

    #[inline(always)]
    fn load_u8(self, lanes: &[u8]) -> Self::f32s {
        pulp::cast(u8_256(self, eight_bytes(whole::<u8, 8>(lanes))))
    }

    #[inline(always)]
    fn load_tail_u8(self, tail: &&[u8], at: usize) -> Self::f32s {
        self.load_u8(&rest(tail, at))
    }

    #[inline(always)]
    fn load_i8(self, lanes: &[i8]) -> Self::f32s {
        pulp::cast(i8_256(self, eight_bytes(whole::<i8, 8>(lanes))))
    }

    #[inline(always)]
    fn load_tail_i8(self, tail: &&[i8], at: usize) -> Self::f32s {
        self.load_i8(&rest(tail, at))
    }

    #[inline(always)]
    fn shift_left_16(self, lanes: Self::u32s) -> Self::u32s {
        pulp::cast(self.avx2._mm256_slli_epi32::<16>(pulp::cast(lanes)))
    }

    #[inline(always)]
    fn fold(self, register: Self::f32s) -> f32 {
        let (sse, lanes): (_, __m256) = (self.sse, pulp::cast(register));
        let upper = self.avx._mm256_extractf128_ps::<1>(lanes);
        let four = sse._mm_add_ps(self.avx._mm256_castps256_ps128(lanes), upper);
        let two = sse._mm_add_ps(four, sse._mm_movehl_ps(four, four));
        let one = sse._mm_add_ss(two, sse._mm_shuffle_ps::<0b00_00_00_01>(two, two));
        sse._mm_cvtss_f32(one)
    }
}

impl<E: Pod> CountBits<E> for V4 {}
impl<E: Pod> CountBits<E> for V3 {}

#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    // SAFETY: a prefetch is a hint; it reads nothing and faults on no address. SSE is part of
    // every x86-64 CPU.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
}
