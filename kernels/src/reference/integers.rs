//! The distances of integers: exact sums, and what they make, rounded to `f32` once.

use crate::integer::Integer;

/// `Σ aᵢ·bᵢ`, exactly.
pub fn dot<E: Integer>(a: &[E], b: &[E]) -> i64 {
    sum(a, b, |a, b| a * b)
}

/// `Σ (aᵢ − bᵢ)²`, exactly.
pub fn l2_squared<E: Integer>(a: &[E], b: &[E]) -> i64 {
    sum(a, b, |a, b| (a - b) * (a - b))
}

/// `Σ |aᵢ − bᵢ|`, exactly.
pub fn manhattan<E: Integer>(a: &[E], b: &[E]) -> i64 {
    sum(a, b, |a, b| (a - b).abs())
}

fn sum<E: Integer>(a: &[E], b: &[E], term: impl Fn(i64, i64) -> i64) -> i64 {
    a.iter().zip(b).map(|(&a, &b)| term(a.into(), b.into())).sum()
}

/// The distance with this dot product: its negative, never −0.0.
pub fn inner_product_of(dot: i64) -> f32 {
    0.0 - dot as f32
}

/// The cosine distance from the three exact sums. Each becomes an f64, and then nothing but f64 is
/// computed with, in this order: the product of the norms, its root, the quotient, the difference
/// from 1, the clamp to `0…2`. A zero vector gives 1.
pub fn cosine_of(dot: i64, aa: i64, bb: i64) -> f32 {
    super::cosine::cosine_in_f64(dot as f64, aa as f64, bb as f64)
}

/// `1 − a·b / √(‖a‖²·‖b‖²)`; see [`cosine_of`].
pub fn cosine<E: Integer>(a: &[E], b: &[E]) -> f32 {
    cosine_of(dot(a, b), dot(a, a), dot(b, b))
}
