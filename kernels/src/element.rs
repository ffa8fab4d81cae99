//! The element types a vector can be made of.

use bytemuck::Pod;

use crate::kernel::Table;
use crate::{Backend, Metric};

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

    /// The kernels of this element type for `metric`; `None` where the pair makes no sense.
    #[doc(hidden)]
    fn table(backend: Backend, metric: Metric) -> Option<&'static Table<Self>>;
}
