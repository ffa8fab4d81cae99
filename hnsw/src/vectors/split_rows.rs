//! Rows of `f32` as two halves: the upper 16 bits of every element, then the lower 16.
//!
//! A search is as fast as it gets its rows from memory. The upper halves, rounded, are the row in
//! `bf16`, so a search reads and compares these alone, and the whole rows of its few best candidates
//! only. Both halves together take the row's own bytes, and nothing is lost:
//!
//! ```text
//!          stride × 2 bytes                 stride × 2 bytes
//! ┌───────────────────────────────┬───────────────────────────────┐
//! │ u₀ u₁ u₂ … zeros              │ l₀ l₁ l₂ … zeros              │
//! └───────────────────────────────┴───────────────────────────────┘
//!   uᵢ = (bits + 2¹⁵) / 2¹⁶          lᵢ = bits mod 2¹⁶, as an i16
//!                  bits = uᵢ · 2¹⁶ + lᵢ
//! ```

use std::ops::RangeInclusive;

use nearfield_kernels::{Backend, Kernel, Metric, Rows, Unsupported, bf16, prefetch};

use super::bound::{Bound, least_of_cosine};
use super::identity::equal;
use crate::id::Id;

/// The shortest rows that are stored so. Of 64 elements the upper halves are two cache lines and the
/// whole row four; of fewer, less than what a read from memory brings along anyway.
pub(super) const SHORTEST: usize = 64;

/// How near, as a share of the target's norm, two points can be and still be told apart by their upper
/// halves. Rounding moves a point by about 2⁻⁹·³ of its norm, in a direction of its own: at a distance
/// of 2⁻⁵ and 100 dimensions a squared distance errs by about 1.5 % so, which costs no recall (ADR 9).
const NEAR: f32 = 1.0 / 32.0;

/// Lines of the lower halves fetched before they are needed: those of 1,024 elements.
const LINES_AHEAD: usize = 32;

/// Writes values as the halves of a row that is zero behind them.
pub(super) fn split(values: &[f32], row: &mut [f32]) {
    let stride = row.len();
    let (upper, lower) = bytemuck::cast_slice_mut::<f32, u16>(row).split_at_mut(stride);
    for ((value, upper), lower) in values.iter().zip(upper).zip(lower) {
        let bits = value.to_bits();
        // Values that would round to infinity are none: their norm overflows.
        *upper = (bits.wrapping_add(1 << 15) >> 16) as u16;
        *lower = bits as u16;
    }
}

/// The values whose halves `row` holds, as many as `values` has room for.
pub(super) fn join(row: &[f32], values: &mut [f32]) {
    let (upper, lower) = bytemuck::cast_slice::<f32, u16>(row).split_at(row.len());
    for ((value, upper), lower) in values.iter_mut().zip(upper).zip(lower) {
        let lower = i32::from(lower.cast_signed()).cast_unsigned();
        *value = f32::from_bits((u32::from(*upper) << 16).wrapping_add(lower));
    }
}

/// Whether the upper halves are the whole truth about a row, as they are about integers up to 256.
pub(super) fn is_short(row: &[f32]) -> bool {
    let lower = &bytemuck::cast_slice::<f32, u16>(row)[row.len()..];
    lower.iter().fold(0, |all, half| all | half) == 0
}

/// How rows in halves are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Halved {
    metric: Metric,
    upper: Kernel<bf16>,
    dot: Kernel<bf16>,
    whole: Kernel<f32>,
    /// Tells the distances that a search returns.
    last: Kernel<f32>,
}

impl Halved {
    /// `scored` is the metric of the kernels where rows are normalised for `metric`, and `last` that of
    /// what a search returns.
    pub(super) fn on(
        backend: Backend,
        metric: Metric,
        scored: Metric,
        last: Metric,
    ) -> Result<Self, Unsupported> {
        let dot = Kernel::on(backend, Metric::InnerProduct)?;
        let (upper, whole) = (Kernel::on(backend, scored)?, Kernel::on(backend, scored)?);
        Ok(Self { metric, upper, dot, whole, last: Kernel::on(backend, last)? })
    }

    /// The scores of points within [`NEAR`] of the target.
    fn near(&self, target: &[f32]) -> RangeInclusive<f32> {
        if self.metric == Metric::Cosine {
            // Scores are inner products of vectors of length 1: −1 + d² / 2.
            return f32::NEG_INFINITY..=NEAR * NEAR / 2.0 - 1.0;
        }
        let target = upper(target);
        let squared_norm = -self.dot.distance(target, target);
        match self.metric {
            // |q·(q + δ) − ‖q‖²| ≤ ‖q‖·‖δ‖
            Metric::InnerProduct => -squared_norm * (1.0 + NEAR)..=-squared_norm * (1.0 - NEAR),
            // ‖δ‖₁ ≤ √d·‖δ‖₂
            Metric::Manhattan => 0.0..=NEAR * (squared_norm * target.len() as f32).sqrt(),
            Metric::L2 => 0.0..=NEAR * squared_norm.sqrt(),
            _ => 0.0..=NEAR * NEAR * squared_norm,
        }
    }
}

fn upper(row: &[f32]) -> &[bf16] {
    &bytemuck::cast_slice(row)[..row.len()]
}

