//! Every kernel compiled for every instruction set, as tables of function pointers.
#![allow(unsafe_code, reason = "calls functions compiled for instructions that were detected")]

#[cfg(target_arch = "aarch64")]
use pulp::aarch64::Neon;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use crate::backend::{Backend, Unsupported};
use crate::batch::Score;
use crate::bits::{Hamming, Jaccard};
use crate::float::{Cosine, InnerProduct, L2Squared, Manhattan};
use crate::metric::Metric;
use crate::portable::Portable;
use crate::rows::Rows;

/// The functions of one (backend, metric, element).
///
/// Whoever holds a reference to one may call it: [`floats`] and [`bits`], the only sources, give out
/// tables of instruction sets that this CPU has.
#[derive(Debug)]
pub struct Table<E: 'static> {
    pair: Pair<E>,
    one_to_many: OneToMany<E>,
    gather: Gather<E>,
}

type Pair<E> = unsafe fn(&[E], &[E]) -> f32;
type OneToMany<E> = unsafe fn(&[E], &Rows<'_, E>, &mut [f32]);
type Gather<E> = unsafe fn(&[E], &Rows<'_, E>, &[u32], &mut [f32]);

impl<E> Table<E> {
    #[inline(always)]
    pub(crate) fn pair(&self, a: &[E], b: &[E]) -> f32 {
        // SAFETY: the CPU has the instructions, else there were no reference to this table.
        unsafe { (self.pair)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn one_to_many(&self, query: &[E], rows: &Rows<'_, E>, out: &mut [f32]) {
        // SAFETY: as for `pair`.
        unsafe { (self.one_to_many)(query, rows, out) }
    }

    #[inline(always)]
    pub(crate) fn gather(&self, query: &[E], rows: &Rows<'_, E>, ids: &[u32], out: &mut [f32]) {
        // SAFETY: as for `pair`.
        unsafe { (self.gather)(query, rows, ids, out) }
    }
}

/// The exact counts over bits, on one instruction set; given out like [`Table`].
#[derive(Debug)]
pub(crate) struct Counts {
    hamming: unsafe fn(&[u64], &[u64]) -> u64,
    union_intersection: unsafe fn(&[u64], &[u64]) -> (u64, u64),
}

impl Counts {
    #[inline(always)]
    pub(crate) fn hamming(&self, a: &[u64], b: &[u64]) -> u64 {
        // SAFETY: the CPU has the instructions, else there were no reference to these functions.
        unsafe { (self.hamming)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn union_intersection(&self, a: &[u64], b: &[u64]) -> (u64, u64) {
        // SAFETY: as for `hamming`.
        unsafe { (self.union_intersection)(a, b) }
    }
}

/// Compiles all kernels for one instruction set. The generic bodies are `inline(always)`, so that
/// their code lands inside the functions below, which carry the attribute.
macro_rules! compile {
    ($(#[$target_feature:meta])? mod $set:ident: $token:ty = $make:expr) => {
        mod $set {
            use super::*;

            $(#[$target_feature])?
            fn pair<E, M: Score<$token, E>>(a: &[E], b: &[E]) -> f32 {
                M::default().pair($make, a, b)
            }

            $(#[$target_feature])?
            fn one_to_many<E, M: Score<$token, E>>(
                query: &[E],
                rows: &Rows<'_, E>,
                out: &mut [f32],
            ) {
                crate::batch::one_to_many($make, M::default(), query, rows, out);
            }

            $(#[$target_feature])?
            fn gather<E, M: Score<$token, E>>(
                query: &[E],
                rows: &Rows<'_, E>,
                ids: &[u32],
                out: &mut [f32],
            ) {
                crate::batch::gather($make, M::default(), query, rows, ids, out);
            }

            $(#[$target_feature])?
            fn hamming(a: &[u64], b: &[u64]) -> u64 {
                crate::reference::hamming(a, b)
            }

            $(#[$target_feature])?
            fn union_intersection(a: &[u64], b: &[u64]) -> (u64, u64) {
                crate::reference::union_intersection(a, b)
            }

            pub(super) fn table<E: 'static, M: Score<$token, E>>() -> &'static Table<E> {
                const {
                    &Table {
                        pair: pair::<E, M>,
                        one_to_many: one_to_many::<E, M>,
                        gather: gather::<E, M>,
                    }
                }
            }

            pub(super) static COUNTS: Counts = Counts { hamming, union_intersection };
        }
    };
}

compile! { mod scalar: Portable = Portable }

// The features are those of pulp's tokens, to the last: with one missing, its intrinsics would be
// calls instead of instructions.
#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt")]
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

// AVX-512 with a population count of its own; the token adds nothing for bits.
#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(
        enable = "popcnt,avx,avx2,bmi1,bmi2,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vpopcntdq"
    )]
    mod avx512_vpopcntdq: Portable = Portable
}

#[cfg(target_arch = "aarch64")]
compile! {
    #[target_feature(enable = "neon")]
    mod neon: Neon = {
        // SAFETY: this function carries the feature that the token stands for.
        unsafe { Neon::new_unchecked() }
    }
}

/// A metric with a kernel on every instruction set of this architecture.
#[cfg(target_arch = "x86_64")]
trait Everywhere<E>: Score<Portable, E> + Score<V3, E> + Score<V4, E> {}
#[cfg(target_arch = "x86_64")]
impl<E, M: Score<Portable, E> + Score<V3, E> + Score<V4, E>> Everywhere<E> for M {}

/// A metric with a kernel on every instruction set of this architecture.
#[cfg(target_arch = "aarch64")]
trait Everywhere<E>: Score<Portable, E> + Score<Neon, E> {}
#[cfg(target_arch = "aarch64")]
impl<E, M: Score<Portable, E> + Score<Neon, E>> Everywhere<E> for M {}

/// A metric with a kernel on every instruction set of this architecture.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
trait Everywhere<E>: Score<Portable, E> {}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl<E, M: Score<Portable, E>> Everywhere<E> for M {}

/// The table of one metric, if this CPU has the backend.
fn on<E: 'static, M: Everywhere<E>>(backend: Backend) -> Result<&'static Table<E>, Unsupported> {
    match backend {
        Backend::Scalar => Ok(scalar::table::<E, M>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 if backend.is_available() => Ok(avx2::table::<E, M>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if backend.is_available() => Ok(avx512::table::<E, M>()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon if backend.is_available() => Ok(neon::table::<E, M>()),
        _ => Err(Unsupported::Backend(backend)),
    }
}

/// The kernels over floats.
pub(crate) fn floats(backend: Backend, metric: Metric) -> Result<&'static Table<f32>, Unsupported> {
    match metric {
        Metric::L2Squared => on::<f32, L2Squared>(backend),
        Metric::InnerProduct => on::<f32, InnerProduct>(backend),
        Metric::Cosine => on::<f32, Cosine>(backend),
        Metric::Manhattan => on::<f32, Manhattan>(backend),
        Metric::Hamming | Metric::Jaccard => Err(Unsupported::Pair { metric, element: "f32" }),
    }
}

/// The kernels over packed bits.
pub(crate) fn bits(backend: Backend, metric: Metric) -> Result<&'static Table<u64>, Unsupported> {
    #[cfg(target_arch = "x86_64")]
    if has_vpopcntdq(backend) {
        match metric {
            Metric::Hamming => return Ok(avx512_vpopcntdq::table::<u64, Hamming>()),
            Metric::Jaccard => return Ok(avx512_vpopcntdq::table::<u64, Jaccard>()),
            _ => {}
        }
    }
    match metric {
        Metric::Hamming => on::<u64, Hamming>(backend),
        Metric::Jaccard => on::<u64, Jaccard>(backend),
        Metric::L2Squared | Metric::InnerProduct | Metric::Cosine | Metric::Manhattan => {
            Err(Unsupported::Pair { metric, element: "u64" })
        }
    }
}

/// The exact counts over packed bits.
pub(crate) fn counts(backend: Backend) -> Result<&'static Counts, Unsupported> {
    match backend {
        Backend::Scalar => Ok(&scalar::COUNTS),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 if backend.is_available() => Ok(&avx2::COUNTS),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if has_vpopcntdq(backend) => Ok(&avx512_vpopcntdq::COUNTS),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if backend.is_available() => Ok(&avx512::COUNTS),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon if backend.is_available() => Ok(&neon::COUNTS),
        _ => Err(Unsupported::Backend(backend)),
    }
}

/// Whether the backend is AVX-512 on a CPU that counts bits in vectors; detected on its own.
#[cfg(target_arch = "x86_64")]
fn has_vpopcntdq(backend: Backend) -> bool {
    backend == Backend::Avx512
        && backend.is_available()
        && std::arch::is_x86_feature_detected!("avx512vpopcntdq")
}
