//! AVX-512 in registers of 256 bits: twice as many of them as AVX2 has, and masks.
//!
//! For CPUs whose instructions of 512 bits take twice the time and more. Of those, AMD's Zen 4 widens
//! f16 from memory in 0.5 cycles into 256 bits, but in 1.6 into 512 (docs/adr/0008-elements-that-widen.md).
#![allow(unsafe_code, reason = "masked loads take raw pointers")]

use core::arch::x86_64::{
    __m128i, _mm_maskz_loadu_epi8, _mm_maskz_loadu_epi16, _mm256_maskz_loadu_epi16,
    _mm256_maskz_loadu_ps,
};

use bytemuck::Pod;
use half::{bf16, f16};
use pulp::x86::V3_256b;

use super::isa::Isa;
use super::x86::{Masked, bf16_256, f16_256, i8_256, u8_256};

/// Pulp's second token of 256-bit registers. The only functions that hold one are compiled with all of
/// the backend AVX-512, and called after it was detected.
pub(crate) type Narrow = V3_256b;

/// Eight elements of two bytes.
#[inline(always)]
fn load_tail_halves<E>(tail: &Masked<'_, E>, at: usize) -> __m128i {
    const { assert!(size_of::<E>() == 2, "elements of two bytes") };
    let (address, mask) = tail.part::<8>(at);
    // SAFETY: the mask enables only elements of the tail; the others are not read. For the
    // instruction see `Narrow`.
    unsafe { _mm_maskz_loadu_epi16(mask as u8, address.cast()) }
}

/// Eight elements of one byte.
#[inline(always)]
fn load_tail_bytes<E>(tail: &Masked<'_, E>, at: usize) -> __m128i {
    const { assert!(size_of::<E>() == 1, "elements of one byte") };
    let (address, mask) = tail.part::<8>(at);
    // SAFETY: as for `load_tail_halves`.
    unsafe { _mm_maskz_loadu_epi8((mask & 0xff) as u16, address.cast()) }
}

impl Isa for Narrow {
    type Tail<'a, E: Pod> = Masked<'a, E>;
    type TailF32<'a> = Masked<'a, f32>;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn load_tail_f32(self, tail: &Masked<'_, f32>, at: usize) -> Self::f32s {
        let (address, mask) = tail.part::<8>(at);
        // SAFETY: as for `load_tail_halves`.
        pulp::cast(unsafe { _mm256_maskz_loadu_ps(mask as u8, address) })
    }

    #[inline(always)]
    fn load_f16(self, lanes: &[f16]) -> Self::f32s {
        self.0.load_f16(lanes)
    }

    #[inline(always)]
    fn load_tail_f16(self, tail: &Masked<'_, f16>, at: usize) -> Self::f32s {
        pulp::cast(f16_256(load_tail_halves(tail, at)))
    }

    #[inline(always)]
    fn load_bf16(self, lanes: &[bf16]) -> Self::f32s {
        self.0.load_bf16(lanes)
    }

    #[inline(always)]
    fn load_tail_bf16(self, tail: &Masked<'_, bf16>, at: usize) -> Self::f32s {
        pulp::cast(bf16_256(self.0, load_tail_halves(tail, at)))
    }

    #[inline(always)]
    fn load_bf16_pairs(self, lanes: &[bf16]) -> Self::u32s {
        self.0.load_bf16_pairs(lanes)
    }

    #[inline(always)]
    fn load_tail_bf16_pairs(self, tail: &Masked<'_, bf16>, at: usize) -> Self::u32s {
        let (address, mask) = tail.part::<16>(at);
        // SAFETY: as for `load_tail_halves`.
        pulp::cast(unsafe { _mm256_maskz_loadu_epi16(mask as u16, address.cast()) })
    }

    #[inline(always)]
    fn load_u8(self, lanes: &[u8]) -> Self::f32s {
        self.0.load_u8(lanes)
    }

    #[inline(always)]
    fn load_tail_u8(self, tail: &Masked<'_, u8>, at: usize) -> Self::f32s {
        pulp::cast(u8_256(self.0, load_tail_bytes(tail, at)))
    }

    #[inline(always)]
    fn load_i8(self, lanes: &[i8]) -> Self::f32s {
        self.0.load_i8(lanes)
    }

    #[inline(always)]
    fn load_tail_i8(self, tail: &Masked<'_, i8>, at: usize) -> Self::f32s {
        pulp::cast(i8_256(self.0, load_tail_bytes(tail, at)))
    }

    #[inline(always)]
    fn shift_left_16(self, lanes: Self::u32s) -> Self::u32s {
        self.0.shift_left_16(lanes)
    }

    #[inline(always)]
    fn fold(self, register: Self::f32s) -> f32 {
        self.0.fold(register)
    }
}
