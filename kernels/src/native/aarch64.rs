//! Widening loads and the prefetch hint of AArch64.
#![allow(unsafe_code, reason = "lines of assembly for what std has not stabilised")]

use core::arch::aarch64::{
    float32x4_t, uint16x4_t, vcvtq_f32_s32, vcvtq_f32_u32, vget_low_s16, vget_low_u16, vmovl_s8,
    vmovl_s16, vmovl_u8, vmovl_u16, vshll_n_u16, vshlq_n_u32,
};
use core::arch::asm;

use bytemuck::Pod;
use half::{bf16, f16};
use pulp::aarch64::Neon;

use super::isa::{Isa, rest, whole};
use crate::bits::CountBits;

/// Four f16 as f32; `vcvt_f32_f16` needs the unstable type `f16`.
#[inline(always)]
fn f16_128(halves: uint16x4_t) -> float32x4_t {
    let lanes;
    // SAFETY: the instruction is part of every AArch64 CPU with NEON, and touches registers only.
    unsafe {
        asm!(
            "fcvtl {lanes:v}.4s, {halves:v}.4h",
            lanes = lateout(vreg) lanes,
            halves = in(vreg) halves,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    lanes
}

/// Four bytes, followed by zeros.
#[inline(always)]
fn four_bytes(lanes: [u8; 4]) -> u64 {
    u64::from(u32::from_le_bytes(lanes))
}

/// The `at`-th four elements of a tail, of which some are missing and zero.
#[inline(always)]
fn four<E: Pod>(tail: &[E], at: usize) -> [E; 4] {
    whole(&rest(tail, at / 2)[at % 2 * 4..])
}

impl Isa for Neon {
    type Tail<'a, E: Pod> = &'a [E];
    type TailF32<'a> = &'a [f32];

    #[inline(always)]
    fn load_tail_f32(self, tail: &&[f32], at: usize) -> Self::f32s {
        match tail[at * 4..] {
            [] => pulp::f32x4(0.0, 0.0, 0.0, 0.0),
            [a] => pulp::f32x4(a, 0.0, 0.0, 0.0),
            [a, b] => pulp::f32x4(a, b, 0.0, 0.0),
            [a, b, c, ..] => pulp::f32x4(a, b, c, 0.0), // four need no padding
        }
    }

    #[inline(always)]
    fn load_f16(self, lanes: &[f16]) -> Self::f32s {
        pulp::cast(f16_128(pulp::cast(whole::<f16, 4>(lanes))))
    }

    #[inline(always)]
    fn load_tail_f16(self, tail: &&[f16], at: usize) -> Self::f32s {
        self.load_f16(&four(tail, at))
    }

    #[inline(always)]
    fn load_bf16(self, lanes: &[bf16]) -> Self::f32s {
        // SAFETY: NEON is part of every CPU of this target.
        pulp::cast(unsafe { vshll_n_u16::<16>(pulp::cast(whole::<bf16, 4>(lanes))) })
    }

    #[inline(always)]
    fn load_tail_bf16(self, tail: &&[bf16], at: usize) -> Self::f32s {
        self.load_bf16(&four(tail, at))
    }

    #[inline(always)]
    fn load_bf16_pairs(self, lanes: &[bf16]) -> Self::u32s {
        pulp::cast(whole::<bf16, 8>(lanes))
    }

    #[inline(always)]
    fn load_tail_bf16_pairs(self, tail: &&[bf16], at: usize) -> Self::u32s {
        self.load_bf16_pairs(&rest(tail, at))
    }

    #[inline(always)]
    fn load_u8(self, lanes: &[u8]) -> Self::f32s {
        let codes = pulp::cast(four_bytes(whole(lanes)));
        // SAFETY: NEON is part of every CPU of this target.
        pulp::cast(unsafe { vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(codes)))) })
    }

    #[inline(always)]
    fn load_tail_u8(self, tail: &&[u8], at: usize) -> Self::f32s {
        self.load_u8(&four(tail, at))
    }

    #[inline(always)]
    fn load_i8(self, lanes: &[i8]) -> Self::f32s {
        let codes = pulp::cast(four_bytes(pulp::cast(whole::<i8, 4>(lanes))));
        // SAFETY: NEON is part of every CPU of this target.
        pulp::cast(unsafe { vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(codes)))) })
    }

    #[inline(always)]
    fn load_tail_i8(self, tail: &&[i8], at: usize) -> Self::f32s {
        self.load_i8(&four(tail, at))
    }

    #[inline(always)]
    fn shift_left_16(self, lanes: Self::u32s) -> Self::u32s {
        // SAFETY: NEON is part of every CPU of this target.
        pulp::cast(unsafe { vshlq_n_u32::<16>(pulp::cast(lanes)) })
    }

    #[inline(always)]
    fn fold(self, pulp::f32x4(a, b, c, d): Self::f32s) -> f32 {
        (a + c) + (b + d)
    }
}

impl<E: Pod> CountBits<E> for Neon {}

#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    // SAFETY: a prefetch is a hint; it reads nothing, faults on no address and changes no flag.
    unsafe {
        asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
}
