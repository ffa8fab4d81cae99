//! Counts of bits by VPOPCNTDQ, with a masked load for the last of them.
//!
//! BITALG, which counts the bits of bytes, would add nothing: counts are summed over whole vectors, and
//! no CPU has it alone.
#![allow(unsafe_code, reason = "masked loads take raw pointers; pulp lacks VPOPCNTDQ")]

use core::arch::x86_64::{__m512i, _mm512_popcnt_epi64};

use bytemuck::{Pod, cast_slice};
use pulp::x86::V4;

use super::bytes::BLOCK;
use crate::bits::CountBits;

/// The token of AVX-512 with the instruction.
#[derive(Clone, Copy)]
pub(crate) struct Vpopcntdq(pub(crate) V4);

impl Vpopcntdq {
    #[inline(always)]
    fn add_count(self, sum: __m512i, bits: __m512i) -> __m512i {
        // SAFETY: the only functions that hold this token are compiled with the instruction, and called
        // after it was detected.
        let counts = unsafe { _mm512_popcnt_epi64(bits) };
        self.0.avx512f._mm512_add_epi64(sum, counts)
    }

    /// The bytes of a tail, shorter than a block, and zeros.
    #[inline(always)]
    fn load_tail(self, tail: &[u8]) -> __m512i {
        let mask = !(u64::MAX << (tail.len() % BLOCK));
        // SAFETY: the mask enables only the bytes of the tail; the others are not read.
        unsafe { self.0.avx512bw._mm512_maskz_loadu_epi8(mask, tail.as_ptr().cast()) }
    }
}

/// Sums the counts of `$bits`, each made of a register of both vectors.
macro_rules! count {
    ($token:ident, $a:ident, $b:ident, $($bits:ident),+) => {{
        let f = $token.0.avx512f;
        let (blocks_a, tail_a) = $a.as_chunks::<BLOCK>();
        let (blocks_b, tail_b) = $b[..$a.len()].as_chunks::<BLOCK>();
        $(let mut $bits = f._mm512_setzero_si512();)+
        for (a, b) in blocks_a.iter().zip(blocks_b) {
            let (a, b) = (pulp::cast(*a), pulp::cast(*b));
            $($bits = $token.add_count($bits, f.$bits(a, b));)+
        }
        if !tail_a.is_empty() {
            let (a, b) = ($token.load_tail(tail_a), $token.load_tail(tail_b));
            $($bits = $token.add_count($bits, f.$bits(a, b));)+
        }
        ($(total($bits)),+)
    }};
}

#[inline(always)]
fn total(sums: __m512i) -> u64 {
    let sums: [u64; 8] = pulp::cast(sums);
    sums.iter().sum()
}

impl<E: Pod> CountBits<E> for Vpopcntdq {
    #[inline(always)]
    fn hamming(self, a: &[E], b: &[E]) -> u64 {
        let (a, b): (&[u8], &[u8]) = (cast_slice(a), cast_slice(b));
        count!(self, a, b, _mm512_xor_si512)
    }

    #[inline(always)]
    fn union_intersection(self, a: &[E], b: &[E]) -> (u64, u64) {
        let (a, b): (&[u8], &[u8]) = (cast_slice(a), cast_slice(b));
        count!(self, a, b, _mm512_or_si512, _mm512_and_si512)
    }
}
