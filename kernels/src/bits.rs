//! Kernels over packed bits, in words or in bytes: exact counts, rounded once to `f32`.

use crate::reference::{
    hamming, hamming_bytes, jaccard_of, union_intersection, union_intersection_bytes,
};
use crate::score::{Score, one_pair_at_a_time};

/// An element that holds packed bits.
pub(crate) trait Packed: Sized {
    /// Number of differing bits.
    fn hamming(a: &[Self], b: &[Self]) -> u64;

    /// `(union, intersection)` of the set bits.
    fn union_intersection(a: &[Self], b: &[Self]) -> (u64, u64);
}

// The bodies are compiled anew for each instruction set.
impl Packed for u64 {
    #[inline(always)]
    fn hamming(a: &[u64], b: &[u64]) -> u64 {
        hamming(a, b)
    }

    #[inline(always)]
    fn union_intersection(a: &[u64], b: &[u64]) -> (u64, u64) {
        union_intersection(a, b)
    }
}

impl Packed for u8 {
    #[inline(always)]
    fn hamming(a: &[u8], b: &[u8]) -> u64 {
        hamming_bytes(a, b)
    }

    #[inline(always)]
    fn union_intersection(a: &[u8], b: &[u8]) -> (u64, u64) {
        union_intersection_bytes(a, b)
    }
}

/// Number of differing bits.
#[derive(Clone, Copy)]
pub(crate) struct Hamming;

/// One minus the share of the union that both sets have.
#[derive(Clone, Copy)]
pub(crate) struct Jaccard;

impl<T: Copy, E: Packed> Score<T, E, E> for Hamming {
    type Scale = ();

    #[inline(always)]
    fn new((): ()) -> Self {
        Self
    }

    #[inline(always)]
    fn pair(self, _token: T, a: &[E], b: &[E]) -> f32 {
        E::hamming(a, b) as f32
    }

    one_pair_at_a_time! { T, E, E }
}

impl<T: Copy, E: Packed> Score<T, E, E> for Jaccard {
    type Scale = ();

    #[inline(always)]
    fn new((): ()) -> Self {
        Self
    }

    #[inline(always)]
    fn pair(self, _token: T, a: &[E], b: &[E]) -> f32 {
        let (union, intersection) = E::union_intersection(a, b);
        jaccard_of(union, intersection)
    }

    one_pair_at_a_time! { T, E, E }
}
