//! Partial loads and the prefetch hint of AArch64.
#![allow(unsafe_code, reason = "the prefetch is one line of assembly; std's is unstable")]

use core::arch::asm;

use pulp::aarch64::Neon;

use super::isa::Isa;

impl Isa for Neon {
    #[inline(always)]
    fn load_part(self, part: &[f32]) -> Self::f32s {
        match *part {
            [] => pulp::f32x4(0.0, 0.0, 0.0, 0.0),
            [a] => pulp::f32x4(a, 0.0, 0.0, 0.0),
            [a, b] => pulp::f32x4(a, b, 0.0, 0.0),
            [a, b, c] => pulp::f32x4(a, b, c, 0.0),
            [a, b, c, d, ..] => pulp::f32x4(a, b, c, d),
        }
    }
}

#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    // SAFETY: a prefetch is a hint; it reads nothing, faults on no address and changes no flag.
    unsafe {
        asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
}
