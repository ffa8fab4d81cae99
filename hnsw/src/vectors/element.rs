//! How a vector of each element type is inspected and brought into the form that is stored.

use nearfield_kernels::{Element, Metric};

use super::error::Flaw;

/// An element type of [`Vectors`](crate::Vectors): `f32`, or `u64` words of packed bits.
/// Sealed, as [`Element`] is.
pub trait VectorElement: Element {
    /// Whether vectors of it can be scaled to length 1, as the cosine needs.
    #[doc(hidden)]
    const CAN_NORMALIZE: bool;

    /// Refuses what would poison distances.
    #[doc(hidden)]
    fn inspect(vector: &[Self], metric: Metric) -> Result<(), Flaw>;

    /// Writes the stored form of a good vector to `out`, of the same length.
    #[doc(hidden)]
    fn store(vector: &[Self], metric: Metric, out: &mut [Self]);
}

impl VectorElement for f32 {
    const CAN_NORMALIZE: bool = true;

    fn inspect(vector: &[f32], metric: Metric) -> Result<(), Flaw> {
        let squared_norm = nearfield_kernels::squared_norm(vector);
        // ‖a − b‖² ≤ 2·(‖a‖² + ‖b‖²) and |a·b| ≤ ‖a‖·‖b‖: with this bound no distance overflows.
        if squared_norm <= f32::MAX / 8.0 {
            let is_zero = || vector.iter().all(|value| *value == 0.0);
            let zero = metric == Metric::Cosine && squared_norm == 0.0 && is_zero();
            return if zero { Err(Flaw::ZeroVector) } else { Ok(()) };
        }
        Err(match vector.iter().position(|value| !value.is_finite()) {
            Some(position) => Flaw::NotFinite { position, value: vector[position] },
            None => Flaw::NormOverflow { squared_norm },
        })
    }

    fn store(vector: &[f32], metric: Metric, out: &mut [f32]) {
        out.copy_from_slice(vector);
        if metric == Metric::Cosine {
            nearfield_kernels::normalize(out).expect("an inspected vector is finite and not zero");
        }
    }
}

impl VectorElement for u64 {
    const CAN_NORMALIZE: bool = false;

    fn inspect(_vector: &[u64], _metric: Metric) -> Result<(), Flaw> {
        Ok(())
    }

    fn store(vector: &[u64], _metric: Metric, out: &mut [u64]) {
        out.copy_from_slice(vector);
    }
}
