//! What can be asked of an index by keys; nothing here changes it.

use std::borrow::{Borrow, Cow};
use std::collections::VecDeque;
use std::fmt;
use std::hash::Hash;

use super::Index;
use super::key::Key;
use super::key_searcher::KeySearcher;
use super::keys::{ByKey, KeyHit, Keys};
use crate::graph::InvariantViolation;
use crate::id::{Hit, Id};
use crate::inspect::{Memory, Stats};
use crate::params::Params;
use crate::search::{BatchError, Pages, Search, SearchError, Searcher};
use crate::space::{MakeScorer, PointMetric, Points, Space};
use crate::threads::Threads;
use crate::vectors::{VectorElement, Vectors};

impl<K: Key, S: Space> Index<K, S> {
    /// The points nearest to `query`, ascending by (distance, id): exactly min(k, points that the
    /// request wants), none twice. A filter is asked about keys.
    ///
    /// ```
    /// # use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
    /// # let index = Index::new(Vectors::<f32>::new(1, Metric::L2Squared)?, Params::default())?;
    /// # index.insert("b/1".to_string(), &[1.0])?;
    /// let hits = index.search(&[0.5], Search::new(10).filter(&|key: &String| key.starts_with("b/")))?;
    /// assert_eq!(hits[0].key, "b/1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or the query does not fit the space.
    pub fn search(
        &self,
        query: &S::Query,
        search: Search<'_, K>,
    ) -> Result<Vec<KeyHit<'_, K>>, SearchError<S::QueryError>> {
        let mut searcher = self.key_searcher();
        searcher.search(query, search)?;
        Ok(searcher.into_hits())
    }

    /// The points nearest to the point of `key`: itself first, unless a filter leaves it out.
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or no point has the key.
    pub fn search_near<Q: Hash + Eq + ?Sized>(
        &self,
        key: &Q,
        search: Search<'_, K>,
    ) -> Result<Vec<KeyHit<'_, K>>, SearchError<S::QueryError>>
    where
        K: Borrow<Q>,
    {
        let mut searcher = self.key_searcher();
        searcher.search_near(key, search)?;
        Ok(searcher.into_hits())
    }

    /// Searches for all `queries` in parallel; answers in their order, each as
    /// [`search`](Self::search) gives it.
    ///
    /// # Errors
    /// The first query that cannot be served; or the system refuses threads.
    pub fn search_batch<P: Borrow<S::Query> + Sync>(
        &self,
        queries: &[P],
        search: Search<'_, K>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<KeyHit<'_, K>>>, BatchError<S::QueryError>> {
        self.search_batch_with(queries, S::scorer, search, threads)
    }

    /// As [`search_batch`](Self::search_batch), for queries of any type.
    pub(crate) fn search_batch_with<P: Borrow<T> + Sync, T: ?Sized>(
        &self,
        queries: &[P],
        scorer: MakeScorer<S, T>,
        search: Search<'_, K>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<KeyHit<'_, K>>>, BatchError<S::QueryError>> {
        let filter = search.filter.map(|filter| ByKey { keys: &self.keys, filter });
        let by_id = search.with(filter.as_ref().map(|filter| filter as _));
        let answers = self.hnsw.search_batch_with(queries, scorer, by_id, threads)?;
        let name = |hits: &Vec<Hit>| hits.iter().filter_map(|hit| self.keys.name(*hit)).collect();
        Ok(answers.iter().map(name).collect())
    }

    /// The hits of one search, page after page of `k`, without repeats, until there are no more.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn pages<'a>(
        &'a self,
        query: &'a S::Query,
        search: Search<'a, K>,
    ) -> Result<KeyPages<'a, K, S>, SearchError<S::QueryError>> {
        self.pages_with(query, S::scorer, search)
    }

    /// As [`pages`](Self::pages), for a query of any type.
    pub(crate) fn pages_with<'a, Q: ?Sized>(
        &'a self,
        query: &'a Q,
        scorer: MakeScorer<S, Q>,
        search: Search<'a, K>,
    ) -> Result<KeyPages<'a, K, S, Q>, SearchError<S::QueryError>> {
        let pages = self.hnsw.pages_with(query, scorer, search.with(None))?;
        Ok(KeyPages { pages, keys: &self.keys, search, ready: VecDeque::new() })
    }

    /// Whether a point has the key.
    pub fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.id(key).is_some()
    }

    /// The id of the point that has the key.
    pub fn id<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Id>
    where
        K: Borrow<Q>,
    {
        self.keys.find(key, &self.hnsw)
    }

    /// The key of the point `id`; that of a removed point as well, until the index is saved and opened.
    pub fn key(&self, id: Id) -> Option<&K> {
        self.keys.get(id)
    }

    /// The keys and ids of all points that live at the moment of the call, in order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&K, Id)> {
        self.hnsw.ids().filter_map(|id| Some((self.keys.get(id)?, id)))
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.hnsw.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.hnsw.is_empty()
    }

    /// The points, those that were removed among them.
    pub fn space(&self) -> &S {
        self.hnsw.space()
    }

    /// Something that runs one search after another without allocating, and yields keys. One per thread.
    pub fn key_searcher(&self) -> KeySearcher<'_, K, S> {
        KeySearcher::new(&self.hnsw, &self.keys)
    }

    /// As [`key_searcher`](Self::key_searcher), over ids.
    pub fn searcher(&self) -> Searcher<'_, S> {
        self.hnsw.searcher()
    }

    /// The parameters it was built with.
    pub fn params(&self) -> &Params {
        self.hnsw.params()
    }

    /// The memory in use, by part; scratch memory of searches apart.
    pub fn memory(&self) -> Memory {
        Memory { keys: self.keys.bytes(), ..self.hnsw.memory() }
    }

    /// A digest of the graph, see [`Hnsw::graph_hash`](crate::Hnsw::graph_hash).
    pub fn graph_hash(&self) -> u64 {
        self.hnsw.graph_hash()
    }

    /// Whether a third of the space is that of removed points, or more: then
    /// [`compact`](Self::compact) pays. Costs nothing.
    pub fn should_compact(&self) -> bool {
        self.hnsw.should_compact()
    }

    /// What the index is made of. Takes time in proportion to the index, and keeps writers waiting.
    pub fn stats(&self) -> Stats {
        Stats { memory: self.memory(), ..self.hnsw.stats() }
    }

    /// Verifies what must always hold: of the graph as [`Hnsw::check`](crate::Hnsw::check), and that every key and its
    /// point know each other. Takes time in proportion to the index, and keeps writers waiting.
    ///
    /// # Errors
    /// The first invariant that is broken; it would be a bug of this crate.
    pub fn check(&self) -> Result<(), InvariantViolation> {
        self.hnsw.check_with(|| {
            let unknown = |id: &Id| match self.keys.get(*id) {
                Some(key) => self.keys.current(key) != Some(*id),
                None => true,
            };
            match self.hnsw.ids().find(unknown) {
                Some(id) => Err(InvariantViolation::Key(id)),
                None if self.keys.len() != self.len() => {
                    Err(InvariantViolation::Keys { keys: self.keys.len(), points: self.len() })
                }
                None => Ok(()),
            }
        })
    }
}

