//! One search after another: their scratch memory, its pool, and many at once.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::answer::answer;
use super::beam::Scratch;
use super::request::{BatchError, Search, SearchError};
use super::view::View;
use crate::graph::Graph;
use crate::id::{Hit, Id};
use crate::originals::Originals;
use crate::space::Space;

/// Scratch memory that searches have returned, for the next ones.
pub(crate) struct Scratches<S: Space>(Mutex<Vec<Box<Memory<S>>>>);

pub(super) struct Memory<S: Space> {
    pub(super) walk: Scratch,
    pub(super) query: S::Scratch,
    pub(super) hits: Vec<Hit>,
}

impl<S: Space> Default for Memory<S> {
    fn default() -> Self {
        Self { walk: Scratch::default(), query: S::Scratch::default(), hits: Vec::new() }
    }
}

impl<S: Space> Default for Scratches<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Space> Scratches<S> {
    pub(super) fn take(&self) -> Box<Memory<S>> {
        self.with(Vec::pop).unwrap_or_default()
    }

    pub(super) fn give_back(&self, memory: Box<Memory<S>>) {
        self.with(|memories| memories.push(memory));
    }

    /// Lends scratch memory for a query, and for a walk.
    pub(crate) fn lend<T>(&self, work: impl FnOnce(&mut S::Scratch, &mut Scratch) -> T) -> T {
        let mut memory = self.take();
        let result = work(&mut memory.query, &mut memory.walk);
        self.give_back(memory);
        result
    }

    fn with<T>(&self, action: impl FnOnce(&mut Vec<Box<Memory<S>>>) -> T) -> T {
        // A poisoned lock only means that some search panicked; the list itself is whole.
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Space> fmt::Debug for Scratches<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scratches").field(&self.with(|memories| memories.len())).finish()
    }
}

/// Runs one search after another over an index, in memory that it keeps between them and gives back
/// to the index when dropped.
pub struct Searcher<'a, S: Space> {
    graph: &'a Graph,
    originals: &'a Originals,
    space: &'a S,
    scratches: &'a Scratches<S>,
    /// `None` only while being dropped.
    memory: Option<Box<Memory<S>>>,
    distances: u64,
}

impl<'a, S: Space> Searcher<'a, S> {
    pub(crate) fn new(
        graph: &'a Graph,
        originals: &'a Originals,
        space: &'a S,
        scratches: &'a Scratches<S>,
    ) -> Self {
        Self { graph, originals, space, scratches, memory: Some(scratches.take()), distances: 0 }
    }

    /// The points nearest to `query`, ascending by (distance, id): exactly min(k, points that the
    /// request wants).
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or the query does not fit the space.
    ///
    /// # Panics
    /// Never, unless the space or the filter does.
    pub fn search(
        &mut self,
        query: &S::Query,
        search: Search<'_>,
    ) -> Result<&[Hit], SearchError<S::QueryError>> {
        let search = search.check()?;
        let view = View::published(self.graph, self.originals, search.filter);
        let Memory { walk, query: scratch, hits } = &mut **self.memory.get_or_insert_default();
        let mut scorer = self.space.scorer(query, scratch).map_err(SearchError::Query)?;
        self.distances += answer(&view, &mut scorer, walk, search, hits);
        Ok(hits)
    }

    /// The points nearest to the point `id`, which is the first of them unless the request leaves it
    /// out.
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or there is no such point.
    ///
    /// # Panics
    /// As [`search`](Self::search).
    pub fn search_near(
        &mut self,
        id: Id,
        search: Search<'_>,
    ) -> Result<&[Hit], SearchError<S::QueryError>> {
        let search = search.check()?;
        let view = View::published(self.graph, self.originals, search.filter);
        if !self.graph.is_visible(id, view.snapshot) {
            return Err(SearchError::NoSuchPoint);
        }
        let Memory { walk, hits, .. } = &mut **self.memory.get_or_insert_default();
        self.distances += answer(&view, &mut self.space.member(id), walk, search, hits);
        Ok(hits)
    }

    /// Distances that this searcher has computed so far: the cost that does not depend on the machine.
    pub fn distances(&self) -> u64 {
        self.distances
    }
}

impl<S: Space> Drop for Searcher<'_, S> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.scratches.give_back(memory);
        }
    }
}

impl<S: Space> fmt::Debug for Searcher<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searcher").field("distances", &self.distances).finish_non_exhaustive()
    }
}

/// Searches for every query in parallel, in the rayon pool at hand; results in the queries' order.
pub(crate) fn search_batch<'a, S: Space + 'a, Q: Borrow<S::Query> + Sync>(
    queries: &[Q],
    search: Search<'_>,
    searcher: impl Fn() -> Searcher<'a, S> + Sync,
) -> Result<Vec<Vec<Hit>>, BatchError<S::QueryError>> {
    let answers: Vec<Result<Vec<Hit>, SearchError<S::QueryError>>> = queries
        .par_iter()
        .map_init(&searcher, |searcher, query| {
            searcher.search(query.borrow(), search).map(<[Hit]>::to_vec)
        })
        .collect();
    let name = |(query, answer): (usize, Result<_, _>)| {
        answer.map_err(|error| BatchError { query, error })
    };
    answers.into_iter().enumerate().map(name).collect()
}
