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
    /// The row that is the same vector, if it can be written in `E`: whether it is there, the search
    /// knows by its bytes.
    pub(super) twin: Option<&'a [E]>,
    /// What compares rows with each other.
    pub(super) between_rows: Kernel<E>,
}

impl<'a, E: VectorElement> Mixed<'a, E> {
    #[inline(always)]
    pub(super) fn score_all(&self, ids: &[Id], out: &mut [f32]) {
        E::gather(&self.kernel, self.target, &self.rows, ids, out);
    }

    pub(super) fn twin(&self) -> Option<&'a [E]> {
        self.twin
    }

    pub(super) fn row(&self, id: Id) -> &'a [E] {
        self.rows.row(id)
    }

    /// What compares the same rows with each other.
    pub(super) fn between_rows(&self) -> (Kernel<E>, Rows<'a, E>) {
        (self.between_rows, self.rows)
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
