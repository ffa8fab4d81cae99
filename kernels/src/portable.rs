//! The backend without an instruction set: the reference itself, one pair at a time.

use core::marker::PhantomData;

use bytemuck::Pod;

use crate::bits::CountBits;
use crate::float::{Cosine, InnerProduct, L2Squared, Manhattan, Over};
use crate::int::Exact;
use crate::integer::{Integer, Sum};
use crate::math::mul_add;
use crate::reference::{cosine_by, difference, integers, lane_sum, squared_difference};
use crate::score::{Score, one_pair_at_a_time};
use crate::widen::{Widen, WidenAll};

/// The token of [`Backend::Scalar`](crate::Backend::Scalar).
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl<E: Pod> CountBits<E> for Portable {}

macro_rules! by_reference {
    ($($metric:ident: |$sum:ident| $distance:expr;)*) => {$(
        impl<A: Widen<Scale = ()>, B: Widen> Score<Portable, A::Element, B::Element>
            for Over<$metric, A, B>
        {
            type Scale = B::Scale;

            fn new(scale: B::Scale) -> Self {
                Self::loading(A::new(()), B::new(scale))
            }

            #[inline(never)] // one function for all shapes: this backend is slow anyway
            fn pair(self, _token: Portable, a: &[A::Element], b: &[B::Element]) -> f32 {
                let $sum = Sums { a, b, metric: self };
                $distance
            }

            one_pair_at_a_time! { Portable, A::Element, B::Element }
        }
    )*};
}

by_reference! {
    L2Squared: |sum| sum.of(Sums::both, squared_difference);
    InnerProduct: |sum| 0.0 - sum.of(Sums::both, mul_add);
    Manhattan: |sum| sum.of(Sums::both, difference);
    Cosine: |sum| cosine_by(sum.a.len(), |i| sum.a(i), |i| sum.b(i));
}

macro_rules! by_integer_reference {
    ($($metric:ident: |$a:ident, $b:ident| $distance:expr;)*) => {$(
        impl<E: Integer> Score<Portable, E, E> for Exact<$metric> {
            type Scale = ();

            fn new((): ()) -> Self {
                Self(PhantomData)
            }

            #[inline(never)] // as for floats
            fn pair(self, _token: Portable, $a: &[E], $b: &[E]) -> f32 {
                $distance
            }

            one_pair_at_a_time! { Portable, E, E }
        }
    )*};
}

by_integer_reference! {
    L2Squared: |a, b| integers::l2_squared(a, b) as f32;
    InnerProduct: |a, b| integers::inner_product_of(integers::dot(a, b));
    Manhattan: |a, b| integers::manhattan(a, b) as f32;
    Cosine: |a, b| integers::cosine(a, b);
}

impl<E: Integer> Sum<E> for Portable {
    fn dot(self, a: &[E], b: &[E]) -> i64 {
        integers::dot(a, b)
    }

    fn l2_squared(self, a: &[E], b: &[E]) -> i64 {
        integers::l2_squared(a, b)
    }

    fn manhattan(self, a: &[E], b: &[E]) -> i64 {
        integers::manhattan(a, b)
    }
}

/// Two vectors, to be summed over.
struct Sums<'a, D, A: Widen, B: Widen> {
    a: &'a [A::Element],
    b: &'a [B::Element],
    metric: Over<D, A, B>,
}

impl<D, A: Widen, B: Widen> Sums<'_, D, A, B> {
    fn a(&self, i: usize) -> f32 {
        self.metric.query.widen(self.a[i])
    }

    fn b(&self, i: usize) -> f32 {
        self.metric.row.widen(self.b[i])
    }

    fn both(&self, i: usize) -> (f32, f32) {
        (self.a(i), self.b(i))
    }

    fn of(
        &self,
        pair: impl Fn(&Self, usize) -> (f32, f32),
        step: impl Fn(f32, f32, f32) -> f32,
    ) -> f32 {
        lane_sum(self.a.len(), |i| pair(self, i), step)
    }
}

impl<A: Widen> WidenAll<Portable> for A {
    fn widen_all(self, _token: Portable, from: &[A::Element], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = self.widen(*from);
        }
    }
}
