//! What makes two rows the same: their bytes.

use nearfield_kernels::Element;
use twox_hash::XxHash3_64;

pub(super) fn equal<E: Element>(a: &[E], b: &[E]) -> bool {
    bytemuck::cast_slice::<E, u8>(a) == bytemuck::cast_slice::<E, u8>(b)
}

/// The same for equal rows.
pub(super) fn fingerprint<E: Element>(row: &[E]) -> u64 {
    XxHash3_64::oneshot(bytemuck::cast_slice(row))
}
