//! The exact index: compares the query with every point.

use std::borrow::Borrow;

use crate::id::{Candidate, Hit, Id};
use crate::search::{BatchError, Search, SearchError, batch, scan};
use crate::space::{MakeScorer, Space};
use crate::threads::Threads;

/// An exact index with the interface of [`Hnsw`](crate::Hnsw): right for small sets, and the measure
/// of the approximate one.
///
/// ```
/// use nearfield_hnsw::{Flat, Metric, Search, Vectors};
///
/// let mut vectors = Vectors::<f32>::new(1, Metric::L2Squared)?;
/// vectors.extend(&[5.0, 1.0, 3.0])?;
/// let hits = Flat::new(vectors).search(&[2.1], Search::new(2))?;
/// assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Flat<S> {
    space: S,
}

impl<S: Space> Flat<S> {
    /// An index over the points of `space`.
    pub fn new(space: S) -> Self {
        Self { space }
    }

    /// The points nearest to `query`, ascending by (distance, id): exactly min(k, points).
    ///
    /// # Errors
    /// When `k` or `ef` is 0 or the query does not fit the space.
    pub fn search(
        &self,
        query: &S::Query,
        search: Search<'_>,
    ) -> Result<Vec<Hit>, SearchError<S::QueryError>> {
        self.search_with(query, S::scorer, search)
    }

    /// As [`search`](Self::search), for a query of any type.
    pub(crate) fn search_with<Q: ?Sized>(
        &self,
        query: &Q,
        scorer: MakeScorer<S, Q>,
        search: Search<'_>,
    ) -> Result<Vec<Hit>, SearchError<S::QueryError>> {
        let search = search.check()?;
        let mut scratch = S::Scratch::default();
        let mut scorer = scorer(&self.space, query, &mut scratch).map_err(SearchError::Query)?;
        let mut best = Vec::new();
        let allowed = |id: &Id| search.filter.is_none_or(|filter| filter.allows(id));
        let ids = (0..self.space.len() as Id).filter(allowed);
        scan(&mut scorer, ids, search.k, &mut best);
        best.retain(|candidate| search.reaches(candidate.distance()));
        Ok(best.into_iter().map(Candidate::hit).collect())
    }

    /// Searches for all `queries` in parallel; answers in their order.
    ///
    /// # Errors
    /// The first query that cannot be served; or the system refuses threads.
    pub fn search_batch<Q: Borrow<S::Query> + Sync>(
        &self,
        queries: &[Q],
        search: Search<'_>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<Hit>>, BatchError<S::QueryError>> {
        self.search_batch_with(queries, S::scorer, search, threads)
    }

    /// As [`search_batch`](Self::search_batch), for queries of any type.
    pub(crate) fn search_batch_with<Q: Borrow<T> + Sync, T: ?Sized>(
        &self,
        queries: &[Q],
        scorer: MakeScorer<S, T>,
        search: Search<'_>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<Hit>>, BatchError<S::QueryError>> {
        batch(queries, threads, || (), |(), query| self.search_with(query.borrow(), scorer, search))
    }

    /// The points.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.space.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.space.is_empty()
    }
}
