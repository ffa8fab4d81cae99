//! Counts of bits by VPOPCNTDQ, with a masked load for the last of them.
//!
//! BITALG, which counts the bits of bytes, would add nothing: counts are summed over whole vectors, and
//! no CPU has it alone.
#![allow(unsafe_code, reason = "masked loads take raw pointers; pulp lacks VPOPCNTDQ")]

use core::arch::x86_64::{__m128i, __m512i, _mm512_popcnt_epi64};

use bytemuck::{Pod, cast_slice};
use pulp::x86::V4;

use super::bytes::BLOCK;
use crate::bits::CountBits;

/// The token of AVX-512 with the instruction.
#[derive(Clone, Copy)]
pub(crate) struct Vpopcntdq(pub(crate) V4);

impl Vpopcntdq {
    /// The bits set in each lane.
    #[inline(always)]
    fn count(self, bits: __m512i) -> __m512i {
        // SAFETY: the only functions that hold this token are compiled with the instruction, and called
        // after it was detected.
        unsafe { _mm512_popcnt_epi64(bits) }
    }

    /// The sums of the even and of the odd lanes.
    #[inline(always)]
    fn halved(self, counts: __m512i) -> __m128i {
        let (f, avx2) = (self.0.avx512f, self.0.avx2);
        let upper = f._mm512_extracti64x4_epi64::<1>(counts);
        let four = avx2._mm256_add_epi64(f._mm512_castsi512_si256(counts), upper);
        let upper = avx2._mm256_extracti128_si256::<1>(four);
        self.0.sse2._mm_add_epi64(self.0.avx._mm256_castsi256_si128(four), upper)
    }

    /// The sum of all lanes, in the lowest. To round it there saves the way through a general register
    /// (0.7 ns of 3.3).
    #[inline(always)]
    fn folded(self, counts: __m512i) -> __m128i {
        let (sse2, two) = (self.0.sse2, self.halved(counts));
        sse2._mm_add_epi64(two, sse2._mm_unpackhi_epi64(two, two))
    }

    #[inline(always)]
    fn total(self, counts: __m512i) -> u64 {
        let folded: [u64; 2] = pulp::cast(self.folded(counts));
        folded[0]
    }

    /// The bytes of a tail, shorter than a block, and zeros.
    #[inline(always)]
    fn load_tail(self, tail: &[u8]) -> __m512i {
        let mask = !(u64::MAX << (tail.len() % BLOCK));
        // SAFETY: the mask enables only the bytes of the tail; the others are not read.
        unsafe { self.0.avx512bw._mm512_maskz_loadu_epi8(mask, tail.as_ptr().cast()) }
    }
}

/// The counts of `$bits`, each made of a register of both vectors, spread over lanes.
macro_rules! count {
    ($token:ident, $a:ident, $b:ident, $($bits:ident),+) => {{
        let f = $token.0.avx512f;
        // One length for both, and so one mask.
        let (a, b): (&[u8], &[u8]) = (cast_slice($a), cast_slice($b));
        let ((blocks_a, tail_a), (blocks_b, tail_b)) =
            (a.as_chunks::<BLOCK>(), b[..a.len()].as_chunks::<BLOCK>());
        if blocks_a.is_empty() {
            // Alone: to add it to zeros would take a third longer.
            let (a, b) = ($token.load_tail(tail_a), $token.load_tail(tail_b));
            ($($token.count(f.$bits(a, b))),+)
        } else {
            let (a, b) = (pulp::cast(blocks_a[0]), pulp::cast(blocks_b[0]));
            $(let mut $bits = $token.count(f.$bits(a, b));)+
            // By index: the compiler does not see that both iterators are of one length.
            for i in 1..blocks_a.len() {
                let (a, b) = (pulp::cast(blocks_a[i]), pulp::cast(blocks_b[i]));
                $($bits = f._mm512_add_epi64($bits, $token.count(f.$bits(a, b)));)+
            }
            if !tail_a.is_empty() {
                let (a, b) = ($token.load_tail(tail_a), $token.load_tail(tail_b));
                $($bits = f._mm512_add_epi64($bits, $token.count(f.$bits(a, b)));)+
            }
            ($($bits),+)
        }
    }};
}

/// Vectors of fewer bytes have no count that f32 does not hold.
const COUNTED_BY_F32: usize = 1 << (f32::MANTISSA_DIGITS - 3);

impl<E: Pod> CountBits<E> for Vpopcntdq {
    #[inline(always)]
    fn hamming(self, a: &[E], b: &[E]) -> u64 {
        self.total(count!(self, a, b, _mm512_xor_si512))
    }

    #[inline(always)]
    fn union_intersection(self, a: &[E], b: &[E]) -> (u64, u64) {
        let (union, intersection) = count!(self, a, b, _mm512_or_si512, _mm512_and_si512);
        (self.total(union), self.total(intersection))
    }

    #[inline(always)]
    fn hamming_distance(self, a: &[E], b: &[E]) -> f32 {
        let counts = count!(self, a, b, _mm512_xor_si512);
        let rounded: [f32; 4] = pulp::cast(self.0.avx512dq._mm_cvtepu64_ps(self.folded(counts)));
        rounded[0]
    }

    #[inline(always)]
    fn jaccard_distance(self, a: &[E], b: &[E]) -> f32 {
        let (union, differing) = count!(self, a, b, _mm512_or_si512, _mm512_xor_si512);
        let (f, dq) = (self.0.avx512f, self.0.avx512dq);
        // Both totals in one go.
        let (lower, upper) =
            (f._mm512_unpacklo_epi64(union, differing), f._mm512_unpackhi_epi64(union, differing));
        let totals = self.halved(f._mm512_add_epi64(lower, upper));
        // Two empty sets differ in nothing: 0 / 1.
        if size_of_val(a) < COUNTED_BY_F32 {
            // A quotient of two such numbers is rounded alike once, or to f64 and then to f32.
            let [union, differing, ..]: [f32; 4] = pulp::cast(dq._mm_cvtepu64_ps(totals));
            differing / union.max(1.0)
        } else {
            let [union, differing]: [f64; 2] = pulp::cast(dq._mm_cvtepu64_pd(totals));
            (differing / union.max(1.0)) as f32
        }
    }
}
