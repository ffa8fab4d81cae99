//! The index of an application: points by keys of its own.

use std::borrow::{Borrow, Cow};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::MutexGuard;

use crate::build::{Build, BuildError};
use crate::graph::Broken;
use crate::hnsw::{Hnsw, Unwritable, Writer};
use crate::id::{Hit, Id};
use crate::insert::{Edit, InsertError};
use crate::key::Key;
use crate::keys::{ByKey, KeyHit, Keys};
use crate::memory::Memory;
use crate::params::Params;
use crate::points::{PointMetric, Points};
use crate::search::{BatchError, Pages, Search, SearchError, Searcher};
use crate::space::{Space, Store};
use crate::stats::Stats;
use crate::threads::Threads;
use crate::vectors::{VectorElement, Vectors};

/// An [`Hnsw`] whose points have keys: what applications use.
///
/// ```
/// use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
///
/// let index = Index::new(Vectors::<f32>::new(2, Metric::L2Squared)?, Params::default())?;
/// index.insert("a", &[0.0, 0.0])?;
/// index.insert("b", &[3.0, 4.0])?;
/// index.upsert("a", &[1.0, 1.0])?; // another place for the same key
///
/// let hits = index.search(&[0.9, 0.8], Search::new(2))?;
/// assert_eq!(hits.iter().map(|hit| *hit.key).collect::<Vec<_>>(), ["a", "b"]);
///
/// assert!(index.remove("a")?);
/// assert_eq!(index.search(&[0.9, 0.8], Search::new(2))?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Many threads
///
/// Everything works through a shared reference, from any number of threads. A search waits for nobody
/// and sees the index as it was when the search began: of a point that is being replaced the old place
/// or the new one, never both, never neither. What a call that changes the index has done, every
/// search that begins after the call returned sees. Inserting threads search for neighbours on their
/// own; linking and removing is done by one thread at a time.
///
/// ```
/// use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
///
/// let index = Index::new(Vectors::<f32>::new(1, Metric::L2Squared)?, Params::default())?;
/// std::thread::scope(|scope| {
///     for thread in 0..4u64 {
///         let index = &index;
///         scope.spawn(move || {
///             for i in 0..100 {
///                 let key = thread * 100 + i;
///                 index.insert(key, &[key as f32]).expect("a new key and a good vector");
///             }
///         });
///     }
/// });
/// assert_eq!(index.len(), 400);
/// assert_eq!(*index.search(&[123.2], Search::new(1))?[0].key, 123);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Space that removed points take
///
/// The row and the lists of a removed point stay until [`compact`](Self::compact) makes an index
/// without them; [`stats`](Self::stats) tells how many there are.
#[derive(Debug)]
pub struct Index<K: Key, S: Space> {
    pub(crate) hnsw: Hnsw<S>,
    pub(crate) keys: Keys<K>,
}

impl<K: Key, S: Store> Index<K, S> {
    /// An index over an empty space. For one flat piece of memory give the space its capacity, as
    /// [`Vectors::with_capacity`](crate::Vectors::with_capacity).
    ///
    /// # Errors
    /// When a parameter is out of its range, or the space is not empty: its points would have no keys.
    pub fn new(space: S, params: Params) -> Result<Self, BuildError> {
        Self::build(space, Vec::new(), params, Build::default().threads(Threads::Current))
    }

    /// Builds an index over the points of a space, in parallel; `keys` are theirs, in order. As with
    /// [`Hnsw::build`], the result does not depend on the threads.
    ///
    /// # Errors
    /// As [`Hnsw::build`]; and when there is not one key for each point, or one comes twice.
    pub fn build(
        space: S,
        keys: Vec<K>,
        params: Params,
        build: Build<'_>,
    ) -> Result<Self, BuildError> {
        if keys.len() != space.len() {
            return Err(BuildError::Keys { keys: keys.len(), points: space.len() });
        }
        let table = Keys::new();
        for (place, key) in keys.into_iter().enumerate() {
            if table.current(&key).is_some() {
                return Err(BuildError::KeyTwice { place });
            }
            table.assign(place as Id, key, None);
        }
        Ok(Self { hnsw: Hnsw::build(space, params, build)?, keys: table })
    }

    /// Refuses to insert beyond `bytes` of memory, counted as [`Hnsw::memory`] does: keys apart.
    #[must_use]
    pub fn with_memory_budget(self, bytes: usize) -> Self {
        Self { hnsw: self.hnsw.with_memory_budget(bytes), ..self }
    }

    /// Adds a point under a new key.
    ///
    /// # Errors
    /// [`InsertError::KeyExists`] when the key is there; and as [`Hnsw::insert`]. The index is then as
    /// before.
    pub fn insert(&self, key: K, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        self.put(key, point, false)
    }

