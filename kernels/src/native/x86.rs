//! Masked loads and the prefetch hint of x86-64.
#![allow(unsafe_code, reason = "masked loads and prefetches take raw pointers")]

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use pulp::Simd;
use pulp::x86::{V3, V4};

use super::isa::Isa;

impl Isa for V4 {
    #[inline(always)]
    fn load_part(self, part: &[f32]) -> Self::f32s {
        // pulp's own partial load calls through a table of load sequences (4 ns); a mask register
        // costs three instructions.
        let mask = pulp::b16(((1u32 << part.len().min(16)) - 1) as u16);
        // SAFETY: the mask enables only the lanes below `part.len()`; the others are not read.
        unsafe { self.mask_load_ptr_f32s(mask.into(), part.as_ptr()) }
    }
}

impl Isa for V3 {
    #[inline(always)]
    fn load_part(self, part: &[f32]) -> Self::f32s {
        /// Eight enabled lanes, then eight disabled ones: a window of it is any mask.
        static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        let first = 8 - part.len().min(8);
        let mask: [i32; 8] = *MASKS[first..].first_chunk().expect("first is at most 8");
        let mask = pulp::cast(mask);
        // SAFETY: the mask enables only the lanes below `part.len()`; the others are not read.
        let lanes = unsafe { self.avx._mm256_maskload_ps(part.as_ptr(), mask) };
        pulp::cast(lanes)
    }
}

#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    // SAFETY: a prefetch is a hint; it reads nothing and faults on no address. SSE is part of
    // every x86-64 CPU.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
}
