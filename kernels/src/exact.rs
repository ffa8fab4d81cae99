//! The sums over integers themselves, which a distance rounds to `f32`: exact at any length.
//!
//! ```
//! use nearfield_kernels::exact;
//!
//! let (a, b) = ([255u8, 1], [255u8, 2]);
//! assert_eq!(exact::dot(&a, &b), 65_027);
//! assert_eq!(exact::l2_squared(&a, &b), 1);
//! ```
//!
//! Numbers of 32 bits would overflow at 33,026 elements of `u8` (or squared differences of `i8`), and
//! at 131,072 products of `i8`.

use crate::backend::Backend;
use crate::element::Element;
use crate::lazy::{Lazy, demanded};
use crate::table::Sums;

/// What the exact functions ask of an instruction set, over vectors of one length.
pub(crate) trait Sum<E>: Copy {
    fn dot(self, a: &[E], b: &[E]) -> i64;

    fn l2_squared(self, a: &[E], b: &[E]) -> i64;

    fn manhattan(self, a: &[E], b: &[E]) -> i64;
}

/// An integer [`Element`]: `i8` or `u8`.
///
/// Sealed, as [`Element`] is.
pub trait Integer: Element + Into<i64> {
    #[doc(hidden)]
    const SIGNED: bool;

    /// The functions of the process's backend.
    #[doc(hidden)]
    fn sums() -> &'static Sums<Self>;
}

macro_rules! integers {
    ($($element:ty)*) => {$(
        impl Integer for $element {
            const SIGNED: bool = <$element>::MIN != 0;

            #[inline(always)]
            fn sums() -> &'static Sums<Self> {
                static SUMS: Lazy<&'static Sums<$element>> =
                    Lazy::new(|| demanded(Backend::best().and_then(crate::table::sums)));
                SUMS.get()
            }
        }
    )*};
}

integers! { i8 u8 }

/// `Σ aᵢ·bᵢ`: **not** a distance, greater is closer.
///
/// ```
/// assert_eq!(nearfield_kernels::exact::dot(&[-128i8, 3], &[-128i8, 4]), 16_396);
/// ```
///
/// # Panics
/// When the lengths differ, or [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) holds the process to a
/// backend that it cannot have.
#[inline]
pub fn dot<E: Integer>(a: &[E], b: &[E]) -> i64 {
    same_length(a, b);
    E::sums().dot(a, b)
}

/// `Σ (aᵢ − bᵢ)²`.
///
/// ```
/// assert_eq!(nearfield_kernels::exact::l2_squared(&[-128i8, 3], &[127i8, 4]), 65_026);
/// ```
///
/// # Panics
/// As [`dot`] does.
#[inline]
pub fn l2_squared<E: Integer>(a: &[E], b: &[E]) -> u64 {
    same_length(a, b);
    E::sums().l2_squared(a, b).cast_unsigned()
}

/// `Σ |aᵢ − bᵢ|`.
///
/// ```
/// assert_eq!(nearfield_kernels::exact::manhattan(&[-128i8, 3], &[127i8, 4]), 256);
/// ```
///
/// # Panics
/// As [`dot`] does.
#[inline]
pub fn manhattan<E: Integer>(a: &[E], b: &[E]) -> u64 {
    same_length(a, b);
    E::sums().manhattan(a, b).cast_unsigned()
}

/// `Σ vᵢ²`.
///
/// ```
/// assert_eq!(nearfield_kernels::exact::squared_norm(&[-128i8, 3]), 16_393);
/// ```
///
/// # Panics
/// As [`dot`] does over the backend.
#[inline]
pub fn squared_norm<E: Integer>(vector: &[E]) -> u64 {
    dot(vector, vector).cast_unsigned()
}

#[inline]
fn same_length<E>(a: &[E], b: &[E]) {
    assert!(a.len() == b.len(), "vectors of {} and {} elements", a.len(), b.len());
}
