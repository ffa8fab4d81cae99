//! NumKong, the successor of SimSIMD: C kernels, chosen at run time (Apache-2.0).
//!
//! Its f32 kernels sum in f64, so they return more digits than were asked for.

use nearfield_kernels::Metric;
use numkong::{Angular, Dot, Euclidean, Hamming, Jaccard, u1x8};

use super::cast::SameBits;
use crate::ways::{Way, pairwise};

const NAME: &str = "numkong";

/// Metrics over vectors of numbers: `T` for us, `N` for NumKong.
pub(super) fn numbers<T, N>(metric: Metric, _dim: usize) -> Vec<Box<dyn Way<T, T>>>
where
    T: SameBits<N> + 'static,
    N: Dot<Output: Into<f64>>
        + Angular<Output: Into<f64>>
        + Euclidean<SqEuclideanOutput: Into<f64>, EuclideanOutput: Into<f64>>,
{
    // Lets the thread use the tile registers of CPUs that have them.
    numkong::configure_thread();
    vec![match metric {
        Metric::L2Squared => pairwise(NAME, |a, b| number(N::sqeuclidean(T::cast(a), T::cast(b)))),
        Metric::L2 => pairwise(NAME, |a, b| number(N::euclidean(T::cast(a), T::cast(b)))),
        Metric::InnerProduct => pairwise(NAME, |a, b| -number(N::dot(T::cast(a), T::cast(b)))),
        Metric::Cosine => pairwise(NAME, |a, b| number(N::angular(T::cast(a), T::cast(b)))),
        _ => return vec![],
    }]
}

/// Metrics over packed bits.
pub(super) fn bits<T: SameBits<u1x8> + 'static>(
    metric: Metric,
    _dim: usize,
) -> Vec<Box<dyn Way<T, T>>> {
    vec![match metric {
        Metric::Hamming => pairwise(NAME, |a, b| number(u1x8::hamming(T::cast(a), T::cast(b)))),
        Metric::Jaccard => pairwise(NAME, |a, b| number(u1x8::jaccard(T::cast(a), T::cast(b)))),
        _ => return vec![],
    }]
}

/// None stands for vectors of different lengths, which there are none of.
fn number(distance: Option<impl Into<f64>>) -> f32 {
    distance.map_or(f32::NAN, |distance| distance.into() as f32)
}
