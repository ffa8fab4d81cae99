//! What the float kernels need of an instruction set and pulp does not offer fast enough.

use pulp::Simd;

/// A pulp token with a load for the tail of a vector.
pub(crate) trait Isa: Simd {
    /// Loads the first elements of `part`, as many as there are and a register holds; the rest of
    /// the register is zero.
    fn load_part(self, part: &[f32]) -> Self::f32s;
}
