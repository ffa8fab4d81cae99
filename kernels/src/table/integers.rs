//! The kernels over integers, of which an instruction set can have faster ones: those with the dot
//! product of bytes as one instruction, each detected on its own.
#![allow(unsafe_code, reason = "makes tokens of instructions that were detected")]

use super::*;
use crate::int::Exact;
#[cfg(target_arch = "aarch64")]
use crate::native::DotProduct;
#[cfg(target_arch = "x86_64")]
use crate::native::Vnni;

#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avxvnni"
    )]
    mod avx2_vnni: Vnni<V3> = {
        // SAFETY: this function carries the features that the token stands for.
        Vnni(unsafe { V3::new_unchecked() })
    }
}

#[cfg(target_arch = "x86_64")]
compile! {
    #[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni"
    )]
    mod avx512_vnni: Vnni<V4> = {
        // SAFETY: this function carries the features that the token stands for.
        Vnni(unsafe { V4::new_unchecked() })
    }
}

#[cfg(target_arch = "aarch64")]
compile! {
    #[target_feature(enable = "neon,dotprod")]
    mod neon_dotprod: DotProduct = {
        // SAFETY: this function carries the features that the token stands for.
        DotProduct(unsafe { Neon::new_unchecked() })
    }
}

#[cfg(target_arch = "x86_64")]
everywhere! { WithDotProducts: Vnni<V3>, Vnni<V4> }
#[cfg(target_arch = "aarch64")]
everywhere! { WithDotProducts: DotProduct }
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
everywhere! { WithDotProducts: }

/// Whether this CPU has the backend, and for it the dot product of bytes.
fn has_dot_product(backend: Backend) -> bool {
    let detected = match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => detected!("avxvnni"),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 => detected!("avx512vnni"),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon => detected!("dotprod"),
        _ => false,
    };
    detected && backend.is_available()
}

/// The table of one metric over integers, if this CPU has the backend.
fn fastest<E: Integer, M>(backend: Backend) -> Found<E, E, ()>
where
    Exact<M>: Everywhere<E, E, ()> + WithDotProducts<E, E, ()>,
{
    if !has_dot_product(backend) {
        return on::<E, E, (), Exact<M>>(backend);
    }
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => Ok(avx2_vnni::table::<E, E, Exact<M>>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 => Ok(avx512_vnni::table::<E, E, Exact<M>>()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon => Ok(neon_dotprod::table::<E, E, Exact<M>>()),
        _ => Err(Unsupported::Backend(backend)),
    }
}

fn integers<E: Integer>(
    backend: Backend,
    metric: Metric,
    element: &'static str,
) -> Found<E, E, ()> {
    match metric {
        Metric::L2Squared | Metric::L2 => fastest::<E, L2Squared>(backend),
        Metric::InnerProduct => fastest::<E, InnerProduct>(backend),
        Metric::Cosine => fastest::<E, Cosine>(backend),
        Metric::Manhattan => fastest::<E, Manhattan>(backend),
        Metric::Hamming | Metric::Jaccard => Err(Unsupported::Pair { metric, element }),
    }
}

pub(crate) fn i8_i8(backend: Backend, metric: Metric) -> Found<i8, i8, ()> {
    integers(backend, metric, "i8")
}

pub(crate) fn u8_u8(backend: Backend, metric: Metric) -> Found<u8, u8, ()> {
    match metric {
        Metric::Hamming | Metric::Jaccard => bits::packed(backend, metric),
        _ => integers(backend, metric, "u8"),
    }
}

/// The exact sums over integers.
pub(crate) fn sums<E: Integer>(backend: Backend) -> Result<&'static Sums<E>, Unsupported> {
    if !has_dot_product(backend) {
        return sums_on(backend);
    }
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => Ok(avx2_vnni::sums()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 => Ok(avx512_vnni::sums()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon => Ok(neon_dotprod::sums()),
        _ => Err(Unsupported::Backend(backend)),
    }
}

/// The exact sums of a backend alone, if this CPU has it.
fn sums_on<E: Integer>(backend: Backend) -> Result<&'static Sums<E>, Unsupported> {
    match backend {
        Backend::Scalar => Ok(scalar::sums()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 if backend.is_available() => Ok(avx2::sums()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if backend.is_available() => Ok(avx512::sums()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon if backend.is_available() => Ok(neon::sums()),
        _ => Err(Unsupported::Backend(backend)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a CPU has the dot product of bytes, nothing else would run the kernels without.
    fn assert_alike<E: Integer, M>(values: &[E])
    where
        Exact<M>: Everywhere<E, E, ()> + WithDotProducts<E, E, ()>,
    {
        let rows = |dim: usize| Rows::new(&values[..9 * dim], dim);
        for dim in (1..=200).chain([700, 40_000]) {
            let (a, rows) = (&values[values.len() - dim..], rows(dim));
            for backend in Backend::available() {
                let distances = |table: &Table<E, E, ()>| {
                    let mut out = vec![0.0; 1 + 9 + 81];
                    out[0] = table.pair((), a, rows.row(0));
                    table.one_to_many((), a, &rows, Which::From(0), &mut out[1..10]);
                    table.many_to_many((), &rows, 0..9, &rows, 0..9, &mut out[10..]);
                    out
                };
                let without = distances(on::<E, E, (), Exact<M>>(backend).unwrap());
                assert_eq!(
                    without,
                    distances(fastest::<E, M>(backend).unwrap()),
                    "{backend}, {dim}"
                );
                assert_eq!(
                    without,
                    distances(scalar::table::<E, E, Exact<M>>()),
                    "{backend}, {dim}"
                );
            }
        }
    }

    fn assert_all_alike<E: Integer>(values: &[E]) {
        assert_alike::<E, L2Squared>(values);
        assert_alike::<E, InnerProduct>(values);
        assert_alike::<E, Cosine>(values);
        assert_alike::<E, Manhattan>(values);
        for backend in Backend::available() {
            let (a, b) = (&values[..40_001], &values[1..40_002]);
            let of = |sums: &Sums<E>| (sums.dot(a, b), sums.l2_squared(a, b), sums.manhattan(a, b));
            let without = of(sums_on(backend).unwrap());
            assert_eq!(without, of(sums(backend).unwrap()), "{backend}");
        }
    }

    #[test]
    fn integers_alike_with_and_without_the_dot_product_of_bytes() {
        let bytes: Vec<u8> =
            (1..=360_000u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
        assert_all_alike(&bytes);
        let signed: Vec<i8> = bytes.iter().map(|byte| byte.cast_signed()).collect();
        assert_all_alike(&signed);
    }
}
