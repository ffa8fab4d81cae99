//! Distances from one vector to rows, through the kernels.

use std::{fmt, io};

use nearfield_kernels::{Kernel, Metric, Rows};

use super::element::VectorElement;
use crate::id::Id;
use crate::space::Scorer;
use crate::store::Segment;

/// Aligned memory for a query in its stored form.
#[derive(Debug)]
pub struct QueryBuffer<E>(Option<Segment<E>>);

impl<E> Default for QueryBuffer<E> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E: VectorElement> QueryBuffer<E> {
    /// `len` elements; beyond what a caller writes they are zero, as long as `len` stays the same.
    pub(super) fn padded(&mut self, len: usize) -> io::Result<&mut [E]> {
        if self.0.as_ref().is_none_or(|segment| segment.len() != len) {
            self.0 = None;
        }
        match &mut self.0 {
            Some(segment) => Ok(segment),
            empty => Ok(empty.insert(Segment::zeroed(len)?)),
        }
    }
}

/// The [`Scorer`] of [`Vectors`](crate::Vectors).
pub struct VectorScorer<'a, E: VectorElement> {
    kernel: Kernel<E>,
    rows: Rows<'a, E>,
    target: &'a [E],
    /// Scores are inner products of normalised rows and become cosine distances.
    cosine: bool,
}

impl<'a, E: VectorElement> VectorScorer<'a, E> {
    pub(super) fn new(
        kernel: Kernel<E>,
        metric: Metric,
        rows: Rows<'a, E>,
        target: &'a [E],
    ) -> Self {
        Self { kernel, rows, target, cosine: kernel.metric() != metric }
    }
}

impl<E: VectorElement> Scorer for VectorScorer<'_, E> {
    fn aim(&mut self, id: Id) {
        self.target = self.rows.row(id);
    }

    fn score(&mut self, id: Id) -> f32 {
        let mut score = [0.0];
        self.score_all(&[id], &mut score);
        score[0]
    }

    #[inline(always)]
    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        self.kernel.gather(self.target, &self.rows, ids, out);
        if self.cosine {
            for score in out {
                *score = (1.0 + *score).clamp(0.0, 2.0);
            }
        }
    }
}

impl<E: VectorElement> fmt::Debug for VectorScorer<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VectorScorer")
            .field("kernel", &self.kernel)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
