//! Kernels over packed bits, in words or in bytes: exact counts, rounded once to `f32`. Words are read as
//! bytes: whatever their order, the counts are the same.

use bytemuck::{Pod, cast_slice};

use crate::reference::{hamming_bytes, jaccard_of, union_intersection_bytes};
use crate::score::{Score, one_pair_at_a_time};

/// A token of an instruction set that counts bits; the reference, compiled anew, unless overridden.
pub(crate) trait CountBits<E: Pod>: Copy {
    /// The number of differing bits.
    #[inline(always)]
    fn hamming(self, a: &[E], b: &[E]) -> u64 {
        hamming_bytes(cast_slice(a), cast_slice(b))
    }

    /// `(union, intersection)` of the set bits.
    #[inline(always)]
    fn union_intersection(self, a: &[E], b: &[E]) -> (u64, u64) {
        union_intersection_bytes(cast_slice(a), cast_slice(b))
    }

    /// The number of differing bits, rounded.
    #[inline(always)]
    fn hamming_distance(self, a: &[E], b: &[E]) -> f32 {
        self.hamming(a, b) as f32
    }

    /// The share of the union that is not in the intersection.
    #[inline(always)]
    fn jaccard_distance(self, a: &[E], b: &[E]) -> f32 {
        let (union, intersection) = self.union_intersection(a, b);
        jaccard_of(union, intersection)
    }
}

/// Number of differing bits.
#[derive(Clone, Copy)]
pub(crate) struct Hamming;

/// One minus the share of the union that both sets have.
#[derive(Clone, Copy)]
pub(crate) struct Jaccard;

impl<T: CountBits<E>, E: Pod> Score<T, E, E> for Hamming {
    type Scale = ();

    #[inline(always)]
    fn new((): ()) -> Self {
        Self
    }

    #[inline(always)]
    fn pair(self, token: T, a: &[E], b: &[E]) -> f32 {
        token.hamming_distance(a, b)
    }

    one_pair_at_a_time! { T, E, E }
}

impl<T: CountBits<E>, E: Pod> Score<T, E, E> for Jaccard {
    type Scale = ();

    #[inline(always)]
    fn new((): ()) -> Self {
        Self
    }

    #[inline(always)]
    fn pair(self, token: T, a: &[E], b: &[E]) -> f32 {
        token.jaccard_distance(a, b)
    }

    one_pair_at_a_time! { T, E, E }
}
