//! Distances from a query of `f32` to rows of another element.

use std::fmt;

use nearfield_kernels::{Kernel, Rows};

use super::element::VectorElement;
use crate::id::Id;

/// A query of `f32` beside rows.
pub(super) struct Mixed<'a, E: VectorElement> {
    pub(super) kernel: E::Mixed,
    pub(super) rows: Rows<'a, E>,
    pub(super) target: &'a [f32],
    /// The query as a row, if its numbers can be written in `E`: a search finds an equal row by its bytes.
    pub(super) as_row: Option<&'a [E]>,
    /// What compares rows with each other.
    pub(super) between_rows: Kernel<E>,
}

impl<E: VectorElement> Mixed<'_, E> {
    #[inline(always)]
    pub(super) fn score_all(&self, ids: &[Id], out: &mut [f32]) {
        E::gather(&self.kernel, self.target, &self.rows, ids, out);
    }
}

impl<E: VectorElement> fmt::Debug for Mixed<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mixed")
            .field("kernel", &self.kernel)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
