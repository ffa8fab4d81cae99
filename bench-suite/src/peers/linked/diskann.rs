//! diskann-vector, the distances of Microsoft's DiskANN: Rust kernels, chosen at run time (MIT).

use diskann_vector::distance::{Distance, DistanceProvider, Metric as Theirs};
use nearfield_kernels::Metric;

use crate::ways::{Way, pairwise};

/// Metrics over vectors of numbers, twice: for any length, and chosen for this one. For some lengths
/// the second is a kernel of its own.
pub(super) fn numbers<Q, R>(metric: Metric, dim: usize) -> Vec<Box<dyn Way<Q, R>>>
where
    Q: DistanceProvider<R>,
    R: 'static,
{
    let metric = match metric {
        Metric::L2Squared => Theirs::L2,
        Metric::InnerProduct => Theirs::InnerProduct,
        Metric::Cosine => Theirs::Cosine,
        _ => return vec![],
    };
    let any = Distance::<Q, R>::new(metric, None);
    let fixed = Distance::<Q, R>::new(metric, Some(dim));
    vec![
        pairwise("diskann-vector", move |a, b| any.call(a, b)),
        pairwise("diskann-vector (fixed)", move |a, b| fixed.call(a, b)),
    ]
}
