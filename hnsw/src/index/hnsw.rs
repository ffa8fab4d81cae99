//! The index: a graph over a space.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::construct::{Build, BuildError, Builder};
use crate::file::{Bytes, Corruption, Source};
use crate::graph::{Duplicates, Graph, InvariantViolation};
use crate::id::{Hit, Id, MAX_POINTS};
use crate::inspect::{Memory, Stats, should_compact};
use crate::params::Params;
use crate::progress::{Progress, Reporting};
use crate::search::{BatchError, Pages, Scratches, Search, SearchError, Searcher, View, batch};
use crate::space::{MakeScorer, Space};
use crate::threads::Threads;

/// An approximate index: a Hierarchical Navigable Small World graph (Malkov & Yashunin,
/// arXiv 1603.09320) over the points of a [`Space`].
///
/// ```
/// use nearfield_hnsw::{Build, Hnsw, Metric, Params, Search, Vectors};
///
/// let mut vectors = Vectors::<f32>::new(2, Metric::L2Squared)?;
/// vectors.extend(&[0.0, 0.0, 3.0, 4.0, 1.0, 1.0])?;
/// let index = Hnsw::build(vectors, Params::default(), Build::default())?;
///
/// let hits = index.search(&[0.9, 0.8], Search::new(2))?;
/// assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [2, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Many threads
///
/// Everything works through a shared reference. Searches wait for nobody: each sees the points that
/// were there when it began. A thread that [inserts](Self::insert) searches on its own for the
/// neighbours; only the linking, a small share of the work, is done by one thread at a time.
#[derive(Debug)]
pub struct Hnsw<S: Space> {
    pub(super) space: S,
    pub(super) params: Params,
    pub(super) graph: Graph,
    pub(super) duplicates: Duplicates,
    pub(super) scratches: Scratches<S>,
    pub(super) budget: Option<usize>,
    /// Which thread tells a caller of a batch's progress.
    pub(super) reporting: Reporting,
    writer: Mutex<Writer>,
    build_distances: AtomicU64,
}

/// What only the one thread that links has.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The point whose lists the next removal repairs first: lists far away may still lead to removed
    /// points.
    pub(crate) next_repaired: Id,
    /// Set while a change is being stored. If it stays set, this crate has a bug that made it panic there.
    pub(crate) is_broken: bool,
    /// The file that the index was opened with, until it is verified.
    pub(crate) unverified: Option<Unverified>,
}

/// A file of which nothing but the head was verified, and what it says of the ends of chains.
#[derive(Debug)]
pub(crate) struct Unverified {
    pub(crate) source: Source,
    pub(crate) tails: Bytes,
}

impl<S: Space> Hnsw<S> {
    /// Builds the graph over all points of `space`. The result depends on the points, their order
    /// and `params` alone: not on the number of threads, the timing or the CPU.
    ///
    /// # Errors
    /// When a parameter is out of range, there are more points than ids, or the system refuses
    /// memory or threads.
    pub fn build(space: S, params: Params, build: Build<'_>) -> Result<Self, BuildError> {
        params.check()?;
        let graph = Graph::with_capacity(params.m, params.seed, space.capacity());
        let index = Self::over(space, params, graph);
        let points = index.space.len();
        if points > MAX_POINTS {
            return Err(BuildError::TooMany { points });
        }
        if points > 0 {
            index.graph.reserve(points).map_err(BuildError::Memory)?;
            index.graph.grow_to(points);
            let ids = 0..points as Id;
            index.duplicates.reserve(ids.clone()).map_err(BuildError::Memory)?;
            let progress = Progress::new(build.progress, &index.reporting);
            let link = || index.link(ids, &progress);
            build.threads.run(link).map_err(BuildError::Threads)?;
            index.graph.publish();
            progress.end();
        }
        Ok(index)
    }

    /// A graph as it is over the points of a space.
    pub(crate) fn over(space: S, params: Params, graph: Graph) -> Self {
        Self::restored(space, params, graph, Duplicates::default(), Writer::default(), 0)
    }

    /// Refuses to insert beyond `bytes` of memory, counted as [`memory`](Self::memory) does. Room that
    /// has been set aside and not been used does not count.
    #[must_use]
    pub fn with_memory_budget(self, bytes: usize) -> Self {
        Self { budget: Some(bytes), ..self }
    }

    /// Links all points of a space, for which the graph has room, in the rayon pool at hand.
    fn link(&self, ids: Range<Id>, progress: &Progress<'_>) {
        let split = self.duplicates.split(&self.space, ids.clone());
        let tell = |done, total| progress.tell(done, total);
        self.count(self.builder(&tell).link(&self.graph, ids, split.firsts(), &split.copies));
    }