    /// Adds a point, or replaces the one that the key has: one step for searches.
    ///
    /// # Errors
    /// As [`Hnsw::insert`]. The index is then as before.
    pub fn upsert(&self, key: K, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        self.put(key, point, true)
    }

    fn put(
        &self,
        key: K,
        point: &S::Point,
        replace: bool,
    ) -> Result<Id, InsertError<S::PointError>> {
        let refuse = |old: Option<Id>| match old {
            Some(_) if !replace => Err(InsertError::KeyExists { place: 0 }),
            old => Ok(old),
        };
        refuse(self.keys.current(&key))?;
        let newcomer = self.hnsw.newcomer(point)?;
        let mut edit = self.edit()?;
        // Another thread may have come first.
        let old = refuse(self.keys.current(&key))?;
        let id = edit.insert(point, newcomer)?;
        if let Some(old) = old {
            edit.remove(old);
        }
        self.keys.assign(id, key, old);
        edit.publish();
        Ok(id)
    }

    /// Adds points under new keys and links them in parallel, all or none of them: searches as well see
    /// all or none. With one writer the result does not depend on the threads. Other writers wait.
    ///
    /// ```
    /// use nearfield_hnsw::{Build, Index, Metric, Params, Vectors};
    ///
    /// let index = Index::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
    /// let rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
    /// index.insert_batch(vec![10, 11, 12], &rows, Build::default().threads(2))?;
    /// assert_eq!(index.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`insert`](Self::insert), with the place of the first point that is refused, or whose key is
    /// there already or earlier in the batch; [`InsertError::Keys`] when there is not one key for each
    /// point. The index is then as before.
    pub fn insert_batch<P: Borrow<S::Point>>(
        &self,
        keys: Vec<K>,
        points: &[P],
        build: Build<'_>,
    ) -> Result<(), InsertError<S::PointError>> {
        if keys.len() != points.len() {
            return Err(InsertError::Keys { keys: keys.len(), points: points.len() });
        }
        self.hnsw.inspect(points)?;
        let threads = build.threads.start().map_err(InsertError::Threads)?;
        let mut edit = self.edit()?;
        let mut new = HashSet::new();
        let mut is_new = |key| new.insert(key) && self.keys.current(key).is_none();
        if let Some((place, _)) = keys.iter().enumerate().find(|(_, key)| !is_new(*key)) {
            return Err(InsertError::KeyExists { place });
        }
        let ids = edit.push_batch(points)?;
        for (id, key) in ids.clone().zip(keys) {
            self.keys.assign(id, key, None);
        }
        edit.link_batch(ids, &threads, build);
        Ok(())
    }

    /// Removes the point of a key; whether there was one. The key is free for another point then.
    ///
    /// # Errors
    /// When the index cannot be changed.
    pub fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<bool, Unwritable>
    where
        K: Borrow<Q>,
    {
        let mut edit = self.edit()?;
        let Some(id) = self.keys.current(key) else { return Ok(false) };
        edit.remove(id);
        edit.publish();
        self.keys.free(id);
        Ok(true)
    }

    /// Waits for the turn to change the index. Before the first change of one that was opened, its keys
    /// are verified as the rest is.
    fn edit(&self) -> Result<Edit<'_, S>, Unwritable> {
        let edit = self.hnsw.edit()?;
        self.keys.verify_once().map_err(Unwritable::Damaged)?;
        Ok(edit)
    }

    /// A new index with the same points, keys and parameters, without the space of removed points; its
    /// graph is built anew. Writers wait meanwhile, searches do not. What is written to this index
    /// afterwards the new one does not have.
    ///
    /// ```
    /// # use nearfield_hnsw::{Build, Index, Metric, Params, Vectors};
    /// # let mut index = Index::new(Vectors::<f32>::new(1, Metric::L2Squared)?, Params::default())?;
    /// # index.insert(7, &[1.0])?;
    /// if index.should_compact() {
    ///     index = index.compact(Build::default())?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When memory or threads are refused, or the index is not [whole](Unwritable). One that was imported
    /// can be compacted, and the new one can be changed.
    pub fn compact(&self, build: Build<'_>) -> Result<Self, CompactError<S::PointError>> {
        let _writer = self.settled().map_err(CompactError::Unwritable)?;
        let ids: Vec<Id> = self.hnsw.ids().collect();
        let space = self.hnsw.space.keep(&ids).map_err(CompactError::Space)?;
        let keys = ids.iter().map(|id| self.keys.of(*id).clone()).collect();
        let compact = Self::build(space, keys, self.params().clone(), build);
        let mut compact = compact.map_err(CompactError::Build)?;
        compact.hnsw.budget = self.hnsw.budget;
        Ok(compact)
    }
}