/// Compares one target with rows.
#[derive(Debug)]
pub(super) struct SplitRows<'a> {
    halved: Halved,
    upper: Rows<'a, bf16>,
    whole: Rows<'a, f32>,
    target: &'a [f32],
    /// What a score must be for the whole rows to be compared; none where upper halves are exact.
    near: Option<RangeInclusive<f32>>,
    /// How far other scores can be off, once that is asked for.
    bound: Option<Bound>,
    /// The values of the target, once they are needed, and of a row.
    values: (Vec<f32>, Vec<f32>),
}

impl<'a> SplitRows<'a> {
    /// `is_exact` where the upper halves are the whole truth about the target and all rows.
    pub(super) fn new(
        halved: Halved,
        whole: Rows<'a, f32>,
        upper: Rows<'a, bf16>,
        target: &'a [f32],
        is_exact: bool,
    ) -> Self {
        let near = (!is_exact).then(|| halved.near(target));
        Self { halved, upper, whole, target, near, bound: None, values: Default::default() }
    }

    /// Makes a row the target.
    pub(super) fn set_target(&mut self, id: Id) {
        self.target = self.whole.row(id);
        self.values.0.clear();
        self.bound = None;
        self.near = self.near.take().map(|_| self.halved.near(self.target));
    }

    pub(super) fn target(&self) -> &[f32] {
        self.target
    }

    /// Whether a row is the target.
    pub(super) fn equals_target(&self, id: Id) -> bool {
        equal(self.whole.row(id), self.target)
    }

    /// Scores by upper halves, and those that come out near by whole rows.
    #[inline(always)]
    pub(super) fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        self.halved.upper.gather(upper(self.target), &self.upper, ids, out);
        if let Some(near) = &self.near {
            let near = near.clone();
            for (id, score) in ids.iter().zip(out) {
                if near.contains(score) {
                    *score = self.compare(self.halved.whole, *id);
                }
            }
        }
    }

    /// Whether a score is that of the whole row: where upper halves are exact, or came out near.
    fn is_whole(&self, score: f32) -> bool {
        // Near scores of cosines, 1 − dot by now, were made so without rounding.
        let score = if self.is_cosine() { score - 1.0 } else { score };
        self.near.as_ref().is_none_or(|near| near.contains(&score))
    }

    fn is_cosine(&self) -> bool {
        self.halved.metric == Metric::Cosine
    }

    /// The least distance that the row `id` can have at this score.
    pub(super) fn least(&mut self, id: Id, score: f32) -> f32 {
        if self.is_whole(score) {
            let len = self.target.len();
            return if self.is_cosine() { least_of_cosine(score, len) } else { score };
        }
        let bound = match self.bound.take() {
            Some(bound) => bound,
            None => {
                let metric = self.halved.metric;
                let rounded = upper(self.target).iter().map(|element| element.to_f32());
                let elements = self.values().0.iter().copied().zip(rounded);
                Bound::new(metric, elements)
            }
        };
        let norm = if bound.asks_for_norm() { self.norm(id) } else { 0.0 };
        self.bound.insert(bound).least(score, norm)
    }

    /// The norm of the upper half of a row.
    fn norm(&self, id: Id) -> f32 {
        let row = upper(self.whole.row(id));
        (-self.halved.dot.distance(row, row)).sqrt()
    }

    /// Replaces scores by what the last kernel tells of whole rows.
    pub(super) fn rerank(&mut self, ids: &[Id], out: &mut [f32]) {
        for (i, (id, score)) in ids.iter().zip(out).enumerate() {
            if !self.is_cosine() && self.is_whole(*score) {
                continue;
            }
            if let Some(next) = ids.get(i + 1) {
                let row = self.whole.row(*next);
                prefetch::<LINES_AHEAD, f32>(&row[row.len() / 2..]);
            }
            *score = self.compare(self.halved.last, *id);
        }
    }

    #[cold]
    fn compare(&mut self, kernel: Kernel<f32>, id: Id) -> f32 {
        let row = self.whole.row(id);
        let (target, values) = self.values();
        join(row, values);
        kernel.distance(target, values)
    }

    /// The values of the target, and room for those of a row.
    fn values(&mut self) -> (&[f32], &mut [f32]) {
        let (target, row) = &mut self.values;
        row.resize(self.target.len(), 0.0);
        if target.is_empty() {
            target.resize(self.target.len(), 0.0);
            join(self.target, target);
        }
        (target, row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_row() {
        let values: Vec<f32> = (0..=u32::from(u16::MAX))
            .flat_map(|low| [0x3F80_0000, 0xC1FF_0000, 0x0000_0000, 0x8000_0000].map(|up| up | low))
            .map(f32::from_bits)
            .collect();
        for values in values.chunks(100) {
            let (mut row, mut back) = ([f32::NAN; 112], [1.0; 100]);
            row[values.len()..].fill(0.0);
            split(values, &mut row);
            join(&row, &mut back[..values.len()]);
            for ((value, back), upper) in values.iter().zip(&back).zip(upper(&row)) {
                assert_eq!(value.to_bits(), back.to_bits());
                assert!((value - upper.to_f32()).abs() <= value.abs() / 256.0 + 1e-40, "{value}");
            }
        }
    }

    #[test]
    fn integers_up_to_256_are_short() {
        let values: Vec<f32> = (-256..=256).map(|i| i as f32).collect();
        let mut row = [0.0; 528];
        split(&values, &mut row);
        assert!(is_short(&row));
        split(&[257.0], &mut row);
        assert!(!is_short(&row));
    }
}
