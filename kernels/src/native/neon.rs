//! Blocks of bytes in NEON, with the dot product instructions and without: four registers each, and
//! one of sums.
#![allow(unsafe_code, reason = "lines of assembly for what std has not stabilised")]

use core::arch::aarch64::{uint8x16_t, uint32x4_t};
use core::arch::asm;

use pulp::aarch64::Neon;

use crate::integer::Integer;

use super::bytes::{BLOCK, Bytes};
use super::isa::padded;

/// Bytes in a register.
const WIDTH: usize = 16;

type Block = [uint8x16_t; BLOCK / WIDTH];

impl Bytes for Neon {
    type Block = Block;
    type Sums = uint32x4_t;
    const CHAINS: usize = 1;
    const TILE: (usize, usize) = (2, 4);

    #[inline(always)]
    fn zero(self) -> uint32x4_t {
        self.neon.vdupq_n_u32(0)
    }

    #[inline(always)]
    fn load(self, block: &[u8; BLOCK]) -> Block {
        pulp::cast(*block)
    }

    #[inline(always)]
    fn load_tail(self, vector: &[u8]) -> Block {
        pulp::cast(padded::<u8, BLOCK>(vector.as_chunks::<BLOCK>().1))
    }

    #[inline(always)]
    fn add_products<E: Integer>(self, a: Block, b: Block, mut sums: uint32x4_t) -> uint32x4_t {
        let neon = self.neon;
        for (a, b) in a.into_iter().zip(b) {
            if E::SIGNED {
                let (a, b) = (neon.vreinterpretq_s8_u8(a), neon.vreinterpretq_s8_u8(b));
                let low = neon.vmull_s8(neon.vget_low_s8(a), neon.vget_low_s8(b));
                let high = neon.vmull_high_s8(a, b);
                let signed = neon.vreinterpretq_s32_u32(sums);
                let signed = neon.vpadalq_s16(neon.vpadalq_s16(signed, low), high);
                sums = neon.vreinterpretq_u32_s32(signed);
            } else {
                let low = neon.vmull_u8(neon.vget_low_u8(a), neon.vget_low_u8(b));
                let high = neon.vmull_high_u8(a, b);
                sums = neon.vpadalq_u16(neon.vpadalq_u16(sums, low), high);
            }
        }
        sums
    }

    #[inline(always)]
    fn difference<E: Integer>(self, a: Block, b: Block) -> Block {
        let neon = self.neon;
        let mut difference = a;
        for (a, b) in difference.iter_mut().zip(b) {
            *a = if E::SIGNED {
                let (a, b) = (neon.vreinterpretq_s8_u8(*a), neon.vreinterpretq_s8_u8(b));
                neon.vreinterpretq_u8_s8(neon.vabdq_s8(a, b))
            } else {
                neon.vabdq_u8(*a, b)
            };
        }
        difference
    }

    #[inline(always)]
    fn add_differences<E: Integer>(self, a: Block, b: Block, mut sums: uint32x4_t) -> uint32x4_t {
        for difference in self.difference::<E>(a, b) {
            sums = self.neon.vpadalq_u16(sums, self.neon.vpaddlq_u8(difference));
        }
        sums
    }

    #[inline(always)]
    fn add(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        self.neon.vaddq_u32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: uint32x4_t) -> i32 {
        self.neon.vaddvq_u32(sums).cast_signed()
    }

    #[inline(always)]
    fn totals(self, [a, b, c, d]: [uint32x4_t; 4]) -> [i32; 4] {
        let neon = self.neon;
        let (ab, cd) = (neon.vpaddq_u32(a, b), neon.vpaddq_u32(c, d));
        pulp::cast(neon.vpaddq_u32(ab, cd))
    }
}

/// The token of NEON with the dot product instructions.
#[derive(Clone, Copy)]
pub(crate) struct DotProduct(pub(crate) Neon);

macro_rules! dot {
    ($instruction:literal, $sums:expr, $a:expr, $b:expr) => {
        // SAFETY: the only functions that hold a `DotProduct` are called after the feature was
        // detected; the instruction touches registers only.
        unsafe {
            asm!(
                // Whatever function this is compiled in: the assembler knows the instruction.
                ".arch_extension dotprod",
                concat!($instruction, " {sums:v}.4s, {a:v}.16b, {b:v}.16b"),
                sums = inout(vreg) $sums,
                a = in(vreg) $a,
                b = in(vreg) $b,
                options(pure, nomem, nostack, preserves_flags),
            )
        }
    };
}

impl Bytes for DotProduct {
    type Block = Block;
    type Sums = uint32x4_t;
    const CHAINS: usize = 4;
    const TILE: (usize, usize) = Neon::TILE;

    #[inline(always)]
    fn zero(self) -> uint32x4_t {
        self.0.zero()
    }

    #[inline(always)]
    fn load(self, block: &[u8; BLOCK]) -> Block {
        self.0.load(block)
    }

    #[inline(always)]
    fn load_tail(self, vector: &[u8]) -> Block {
        self.0.load_tail(vector)
    }

    #[inline(always)]
    fn add_products<E: Integer>(self, a: Block, b: Block, mut sums: uint32x4_t) -> uint32x4_t {
        for (a, b) in a.into_iter().zip(b) {
            if E::SIGNED {
                dot!("sdot", sums, a, b);
            } else {
                dot!("udot", sums, a, b);
            }
        }
        sums
    }

    #[inline(always)]
    fn difference<E: Integer>(self, a: Block, b: Block) -> Block {
        self.0.difference::<E>(a, b)
    }

    #[inline(always)]
    fn add_differences<E: Integer>(self, a: Block, b: Block, sums: uint32x4_t) -> uint32x4_t {
        let ones = [self.0.neon.vdupq_n_u8(1); BLOCK / WIDTH];
        self.add_products::<u8>(self.difference::<E>(a, b), ones, sums)
    }

    #[inline(always)]
    fn add(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        self.0.add(a, b)
    }

    #[inline(always)]
    fn total(self, sums: uint32x4_t) -> i32 {
        self.0.total(sums)
    }

    #[inline(always)]
    fn totals(self, sums: [uint32x4_t; 4]) -> [i32; 4] {
        self.0.totals(sums)
    }
}
