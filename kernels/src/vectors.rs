//! Helpers over one whole vector: what to do with it before it is stored or searched for.

use core::fmt;

use multiversion::multiversion;

use crate::math::sqrt_f64;

/// Whether every element is finite: neither NaN nor infinite. `true` for an empty vector.
///
/// ```
/// use nearfield_kernels::all_finite;
///
/// assert!(all_finite(&[0.0, -1.5, f32::MAX]));
/// assert!(!all_finite(&[0.0, f32::NAN]));
/// ```
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
pub fn all_finite(vector: &[f32]) -> bool {
    // The bits of a magnitude order like integers, and integers fold in any order.
    let largest = vector.iter().fold(0, |largest, x| u32::max(largest, x.abs().to_bits()));
    largest < f32::INFINITY.to_bits()
}

/// Divides `vector` by its Euclidean norm, so that the norm becomes 1 and the inner product of two
/// such vectors is their cosine.
///
/// The norm is summed and divided by in f64, where no finite vector's norm over- or underflows, in
/// a fixed order: the result has the same bits on every CPU. It is right for finite elements of any
/// magnitude, from 1e-45 to 3.4e38, also side by side.
///
/// ```
/// use nearfield_kernels::normalize;
///
/// let mut vector = [3.0, -4.0];
/// normalize(&mut vector)?;
/// assert_eq!(vector, [0.6, -0.8]);
/// # Ok::<(), nearfield_kernels::NotNormalizable>(())
/// ```
///
/// # Errors
/// [`NotNormalizable`] when the vector is zero (or empty) or has an element that is NaN or
/// infinite; it is then unchanged.
pub fn normalize(vector: &mut [f32]) -> Result<(), NotNormalizable> {
    let norm = sqrt_f64(squared_norm_f64(vector));
    if !norm.is_finite() {
        return Err(NotNormalizable::NotFinite);
    }
    if norm == 0.0 {
        return Err(NotNormalizable::Zero);
    }
    divide(vector, norm);
    Ok(())
}

/// Why a vector has no direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNormalizable {
    /// Every element is zero.
    Zero,
    /// An element is NaN or infinite.
    NotFinite,
}

impl fmt::Display for NotNormalizable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "a zero vector cannot be normalized",
            Self::NotFinite => "a vector with NaN or infinite elements cannot be normalized",
        })
    }
}

impl core::error::Error for NotNormalizable {}

/// `Σ xᵢ²` in f64: the product of two f32 is exact there, so that fused or not is all one.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn squared_norm_f64(vector: &[f32]) -> f64 {
    const LANES: usize = 32;
    let mut lanes = [0.0f64; LANES];
    let (blocks, tail) = vector.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += f64::from(x) * f64::from(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(tail) {
        *lane += f64::from(x) * f64::from(x);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn divide(vector: &mut [f32], norm: f64) {
    for x in vector {
        *x = (f64::from(*x) / norm) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_one_element_that_is_not_finite() {
        for len in 0..70 {
            let mut vector = vec![-f32::MAX; len];
            assert!(all_finite(&vector));
            for i in 0..len {
                for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    vector[i] = bad;
                    assert!(!all_finite(&vector), "{bad} at {i} of {len}");
                }
                vector[i] = 1.0;
            }
        }
    }

    #[test]
    fn normalizes_any_finite_vector_but_zero() {
        for scale in
            [f32::from_bits(1), 1e-45, 1e-40, 1e-38, 1e-25, 1e-12, 1.0, 1e15, 1e20, f32::MAX]
        {
            for len in 1..70 {
                let mut vector = vec![-scale; len];
                normalize(&mut vector).unwrap();
                let expected = (-1.0 / (len as f64).sqrt()) as f32;
                for x in vector {
                    assert!((x - expected).abs() <= f32::EPSILON, "{scale:e} × {len}: {x}");
                }
            }
        }
    }

    /// The order of the sum is part of the contract; one value of it pins the order.
    #[test]
    fn normalizes_to_the_same_bits_everywhere() {
        let mut vector: Vec<f32> = (0..101).map(|i| ((i * 37 % 101) as f32 - 50.3) / 7.0).collect();
        normalize(&mut vector).unwrap();
        let hash = vector
            .iter()
            .fold(0u64, |hash, x| hash.wrapping_mul(0x0100_0000_01B3) ^ u64::from(x.to_bits()));
        assert_eq!(hash, 0xEA95_D700_AE3E_4311, "{hash:#x}");
    }

    #[test]
    fn refuses_what_has_no_direction_and_leaves_it_alone() {
        let mut zero = [0.0, -0.0];
        assert_eq!(normalize(&mut zero), Err(NotNormalizable::Zero));
        assert_eq!(normalize(&mut []), Err(NotNormalizable::Zero));
        let mut infinite = [1.0, f32::INFINITY];
        assert_eq!(normalize(&mut infinite), Err(NotNormalizable::NotFinite));
        assert_eq!(infinite, [1.0, f32::INFINITY]);
        assert_eq!(normalize(&mut [f32::NAN]), Err(NotNormalizable::NotFinite));
    }
}
