//! Distances from one vector to rows, through the kernels.

use std::{fmt, io};

use bytemuck::Zeroable;
use nearfield_kernels::{Kernel, Rows};

use super::bound::least_of_cosine;
use super::element::VectorElement;
use super::identity::{equal, fingerprint};
use super::mixed::Mixed;
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
    /// A query of `f32` as it came.
    numbers: Option<Segment<f32>>,
}

impl<E> Default for QueryBuffer<E> {
    fn default() -> Self {
        Self { row: None, values: Vec::new(), numbers: None }
    }
}

impl<E: VectorElement> QueryBuffer<E> {
    /// A row of `len` elements, and room for values. Beyond what a caller writes the row is zero, as
    /// long as `len` stays the same.
    pub(super) fn padded(&mut self, len: usize) -> io::Result<(&mut [E], &mut Vec<E>)> {
        Ok((of_len(&mut self.row, len)?, &mut self.values))
    }

    /// A row of `len` numbers, and one of as many elements, both as [`padded`](Self::padded) gives them.
    pub(super) fn padded_for_f32(&mut self, len: usize) -> io::Result<(&mut [f32], &mut [E])> {
        Ok((of_len(&mut self.numbers, len)?, of_len(&mut self.row, len)?))
    }
}

/// The row that is there if it has this length, else a new one of zeros.
fn of_len<T: Zeroable>(row: &mut Option<Segment<T>>, len: usize) -> io::Result<&mut [T]> {
    if row.as_ref().is_none_or(|row| row.len() != len) {
        *row = None;
    }
    Ok(match row {
        Some(row) => row,
        empty => empty.insert(Segment::zeroed(len)?),
    })
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
    Mixed(Mixed<'a, E>),
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
            Compared::Mixed(mixed) => {
                let (kernel, rows) = (mixed.between_rows, mixed.rows);
                self.rows = Compared::Whole { kernel, rows, target: rows.row(id) };
            }
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
            Compared::Mixed(mixed) => mixed.score_all(ids, out),
        }
        self.finish(out);
    }

    fn fingerprint(&self) -> Option<u64> {
        Some(match &self.rows {
            Compared::Whole { target, .. } => fingerprint(target),
            Compared::SplitRows(rows) => fingerprint(rows.target()),
            Compared::Mixed(mixed) => fingerprint(mixed.as_row?),
        })
    }

    fn equals_target(&self, id: Id) -> bool {
        match &self.rows {
            Compared::Whole { target, rows, .. } => equal(rows.row(id), target),
            Compared::SplitRows(rows) => rows.equals_target(id),
            Compared::Mixed(mixed) => {
                mixed.as_row.is_some_and(|target| equal(mixed.rows.row(id), target))
            }
        }
    }

    fn least(&mut self, id: Id, score: f32) -> f32 {
        match &mut self.rows {
            Compared::Whole { .. } if self.normalised.is_none() => score,
            Compared::Whole { target, .. } => least_of_cosine(score, target.len()),
            Compared::SplitRows(rows) => rows.least(id, score),
            Compared::Mixed(_) => score,
        }
    }

    fn rerank(&mut self, ids: &[Id], scores: &mut [f32]) {
        match (&mut self.rows, self.normalised) {
            (Compared::Whole { rows, target, .. }, Some(kernel)) => {
                kernel.gather(target, rows, ids, scores);
            }
            (Compared::Whole { .. }, None) | (Compared::Mixed(_), _) => {}
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
            Compared::Mixed(mixed) => debug.field("mixed", mixed),
        };
        debug.finish_non_exhaustive()
    }
}
