//! The exact index: compares the query with every point.

use std::borrow::Borrow;

use rayon::prelude::*;

use crate::id::{Candidate, Hit, Id};
use crate::search::{BatchError, Search, SearchError, scan};
use crate::space::Space;
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
        let search = search.check()?;
        let mut scratch = S::Scratch::default();
        let mut scorer = self.space.scorer(query, &mut scratch).map_err(SearchError::Query)?;
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
    /// The first query that cannot be served.
    ///
    /// # Panics
    /// When the system refuses the threads asked for by [`Threads::All`] or [`Threads::Count`].
    pub fn search_batch<Q: Borrow<S::Query> + Sync>(
        &self,
        queries: &[Q],
        search: Search<'_>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<Hit>>, BatchError<S::QueryError>> {
        let answer = |(query, target): (usize, &Q)| {
            self.search(target.borrow(), search).map_err(|error| BatchError { query, error })
        };
        let work = || queries.par_iter().enumerate().map(answer).collect::<Vec<_>>();
        let answers = threads.run(work);
        let answers = answers.expect("the system refused threads for a batch of searches");
        answers.into_iter().collect()
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
