//! Distances from one vector to rows, through the kernels.

use std::{fmt, io};

use nearfield_kernels::{Kernel, Rows};

use super::bound::least_of_cosine;
use super::element::VectorElement;
use super::identity::{equal, fingerprint};
use super::split_rows::SplitRows;
use crate::id::Id;
use crate::space::Scorer;
use crate::store::Segment;

/// Memory for a query in its stored form, aligned as the rows are.
#[derive(Debug)]
pub struct QueryBuffer<E> {
    row: Option<Segment<E>>,
    /// Room for the query's values on the way.
    values: Vec<E>,
}

impl<E> Default for QueryBuffer<E> {
    fn default() -> Self {
        Self { row: None, values: Vec::new() }
    }
}

impl<E: VectorElement> QueryBuffer<E> {
    /// A row of `len` elements, and room for values. Beyond what a caller writes the row is zero, as
    /// long as `len` stays the same.
    pub(super) fn padded(&mut self, len: usize) -> io::Result<(&mut [E], &mut Vec<E>)> {
        if self.row.as_ref().is_none_or(|row| row.len() != len) {
            self.row = None;
        }
        let row = match &mut self.row {
            Some(row) => row,
            empty => empty.insert(Segment::zeroed(len)?),
        };
        Ok((row, &mut self.values))
    }
}

/// The [`Scorer`] of [`Vectors`](crate::Vectors).
pub struct VectorScorer<'a, E: VectorElement> {
    rows: Compared<'a, E>,
    /// Where scores are inner products of normalised rows and become cosine distances: what tells the
    /// squared Euclidean distance of these, of which the half is returned.
    normalised: Option<Kernel<E>>,
}

/// How the target is compared with rows.
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack of a search")]
pub(super) enum Compared<'a, E: VectorElement> {
    Whole { kernel: Kernel<E>, rows: Rows<'a, E>, target: &'a [E] },
    SplitRows(SplitRows<'a>),
}

impl<'a, E: VectorElement> VectorScorer<'a, E> {
    pub(super) fn new(rows: Compared<'a, E>, normalised: Option<Kernel<E>>) -> Self {
        Self { rows, normalised }
    }

    #[inline(always)]
    fn finish(&self, scores: &mut [f32]) {
        if self.normalised.is_some() {
            for score in scores {
                *score = (1.0 + *score).clamp(0.0, 2.0);
            }
        }
    }
}

impl<E: VectorElement> Scorer for VectorScorer<'_, E> {
    fn set_target(&mut self, id: Id) {
        match &mut self.rows {
            Compared::Whole { rows, target, .. } => *target = rows.row(id),
            Compared::SplitRows(rows) => rows.set_target(id),
        }
    }

    fn score(&mut self, id: Id) -> f32 {
        let mut score = [0.0];
        self.score_all(&[id], &mut score);
        score[0]
    }

    #[inline(always)]
    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        match &mut self.rows {
            Compared::Whole { kernel, rows, target } => kernel.gather(target, rows, ids, out),
            Compared::SplitRows(rows) => rows.score_all(ids, out),
        }
        self.finish(out);
    }

    fn fingerprint(&self) -> Option<u64> {
        Some(match &self.rows {
            Compared::Whole { target, .. } => fingerprint(target),
            Compared::SplitRows(rows) => fingerprint(rows.target()),
        })
    }

    fn equals_target(&self, id: Id) -> bool {
        match &self.rows {
            Compared::Whole { target, rows, .. } => equal(rows.row(id), target),
            Compared::SplitRows(rows) => rows.equals_target(id),
        }
    }

    fn least(&mut self, id: Id, score: f32) -> f32 {
        match &mut self.rows {
            Compared::Whole { .. } if self.normalised.is_none() => score,
            Compared::Whole { target, .. } => least_of_cosine(score, target.len()),
            Compared::SplitRows(rows) => rows.least(id, score),
        }
    }

    fn rerank(&mut self, ids: &[Id], scores: &mut [f32]) {
        match (&mut self.rows, self.normalised) {
            (Compared::Whole { rows, target, .. }, Some(kernel)) => {
                kernel.gather(target, rows, ids, scores);
            }
            (Compared::Whole { .. }, None) => {}
            (Compared::SplitRows(rows), _) => rows.rerank(ids, scores),
        }
        if self.normalised.is_some() {
            for score in scores {
                *score = (0.5 * *score).min(2.0);
            }
        }
    }
}

impl<E: VectorElement> fmt::Debug for VectorScorer<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("VectorScorer");
        match &self.rows {
            Compared::Whole { kernel, rows, .. } => {
                debug.field("kernel", kernel).field("rows", rows)
            }
            Compared::SplitRows(rows) => debug.field("split_rows", rows),
        };
        debug.finish_non_exhaustive()
    }
}
