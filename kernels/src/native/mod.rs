//! The few operations that are native code: loads of a part of a register, arithmetic on bytes, and
//! the prefetch.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bytes;
mod isa;
#[cfg(target_arch = "x86_64")]
mod narrow;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod vnni;
#[cfg(target_arch = "x86_64")]
mod vpopcntdq;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use bytes::{BLOCK, Bytes};
pub(crate) use isa::{Isa, Tail};
#[cfg(target_arch = "x86_64")]
pub(crate) use narrow::Narrow;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::DotProduct;
#[cfg(target_arch = "x86_64")]
pub(crate) use vnni::Vnni;
#[cfg(target_arch = "x86_64")]
pub(crate) use vpopcntdq::Vpopcntdq;

/// Asks for the first `LINES` cache lines (of 64 bytes) of `row` to be brought near, and waits for
/// nothing: a hint, for memory that will be read in some hundred nanoseconds. No line beyond the
/// end of `row` is fetched; elsewhere than on x86-64 and AArch64 nothing is.
///
/// ```
/// let next = [1u32; 32];
/// nearfield_kernels::prefetch::<2, _>(&next); // 128 bytes are two lines
/// ```
#[inline(always)]
pub fn prefetch<const LINES: usize, E>(row: &[E]) {
    const LINE: usize = 64;
    for line in 0..LINES {
        // Beyond the row's end another row would be fetched for nothing, or nothing at all.
        if line > 0 && line * LINE >= size_of_val(row) {
            return;
        }
        let address = row.as_ptr().cast::<u8>().wrapping_add(line * LINE);
        #[cfg(target_arch = "x86_64")]
        x86::prefetch(address);
        #[cfg(target_arch = "aarch64")]
        aarch64::prefetch(address);
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = address;
    }
}
