//! Items that are their bytes: what arrays in files are made of.
#![allow(unsafe_code, reason = "promises that any bytes are an item")]

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use bytemuck::Zeroable;
use nearfield_kernels::{bf16, f16};

/// An item of an array that can lie in a file, where it is little-endian.
///
/// # Safety
/// Any bytes are a valid item, and an item has no padding.
pub unsafe trait Plain: Zeroable {
    /// Appends the bytes of items.
    fn put(items: &[Self], out: &mut Vec<u8>);
}

macro_rules! plain {
    ($($item:ty)*) => {$(
        // SAFETY: a number of a primitive type, or one that wraps it.
        unsafe impl Plain for $item {
            fn put(items: &[Self], out: &mut Vec<u8>) {
                out.extend_from_slice(bytemuck::cast_slice(items));
            }
        }
    )*};
}

plain!(f32 f16 bf16 i8 u8 u64);

macro_rules! plain_atomics {
    ($($atomic:ty)*) => {$(
        // SAFETY: it has the same representation as its number.
        unsafe impl Plain for $atomic {
            fn put(items: &[Self], out: &mut Vec<u8>) {
                items.iter().for_each(|item| out.extend(item.load(Relaxed).to_le_bytes()));
            }
        }
    )*};
}

plain_atomics!(AtomicU8 AtomicU32 AtomicU64);
