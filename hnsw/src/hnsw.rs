//! The index: a graph over a space.

use std::borrow::Borrow;
use std::ops::Range;

use crate::build::{Build, BuildError, Builder, Originals};
use crate::graph::{Broken, Graph};
use crate::id::{Hit, Id, MAX_POINTS};
use crate::memory::Memory;
use crate::params::Params;
use crate::search::{BatchError, Scratches, Search, SearchError, Searcher, search_batch};
use crate::space::Space;
use crate::threads::Threads;
use crate::vectors::{VectorElement, Vectors};

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
#[derive(Debug)]
pub struct Hnsw<S: Space> {
    space: S,
    params: Params,
    graph: Graph,
    originals: Originals,
    scratches: Scratches<S>,
    build_distances: u64,
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
        let graph = Graph::new(params.m, params.seed);
        let mut index = Self {
            space,
            params,
            graph,
            originals: Originals::default(),
            scratches: Scratches::default(),
            build_distances: 0,
        };
        build.threads.run(|| index.link_new(build)).map_err(BuildError::Threads)??;
        Ok(index)
    }

    /// Links the points that the space has and the graph has not, in the rayon pool at hand. On an
    /// error the graph is as before.
    fn link_new(&mut self, build: Build<'_>) -> Result<Range<Id>, BuildError> {
        let (first, len) = (self.graph.len(), self.space.len());
        if len > MAX_POINTS {
            return Err(BuildError::TooMany { points: len });
        }
        self.graph.grow_to(len).map_err(BuildError::Memory)?;
        let ids = first as Id..len as Id;
        let builder = Builder {
            space: &self.space,
            params: &self.params,
            progress: build.progress.unwrap_or(&|_, _| {}),
        };
        self.build_distances += builder.link(&mut self.graph, &mut self.originals, ids.clone());
        Ok(ids)
    }

    /// The points nearest to `query`, ascending by (distance, id): exactly min(k, points), none
    /// twice. An empty index answers with no hits.
    ///
    /// # Errors
    /// When `k` or `ef` is 0 or the query does not fit the space.
    pub fn search(
        &self,
        query: &S::Query,
        search: Search,
    ) -> Result<Vec<Hit>, SearchError<S::QueryError>> {
        self.searcher().search(query, search).map(<[Hit]>::to_vec)
    }

    /// Something that runs one search after another without allocating. One per thread.
    pub fn searcher(&self) -> Searcher<'_, S> {
        Searcher::new(&self.graph, &self.space, &self.scratches)
    }

    /// Searches for all `queries` in parallel; answers in their order, each as
    /// [`search`](Self::search) gives it.
    ///
    /// # Errors
    /// The first query that cannot be served.
    ///
    /// # Panics
    /// When the system refuses the threads asked for by [`Threads::All`] or [`Threads::Count`].
    pub fn search_batch<Q: Borrow<S::Query> + Sync>(
        &self,
        queries: &[Q],
        search: Search,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<Hit>>, BatchError<S::QueryError>> {
        let work = || search_batch(queries, search, || self.searcher());
        threads.run(work).expect("the system refused threads for a batch of searches")
    }

    /// The points.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parameters it was built with.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Distances that building has taken: its cost, independent of the machine.
    pub fn build_distances(&self) -> u64 {
        self.build_distances
    }

    /// The memory in use, by part; scratch memory of searches apart.
    pub fn memory(&self) -> Memory {
        let (links, other) = self.graph.bytes();
        Memory { points: self.space.bytes(), links, other: other + self.originals.bytes() }
    }

    /// A digest of the graph: equal for equal graphs. The same points and parameters give the same
    /// on every machine.
    pub fn graph_hash(&self) -> u64 {
        self.graph.digest()
    }

    /// Verifies what must always hold of the graph, that every point is reachable among it. Takes
    /// time and memory in proportion to the index.
    ///
    /// # Errors
    /// The first invariant that is broken; it would be a bug of this crate.
    pub fn check(&self) -> Result<(), Broken> {
        self.graph.check()
    }
}

impl<E: VectorElement> Hnsw<Vectors<E>> {
    /// Adds the rows of `values`, a row-major matrix, and links them in parallel. Returns their
    /// ids. As with [`build`](Self::build), the result does not depend on the threads.
    ///
    /// # Errors
    /// When the values are refused (nothing is added then, see [`Vectors::extend`]), or the system
    /// refuses memory or threads.
    pub fn insert_batch(
        &mut self,
        values: &[E],
        build: Build<'_>,
    ) -> Result<Range<Id>, BuildError> {
        let first = self.space.len();
        let insert = || {
            self.space.extend(values)?;
            self.link_new(build).inspect_err(|_| self.space.truncate(first))
        };
        build.threads.run(insert).map_err(BuildError::Threads)?
    }
}
