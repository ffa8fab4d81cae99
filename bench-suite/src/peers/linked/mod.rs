//! The libraries that are linked in, and which of them has what for each type of elements.

use half::{bf16, f16};
use nearfield_kernels::Metric;

use super::Peers;
use crate::ways::Way;

mod cast;
mod diskann;
mod numkong;
mod simsimd;

/// Each line: the elements, and who offers what for them.
macro_rules! peers {
    ($($query:ty, $row:ty: $($offer:expr),*;)*) => {$(
        impl Peers<$row> for $query {
            fn peers(metric: Metric, dim: usize) -> Vec<Box<dyn Way<$query, $row>>> {
                let offers: &[fn(Metric, usize) -> Vec<Box<dyn Way<$query, $row>>>] =
                    &[$($offer),*];
                offers.iter().flat_map(|offer| offer(metric, dim)).collect()
            }
        }
    )*};
}

peers! {
    f32, f32: numkong::numbers::<f32, f32>, simsimd::numbers::<f32, f32>, diskann::numbers;
    f16, f16: numkong::numbers::<f16, ::numkong::f16>, simsimd::numbers::<f16, ::simsimd::f16>,
        diskann::numbers;
    bf16, bf16: numkong::numbers::<bf16, ::numkong::bf16>, simsimd::numbers::<bf16, ::simsimd::bf16>;
    i8, i8: numkong::numbers::<i8, i8>, simsimd::numbers::<i8, i8>, diskann::numbers;
    u8, u8: numkong::numbers::<u8, u8>, numkong::bits, simsimd::bits, diskann::numbers;
    u64, u64: numkong::bits, simsimd::bits;
    f32, f16: diskann::numbers;
    f32, bf16:;
    f32, i8:;
    f32, u8:;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elements::Filled;
    use crate::plain;
    use crate::random::Random;

    const NUMBERS: [Metric; 5] =
        [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];

    fn draw<E: Filled>(n: usize, random: &mut Random) -> Vec<E> {
        (0..n).map(|_| E::draw(random)).collect()
    }

    /// The distance by f64, and the sum of the sizes of its terms.
    fn exact(metric: Metric, a: &[f64], b: &[f64]) -> (f64, f64) {
        let sum =
            |term: fn(f64, f64) -> f64| a.iter().zip(b).map(|(&a, &b)| term(a, b)).sum::<f64>();
        let squared = sum(|a, b| (a - b) * (a - b));
        let dot = sum(|a, b| a * b);
        match metric {
            Metric::L2Squared => (squared, squared),
            Metric::L2 => (squared.sqrt(), squared.sqrt()),
            Metric::InnerProduct => (-dot, sum(|a, b| (a * b).abs())),
            Metric::Cosine => (1.0 - dot / (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt(), 1.0),
            _ => unreachable!("no peer has {metric}"),
        }
    }

    /// The share of that size by which a library may be off.
    fn tolerance(name: &str, bits: usize) -> f64 {
        match (name, bits) {
            // Sums of f16 in f16, on CPUs that have it.
            ("simsimd", 16) => 3e-2,
            (_, 16) => 1e-3,
            // Cosines by way of an approximate root.
            _ => 3e-5,
        }
    }

    /// That the peers with these names have squared L2, and that all they have is right.
    fn check<Q, R>(names: &[&str])
    where
        Q: Peers<R> + Filled + Into<f64>,
        R: Filled + Into<f64>,
    {
        let mut random = Random::new(7);
        for metric in NUMBERS {
            for dim in [1, 31, 100, 128, 384, 1000] {
                let (a, b) = (draw::<Q>(dim, &mut random), draw::<R>(dim, &mut random));
                let widened = (a.iter().map(|&x| x.into()), b.iter().map(|&x| x.into()));
                let ways = Q::peers(metric, dim);
                if metric == Metric::L2Squared {
                    assert_eq!(ways.iter().map(|way| way.name()).collect::<Vec<_>>(), names);
                }
                if ways.is_empty() {
                    continue;
                }
                let (exact, size) =
                    exact(metric, &widened.0.collect::<Vec<_>>(), &widened.1.collect::<Vec<_>>());
                for way in ways {
                    let value = f64::from(way.pair(1, &a, &b));
                    let (name, elements) = (way.name(), std::any::type_name::<(Q, R)>());
                    assert!(
                        (value - exact).abs() <= tolerance(name, 8 * size_of::<R>()) * size,
                        "{name}: {metric} of {dim} {elements} is {value}, not {exact}"
                    );
                }
            }
        }
    }

    const DISKANN: [&str; 2] = ["diskann-vector", "diskann-vector (fixed)"];

    #[test]
    fn numbers_are_compared_as_the_kernels_compare_them() {
        let all = ["numkong", "simsimd", DISKANN[0], DISKANN[1]];
        check::<f32, f32>(&all);
        check::<f16, f16>(&all);
        check::<bf16, bf16>(&all[..2]);
        check::<i8, i8>(&all);
        check::<u8, u8>(&["numkong", DISKANN[0], DISKANN[1]]);
        check::<f32, f16>(&DISKANN);
        check::<f32, u8>(&[]);
    }

    #[test]
    fn bits_are_counted_one_by_one() {
        let mut random = Random::new(7);
        for metric in [Metric::Hamming, Metric::Jaccard] {
            for words in [1, 3, 16, 100] {
                let (a, b) = (draw::<u64>(words, &mut random), draw::<u64>(words, &mut random));
                let (x, y) = (bytemuck::cast_slice::<_, u8>(&a), bytemuck::cast_slice(&b));
                let exact = plain::over_bits(metric).unwrap()(&a, &b);
                let (wide, narrow) = (u64::peers(metric, words), u8::peers(metric, 8 * words));
                assert_eq!((wide.len(), narrow.len()), (2, 2));
                let wide = wide.iter().map(|way| (way.name(), way.pair(1, &a, &b)));
                let narrow = narrow.iter().map(|way| (way.name(), way.pair(1, x, y)));
                for (name, value) in wide.chain(narrow) {
                    assert!(
                        (value - exact).abs() < 1e-5,
                        "{name}: {metric} is {value}, not {exact}"
                    );
                }
            }
        }
    }
}
