//! How a vector of each element type is inspected and brought into the form that is stored.

use nearfield_kernels::{Element, Metric, Number, bf16, f16, squared_norm};

use super::against_f32::AgainstF32;
use super::error::InvalidVector;
use crate::store::Plain;

/// An element type of [`Vectors`](crate::Vectors): every [`Element`], that is `f32`,
/// [`struct@f16`], [`bf16`], `i8`, `u8`, and packed bits in words (`u64`) or bytes (`u8`).
/// Sealed, as [`Element`] is.
pub trait VectorElement: Element + Plain + AgainstF32 {
    /// The metric by which stored vectors are compared when `metric` is asked for.
    #[doc(hidden)]
    fn scored_by(metric: Metric) -> Metric {
        metric
    }

    /// The metric by which the distances of hits are computed when `metric` is asked for.
    #[doc(hidden)]
    fn told_by(metric: Metric) -> Metric {
        metric
    }

    /// Whether long rows are stored in halves (`split_rows.rs`).
    #[doc(hidden)]
    const HALVED: bool = false;

    /// Refuses what would poison distances.
    #[doc(hidden)]
    fn inspect(vector: &[Self], metric: Metric) -> Result<(), InvalidVector>;

    /// Writes the stored form of a good vector to `out`, of the same length.
    #[doc(hidden)]
    fn store(vector: &[Self], _metric: Metric, out: &mut [Self]) {
        out.copy_from_slice(vector);
    }
}

impl VectorElement for f32 {
    const HALVED: bool = true;

    /// Normalised rows need no norms: their inner product is enough.
    fn scored_by(metric: Metric) -> Metric {
        if metric == Metric::Cosine { Metric::InnerProduct } else { metric }
    }

    /// Half the squared distance of normalised rows is their cosine distance, and near 0 it is the more
    /// exact one.
    fn told_by(metric: Metric) -> Metric {
        if metric == Metric::Cosine { Metric::L2Squared } else { metric }
    }

    fn inspect(vector: &[f32], metric: Metric) -> Result<(), InvalidVector> {
        inspect_float(vector, metric)
    }

    fn store(vector: &[f32], metric: Metric, out: &mut [f32]) {
        out.copy_from_slice(vector);
        if metric == Metric::Cosine {
            nearfield_kernels::normalize(out).expect("an inspected vector is finite and not zero");
        }
    }
}

/// Types whose vectors are stored as they come: integers and bits cannot be scaled to length 1, and
/// half floats would be rounded once more.
macro_rules! stored_as_given {
    ($($element:ty: $inspect:path;)*) => {$(
        impl VectorElement for $element {
            fn inspect(vector: &[Self], metric: Metric) -> Result<(), InvalidVector> {
                $inspect(vector, metric)
            }
        }
    )*};
}

stored_as_given! {
    f16: inspect_float;
    bf16: inspect_float;
    i8: inspect_exact;
    u8: inspect_exact;
    u64: inspect_exact;
}

fn inspect_float<E>(vector: &[E], metric: Metric) -> Result<(), InvalidVector>
where
    E: VectorElement + Number + Into<f32>,
{
    let squared_norm = squared_norm(vector);
    // ‖a − b‖² ≤ 2·(‖a‖² + ‖b‖²) and |a·b| ≤ ‖a‖·‖b‖: between these bounds no distance overflows, and
    // squares do not vanish. Cosines are right at any length.
    if (f32::MIN_POSITIVE..=f32::MAX / 8.0).contains(&squared_norm) {
        return Ok(());
    }
    let infinite = |element: &E| !(*element).into().is_finite();
    if let Some(position) = vector.iter().position(infinite) {
        return Err(InvalidVector::NotFinite { position, value: vector[position].into() });
    }
    match metric {
        Metric::Cosine => inspect_exact(vector, metric),
        _ if squared_norm > 1.0 => Err(InvalidVector::NormOverflow { squared_norm }),
        Metric::Manhattan => Ok(()),
        _ if vector.iter().all(|element| *element == E::zeroed()) => Ok(()),
        _ => Err(InvalidVector::NormUnderflow { squared_norm }),
    }
}

/// Where nothing over- or underflows, only a zero vector under the cosine is left to refuse.
fn inspect_exact<E: VectorElement>(vector: &[E], metric: Metric) -> Result<(), InvalidVector> {
    let zero = E::zeroed();
    match metric {
        Metric::Cosine if vector.iter().all(|element| *element == zero) => {
            Err(InvalidVector::ZeroVector)
        }
        _ => Ok(()),
    }
}
