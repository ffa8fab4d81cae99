//! The element types a vector can be made of.

use bytemuck::Pod;

use crate::backend::{Backend, Unsupported};
use crate::metric::Metric;
use crate::table::{self, Table};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for u64 {}
}

/// One element of a vector: `f32`, or a `u64` word of 64 packed bits.
///
/// Sealed: the kernels exist for these types only.
pub trait Element: sealed::Sealed + Pod + PartialEq + Send + Sync + core::fmt::Debug {
    /// The type's name in messages and reports.
    const NAME: &'static str;

    /// The kernels of this element type for `metric` on `backend`.
    #[doc(hidden)]
    fn table(backend: Backend, metric: Metric) -> Result<&'static Table<Self>, Unsupported>;
}

impl Element for f32 {
    const NAME: &'static str = "f32";

    fn table(backend: Backend, metric: Metric) -> Result<&'static Table<Self>, Unsupported> {
        table::floats(backend, metric)
    }
}

impl Element for u64 {
    const NAME: &'static str = "u64 (packed bits)";

    fn table(backend: Backend, metric: Metric) -> Result<&'static Table<Self>, Unsupported> {
        table::bits(backend, metric)
    }
}
