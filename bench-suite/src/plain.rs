//! The distances as anyone would write them first: what the kernels are worth is told against these.
//!
//! Compiled like the rest, for the least CPU of the target. They are no specification (their sums
//! have another order, and lose more digits); that is `nearfield_kernels::reference`.

use nearfield_kernels::Metric;

/// A distance in plain Rust.
pub type Plain<Q, R = Q> = fn(&[Q], &[R]) -> f32;

/// The plain loop of a metric over floats.
pub fn over_floats(metric: Metric) -> Option<Plain<f32>> {
    Some(match metric {
        Metric::L2Squared => |a, b| sum(a, b, |a, b| (a - b) * (a - b)),
        Metric::L2 => |a, b| sum(a, b, |a, b| (a - b) * (a - b)).sqrt(),
        Metric::InnerProduct => |a, b| -sum(a, b, |a, b| a * b),
        Metric::Cosine => |a, b| {
            let norms = sum(a, a, |a, b| a * b) * sum(b, b, |a, b| a * b);
            1.0 - sum(a, b, |a, b| a * b) / norms.sqrt()
        },
        Metric::Manhattan => |a, b| sum(a, b, |a, b| (a - b).abs()),
        _ => return None,
    })
}

/// The plain loop of a metric over packed bits.
pub fn over_bits(metric: Metric) -> Option<Plain<u64>> {
    Some(match metric {
        Metric::Hamming => |a, b| count(a, b, |a, b| a ^ b) as f32,
        Metric::Jaccard => |a, b| {
            let union = count(a, b, |a, b| a | b) as f32;
            1.0 - count(a, b, |a, b| a & b) as f32 / union
        },
        _ => return None,
    })
}

fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    a.iter().zip(b).map(|(&a, &b)| term(a, b)).sum()
}

fn count(a: &[u64], b: &[u64], combine: impl Fn(u64, u64) -> u64) -> u32 {
    a.iter().zip(b).map(|(&a, &b)| combine(a, b).count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearfield_kernels::Kernel;

    #[test]
    fn they_compute_what_the_kernels_compute() {
        let a: Vec<f32> = (0..67).map(|i| (i % 7) as f32 - 2.5).collect();
        let b: Vec<f32> = (0..67).map(|i| (i % 5) as f32 * 0.5).collect();
        let (x, y): (Vec<u64>, Vec<u64>) = (vec![0xf0f0, 3, u64::MAX], vec![0xff00, 5, 1 << 63]);
        for metric in Metric::ALL {
            if let Some(plain) = over_floats(metric) {
                let exact = Kernel::best(metric).unwrap().distance(&a, &b);
                assert!((plain(&a, &b) - exact).abs() <= 1e-5 * exact.abs().max(1.0), "{metric}");
            } else {
                let plain = over_bits(metric).expect("floats or bits");
                let exact = Kernel::best(metric).unwrap().distance(&x, &y);
                assert!((plain(&x, &y) - exact).abs() <= 1e-6, "{metric}");
            }
        }
    }
}
