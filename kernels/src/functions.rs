//! Plain functions, for those who want one distance in one call.

use half::{bf16, f16};

use crate::backend::Backend;
use crate::element::Element;
use crate::kernel::Kernel;
use crate::lazy::{Lazy, demanded};
use crate::metric::Metric;
use crate::reference::jaccard_of;
use crate::table::{Counts, counts};

/// An [`Element`] that is a number: all but the words of packed bits.
pub trait Number: Element {
    /// The kernels of the plain functions, resolved once: squared L2, L2, inner product, cosine and
    /// Manhattan.
    #[doc(hidden)]
    fn kernels() -> [&'static KernelOnce<Self>; 5];
}

/// A kernel that is resolved at its first use.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "never seen")]
pub struct KernelOnce<E: Element>(Lazy<Kernel<E>>);

macro_rules! numbers {
    ($($element:ty)*) => {$(
        impl Number for $element {
            #[inline(always)]
            fn kernels() -> [&'static KernelOnce<Self>; 5] {
                macro_rules! kernel {
                    ($metric:ident) => {{
                        static KERNEL: KernelOnce<$element> =
                            KernelOnce(Lazy::new(|| demanded(Kernel::best(Metric::$metric))));
                        &KERNEL
                    }};
                }
                [
                    kernel!(L2Squared),
                    kernel!(L2),
                    kernel!(InnerProduct),
                    kernel!(Cosine),
                    kernel!(Manhattan),
                ]
            }
        }
    )*};
}

numbers! { f32 f16 bf16 i8 u8 }

macro_rules! plain_function {
    ($(#[$doc:meta])* $name:ident, $place:literal, |$distance:ident| $result:expr) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// When the lengths differ, or [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) holds the
        /// process to a backend that it cannot have.
        #[inline]
        pub fn $name<E: Number>(a: &[E], b: &[E]) -> f32 {
            let $distance = E::kernels()[$place].0.get().distance(a, b);
            $result
        }
    };
}

plain_function! {
    /// `Σ (aᵢ − bᵢ)²`, in `0…∞`.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::l2_squared(&[1.0f32, 2.0], &[4.0, 6.0]), 25.0);
    /// assert_eq!(nearfield_kernels::l2_squared(&[1u8, 2], &[4, 6]), 25.0);
    /// ```
    l2_squared, 0, |distance| distance
}

plain_function! {
    /// `√Σ (aᵢ − bᵢ)²`, in `0…∞`: the Euclidean distance.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::l2(&[1.0f32, 2.0], &[4.0, 6.0]), 5.0);
    /// ```
    l2, 1, |distance| distance
}

plain_function! {
    /// `Σ aᵢ·bᵢ`, in `−∞…∞`: **not** a distance, greater is closer; never `−0.0`.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::dot(&[1.0f32, 2.0], &[4.0, 6.0]), 16.0);
    /// ```
    dot, 2, |distance| 0.0 - distance // exact: only a sign changes
}

plain_function! {
    /// `1 − Σ aᵢ·bᵢ / √(Σ aᵢ² · Σ bᵢ²)`, in `0…2`: a distance. Equal vectors have the distance 0, exactly;
    /// a zero vector gives 1.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::cosine(&[1.0f32, 0.0], &[0.0, 2.0]), 1.0);
    /// assert_eq!(nearfield_kernels::cosine(&[1e20f32, -3e38], &[1e20, -3e38]), 0.0);
    /// ```
    cosine, 3, |distance| distance
}

plain_function! {
    /// `Σ |aᵢ − bᵢ|`, in `0…∞`.
    ///
    /// ```
    /// assert_eq!(nearfield_kernels::manhattan(&[1.0f32, 2.0], &[4.0, 6.0]), 7.0);
    /// ```
    manhattan, 4, |distance| distance
}

/// `Σ vᵢ²`: the squared Euclidean norm, to the bit what [`dot`]`(vector, vector)` gives. Infinite
/// when it overflows.
///
/// Where norms are stored beside the rows, [`cosine_from`] makes a cosine of an inner product, which
/// takes half the time.
///
/// ```
/// assert_eq!(nearfield_kernels::squared_norm(&[3.0f32, 4.0]), 25.0);
/// ```
///
/// # Panics
/// As [`dot`] does over the backend.
#[inline]
pub fn squared_norm<E: Number>(vector: &[E]) -> f32 {
    dot(vector, vector)
}

/// The cosine distance of two vectors, in `0…2`, from their [`dot`] product and their
/// [`squared_norm`]s: for floats, to the bit what [`cosine`] gives while both squared norms lie in
/// 2⁻¹⁰⁰…2¹²⁷ (7.9e-31…1.7e38). Beyond, `f32` sums are not enough, and [`cosine`] sums anew: of squared
/// norms that are infinite this makes NaN, and 1 of those that are zero.
///
/// ```
/// use nearfield_kernels::{Kernel, Metric, Rows, cosine, cosine_from, squared_norm};
///
/// let values = [1.0f32, 0.0, 3.0, 4.0];
/// let rows = Rows::new(&values, 2);
/// let norms = [squared_norm(rows.row(0)), squared_norm(rows.row(1))]; // once, beside the rows
///
/// let query = [2.0, 2.0];
/// let mut distances = [0.0; 2];
/// Kernel::best(Metric::InnerProduct)?.one_to_many(&query, &rows, &mut distances);
/// let norm = squared_norm(&query);
/// for (distance, row_norm) in distances.iter_mut().zip(norms) {
///     *distance = cosine_from(-*distance, norm, row_norm);
/// }
/// assert_eq!(distances, [cosine(&query, rows.row(0)), cosine(&query, rows.row(1))]);
/// # Ok::<(), nearfield_kernels::Unsupported>(())
/// ```
#[inline]
pub fn cosine_from(dot: f32, squared_norm_a: f32, squared_norm_b: f32) -> f32 {
    crate::reference::cosine_of(dot, squared_norm_a, squared_norm_b)
}

/// An [`Element`] that holds packed bits: `u64`, or `u8`.
pub trait Bits: Element {
    #[doc(hidden)]
    fn counts() -> &'static CountsOnce<Self>;
}

/// Counts that are resolved at their first use.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "never seen")]
pub struct CountsOnce<E: Element>(Lazy<&'static Counts<E>>);

macro_rules! bits {
    ($($element:ty)*) => {$(
        impl Bits for $element {
            #[inline(always)]
            fn counts() -> &'static CountsOnce<Self> {
                static COUNTS: CountsOnce<$element> =
                    CountsOnce(Lazy::new(|| demanded(Backend::best().and_then(counts))));
                &COUNTS
            }
        }
    )*};
}

bits! { u64 u8 }

/// The number of bits that differ, exact at any length ([`Kernel::distance`] rounds it to `f32`).
///
/// ```
/// assert_eq!(nearfield_kernels::hamming(&[0b1100u64, 1], &[0b1010, 1]), 2);
/// assert_eq!(nearfield_kernels::hamming(b"karolin", b"kathrin"), 9); // bits, not letters
/// ```
///
/// # Panics
/// When the lengths differ, or [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) holds the process to a
/// backend that it cannot have.
#[inline]
pub fn hamming<E: Bits>(a: &[E], b: &[E]) -> u64 {
    same_length(a, b);
    E::counts().0.get().hamming(a, b)
}

/// `(union − intersection) / union` of the set bits, in `0…1`; two empty sets give 0. Exact counts,
/// rounded once.
///
/// ```
/// assert_eq!(nearfield_kernels::jaccard(&[0b1110u64], &[0b0111]), 0.5);
/// ```
///
/// # Panics
/// As [`hamming`] does.
#[inline]
pub fn jaccard<E: Bits>(a: &[E], b: &[E]) -> f32 {
    let (union, intersection) = union_intersection(a, b);
    jaccard_of(union, intersection)
}

/// The numbers of bits that are set in either vector and in both.
///
/// ```
/// assert_eq!(nearfield_kernels::union_intersection(&[0b1110u64], &[0b0111]), (4, 2));
/// ```
///
/// # Panics
/// As [`hamming`] does.
#[inline]
pub fn union_intersection<E: Bits>(a: &[E], b: &[E]) -> (u64, u64) {
    same_length(a, b);
    E::counts().0.get().union_intersection(a, b)
}

#[inline]
fn same_length<E>(a: &[E], b: &[E]) {
    assert!(a.len() == b.len(), "vectors of {} and {} elements", a.len(), b.len());
}
