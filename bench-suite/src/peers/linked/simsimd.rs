//! SimSIMD 6, still the most used: C kernels, chosen at run time (Apache-2.0).
//!
//! Its f16 kernels for CPUs with AVX-512 FP16 sum in f16, which leaves two or three digits and overflows
//! at 65,504. The crate has no function for u8.

use nearfield_kernels::Metric;
use simsimd::{BinarySimilarity, SpatialSimilarity};

use super::cast::SameBits;
use crate::ways::{Way, pairwise};

const NAME: &str = "simsimd";

/// Metrics over vectors of numbers: `T` for us, `N` for SimSIMD.
pub(super) fn numbers<T, N>(metric: Metric, _dim: usize) -> Vec<Box<dyn Way<T, T>>>
where
    T: SameBits<N> + 'static,
    N: SpatialSimilarity,
{
    vec![match metric {
        Metric::L2Squared => pairwise(NAME, |a, b| number(N::l2sq(T::cast(a), T::cast(b)))),
        Metric::L2 => pairwise(NAME, |a, b| number(N::l2(T::cast(a), T::cast(b)))),
        Metric::InnerProduct => pairwise(NAME, |a, b| -number(N::dot(T::cast(a), T::cast(b)))),
        Metric::Cosine => pairwise(NAME, |a, b| number(N::cos(T::cast(a), T::cast(b)))),
        _ => return vec![],
    }]
}

/// Metrics over packed bits.
pub(super) fn bits<T: SameBits<u8> + 'static>(
    metric: Metric,
    _dim: usize,
) -> Vec<Box<dyn Way<T, T>>> {
    vec![match metric {
        Metric::Hamming => pairwise(NAME, |a, b| number(u8::hamming(T::cast(a), T::cast(b)))),
        Metric::Jaccard => pairwise(NAME, |a, b| number(u8::jaccard(T::cast(a), T::cast(b)))),
        _ => return vec![],
    }]
}

/// None stands for vectors of different lengths, which there are none of.
fn number(distance: Option<f64>) -> f32 {
    distance.map_or(f32::NAN, |distance| distance as f32)
}
