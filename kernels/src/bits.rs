//! Kernels over packed bits: exact counts over `u64` words, rounded once to `f32`.

use crate::batch::Score;
use crate::reference::{hamming, jaccard_of, union_intersection};

/// Number of differing bits.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hamming;

/// One minus the share of the union that both sets have.
#[derive(Clone, Copy, Default)]
pub(crate) struct Jaccard;

impl<T: Copy> Score<T, u64> for Hamming {
    type Prepared = ();

    #[inline(always)]
    fn prepare(self, _token: T, _query: &[u64]) {}

    #[inline(always)]
    fn pair(self, _token: T, a: &[u64], b: &[u64]) -> f32 {
        hamming(a, b) as f32
    }

    #[inline(always)]
    fn rows<const ROWS: usize>(
        self,
        token: T,
        query: &[u64],
        (): (),
        rows: [&[u64]; ROWS],
    ) -> [f32; ROWS] {
        rows.map(|row| self.pair(token, query, row))
    }
}

impl<T: Copy> Score<T, u64> for Jaccard {
    type Prepared = ();

    #[inline(always)]
    fn prepare(self, _token: T, _query: &[u64]) {}

    #[inline(always)]
    fn pair(self, _token: T, a: &[u64], b: &[u64]) -> f32 {
        let (union, intersection) = union_intersection(a, b);
        jaccard_of(union, intersection)
    }

    #[inline(always)]
    fn rows<const ROWS: usize>(
        self,
        token: T,
        query: &[u64],
        (): (),
        rows: [&[u64]; ROWS],
    ) -> [f32; ROWS] {
        rows.map(|row| self.pair(token, query, row))
    }
}
