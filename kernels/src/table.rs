//! Every kernel compiled for every instruction set, as tables of function pointers.
#![allow(unsafe_code, reason = "calls functions compiled for instructions that were detected")]

use core::ops::Range;

use bytemuck::Pod;
#[cfg(target_arch = "aarch64")]
use pulp::aarch64::Neon;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use crate::apart::{Apart, Body};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::backend::detected;
use crate::backend::{Backend, Unsupported};
use crate::batch::Which;
use crate::bits::{CountBits, Hamming, Jaccard};
use crate::float::{Cosine, InnerProduct, L2Squared, Manhattan, Over};
use crate::integer::{Integer, Sum};
use crate::metric::Metric;
#[cfg(target_arch = "x86_64")]
use crate::native::{Narrow, Vpopcntdq};
use crate::portable::Portable;
use crate::rows::Rows;
use crate::scale::Scale;
use crate::score::Score;
use crate::widen::{Codes, Number, Split, Widen, WidenAll};

/// The functions of one (backend, metric, query element, row element); `P` is what the rows' numbers
/// stand for.
///
/// Whoever holds a reference to one may call it: the functions below, the only sources, give out
/// tables of instruction sets that this CPU has.
#[derive(Debug)]
pub struct Table<Q: 'static, R: 'static, P: 'static> {
    pair: Pair<Q, R, P>,
    one_to_many: OneToMany<Q, R, P>,
    many_to_many: ManyToMany<Q, R, P>,
}

type Pair<Q, R, P> = unsafe fn(P, &[Q], &[R]) -> f32;
type OneToMany<Q, R, P> = unsafe fn(P, &[Q], &Rows<'_, R>, Which<'_>, &mut [f32]);
type ManyToMany<Q, R, P> =
    unsafe fn(P, &Rows<'_, Q>, Range<usize>, &Rows<'_, R>, Range<usize>, &mut [f32]);

impl<Q, R, P> Table<Q, R, P> {
    #[inline(always)]
    pub(crate) fn pair(&self, scale: P, a: &[Q], b: &[R]) -> f32 {
        // SAFETY: the CPU has the instructions, else there were no reference to this table.
        unsafe { (self.pair)(scale, a, b) }
    }

    #[inline(always)]
    pub(crate) fn one_to_many(
        &self,
        scale: P,
        query: &[Q],
        rows: &Rows<'_, R>,
        which: Which<'_>,
        out: &mut [f32],
    ) {
        // SAFETY: as for `pair`.
        unsafe { (self.one_to_many)(scale, query, rows, which, out) }
    }

    #[inline(always)]
    pub(crate) fn many_to_many(
        &self,
        scale: P,
        queries: &Rows<'_, Q>,
        of_queries: Range<usize>,
        rows: &Rows<'_, R>,
        of_rows: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as for `pair`.
        unsafe { (self.many_to_many)(scale, queries, of_queries, rows, of_rows, out) }
    }
}

/// The exact counts over packed bits, on one instruction set; given out like [`Table`].
#[derive(Debug)]
pub(crate) struct Counts<E: 'static> {
    hamming: unsafe fn(&[E], &[E]) -> u64,
    union_intersection: unsafe fn(&[E], &[E]) -> (u64, u64),
}

