//! Which kernel compares a query of `f32` with rows of an element: one that widens the rows as it reads them, so
//! that nothing of the query is lost.

use std::convert::Infallible;
use std::fmt;

use nearfield_kernels::{Backend, Element, Kernel, Metric, Rows, Unsupported, bf16, f16};

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