    pub(crate) fn builder<'a>(
        &'a self,
        progress: &'a (dyn Fn(usize, usize) + Sync),
    ) -> Builder<'a, S> {
        let Self { space, duplicates, params, .. } = self;
        Builder { space, duplicates, params, progress }
    }

    /// An index whose parts were in a file.
    pub(crate) fn restored(
        space: S,
        params: Params,
        graph: Graph,
        duplicates: Duplicates,
        writer: Writer,
        build_distances: u64,
    ) -> Self {
        Self {
            space,
            params,
            graph,
            duplicates,
            scratches: Scratches::default(),
            budget: None,
            reporting: Reporting::default(),
            writer: Mutex::new(writer),
            build_distances: AtomicU64::new(build_distances),
        }
    }

    /// Waits until no other thread changes the index; fails where that would be for ever, since a batch waits
    /// for the calling thread.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>, Unwritable> {
        // A panic while nothing was being stored has left everything in its place.
        match self.writer.try_lock() {
            Ok(writer) => Ok(writer),
            Err(TryLockError::Poisoned(writer)) => Ok(writer.into_inner()),
            Err(TryLockError::WouldBlock) if self.reporting.is_here() => Err(Unwritable::Reporting),
            Err(TryLockError::WouldBlock) => {
                Ok(self.writer.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// Waits until no other thread changes the index, and sees to it that all there is was verified:
    /// whoever changes or saves the graph relies on it.
    pub(crate) fn settled(&self) -> Result<MutexGuard<'_, Writer>, Unwritable> {
        let mut writer = self.writer()?;
        if writer.is_broken {
            return Err(Unwritable::Poisoned);
        }
        if let Some(Unverified { source, tails }) = &writer.unverified {
            let verified = source.verify().and_then(|()| self.graph.verify());
            let duplicates = || self.duplicates.verify(&self.space, &self.graph, tails);
            verified.and_then(|()| duplicates()).map_err(Unwritable::Damaged)?;
            writer.unverified = None;
        }
        Ok(writer)
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn duplicates(&self) -> &Duplicates {
        &self.duplicates
    }

    pub(crate) fn memory_budget(&self) -> Option<usize> {
        self.budget
    }

    /// Adds to the cost of building.
    pub(crate) fn count(&self, distances: u64) {
        self.build_distances.fetch_add(distances, Relaxed);
    }

    /// The points nearest to `query`, ascending by (distance, id): exactly min(k, points that the
    /// request wants), none twice. An empty index answers with no hits.
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or the query does not fit the space.
    pub fn search(
        &self,
        query: &S::Query,
        search: Search<'_>,
    ) -> Result<Vec<Hit>, SearchError<S::QueryError>> {
        self.searcher().search(query, search).map(<[Hit]>::to_vec)
    }

    /// Something that runs one search after another without allocating. One per thread.
    pub fn searcher(&self) -> Searcher<'_, S> {
        Searcher::new(&self.graph, &self.duplicates, &self.space, &self.scratches)
    }

    /// The hits of one search, page after page of `k`, until there are no more.
    ///
    /// ```
    /// use nearfield_hnsw::{Build, Hnsw, Metric, Params, Search, Vectors};
    ///
    /// let mut vectors = Vectors::<f32>::new(1, Metric::L2Squared)?;
    /// vectors.extend(&[0.0, 1.0, 2.0, 3.0, 4.0])?;
    /// let index = Hnsw::build(vectors, Params::default(), Build::default())?;
    /// let pages = index.pages(&[0.9], Search::new(2))?;
    /// let pages: Vec<Vec<u32>> =
    ///     pages.map(|page| page.iter().map(|hit| hit.id).collect()).collect();
    /// assert_eq!(pages, [vec![1, 0], vec![2, 3], vec![4]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn pages<'a>(
        &'a self,
        query: &'a S::Query,
        search: Search<'a>,
    ) -> Result<Pages<'a, S>, SearchError<S::QueryError>> {
        self.pages_with(query, S::scorer, search)
    }

    /// As [`pages`](Self::pages), for a query of any type.
    pub(crate) fn pages_with<'a, Q: ?Sized>(
        &'a self,
        query: &'a Q,
        scorer: MakeScorer<S, Q>,
        search: Search<'a>,
    ) -> Result<Pages<'a, S, Q>, SearchError<S::QueryError>> {
        let search = search.check()?;
        let view = View::published(&self.graph, &self.duplicates, search.filter);
        let pages = Pages::new(view, &self.space, query, scorer, search, &self.scratches);
        pages.map_err(SearchError::Query)
    }

    /// Searches for all `queries` in parallel; answers in their order, each as
    /// [`search`](Self::search) gives it.
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
        let answer = |searcher: &mut Searcher<'_, S>, query: &Q| {
            searcher.search_with(query.borrow(), scorer, search).map(<[Hit]>::to_vec)
        };
        batch(queries, threads, || self.searcher(), answer)
    }

    /// The points, those that were removed among them.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// Number of points that live.
    pub fn len(&self) -> usize {
        self.graph.snapshot().live()
    }

    /// Whether no point lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a point `id`, and it has not been removed.
    pub fn contains(&self, id: Id) -> bool {
        self.graph.is_visible(id, self.graph.snapshot())
    }

    /// The ids of the points that live at the moment of the call, ascending.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        let snapshot = self.graph.snapshot();
        (0..snapshot.count).filter(move |id| self.graph.is_visible(*id, snapshot))
    }

    /// The parameters it was built with.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Distances that building, inserting and removing have taken: their cost, independent of the
    /// machine.
    pub fn build_distances(&self) -> u64 {
        self.build_distances.load(Relaxed)
    }

    /// The memory in use, by part; scratch memory of searches apart.
    pub fn memory(&self) -> Memory {
        let (links, other) = self.graph.bytes();
        let other = other + self.duplicates.bytes();
        Memory { points: self.space.bytes(), links, other, keys: 0 }
    }

    /// Whether a third of the space is that of removed points, or more: then it pays to build anew, as
    /// [`Index::compact`](crate::Index::compact) does. Costs nothing.
    pub fn should_compact(&self) -> bool {
        should_compact(self.graph.snapshot())
    }

    /// A digest of the graph: equal for equal graphs. The same points, parameters and operations by one
    /// thread give the same on every machine.
    pub fn graph_hash(&self) -> u64 {
        self.graph.digest()
    }

    /// Verifies what must always hold of the graph, that every point is reachable among it. Takes
    /// time and memory in proportion to the index, and keeps writers waiting.
    ///
    /// An imported graph is what another library made of it: points that cannot be reached from its
    /// entry point, or lists that lead to one point twice, are reported here, and are no bug.
    ///
    /// # Errors
    /// The first invariant that is broken; it would be a bug of this crate. [`InvariantViolation::Reporting`] where a
    /// batch calls this through its progress function.
    pub fn check(&self) -> Result<(), InvariantViolation> {
        self.check_with(|| Ok(()))
    }

    /// Verifies the graph, and then what else must hold while nobody writes.
    pub(crate) fn check_with(
        &self,
        more: impl FnOnce() -> Result<(), InvariantViolation>,
    ) -> Result<(), InvariantViolation> {
        let _writer = self.writer().map_err(|_| InvariantViolation::Reporting)?;
        self.graph.check()?;
        more()
    }

    /// What the index is made of. Takes time in proportion to the index. Beside a writer the numbers are of
    /// moments near each other, not of one.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.graph, self.memory())
    }
}

