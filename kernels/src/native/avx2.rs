//! Blocks of bytes in AVX2: two registers each, and one of sums.
#![allow(unsafe_code, reason = "pulp lacks VPDPBUSD")]

use core::arch::x86_64::{__m256i, _mm256_dpbusd_avx_epi32};

use pulp::x86::V3;

use crate::integer::Integer;

use super::bytes::{BLOCK, Bytes};
use super::isa::{padded, whole};
use super::vnni::Dpbusd;

/// Bytes in a register.
const WIDTH: usize = 32;

/// The even and the odd elements, in 16 bits each.
#[inline(always)]
fn widen<E: Integer>(simd: V3, register: __m256i) -> [__m256i; 2] {
    let avx2 = simd.avx2;
    if E::SIGNED {
        let even = avx2._mm256_srai_epi16::<8>(avx2._mm256_slli_epi16::<8>(register));
        [even, avx2._mm256_srai_epi16::<8>(register)]
    } else {
        let low = simd.avx._mm256_set1_epi16(0x00ff);
        [avx2._mm256_and_si256(register, low), avx2._mm256_srli_epi16::<8>(register)]
    }
}

/// The last `len` bytes of `vector`, less than a register, and zeros.
#[inline(always)]
fn load_last(simd: V3, vector: &[u8], len: usize) -> __m256i {
    /// Disabled lanes, then enabled ones: a window of it is any mask.
    static MASKS: [[u8; WIDTH]; 2] = [[0; WIDTH], [0xff; WIDTH]];
    match vector.last_chunk::<WIDTH>() {
        // Of a whole register that ends where the vector does, what was not seen before.
        Some(last) => {
            let mask: [u8; WIDTH] = whole(&MASKS.as_flattened()[len..]);
            simd.avx2._mm256_and_si256(pulp::cast(*last), pulp::cast(mask))
        }
        None => pulp::cast(short(&vector[vector.len() - len..])),
    }
}

/// Less than a register of bytes, and zeros. Not inlined: the loop made the kernels around it twice
/// as slow, also for vectors that are not short.
#[cold]
#[inline(never)]
fn short(vector: &[u8]) -> [u8; WIDTH] {
    padded(vector)
}

impl Bytes for V3 {
    type Block = [__m256i; 2];
    type Sums = __m256i;
    const CHAINS: usize = 1;
    const TILE: (usize, usize) = (2, 4);

    #[inline(always)]
    fn zero(self) -> __m256i {
        self.avx._mm256_setzero_si256()
    }

    #[inline(always)]
    fn load(self, block: &[u8; BLOCK]) -> [__m256i; 2] {
        pulp::cast(*block)
    }

    #[inline(always)]
    fn load_tail(self, vector: &[u8]) -> [__m256i; 2] {
        let tail = vector.as_chunks::<BLOCK>().1;
        match tail.split_first_chunk::<WIDTH>() {
            Some((first, rest)) => [pulp::cast(*first), load_last(self, vector, rest.len())],
            None => [load_last(self, vector, tail.len()), self.zero()],
        }
    }

    #[inline(always)]
    fn add_products<E: Integer>(
        self,
        a: [__m256i; 2],
        b: [__m256i; 2],
        mut sums: __m256i,
    ) -> __m256i {
        for (a, b) in a.into_iter().zip(b) {
            let (a, b) = (widen::<E>(self, a), widen::<E>(self, b));
            for half in 0..2 {
                sums = self.add(sums, self.avx2._mm256_madd_epi16(a[half], b[half]));
            }
        }
        sums
    }

    #[inline(always)]
    fn difference<E: Integer>(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        let avx2 = self.avx2;
        let mut difference = a;
        for (a, b) in difference.iter_mut().zip(b) {
            let (greater, less) = if E::SIGNED {
                (avx2._mm256_max_epi8(*a, b), avx2._mm256_min_epi8(*a, b))
            } else {
                (avx2._mm256_max_epu8(*a, b), avx2._mm256_min_epu8(*a, b))
            };
            *a = avx2._mm256_sub_epi8(greater, less);
        }
        difference
    }

    #[inline(always)]
    fn add_differences<E: Integer>(
        self,
        a: [__m256i; 2],
        b: [__m256i; 2],
        mut sums: __m256i,
    ) -> __m256i {
        let (a, b) = if E::SIGNED { (self.flip(a), self.flip(b)) } else { (a, b) };
        for (a, b) in a.into_iter().zip(b) {
            sums = self.add(sums, self.avx2._mm256_sad_epu8(a, b));
        }
        sums
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_add_epi32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: __m256i) -> i32 {
        let (sse2, upper) = (self.sse2, self.avx2._mm256_extracti128_si256::<1>(sums));
        let four = sse2._mm_add_epi32(self.avx._mm256_castsi256_si128(sums), upper);
        let two = sse2._mm_add_epi32(four, sse2._mm_shuffle_epi32::<0b01_00_11_10>(four));
        let one = sse2._mm_add_epi32(two, sse2._mm_shuffle_epi32::<0b10_11_00_01>(two));
        sse2._mm_cvtsi128_si32(one)
    }

    #[inline(always)]
    fn totals(self, [a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
        let avx2 = self.avx2;
        let (ab, cd) = (avx2._mm256_hadd_epi32(a, b), avx2._mm256_hadd_epi32(c, d));
        let all = avx2._mm256_hadd_epi32(ab, cd);
        let (lower, upper) =
            (self.avx._mm256_castsi256_si128(all), avx2._mm256_extracti128_si256::<1>(all));
        pulp::cast(self.sse2._mm_add_epi32(lower, upper))
    }
}

/// On CPUs with AVX-VNNI: the only functions that hold a `Vnni<V3>` are compiled with it.
impl Dpbusd for V3 {
    #[inline(always)]
    fn dpbusd(self, mut sums: __m256i, unsigned: [__m256i; 2], signed: [__m256i; 2]) -> __m256i {
        for (unsigned, signed) in unsigned.into_iter().zip(signed) {
            // SAFETY: called by `Vnni` only, whose functions are called after the feature was detected.
            sums = unsafe { _mm256_dpbusd_avx_epi32(sums, unsigned, signed) };
        }
        sums
    }

    #[inline(always)]
    fn subtract(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_sub_epi32(a, b)
    }

    #[inline(always)]
    fn flip(self, block: [__m256i; 2]) -> [__m256i; 2] {
        let [zero, _] = self.flipped_zero();
        let [low, high] = block;
        [self.avx2._mm256_xor_si256(low, zero), self.avx2._mm256_xor_si256(high, zero)]
    }

    #[inline(always)]
    fn flipped_zero(self) -> [__m256i; 2] {
        [self.avx._mm256_set1_epi8(i8::MIN); 2]
    }
}
