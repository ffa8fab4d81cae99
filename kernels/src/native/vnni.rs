//! Integer arithmetic by VPDPBUSD, which multiplies `u8` by `i8`.
//!
//! Two of a kind become such a pair when one of them flips its top bit, which moves it by 128: all
//! products of one element of the other are then off by 128 of it.

use crate::integer::Integer;

use super::bytes::{BLOCK, Bytes};

/// Registers with the instruction.
pub(crate) trait Dpbusd: Bytes {
    /// Adds `Σ unsigned·signed`.
    fn dpbusd(self, sums: Self::Sums, unsigned: Self::Block, signed: Self::Block) -> Self::Sums;

    fn subtract(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// All elements moved by 128, from one kind to the other.
    fn flip(self, block: Self::Block) -> Self::Block;

    /// All bytes 0x80: 128, or −128.
    fn flipped_zero(self) -> Self::Block;
}

/// The token of an instruction set with the instruction.
#[derive(Clone, Copy)]
pub(crate) struct Vnni<T>(pub(crate) T);

/// A sum, and what is to be subtracted from it.
#[derive(Clone, Copy)]
pub(crate) struct Balance<S> {
    sum: S,
    excess: S,
}

impl<T: Dpbusd> Bytes for Vnni<T> {
    type Block = T::Block;
    type Sums = Balance<T::Sums>;
    /// The instruction takes 4 or 5 cycles, and one or two can start in each.
    const CHAINS: usize = 4;
    const TILE: (usize, usize) = T::TILE;

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        Balance { sum: self.0.zero(), excess: self.0.zero() }
    }

    #[inline(always)]
    fn load(self, block: &[u8; BLOCK]) -> Self::Block {
        self.0.load(block)
    }

    #[inline(always)]
    fn load_tail(self, vector: &[u8]) -> Self::Block {
        self.0.load_tail(vector)
    }

    #[inline(always)]
    fn add_products<E: Integer>(
        self,
        a: Self::Block,
        b: Self::Block,
        sums: Self::Sums,
    ) -> Self::Sums {
        // The second moves: it is the row, and the excess of a query is known before.
        let flipped = self.0.flip(b);
        let (unsigned, signed) = if E::SIGNED { (flipped, a) } else { (a, flipped) };
        Balance { sum: self.0.dpbusd(sums.sum, unsigned, signed), ..sums }
    }

    #[inline(always)]
    fn take_excess<E: Integer>(self, a: Self::Block, sums: Self::Sums) -> Self::Sums {
        let zero = self.0.flipped_zero();
        let (unsigned, signed) = if E::SIGNED { (zero, a) } else { (a, zero) };
        Balance { excess: self.0.dpbusd(sums.excess, unsigned, signed), ..sums }
    }

    #[inline(always)]
    fn difference<E: Integer>(self, a: Self::Block, b: Self::Block) -> Self::Block {
        self.0.difference::<E>(a, b)
    }

    #[inline(always)]
    fn add_differences<E: Integer>(
        self,
        a: Self::Block,
        b: Self::Block,
        sums: Self::Sums,
    ) -> Self::Sums {
        Balance { sum: self.0.add_differences::<E>(a, b, sums.sum), ..sums }
    }

    #[inline(always)]
    fn add(self, a: Self::Sums, b: Self::Sums) -> Self::Sums {
        Balance { sum: self.0.add(a.sum, b.sum), excess: self.0.add(a.excess, b.excess) }
    }

    #[inline(always)]
    fn total(self, sums: Self::Sums) -> i32 {
        self.0.total(self.0.subtract(sums.sum, sums.excess))
    }

    #[inline(always)]
    fn totals(self, sums: [Self::Sums; 4]) -> [i32; 4] {
        let mut balances = [self.0.zero(); 4];
        for (balance, sums) in balances.iter_mut().zip(sums) {
            *balance = self.0.subtract(sums.sum, sums.excess);
        }
        self.0.totals(balances)
    }
}