/// Why an index cannot be changed; searches go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unwritable {
    /// A thread has panicked while it stored a change: a bug of this crate. [`Index::compact`] still builds
    /// an index of the same points.
    ///
    /// [`Index::compact`]: crate::Index::compact
    Poisoned,
    /// The call comes from the progress function of a batch, which has the index to itself until it is over.
    Reporting,
    /// Another library has built the graph. [`Index::compact`](crate::Index::compact) builds one of the
    /// same points that can be changed.
    Imported,
    /// The system refused memory for the index of the keys, which is made before the first change of an
    /// index that was opened.
    Memory,
    /// The file that the index was [opened](crate::Index::open) with is damaged, as was found when all
    /// of it was read before the first change.
    Damaged(Corruption),
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned => f.write_str(
                "the index cannot be changed any more, since a change panicked halfway, which is a bug; \
                 `Index::compact` builds a new one of the same points",
            ),
            Self::Reporting => f.write_str(
                "the progress function of a batch cannot change, save or check the index; do it after \
                 the batch",
            ),
            Self::Imported => f.write_str(
                "another library has built the graph, so it cannot be changed; `Index::compact` builds \
                 one of the same points that can",
            ),
            Self::Memory => f.write_str(
                "the system refuses memory for the index of the keys; free some and try again",
            ),
            Self::Damaged(damage) => {
                write!(f, "the index cannot be changed, since its file is damaged: {damage}")
            }
        }
    }
}

impl std::error::Error for Unwritable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Poisoned | Self::Reporting | Self::Imported | Self::Memory => None,
            Self::Damaged(damage) => Some(damage),
        }
    }
}
