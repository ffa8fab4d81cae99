//! Vectors as the peers' own types want them, without copying.
#![allow(
    unsafe_code,
    reason = "the peers' types are no `Pod`, so bytemuck cannot view bytes as them"
)]

use bytemuck::Pod;
use half::{bf16, f16};

/// An element that is, bit by bit, one or several elements of a peer's type `N`.
pub(super) trait SameBits<N>: Sized {
    /// The same memory.
    fn cast(vector: &[Self]) -> &[N];
}

/// What needs no cast: the peer takes the type itself.
impl<T: Pod> SameBits<T> for T {
    fn cast(vector: &[T]) -> &[T] {
        vector
    }
}

macro_rules! same_bits {
    ($($ours:ty: $theirs:ty,)*) => {$(
        impl SameBits<$theirs> for $ours {
            fn cast(vector: &[Self]) -> &[$theirs] {
                const { assert!(align_of::<$theirs>() <= align_of::<Self>()) };
                let count = size_of_val(vector) / size_of::<$theirs>();
                // SAFETY: the result covers the same initialised bytes for the same lifetime, no
                // stricter alignment is asked for, and their type is a `repr(transparent)` integer,
                // for which all bits are valid.
                unsafe { std::slice::from_raw_parts(vector.as_ptr().cast(), count) }
            }
        }
    )*};
}

same_bits! {
    f16: numkong::f16,
    bf16: numkong::bf16,
    u8: numkong::u1x8,
    u64: numkong::u1x8,
    f16: simsimd::f16,
    bf16: simsimd::bf16,
    u64: u8,
}
