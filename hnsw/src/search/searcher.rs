//! One search after another: their scratch memory, its pool, and many at once.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, TryLockError};

use super::answer::answer;
use super::beam::Scratch;
use super::request::{Search, SearchError};
use super::trim::trim;
use super::view::View;
use crate::graph::{Duplicates, Graph};
use crate::id::{Hit, Id};
use crate::space::{MakeScorer, Space};

/// Among how many stripes scratch memory is spread.
const STRIPES: usize = 16;

/// Scratch memory that searches have returned, for the next ones.
///
/// Each thread has a stripe of its own, which it shares with few others, and looks into the others only
/// when it finds nothing there. Nobody waits for a stripe that is locked.
pub(crate) struct Scratches<S: Space>([Stripe<S>; STRIPES]);

/// In cache lines of its own.
#[repr(align(128))]
struct Stripe<S: Space>(Mutex<Vec<Box<Memory<S>>>>);

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
        Self(std::array::from_fn(|_| Stripe(Mutex::default())))
    }
}

impl<S: Space> Scratches<S> {
    pub(super) fn take(&self) -> Box<Memory<S>> {
        self.stripes().find_map(|mut stripe| stripe.pop()).unwrap_or_default()
    }

    /// Memory beyond what an ordinary search needs goes back to the system.
    pub(super) fn give_back(&self, mut memory: Box<Memory<S>>) {
        memory.walk.trim();
        trim(&mut memory.hits);
        // Where all stripes are locked the memory is dropped.
        if let Some(mut stripe) = self.stripes().next() {
            stripe.push(memory);
        }
    }

    /// Lends scratch memory for a query, and for a walk.
    pub(crate) fn lend<T>(&self, work: impl FnOnce(&mut S::Scratch, &mut Scratch) -> T) -> T {
        let mut memory = self.take();
        let result = work(&mut memory.query, &mut memory.walk);
        self.give_back(memory);
        result
    }

    /// The stripes that nobody has locked, this thread's own first.
    fn stripes(&self) -> impl Iterator<Item = MutexGuard<'_, Vec<Box<Memory<S>>>>> {
        let mut hasher = DefaultHasher::new();
        std::thread::current().id().hash(&mut hasher);
        let (before, from) = self.0.split_at(hasher.finish() as usize % STRIPES);
        from.iter().chain(before).filter_map(|stripe| match stripe.0.try_lock() {
            Ok(memories) => Some(memories),
            // A search has panicked; the list itself is whole.
            Err(TryLockError::Poisoned(memories)) => Some(memories.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

impl<S: Space> fmt::Debug for Scratches<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memories = self.stripes().map(|stripe| stripe.len()).sum::<usize>();
        f.debug_tuple("Scratches").field(&memories).finish()
    }
}

/// Runs one search after another over an index, in memory that it keeps between them and gives back
/// to the index when dropped.
pub struct Searcher<'a, S: Space> {
    graph: &'a Graph,
    duplicates: &'a Duplicates,
    space: &'a S,
    scratches: &'a Scratches<S>,
    /// `None` only while being dropped.
    memory: Option<Box<Memory<S>>>,
    distances: u64,
}

impl<'a, S: Space> Searcher<'a, S> {
    pub(crate) fn new(
        graph: &'a Graph,
        duplicates: &'a Duplicates,
        space: &'a S,
        scratches: &'a Scratches<S>,
    ) -> Self {
        Self { graph, duplicates, space, scratches, memory: Some(scratches.take()), distances: 0 }
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
        self.search_with(query, S::scorer, search)
    }

    /// As [`search`](Self::search), for a query of any type.
    pub(crate) fn search_with<Q: ?Sized>(
        &mut self,
        query: &Q,
        scorer: MakeScorer<S, Q>,
        search: Search<'_>,
    ) -> Result<&[Hit], SearchError<S::QueryError>> {
        let search = search.check()?;
        let view = View::published(self.graph, self.duplicates, search.filter);
        let Memory { walk, query: scratch, hits } = &mut **self.memory.get_or_insert_default();
        let mut scorer = scorer(self.space, query, scratch).map_err(SearchError::Query)?;
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
        let view = View::published(self.graph, self.duplicates, search.filter);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Vectors;

    #[test]
    fn memory_comes_back_and_nobody_waits_for_it() {
        let scratches = Scratches::<Vectors<f32>>::default();
        let count = || scratches.stripes().map(|stripe| stripe.len()).sum::<usize>();
        let (first, second) = (scratches.take(), scratches.take());
        scratches.give_back(first);
        scratches.give_back(second);
        assert_eq!(count(), 2);
        // Another thread finds it, wherever it lies.
        std::thread::scope(|scope| scope.spawn(|| drop(scratches.take())).join().unwrap());
        assert_eq!(count(), 1);
        let locked: Vec<_> = scratches.stripes().collect();
        assert_eq!(locked.len(), STRIPES);
        let memory = scratches.take();
        scratches.give_back(memory);
        drop(locked);
        assert_eq!(count(), 1);
    }

    #[test]
    fn what_a_deep_search_needed_is_not_kept() {
        let scratches = Scratches::<Vectors<f32>>::default();
        let mut memory = scratches.take();
        memory.hits.reserve(1 << 20);
        scratches.give_back(memory);
        assert!(scratches.take().hits.capacity() <= 1 << 16);
    }
}
