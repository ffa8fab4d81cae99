//! Queries of `f32` over rows of any element: checked as other queries are, and not rounded.

use super::element::VectorElement;
use super::error::VectorError;
use super::mixed::Mixed;
use super::scorer::{Compared, QueryBuffer, VectorScorer};
use super::{Space, Vectors};

impl<E: VectorElement> Vectors<E> {
    /// As [`Space::scorer`], for a query of `f32`.
    pub(crate) fn f32_scorer<'a>(
        &'a self,
        query: &'a [f32],
        scratch: &'a mut QueryBuffer<E>,
    ) -> Result<VectorScorer<'a, E>, VectorError> {
        if let Some(query) = E::unchanged(query) {
            return self.scorer(query, scratch);
        }
        let kernel = E::mixed(self.kernel.backend(), self.metric)?;
        if query.len() != self.dim {
            return Err(VectorError::Dimension { expected: self.dim, found: query.len() });
        }
        f32::inspect(query, self.metric).map_err(VectorError::Query)?;
        let (target, as_row) = scratch
            .padded_for_f32(self.table.stride())
            .map_err(|error| VectorError::Memory(error.kind()))?;
        target[..query.len()].copy_from_slice(query);
        let mut pairs = as_row.iter_mut().zip(query);
        let is_exact = pairs
            .all(|(element, number)| E::exactly(*number).map(|exact| *element = exact).is_some());
        let as_row = is_exact.then_some(&*as_row);
        let (rows, between_rows) = (self.rows(), self.kernel);
        let mixed = Mixed { kernel, rows, target, as_row, between_rows };
        Ok(VectorScorer::new(Compared::Mixed(mixed), None))
    }
}