impl<K: Key, S: Space> Index<K, S> {
    /// Waits until nobody changes the index, and sees to it that all of one that was opened is verified.
    pub(crate) fn settled(&self) -> Result<MutexGuard<'_, Writer>, Unwritable> {
        let writer = self.hnsw.settled()?;
        self.keys.verify_once().map_err(Unwritable::Damaged)?;
        Ok(writer)
    }

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
        let by_id = |search: Search<'_>| {
            self.hnsw.searcher().search(query, search).map(|hits| self.name(hits))
        };
        self.by_key(search, by_id)
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
        loop {
            let id = self.id(key).ok_or(SearchError::NoSuchPoint)?;
            let by_id = |search: Search<'_>| {
                self.hnsw.searcher().search_near(id, search).map(|hits| self.name(hits))
            };
            match self.by_key(search, by_id) {
                // Replaced meanwhile: the key has another point now.
                Err(SearchError::NoSuchPoint) => {}
                answer => return answer,
            }
        }
    }

    /// Searches for all `queries` in parallel; answers in their order, each as
    /// [`search`](Self::search) gives it.
    ///
    /// # Errors
    /// The first query that cannot be served.
    ///
    /// # Panics
    /// When the system refuses the threads asked for by [`Threads::All`] or [`Threads::Count`].
    pub fn search_batch<P: Borrow<S::Query> + Sync>(
        &self,
        queries: &[P],
        search: Search<'_, K>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<KeyHit<'_, K>>>, BatchError<S::QueryError>> {
        let by_id = |search: Search<'_>| self.hnsw.search_batch(queries, search, threads);
        let answers = self.by_key(search, by_id)?;
        Ok(answers.iter().map(|hits| self.name(hits)).collect())
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
        let pages = self.hnsw.pages(query, search.with(None))?;
        Ok(KeyPages { pages, keys: &self.keys, search, ready: VecDeque::new() })
    }

    /// Carries out a search over ids whose filter asks about keys.
    fn by_key<T>(&self, search: Search<'_, K>, by_id: impl FnOnce(Search<'_>) -> T) -> T {
        let filter = search.filter.map(|filter| ByKey { keys: &self.keys, filter });
        by_id(search.with(filter.as_ref().map(|filter| filter as _)))
    }

    fn name(&self, hits: &[Hit]) -> Vec<KeyHit<'_, K>> {
        hits.iter().filter_map(|hit| self.keys.name(*hit)).collect()
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

    /// Something that runs one search after another without allocating, by ids; [`key`](Self::key) has
    /// their keys. One per thread.
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

    /// A digest of the graph, see [`Hnsw::graph_hash`].
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

    /// Verifies what must always hold: of the graph as [`Hnsw::check`], and that every key and its
    /// point know each other. Takes time in proportion to the index, and keeps writers waiting.
    ///
    /// # Errors
    /// The first invariant that is broken; it would be a bug of this crate.
    pub fn check(&self) -> Result<(), Broken> {
        self.hnsw.check_with(|| {
            let unknown = |id: &Id| match self.keys.get(*id) {
                Some(key) => self.keys.current(key) != Some(*id),
                None => true,
            };
            match self.hnsw.ids().find(unknown) {
                Some(id) => Err(Broken::Key(id)),
                None if self.keys.len() != self.len() => {
                    Err(Broken::Keys { keys: self.keys.len(), points: self.len() })
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
pub struct KeyPages<'a, K: Key, S: Space> {
    pages: Pages<'a, S>,
    keys: &'a Keys<K>,
    search: Search<'a, K>,
    /// Hits of the last page of ids that are for the next page.
    ready: VecDeque<KeyHit<'a, K>>,
}

impl<'a, K: Key, S: Space> Iterator for KeyPages<'a, K, S> {
    type Item = Vec<KeyHit<'a, K>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { pages, keys, search, ready } = self;
        let allows = |hit: &KeyHit<'_, K>| search.filter.is_none_or(|f| f.allows(hit.key));
        while ready.len() < search.k
            && let Some(page) = pages.next()
        {
            ready.extend(page.into_iter().filter_map(|hit| keys.name(hit)).filter(allows));
        }
        let page: Vec<_> = ready.drain(..search.k.min(ready.len())).collect();
        Some(page).filter(|page| !page.is_empty())
    }
}

impl<K: Key, S: Space> fmt::Debug for KeyPages<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPages").field("pages", &self.pages).finish_non_exhaustive()
    }
}

/// Why an index was not compacted. It is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum CompactError<E> {
    /// The points cannot be copied.
    Space(E),
    /// The graph cannot be built.
    Build(BuildError),
    /// The index is not whole.
    Unwritable(Unwritable),
}

impl<E: fmt::Display> fmt::Display for CompactError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Space(error) => write!(f, "the points cannot be copied: {error}"),
            Self::Build(error) => error.fmt(f),
            Self::Unwritable(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for CompactError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Space(error) => Some(error),
            Self::Build(error) => Some(error),
            Self::Unwritable(error) => error.source(),
        }
    }
}
