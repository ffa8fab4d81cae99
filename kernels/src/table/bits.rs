//! The kernels over packed bits, of which AVX-512 has faster ones where the CPU counts bits in vectors.

use super::*;

pub(crate) fn u64_u64(backend: Backend, metric: Metric) -> Found<u64, u64, ()> {
    match metric {
        Metric::Hamming | Metric::Jaccard => packed(backend, metric),
        _ => Err(Unsupported::Pair { metric, element: "u64" }),
    }
}

/// The kernels over packed bits, for the two metrics that count them.
pub(super) fn packed<E: Pod>(backend: Backend, metric: Metric) -> Found<E, E, ()> {
    #[cfg(target_arch = "x86_64")]
    if has_vpopcntdq(backend) {
        return Ok(match metric {
            Metric::Jaccard => avx512_vpopcntdq::table::<E, E, Jaccard>(),
            _ => avx512_vpopcntdq::table::<E, E, Hamming>(),
        });
    }
    match metric {
        Metric::Jaccard => on::<E, E, _, Jaccard>(backend),
        _ => on::<E, E, _, Hamming>(backend),
    }
}

/// The exact counts over packed bits.
pub(crate) fn counts<E: Pod>(backend: Backend) -> Result<&'static Counts<E>, Unsupported> {
    match backend {
        Backend::Scalar => Ok(scalar::counts()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 if backend.is_available() => Ok(avx2::counts()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if has_vpopcntdq(backend) => Ok(avx512_vpopcntdq::counts()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if backend.is_available() => Ok(avx512::counts()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon if backend.is_available() => Ok(neon::counts()),
        _ => Err(Unsupported::Backend(backend)),
    }
}

/// Whether the backend is AVX-512 on a CPU that counts bits in vectors; detected on its own.
#[cfg(target_arch = "x86_64")]
fn has_vpopcntdq(backend: Backend) -> bool {
    backend == Backend::Avx512 && backend.is_available() && detected!("avx512vpopcntdq")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    fn words(len: usize, seed: u64) -> Vec<u64> {
        (0..len as u64).map(|i| (i + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect()
    }

    #[test]
    fn counts_equal_the_reference() {
        for len in 0..130 {
            let (a, b) = (words(len, 1), words(len, 9));
            for backend in Backend::available() {
                let counts = counts(backend).unwrap();
                assert_eq!(counts.hamming(&a, &b), reference::hamming(&a, &b), "{backend}");
                let expected = reference::union_intersection(&a, &b);
                assert_eq!(counts.union_intersection(&a, &b), expected, "{backend}");
            }
        }
    }

    /// On a CPU with VPOPCNTDQ nothing else would run the version for those without.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn avx512_counts_alike_with_and_without_vpopcntdq() {
        if !has_vpopcntdq(Backend::Avx512) {
            return; // then the public interface runs the version without, and there is no other
        }
        for len in 0..130 {
            let (a, b) = (words(len, 1), words(len, 9));
            let with = [
                avx512_vpopcntdq::table::<u64, u64, Hamming>().pair((), &a, &b),
                avx512_vpopcntdq::table::<u64, u64, Jaccard>().pair((), &a, &b),
            ];
            let without = [
                avx512::table::<u64, u64, Hamming>().pair((), &a, &b),
                avx512::table::<u64, u64, Jaccard>().pair((), &a, &b),
            ];
            assert_eq!(with, without, "{len} words");
        }
    }
}
