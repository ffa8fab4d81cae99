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

use bytemuck::cast_slice;

use crate::backend::Backend;
pub use crate::integer::Integer;
use crate::lazy::{Lazy, demanded};
use crate::table::{Sums, sums};

static SIGNED: Lazy<&'static Sums<i8>> = Lazy::new(|| demanded(Backend::best().and_then(sums)));
static UNSIGNED: Lazy<&'static Sums<u8>> = Lazy::new(|| demanded(Backend::best().and_then(sums)));

/// The function of the process's backend: each of the two casts is of a type to itself.
macro_rules! sum {
    ($name:ident of $a:ident and $b:ident) => {{
        assert!($a.len() == $b.len(), "vectors of {} and {} elements", $a.len(), $b.len());
        if E::SIGNED {
            SIGNED.get().$name(cast_slice($a), cast_slice($b))
        } else {
            UNSIGNED.get().$name(cast_slice($a), cast_slice($b))
        }
    }};
}

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
    sum!(dot of a and b)
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
    sum!(l2_squared of a and b).cast_unsigned()
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
    sum!(manhattan of a and b).cast_unsigned()
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
