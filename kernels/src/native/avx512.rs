//! Blocks of bytes in AVX-512: one register each.
#![allow(unsafe_code, reason = "masked loads take raw pointers; pulp lacks VPDPBUSD")]

use core::arch::x86_64::{__m512i, _mm512_dpbusd_epi32};

use pulp::x86::V4;

use crate::integer::Integer;

use super::bytes::{BLOCK, Bytes};
use super::vnni::Dpbusd;

/// The even and the odd elements, in 16 bits each.
#[inline(always)]
fn widen<E: Integer>(simd: V4, block: __m512i) -> [__m512i; 2] {
    let bw = simd.avx512bw;
    if E::SIGNED {
        let even = bw._mm512_srai_epi16::<8>(bw._mm512_slli_epi16::<8>(block));
        [even, bw._mm512_srai_epi16::<8>(block)]
    } else {
        let low = simd.avx512f._mm512_set1_epi16(0x00ff);
        [simd.avx512f._mm512_and_si512(block, low), bw._mm512_srli_epi16::<8>(block)]
    }
}

impl Bytes for V4 {
    type Block = __m512i;
    type Sums = __m512i;
    const CHAINS: usize = 1;
    const TILE: (usize, usize) = (4, 4);

    #[inline(always)]
    fn zero(self) -> __m512i {
        self.avx512f._mm512_setzero_si512()
    }

    #[inline(always)]
    fn load(self, block: &[u8; BLOCK]) -> __m512i {
        pulp::cast(*block)
    }

    #[inline(always)]
    fn load_tail(self, vector: &[u8]) -> __m512i {
        let tail = vector.as_chunks::<BLOCK>().1;
        let mask = (1 << tail.len()) - 1;
        // SAFETY: the mask enables only the lanes below `tail.len()`; the others are not read.
        unsafe { self.avx512bw._mm512_maskz_loadu_epi8(mask, tail.as_ptr().cast()) }
    }

    #[inline(always)]
    fn add_products<E: Integer>(self, a: __m512i, b: __m512i, mut sums: __m512i) -> __m512i {
        let (a, b) = (widen::<E>(self, a), widen::<E>(self, b));
        for half in 0..2 {
            sums = self.add(sums, self.avx512bw._mm512_madd_epi16(a[half], b[half]));
        }
        sums
    }

    #[inline(always)]
    fn difference<E: Integer>(self, a: __m512i, b: __m512i) -> __m512i {
        let bw = self.avx512bw;
        let (greater, less) = if E::SIGNED {
            (bw._mm512_max_epi8(a, b), bw._mm512_min_epi8(a, b))
        } else {
            (bw._mm512_max_epu8(a, b), bw._mm512_min_epu8(a, b))
        };
        bw._mm512_sub_epi8(greater, less)
    }

    #[inline(always)]
    fn add_differences<E: Integer>(self, a: __m512i, b: __m512i, sums: __m512i) -> __m512i {
        let (a, b) = if E::SIGNED { (self.flip(a), self.flip(b)) } else { (a, b) };
        self.add(sums, self.avx512bw._mm512_sad_epu8(a, b))
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_add_epi32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: __m512i) -> i32 {
        self.avx512f._mm512_reduce_add_epi32(sums)
    }

    #[inline(always)]
    fn totals(self, [a, b, c, d]: [__m512i; 4]) -> [i32; 4] {
        let f = self.avx512f;
        let ab = self.add(f._mm512_unpacklo_epi32(a, b), f._mm512_unpackhi_epi32(a, b));
        let cd = self.add(f._mm512_unpacklo_epi32(c, d), f._mm512_unpackhi_epi32(c, d));
        // Each 128 bits hold a part of the four totals.
        let all = self.add(f._mm512_unpacklo_epi64(ab, cd), f._mm512_unpackhi_epi64(ab, cd));
        let two = self
            .avx2
            ._mm256_add_epi32(f._mm512_castsi512_si256(all), f._mm512_extracti64x4_epi64::<1>(all));
        let upper = self.avx2._mm256_extracti128_si256::<1>(two);
        pulp::cast(self.sse2._mm_add_epi32(self.avx._mm256_castsi256_si128(two), upper))
    }
}

/// On CPUs with AVX512_VNNI: the only functions that hold a `Vnni<V4>` are compiled with it.
impl Dpbusd for V4 {
    #[inline(always)]
    fn dpbusd(self, sums: __m512i, unsigned: __m512i, signed: __m512i) -> __m512i {
        // SAFETY: called by `Vnni` only, whose functions are called after the feature was detected.
        unsafe { _mm512_dpbusd_epi32(sums, unsigned, signed) }
    }

    #[inline(always)]
    fn subtract(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_sub_epi32(a, b)
    }

    #[inline(always)]
    fn flip(self, block: __m512i) -> __m512i {
        self.avx512f._mm512_xor_si512(block, self.flipped_zero())
    }

    #[inline(always)]
    fn flipped_zero(self) -> __m512i {
        self.avx512f._mm512_set1_epi8(i8::MIN)
    }
}
