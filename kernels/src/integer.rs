//! The integers that the exact kernels are made for, and what they sum.

use bytemuck::Pod;

mod sealed {
    pub trait Sealed {}
    impl Sealed for i8 {}
    impl Sealed for u8 {}
}

/// An integer element: `i8` or `u8`.
///
/// Sealed: the kernels exist for these types only.
pub trait Integer: sealed::Sealed + Pod + Into<i64> {
    #[doc(hidden)]
    const SIGNED: bool;
}

impl Integer for i8 {
    const SIGNED: bool = true;
}

impl Integer for u8 {
    const SIGNED: bool = false;
}

/// The exact sums over two vectors of one length, by an instruction set.
pub(crate) trait Sum<E>: Copy {
    /// `Σ aᵢ·bᵢ`
    fn dot(self, a: &[E], b: &[E]) -> i64;

    /// `Σ (aᵢ − bᵢ)²`
    fn l2_squared(self, a: &[E], b: &[E]) -> i64;

    /// `Σ |aᵢ − bᵢ|`
    fn manhattan(self, a: &[E], b: &[E]) -> i64;
}
