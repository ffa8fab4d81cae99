//! A space in which no search begins at the point that it is for: what it finds, the graph has led to.

use nearfield_hnsw::{
    Id, Vectors,
    space::{QueryBuffer, Scorer, Space, Store, VectorElement, VectorError, VectorScorer},
};

pub(crate) struct Blind<E: VectorElement>(pub(crate) Vectors<E>);

/// A scorer that does not tell whether it is at a point.
pub(crate) struct BlindScorer<'a, E: VectorElement>(VectorScorer<'a, E>);

impl<E: VectorElement> Space for Blind<E> {
    type Query = [E];
    type QueryError = VectorError;
    type Scratch = QueryBuffer<E>;
    type Scorer<'a> = BlindScorer<'a, E>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn scorer<'a>(
        &'a self,
        query: &'a [E],
        scratch: &'a mut QueryBuffer<E>,
    ) -> Result<BlindScorer<'a, E>, VectorError> {
        self.0.scorer(query, scratch).map(BlindScorer)
    }

    fn member(&self, id: Id) -> BlindScorer<'_, E> {
        BlindScorer(self.0.member(id))
    }

    fn equal(&self, a: Id, b: Id) -> bool {
        self.0.equal(a, b)
    }

    fn fingerprint(&self, id: Id) -> u64 {
        self.0.fingerprint(id)
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl<E: VectorElement> Store for Blind<E> {
    type Point = [E];
    type PointError = VectorError;

    fn insert_scorer<'a>(
        &'a self,
        point: &'a [E],
        scratch: &'a mut QueryBuffer<E>,
    ) -> Result<BlindScorer<'a, E>, VectorError> {
        self.0.insert_scorer(point, scratch).map(BlindScorer)
    }

    fn push(&self, point: &[E]) -> Result<Id, VectorError> {
        self.0.push(point)
    }

    fn subset(&self, ids: &[Id]) -> Result<Self, VectorError> {
        self.0.subset(ids).map(Self)
    }
}

impl<E: VectorElement> Scorer for BlindScorer<'_, E> {
    fn set_target(&mut self, id: Id) {
        self.0.set_target(id);
    }

    fn score(&mut self, id: Id) -> f32 {
        self.0.score(id)
    }

    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        self.0.score_all(ids, out);
    }

    fn least(&mut self, id: Id, score: f32) -> f32 {
        self.0.least(id, score)
    }

    fn rerank(&mut self, ids: &[Id], scores: &mut [f32]) {
        self.0.rerank(ids, scores);
    }
}