impl<E> Counts<E> {
    #[inline(always)]
    pub(crate) fn hamming(&self, a: &[E], b: &[E]) -> u64 {
        // SAFETY: the CPU has the instructions, else there were no reference to these functions.
        unsafe { (self.hamming)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn union_intersection(&self, a: &[E], b: &[E]) -> (u64, u64) {
        // SAFETY: as for `hamming`.
        unsafe { (self.union_intersection)(a, b) }
    }
}

/// The exact sums over integers, on one instruction set; given out like [`Table`].
#[derive(Debug)]
pub(crate) struct Sums<E: 'static> {
    dot: unsafe fn(&[E], &[E]) -> i64,
    l2_squared: unsafe fn(&[E], &[E]) -> i64,
    manhattan: unsafe fn(&[E], &[E]) -> i64,
}

impl<E> Sums<E> {
    #[inline(always)]
    pub(crate) fn dot(&self, a: &[E], b: &[E]) -> i64 {
        // SAFETY: the CPU has the instructions, else there were no reference to these functions.
        unsafe { (self.dot)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn l2_squared(&self, a: &[E], b: &[E]) -> i64 {
        // SAFETY: as for `dot`.
        unsafe { (self.l2_squared)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn manhattan(&self, a: &[E], b: &[E]) -> i64 {
        // SAFETY: as for `dot`.
        unsafe { (self.manhattan)(a, b) }
    }
}

/// Compiles all kernels for one instruction set. The generic bodies are `inline(always)`, so that
/// their code lands inside the functions below, which carry the attribute.
macro_rules! compile {
    ($(#[$target_feature:meta])? mod $set:ident: $token:ty = $make:expr) => {
        mod $set {
            use super::*;

            impl Apart for $token {
                #[inline(always)]
                fn call<B: Body<Self>>(self, body: B) -> B::Output {
                    #[allow(unused_unsafe, reason = "one instruction set needs no feature")]
                    // SAFETY: whoever has the token was compiled with the features and called after they
                    // were detected.
                    unsafe { run(self, body) }
                }
            }

            $(#[$target_feature])?
            #[inline(never)]
            fn run<B: Body<$token>>(token: $token, body: B) -> B::Output {
                body.run(token)
            }

            $(#[$target_feature])?
            pub(super) fn pair<Q, R, M: Score<$token, Q, R>>(scale: M::Scale, a: &[Q], b: &[R]) -> f32 {
                if const { M::LONGEST < usize::MAX } && a.len() > M::LONGEST {
                    return long_pair::<Q, R, M>(scale, a, b);
                }
                M::new(scale).pair($make, a, b)
            }

            $(#[$target_feature])?
            #[inline(never)] // it would cost the others registers
            fn long_pair<Q, R, M: Score<$token, Q, R>>(scale: M::Scale, a: &[Q], b: &[R]) -> f32 {
                M::new(scale).long_pair($make, a, b)
            }

            $(#[$target_feature])?
            fn one_to_many<Q, R, M: Score<$token, Q, R>>(
                scale: M::Scale,
                query: &[Q],
                rows: &Rows<'_, R>,
                which: Which<'_>,
                out: &mut [f32],
            ) {
                crate::batch::one_to_many($make, M::new(scale), query, rows, which, out);
            }

            $(#[$target_feature])?
            fn many_to_many<Q, R, M: Score<$token, Q, R>>(
                scale: M::Scale,
                queries: &Rows<'_, Q>,
                of_queries: Range<usize>,
                rows: &Rows<'_, R>,
                of_rows: Range<usize>,
                out: &mut [f32],
            ) {
                let metric = M::new(scale);
                crate::tile::many_to_many($make, metric, queries, of_queries, rows, of_rows, out);
            }

            $(#[$target_feature])?
            fn widened<D, A, B>(
                scale: B::Scale,
                queries: &Rows<'_, A::Element>,
                of_queries: Range<usize>,
                rows: &Rows<'_, B::Element>,
                of_rows: Range<usize>,
                out: &mut [f32],
            ) where
                A: WidenAll<$token, Scale = ()>,
                B: WidenAll<$token>,
                Over<D, Number<f32>, Number<f32>>: Score<$token, f32, f32, Scale = ()>,
            {
                let floats = many_to_many::<f32, f32, Over<D, Number<f32>, Number<f32>>>;
                widened_by::<A, B>(floats, scale, queries, of_queries, rows, of_rows, out);
            }

            $(#[$target_feature])?
            #[inline(never)] // one for all metrics
            fn widened_by<A, B>(
                floats: ManyToMany<f32, f32, ()>,
                scale: B::Scale,
                queries: &Rows<'_, A::Element>,
                of_queries: Range<usize>,
                rows: &Rows<'_, B::Element>,
                of_rows: Range<usize>,
                out: &mut [f32],
            ) where
                A: WidenAll<$token, Scale = ()>,
                B: WidenAll<$token>,
            {
                let (a, b) = (A::new(()), B::new(scale));
                let floats = |queries: &Rows<'_, f32>, rows: &Rows<'_, f32>, out: &mut [f32]| {
                    // SAFETY: it was compiled for the instruction set that this function was.
                    unsafe { floats((), queries, 0..queries.len(), rows, 0..rows.len(), out) };
                };
                crate::tile::widened($make, a, b, queries, of_queries, rows, of_rows, out, floats);
            }

            $(#[$target_feature])?
            fn hamming<E: Pod>(a: &[E], b: &[E]) -> u64
            where
                $token: CountBits<E>,
            {
                $make.hamming(a, b)
            }

            $(#[$target_feature])?
            fn union_intersection<E: Pod>(a: &[E], b: &[E]) -> (u64, u64)
            where
                $token: CountBits<E>,
            {
                $make.union_intersection(a, b)
            }

            $(#[$target_feature])?
            fn dot<E: Integer>(a: &[E], b: &[E]) -> i64
            where
                $token: Sum<E>,
            {
                $make.dot(a, b)
            }

            $(#[$target_feature])?
            fn l2_squared<E: Integer>(a: &[E], b: &[E]) -> i64
            where
                $token: Sum<E>,
            {
                $make.l2_squared(a, b)
            }

            $(#[$target_feature])?
            fn manhattan<E: Integer>(a: &[E], b: &[E]) -> i64
            where
                $token: Sum<E>,
            {
                $make.manhattan(a, b)
            }

            #[allow(dead_code, reason = "one instruction set has nothing but pairs")]
            pub(super) const fn table<Q, R, M>() -> &'static Table<Q, R, M::Scale>
            where
                Q: 'static,
                R: 'static,
                M: Score<$token, Q, R, Scale: 'static>,
            {
                const {
                    &Table {
                        pair: pair::<Q, R, M>,
                        one_to_many: one_to_many::<Q, R, M>,
                        many_to_many: many_to_many::<Q, R, M>,
                    }
                }
            }

            /// Over numbers that are widened. Of those, tiles are as fast once they are f32, and there
            /// is no need to compile each kind.
            #[allow(dead_code, reason = "not every instruction set adds something for floats")]
            pub(super) const fn widening<D, A, B>() -> &'static Table<A::Element, B::Element, B::Scale>
            where
                A: WidenAll<$token, Element: 'static, Scale = ()>,
                B: WidenAll<$token, Element: 'static, Scale: 'static>,
                Over<D, A, B>: Score<$token, A::Element, B::Element, Scale = B::Scale>,
                Over<D, Number<f32>, Number<f32>>: Score<$token, f32, f32, Scale = ()>,
            {
                const {
                    &Table {
                        pair: pair::<A::Element, B::Element, Over<D, A, B>>,
                        one_to_many: one_to_many::<A::Element, B::Element, Over<D, A, B>>,
                        many_to_many: widened::<D, A, B>,
                    }
                }
            }

            #[allow(dead_code, reason = "not every instruction set adds something for bits")]
            pub(super) fn counts<E: Pod>() -> &'static Counts<E>
            where
                $token: CountBits<E>,
            {
                const {
                    &Counts {
                        hamming: hamming::<E>,
                        union_intersection: union_intersection::<E>,
                    }
                }
            }

            #[allow(dead_code, reason = "not every instruction set adds something for integers")]
            pub(super) fn sums<E: Integer>() -> &'static Sums<E>
            where
                $token: Sum<E>,
            {
                const {
                    &Sums {
                        dot: dot::<E>,
                        l2_squared: l2_squared::<E>,
                        manhattan: manhattan::<E>,
                    }
                }
            }
        }
    };
}

compile! { mod scalar: Portable = Portable }

// The features are those of pulp's tokens, to the last: with one missing, its intrinsics would be
// calls instead of instructions.
#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c")]
    mod avx2: V3 = {
        // SAFETY: this function carries the features that the token stands for.
        unsafe { V3::new_unchecked() }
    }
}

#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
    )]
    mod avx512: V4 = {
        // SAFETY: this function carries the features that the token stands for.
        unsafe { V4::new_unchecked() }
    }
}

#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vpopcntdq"
    )]
    mod avx512_vpopcntdq: Vpopcntdq = {
        // SAFETY: this function carries the features that the token stands for.
        Vpopcntdq(unsafe { V4::new_unchecked() })
    }
}

#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
    )]
    mod avx512_narrow: Narrow = {
        // SAFETY: this function carries the features that the token stands for.
        pulp::x86::V3_256b(unsafe { V3::new_unchecked() })
    }
}

#[cfg(target_arch = "aarch64")]
compile! {
    #[target_feature(enable = "neon")]
    mod neon: Neon = {
        // SAFETY: this function carries the feature that the token stands for.
        unsafe { Neon::new_unchecked() }
    }
}

/// A metric with a kernel on every instruction set of the list.
macro_rules! everywhere {
    ($name:ident: $($token:ty),*) => {
        trait $name<Q, R, P>: Copy $(+ Score<$token, Q, R, Scale = P>)* {}

        impl<Q, R, P, M: Copy $(+ Score<$token, Q, R, Scale = P>)*> $name<Q, R, P> for M {}
    };
    (widened $name:ident: $($token:ty),*) => {
        trait $name: Widen $(+ WidenAll<$token>)* {}

        impl<A: Widen $(+ WidenAll<$token>)*> $name for A {}
    };
}

#[cfg(target_arch = "x86_64")]
everywhere! { Everywhere: Portable, V3, V4 }
#[cfg(target_arch = "x86_64")]
everywhere! { widened EverywhereWidened: Portable, V3, V4 }
#[cfg(target_arch = "aarch64")]
everywhere! { Everywhere: Portable, Neon }
#[cfg(target_arch = "aarch64")]
everywhere! { widened EverywhereWidened: Portable, Neon }
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
everywhere! { Everywhere: Portable }
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
everywhere! { widened EverywhereWidened: Portable }

mod bits;
mod floats;
mod integers;

pub(crate) use bits::{counts, u64_u64};
pub(crate) use floats::{bf16_bf16, f16_f16, f32_bf16, f32_f16, f32_f32, f32_i8, f32_u8};
pub(crate) use integers::{i8_i8, sums, u8_u8};

type Found<Q, R, P> = Result<&'static Table<Q, R, P>, Unsupported>;

/// The table of one metric, if this CPU has the backend.
fn on<Q: 'static, R: 'static, P: 'static, M: Everywhere<Q, R, P>>(
    backend: Backend,
) -> Found<Q, R, P> {
    match backend {
        Backend::Scalar => Ok(scalar::table::<Q, R, M>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 if backend.is_available() => Ok(avx2::table::<Q, R, M>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if backend.is_available() => Ok(avx512::table::<Q, R, M>()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon if backend.is_available() => Ok(neon::table::<Q, R, M>()),
        _ => Err(Unsupported::Backend(backend)),
    }
}
