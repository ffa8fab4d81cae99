//! Plain functions, for those who want one distance in one call.

use std::sync::LazyLock;

use crate::backend::Backend;
use crate::element::Element;
use crate::kernel::Kernel;
use crate::metric::Metric;
use crate::reference::jaccard_of;
use crate::table::{Counts, counts};

/// The kernel of a plain function.
fn resolve<E: Element>(metric: Metric) -> Kernel<E> {
    Kernel::best(metric).unwrap_or_else(|error| panic!("{error}"))
}

macro_rules! float_function {
    ($(#[$doc:meta])* $name:ident, $metric:ident, |$distance:ident| $result:expr) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// When the lengths differ, or [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) holds the
        /// process to a backend that it cannot have.
        #[inline]
        pub fn $name(a: &[f32], b: &[f32]) -> f32 {
            static KERNEL: LazyLock<Kernel<f32>> = LazyLock::new(|| resolve(Metric::$metric));
            let $distance = KERNEL.distance(a, b);
            $result
        }
    };
}

float_function! {
    /// `Σ (aᵢ − bᵢ)²`, in `0…∞`.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::l2_squared(&[1.0, 2.0], &[4.0, 6.0]), 25.0);
    /// ```
    l2_squared, L2Squared, |distance| distance
}

float_function! {
    /// `Σ aᵢ·bᵢ`, in `−∞…∞`: **not** a distance, greater is closer; never `−0.0`.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::dot(&[1.0, 2.0], &[4.0, 6.0]), 16.0);
    /// ```
    dot, InnerProduct, |distance| 0.0 - distance // exact: only a sign changes
}

float_function! {
    /// `1 − Σ aᵢ·bᵢ / √(Σ aᵢ² · Σ bᵢ²)`, in `0…2`: a distance. A zero vector gives 1.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::cosine(&[1.0, 0.0], &[0.0, 2.0]), 1.0);
    /// ```
    cosine, Cosine, |distance| distance
}

float_function! {
    /// `Σ |aᵢ − bᵢ|`, in `0…∞`.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::manhattan(&[1.0, 2.0], &[4.0, 6.0]), 7.0);
    /// ```
    manhattan, Manhattan, |distance| distance
}

/// `Σ vᵢ²`: the squared Euclidean norm, to the bit what [`dot`]`(vector, vector)` gives. Infinite
/// when it overflows.
///
/// ```
/// assert_eq!(nearfield_kernels::squared_norm(&[3.0, 4.0]), 25.0);
/// ```
///
/// # Panics
/// As [`dot`] does over the backend.
#[inline]
pub fn squared_norm(vector: &[f32]) -> f32 {
    dot(vector, vector)
}

static COUNTS: LazyLock<&'static Counts<u64>> =
    LazyLock::new(|| Backend::best().and_then(counts).unwrap_or_else(|error| panic!("{error}")));

/// The number of bits that differ, exact at any length ([`Kernel::distance`] rounds it to `f32`).
///
/// ```
/// assert_eq!(nearfield_kernels::hamming(&[0b1100, 1], &[0b1010, 1]), 2);
/// ```
///
/// # Panics
/// When the lengths differ, or [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) holds the process to a
/// backend that it cannot have.
#[inline]
pub fn hamming(a: &[u64], b: &[u64]) -> u64 {
    same_length(a, b);
    COUNTS.hamming(a, b)
}

/// `(union − intersection) / union` of the set bits, in `0…1`; two empty sets give 0. Exact counts,
/// rounded once.
///
/// ```
/// assert_eq!(nearfield_kernels::jaccard(&[0b1110], &[0b0111]), 0.5);
/// ```
///
/// # Panics
/// As [`hamming`] does.
#[inline]
pub fn jaccard(a: &[u64], b: &[u64]) -> f32 {
    let (union, intersection) = union_intersection(a, b);
    jaccard_of(union, intersection)
}

/// The numbers of bits that are set in either vector and in both.
///
/// ```
/// assert_eq!(nearfield_kernels::union_intersection(&[0b1110], &[0b0111]), (4, 2));
/// ```
///
/// # Panics
/// As [`hamming`] does.
#[inline]
pub fn union_intersection(a: &[u64], b: &[u64]) -> (u64, u64) {
    same_length(a, b);
    COUNTS.union_intersection(a, b)
}

#[inline]
fn same_length(a: &[u64], b: &[u64]) {
    assert!(a.len() == b.len(), "vectors of {} and {} elements", a.len(), b.len());
}
