//! Queries: the scratch memory they need, its pool, and what they return.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::beam::{Scratch, Walk};
use super::request::{BatchError, Search, SearchError};
use crate::graph::Graph;
use crate::id::{Candidate, Hit, Id};
use crate::space::{Scorer, Space};

/// How much wider than asked for a beam may become that ends in a shell (see [`Pool::is_shell`]):
/// with 64, a search with ef 64 crosses 4,096 one-hot rows.
///
/// [`Pool::is_shell`]: super::pool::Pool::is_shell
const WIDEST: usize = 64;

/// By how much it is widened at a time: the widest then costs a third more than going there at once.
const WIDER: usize = 4;

/// Scratch memory that searches have returned, for the next ones.
pub(crate) struct Scratches<S: Space>(Mutex<Vec<Box<Memory<S>>>>);

struct Memory<S: Space> {
    walk: Scratch,
    query: S::Scratch,
    hits: Vec<Hit>,
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
    space: &'a S,
    scratches: &'a Scratches<S>,
    /// `None` only while being dropped.
    memory: Option<Box<Memory<S>>>,
    distances: u64,
}

impl<'a, S: Space> Searcher<'a, S> {
    pub(crate) fn new(graph: &'a Graph, space: &'a S, scratches: &'a Scratches<S>) -> Self {
        let memory = scratches.with(Vec::pop).unwrap_or_default();
        Self { graph, space, scratches, memory: Some(memory), distances: 0 }
    }

    /// The points nearest to `query`, ascending by (distance, id): exactly min(k, points).
    ///
    /// # Errors
    /// When `k` or `ef` is 0 or the query does not fit the space.
    ///
    /// # Panics
    /// Never, unless the space does.
    pub fn search(
        &mut self,
        query: &S::Query,
        search: Search,
    ) -> Result<&[Hit], SearchError<S::QueryError>> {
        let search = search.check()?;
        let memory = self.memory.get_or_insert_default();
        memory.hits.clear();
        let mut scorer = self.space.scorer(query, &mut memory.query).map_err(SearchError::Query)?;
        if let Some(entry) = self.graph.entry() {
            memory.walk.distances = 0;
            let walk = Walk { graph: self.graph, scorer: &mut scorer, scratch: &mut memory.walk };
            nearest(walk, entry, search, &mut memory.hits);
            self.distances += memory.walk.distances;
        }
        Ok(&memory.hits)
    }

    /// Distances that this searcher has computed so far: the cost that does not depend on the machine.
    pub fn distances(&self) -> u64 {
        self.distances
    }
}

impl<S: Space> Drop for Searcher<'_, S> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.scratches.with(|memories| memories.push(memory));
        }
    }
}

impl<S: Space> fmt::Debug for Searcher<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searcher").field("distances", &self.distances).finish_non_exhaustive()
    }
}

/// Walks to the query and collects the nearest points, copies included.
fn nearest<S: Scorer>(mut walk: Walk<'_, S>, entry: Id, search: Search, hits: &mut Vec<Hit>) {
    let graph = walk.graph;
    let mut ef = search.ef.min(graph.len());
    let widest = ef.saturating_mul(WIDEST).min(graph.len());
    walk.descend(entry, 0, ef);
    while ef < widest && walk.scratch.is_shell() {
        ef = (ef * WIDER).min(widest);
        let seed = [walk.scratch.found()[0]];
        walk.beam(0, ef, &seed);
    }
    let found = walk.best(search.k);
    hits.extend(found.iter().map(|candidate| candidate.hit()));
    if !graph.has_copies() {
        return;
    }
    for candidate in found {
        let chain =
            std::iter::successors(graph.next_copy(candidate.id()), |id| graph.next_copy(*id));
        hits.extend(chain.take(search.k - 1).map(|id| Hit { id, ..candidate.hit() }));
    }
    hits.sort_unstable_by_key(|hit| Candidate::new(hit.distance, hit.id));
    hits.truncate(search.k);
}

/// Searches for every query in parallel, in the rayon pool at hand; results in the queries' order.
pub(crate) fn search_batch<'a, S: Space + 'a, Q: Borrow<S::Query> + Sync>(
    queries: &[Q],
    search: Search,
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
