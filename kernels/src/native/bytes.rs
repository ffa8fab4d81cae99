//! What the integer kernels need of an instruction set: arithmetic on blocks of 64 bytes.

use crate::integer::Integer;

/// Bytes in a block, as many as a float block has elements.
pub(crate) const BLOCK: usize = crate::reference::LANES;

/// A token of an instruction set that sums over blocks of 64 elements, which are `i8` or `u8`.
///
/// A sum wraps in 32 bits: it is right at the end where its total lies within `i32`.
pub(crate) trait Bytes: Copy {
    /// 64 elements.
    type Block: Copy;

    /// One sum, spread over lanes.
    type Sums: Copy;

    /// Independent sums that a single pair is dealt out to: 4 where an addition takes that many
    /// cycles, else 1.
    const CHAINS: usize;

    /// Queries and rows whose sums fit into the registers together: (4, 4) or (2, 4).
    const TILE: (usize, usize);

    fn zero(self) -> Self::Sums;

    fn load(self, block: &[u8; BLOCK]) -> Self::Block;

    /// The last `vector.len() % 64` elements (at least one) and zeros, at the same places for every
    /// vector of one length.
    fn load_tail(self, vector: &[u8]) -> Self::Block;

    /// Adds `Σ a·b`, and too much by what [`take_excess`](Self::take_excess) of `a` takes away.
    fn add_products<E: Integer>(
        self,
        a: Self::Block,
        b: Self::Block,
        sums: Self::Sums,
    ) -> Self::Sums;

    /// Subtracts what the dot products of `a` with any other block have too much: nothing, unless
    /// overridden.
    #[inline(always)]
    fn take_excess<E: Integer>(self, _a: Self::Block, sums: Self::Sums) -> Self::Sums {
        sums
    }

    /// `|a − b|` of each element, as `u8`.
    fn difference<E: Integer>(self, a: Self::Block, b: Self::Block) -> Self::Block;

    /// Adds `Σ |a − b|`.
    fn add_differences<E: Integer>(
        self,
        a: Self::Block,
        b: Self::Block,
        sums: Self::Sums,
    ) -> Self::Sums;

    fn add(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// The sum of the lanes.
    fn total(self, sums: Self::Sums) -> i32;

    /// The totals of four sums. Where lanes are added across sums first, that saves half of the work
    /// of four rows of 32 elements.
    fn totals(self, sums: [Self::Sums; 4]) -> [i32; 4];
}
