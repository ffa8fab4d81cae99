//! The element types a vector can be made of, and which of them can be compared with which.

use bytemuck::Pod;
use half::{bf16, f16};

use crate::backend::{Backend, Unsupported};
use crate::metric::Metric;
use crate::scale::Scale;
use crate::table::{self, Table};

mod sealed {
    use half::{bf16, f16};

    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f16 {}
    impl Sealed for bf16 {}
    impl Sealed for i8 {}
    impl Sealed for u8 {}
    impl Sealed for u64 {}
}

/// One element of a vector: `f32`, [`struct@f16`], [`bf16`], `i8`, `u8`, or a `u64` word of 64 packed bits
/// (`u8` serves as 8 packed bits too, for Hamming and Jaccard).
///
/// Sealed: the kernels exist for these types only.
pub trait Element:
    Query<Self, Scale = ()> + Pod + PartialEq + Send + Sync + core::fmt::Debug
{
    /// The type's name in messages and reports.
    const NAME: &'static str;
}

/// An element of a query that can be compared with rows of elements `R`: every [`Element`] with its
/// own kind, and `f32` with rows of every number, which are widened as they are read.
///
/// Sealed, as [`Element`] is.
pub trait Query<R>: sealed::Sealed + Sized + 'static {
    /// What the rows' numbers stand for: [`Scale`] for integer codes under an `f32` query, else
    /// nothing.
    type Scale: Copy + Default + PartialEq + Send + Sync + core::fmt::Debug;

    /// The kernels of this pair for `metric` on `backend`.
    #[doc(hidden)]
    fn table(
        backend: Backend,
        metric: Metric,
    ) -> Result<&'static Table<Self, R, Self::Scale>, Unsupported>;
}

macro_rules! elements {
    ($($element:ty: $name:literal, $table:ident;)*) => {$(
        impl Element for $element {
            const NAME: &'static str = $name;
        }

        pairing! { $element, $element, (), $table }
    )*};
}

macro_rules! pairing {
    ($query:ty, $row:ty, $scale:ty, $table:ident) => {
        impl Query<$row> for $query {
            type Scale = $scale;

            fn table(
                backend: Backend,
                metric: Metric,
            ) -> Result<&'static Table<$query, $row, $scale>, Unsupported> {
                table::$table(backend, metric)
            }
        }
    };
}

elements! {
    f32: "f32", f32_f32;
    f16: "f16", f16_f16;
    bf16: "bf16", bf16_bf16;
    i8: "i8", i8_i8;
    u8: "u8", u8_u8;
    u64: "u64 (packed bits)", u64_u64;
}

pairing! { f32, f16, (), f32_f16 }
pairing! { f32, bf16, (), f32_bf16 }
pairing! { f32, i8, Scale, f32_i8 }
pairing! { f32, u8, Scale, f32_u8 }
