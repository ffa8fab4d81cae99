//! Queries of `f32` over rows of any element: scored by the kernels that widen the rows as they read
//! them, so that nothing of the query is lost.

use std::convert::Infallible;
use std::fmt;

use nearfield_kernels::{Backend, Element, Kernel, Metric, Rows, Unsupported, bf16, f16};

use super::element::VectorElement;
use super::error::VectorError;
use super::scorer::{Compared, QueryBuffer, VectorScorer};
use super::{Space, Vectors};
use crate::id::Id;

/// How rows of an element are compared with queries of `f32`. It is apart from [`VectorElement`] since
/// nobody outside of the crate calls it.
pub trait AgainstF32: Element {
    /// The kernel of such a query over such rows; nothing where no metric has one.
    type Mixed: Copy + Send + Sync + fmt::Debug;

    /// The kernel for a metric.
    fn mixed(backend: Backend, metric: Metric) -> Result<Self::Mixed, Unsupported>;

    /// [`Kernel::gather`] of that kernel.
    fn gather(
        kernel: &Self::Mixed,
        query: &[f32],
        rows: &Rows<'_, Self>,
        ids: &[Id],
        out: &mut [f32],
    );

    /// The element that is this number, if there is one.
    fn exactly(number: f32) -> Option<Self>;

    /// The query itself, where the rows are of `f32` as well.
    fn unchanged(_query: &[f32]) -> Option<&[Self]> {
        None
    }
}

macro_rules! numbers {
    ($($element:ty: $from:expr $(, $unchanged:expr)?;)*) => {$(
        impl AgainstF32 for $element {
            type Mixed = Kernel<f32, $element>;

            fn mixed(backend: Backend, metric: Metric) -> Result<Self::Mixed, Unsupported> {
                Kernel::on(backend, metric)
            }

            #[inline(always)]
            fn gather(
                kernel: &Self::Mixed,
                query: &[f32],
                rows: &Rows<'_, Self>,
                ids: &[Id],
                out: &mut [f32],
            ) {
                kernel.gather(query, rows, ids, out);
            }

            fn exactly(number: f32) -> Option<Self> {
                let from: fn(f32) -> Self = $from;
                let element = from(number);
                (f32::from(element) == number).then_some(element)
            }

            $(fn unchanged(query: &[f32]) -> Option<&[Self]> {
                $unchanged(query)
            })?
        }
    )*};
}

numbers! {
    f32: |number| number, Some;
    f16: f16::from_f32;
    bf16: bf16::from_f32;
    i8: |number| number as i8; // saturates, as does the next
    u8: |number| number as u8;
}

/// Packed bits are no numbers.
impl AgainstF32 for u64 {
    type Mixed = Infallible;

    fn mixed(_backend: Backend, metric: Metric) -> Result<Infallible, Unsupported> {
        Err(Unsupported::Pair { metric, element: "f32 and u64 (packed bits)" })
    }

    fn gather(
        kernel: &Infallible,
        _query: &[f32],
        _rows: &Rows<'_, u64>,
        _ids: &[Id],
        _out: &mut [f32],
    ) {
        match *kernel {}
    }

    fn exactly(_number: f32) -> Option<u64> {
        None
    }
}

/// A query of `f32` beside rows.
pub(super) struct Mixed<'a, E: VectorElement> {
    kernel: E::Mixed,
    rows: Rows<'a, E>,
    target: &'a [f32],
    /// The row that is the same vector, if it can be written in `E`: whether it is there, the search
    /// knows by its bytes.
    twin: Option<&'a [E]>,
    /// What compares rows with each other.
    between_rows: Kernel<E>,
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

    /// The same rows, compared with one of them.
    pub(super) fn aimed_at(&self, id: Id) -> Compared<'a, E> {
        let Self { rows, between_rows: kernel, .. } = *self;
        Compared::Whole { kernel, rows, target: rows.row(id) }
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
        let (target, twin) = scratch
            .padded_for_f32(self.table.stride())
            .map_err(|error| VectorError::Memory(error.kind()))?;
        target[..query.len()].copy_from_slice(query);
        let mut pairs = twin.iter_mut().zip(query);
        let is_exact = pairs
            .all(|(element, number)| E::exactly(*number).map(|exact| *element = exact).is_some());
        let twin = is_exact.then_some(&*twin);
        let (rows, between_rows) = (self.rows(), self.kernel);
        let mixed = Mixed { kernel, rows, target, twin, between_rows };
        Ok(VectorScorer::new(Compared::Mixed(mixed), None))
    }
}
