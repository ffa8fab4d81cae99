//! How far a score can lie from the distance that it stands for: what ends the ranking of candidates
//! by whole rows.
//!
//! Let q and x be a target and a row, q̂ and x̂ their upper halves. Rounding moves every element by at
//! most 2⁻⁸ of itself, so ‖x − x̂‖ ≤ 2⁻⁸‖x̂‖ in any norm; the move of the target, ‖q − q̂‖, is known. Then
//!
//! ```text
//! | ‖q − x‖ − ‖q̂ − x̂‖ | ≤ ‖q − q̂‖ + 2⁻⁸‖x̂‖   and   ‖x̂‖ ≤ ‖q̂‖ + ‖q̂ − x̂‖
//! | q·x − q̂·x̂ | ≤ ((1 + 2⁻⁸)·‖q − q̂‖ + 2⁻⁸‖q̂‖) · ‖x̂‖
//! ```
//!
//! and the sums of the kernels err by a share of about (n / 64 + 7) · 2⁻²⁴ for n elements.

use nearfield_kernels::Metric;

/// By how much of itself a number moves at most when it is rounded to its upper half.
const ROUNDING: f64 = 1.0 / 256.0;

/// By how much a cosine distance of two normalised rows, 1 − dot in f32, can differ from half their squared
/// Euclidean distance, where sums err by this share.
fn of_cosines(sums: f64) -> f64 {
    // Rows are as long as 1 but for 2⁻²⁴, and a distance is 2 at most.
    4.0 * sums + 1e-6
}

/// The least that half the squared Euclidean distance of two normalised rows of `len` elements can be
/// where 1 − dot of them is `score`.
pub(super) fn least_of_cosine(score: f32, len: usize) -> f32 {
    score - of_cosines(of_sums(len)) as f32
}

/// The share by which a sum of `len` products can err, and twice that for what is rounded before and after.
fn of_sums(len: usize) -> f64 {
    (len as f64 / 64.0 + 16.0) / f64::from(1 << 23)
}

/// What is known of the distances from one target before whole rows are compared.
#[derive(Debug)]
pub(super) struct Bound {
    metric: Metric,
    /// ‖q̂‖ and ‖q − q̂‖: sums of magnitudes for the Manhattan distance, else Euclidean norms.
    norm: f64,
    moved: f64,
    /// The share by which sums err.
    sums: f64,
    /// What squares and subnormal elements can lose below the smallest number.
    underflow: f64,
}

impl Bound {
    /// For a target with these elements, in whole and rounded to upper halves.
    pub(super) fn new(metric: Metric, elements: impl Iterator<Item = (f32, f32)>) -> Self {
        let is_manhattan = metric == Metric::Manhattan;
        let size = |x: f64| if is_manhattan { x.abs() } else { x * x };
        let (mut norm, mut moved, mut len) = (0.0, 0.0, 0);
        for (whole, upper) in elements {
            norm += size(upper.into());
            moved += size(f64::from(whole) - f64::from(upper));
            len += 1;
        }
        if !is_manhattan {
            (norm, moved) = (norm.sqrt(), moved.sqrt());
        }
        let sums = of_sums(len);
        let underflow = (len as f64).sqrt() / (1u128 << 74) as f64;
        Self { metric, norm: norm * (1.0 + sums), moved: moved * (1.0 + sums), sums, underflow }
    }

    /// Whether the norm of the row counts.
    pub(super) fn asks_for_norm(&self) -> bool {
        self.metric == Metric::InnerProduct
    }

    /// The least distance that a row can have at this score; `norm` is that of its upper half, if the
    /// bound asks for it.
    pub(super) fn least(&self, score: f32, norm: f32) -> f32 {
        let score = f64::from(score);
        let least = match self.metric {
            Metric::InnerProduct => score - self.of_products(norm.into()),
            Metric::Cosine => score - self.of_products(1.0 + ROUNDING) - of_cosines(self.sums),
            Metric::L2Squared => {
                let apart = self.apart(score.sqrt());
                apart * apart
            }
            _ => self.apart(score),
        };
        least as f32
    }

    /// How far an inner product with a row can be off.
    fn of_products(&self, norm: f64) -> f64 {
        let sums = 3.0 * self.sums * (self.norm + self.moved);
        let share = (1.0 + ROUNDING) * self.moved + ROUNDING * self.norm + sums;
        let norm = norm * (1.0 + self.sums) + self.underflow;
        norm * share + self.underflow * self.underflow
    }

    /// How far apart the target and a row are at least whose upper halves are `upper` apart.
    fn apart(&self, upper: f64) -> f64 {
        let row = upper * (1.0 - ROUNDING) * (1.0 - self.sums) - ROUNDING * self.norm;
        (row - self.moved - 3.0 * self.underflow).max(0.0) * (1.0 - self.sums)
    }
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Kernel;

    use super::*;

    /// Every element moves as far as it can, all in the direction that counts.
    #[test]
    fn holds_where_rounding_is_at_its_worst() {
        let upper = |x: f32| f32::from_bits((x.to_bits().wrapping_add(1 << 15)) & 0xFFFF_0000);
        let (down, up) = (1.0 + 127.0 / 32768.0, 1.0 + 129.0 / 32768.0);
        for (target, row) in
            [(down, 1.0), (1.0, down), (up, down), (down, up), (up, -up), (3.0, up)]
        {
            let (target, row) = ([target; 100], [row; 100]);
            let halves = (target.map(upper), row.map(upper));
            for metric in [Metric::L2Squared, Metric::L2, Metric::Manhattan, Metric::InnerProduct] {
                let kernel = Kernel::<f32>::best(metric).unwrap();
                let exact = kernel.distance(&target, &row);
                let score = kernel.distance(&halves.0, &halves.1);
                let bound = Bound::new(metric, target.into_iter().zip(halves.0));
                let norm = halves.1.iter().map(|x| x * x).sum::<f32>().sqrt();
                let least = bound.least(score, norm);
                assert!(least <= exact, "{metric}: {least} > {exact}, score {score}");
            }
        }
    }
}