impl<K: Key, E: VectorElement> Index<K, Vectors<E>> {
    /// The vector of a key as it is stored, see [`Vectors`].
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Cow<'_, [E]>>
    where
        K: Borrow<Q>,
    {
        self.space().get(self.id(key)?)
    }
}

impl<K: Key, M: PointMetric> Index<K, Points<M>> {
    /// The point of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&M::Point>
    where
        K: Borrow<Q>,
    {
        self.space().get(self.id(key)?)
    }
}

/// [`Pages`] of hits with their keys.
pub struct KeyPages<'a, K: Key, S: Space, Q: ?Sized = <S as Space>::Query> {
    pages: Pages<'a, S, Q>,
    keys: &'a Keys<K>,
    search: Search<'a, K>,
    /// Hits of the last page of ids that are for the next page.
    ready: VecDeque<KeyHit<'a, K>>,
}

impl<'a, K: Key, S: Space, Q: ?Sized> Iterator for KeyPages<'a, K, S, Q> {
    type Item = Vec<KeyHit<'a, K>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { pages, keys, search, ready } = self;
        let allows = |hit: &KeyHit<'_, K>| search.filter.is_none_or(|f| f.allows(hit.key));
        while ready.len() < search.k
            && let Some(page) = pages.next()
        {
            ready.extend(page.into_iter().filter_map(|hit| keys.name(hit)).filter(allows));
        }
        let mut page: Vec<_> = ready.drain(..search.k.min(ready.len())).collect();
        // It may be of two pages, each of which is sorted.
        page.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
        Some(page).filter(|page| !page.is_empty())
    }
}

impl<K: Key, S: Space, Q: ?Sized> fmt::Debug for KeyPages<'_, K, S, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPages").field("pages", &self.pages).finish_non_exhaustive()
    }
}
