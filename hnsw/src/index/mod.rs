//! The index of an application: points by keys of its own. Here is what changes it; [`read`] has what asks it,
//! [`hnsw`] is the same by ids.

mod edit;
mod f32_queries;
mod flat;
mod hnsw;
mod insert;
mod insert_error;
mod key;
mod key_searcher;
mod keys;
mod read;
mod saved_keys;
#[cfg(feature = "serde")]
mod serde_key;

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::MutexGuard;

pub use flat::Flat;
pub use hnsw::{Hnsw, Unwritable};
pub(crate) use hnsw::{Unverified, Writer};
pub use insert_error::InsertError;
pub use key::{Key, SavedKey};
pub use key_searcher::KeySearcher;
pub use keys::KeyHit;
pub(crate) use keys::Keys;
pub use read::KeyPages;
#[cfg(feature = "serde")]
pub use serde_key::SerdeKey;

use edit::Edit;
use nearfield_kernels::Metric;

use crate::construct::{Build, BuildError};
use crate::graph::Graph;
use crate::id::Id;
use crate::params::Params;
use crate::space::{Space, Store};
use crate::threads::Threads;
use crate::vectors::{VectorElement, VectorError, Vectors};

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
    hnsw: Hnsw<S>,
    keys: Keys<K>,
}

/// An index of vectors of `E`.
pub type VectorIndex<K, E = f32> = Index<K, Vectors<E>>;

impl<K: Key, E: VectorElement> VectorIndex<K, E> {
    /// An empty index of vectors of `dim` elements, with the default [`Params`]. [`new`](Self::new) takes
    /// others.
    ///
    /// ```
    /// use nearfield_hnsw::{Metric, Search, VectorIndex};
    ///
    /// let index = VectorIndex::with_dim(2, Metric::Cosine)?;
    /// index.extend([("east", [1.0, 0.0]), ("north", [0.0, 1.0])])?;
    /// assert_eq!(index.search(&[0.9, 0.2], Search::new(1))?[0].key, &"east");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such dimension, or the metric makes no sense for the elements.
    pub fn with_dim(dim: usize, metric: Metric) -> Result<Self, VectorError> {
        let (vectors, params) = (Vectors::new(dim, metric)?, Params::default());
        let graph = Graph::with_capacity(params.m, params.seed, 0);
        Ok(Self { hnsw: Hnsw::over(vectors, params, graph), keys: Keys::new() })
    }
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
        let hashes = table.hashes_of_new(&keys).map_err(|place| BuildError::KeyTwice { place })?;
        table.reserve(0..keys.len() as Id).map_err(BuildError::Memory)?;
        for ((id, key), hash) in (0..).zip(keys).zip(hashes) {
            table.assign(id, key, hash, None);
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
        self.put(key, point, false, || Ok(())).map(|(id, ())| id)
    }

    /// Adds a point, or replaces the one that the key has: one step for searches.
    ///
    /// # Errors
    /// As [`Hnsw::insert`]. The index is then as before.
    pub fn upsert(&self, key: K, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        self.put(key, point, true, || Ok(())).map(|(id, ())| id)
    }

    /// Adds a point, or replaces one where that is allowed. When nothing can fail any more, and before
    /// anything changes, calls `log`, and returns what that returned. Until then other writers wait.
    pub(crate) fn put<L, F: From<InsertError<S::PointError>>>(
        &self,
        key: K,
        point: &S::Point,
        replace: bool,
        log: impl FnOnce() -> Result<L, F>,
    ) -> Result<(Id, L), F> {
        let look_up = || match self.keys.look_up(&key) {
            (_, Some(_)) if !replace => Err(InsertError::KeyExists { place: 0 }),
            (hash, old) => Ok((hash, old)),
        };
        look_up()?;
        let plan = self.hnsw.plan(point)?;
        let mut edit = self.edit().map_err(InsertError::Unwritable)?;
        // Another thread may have come first.
        let (hash, old) = look_up()?;
        self.keys.reserve(edit.next_ids(1)).map_err(InsertError::Memory)?;
        let id = edit.insert(point, plan)?;
        if let Some(old) = old {
            edit.remove(old);
        }
        let logged = log()?;
        edit.commit(|| self.keys.assign(id, key, hash, old));
        Ok((id, logged))
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
        self.put_batch(keys, points, build, |_| Ok(()))
    }

    /// Adds points with their keys, as [`insert_batch`](Self::insert_batch) with the default [`Build`].
    ///
    /// # Errors
    /// As [`insert_batch`](Self::insert_batch).
    pub fn extend<P: Borrow<S::Point>>(
        &self,
        points: impl IntoIterator<Item = (K, P)>,
    ) -> Result<(), InsertError<S::PointError>> {
        let (keys, points): (Vec<K>, Vec<P>) = points.into_iter().unzip();
        self.insert_batch(keys, &points, Build::default())
    }

    /// As [`insert_batch`](Self::insert_batch), with `log` as of [`put`](Self::put), which is shown the
    /// keys.
    pub(crate) fn put_batch<P: Borrow<S::Point>, L, F: From<InsertError<S::PointError>>>(
        &self,
        keys: Vec<K>,
        points: &[P],
        build: Build<'_>,
        log: impl FnOnce(&[K]) -> Result<L, F>,
    ) -> Result<L, F> {
        if keys.len() != points.len() {
            return Err(InsertError::Keys { keys: keys.len(), points: points.len() }.into());
        }
        self.hnsw.inspect(points)?;
        let mut edit = self.edit().map_err(InsertError::Unwritable)?;
        let hashes = self.keys.hashes_of_new(&keys);
        let hashes = hashes.map_err(|place| InsertError::KeyExists { place })?;
        self.keys.reserve(edit.next_ids(points.len())).map_err(InsertError::Memory)?;
        let batch = edit.push_batch(points, build)?;
        let ids = batch.ids();
        let logged = log(&keys)?;
        edit.link_batch(batch, || {
            for ((id, key), hash) in ids.zip(keys).zip(hashes) {
                self.keys.assign(id, key, hash, None);
            }
        })?;
        Ok(logged)
    }

    /// Removes the point of a key; whether there was one. The key is free for another point then.
    ///
    /// # Errors
    /// When the index cannot be changed.
    pub fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<bool, Unwritable>
    where
        K: Borrow<Q>,
    {
        self.take_out(key, |_| Ok(())).map(|removed| removed.is_some())
    }

    /// As [`remove`](Self::remove), with `log` as of [`put`](Self::put), which is shown the key and
    /// called where it has a point.
    pub(crate) fn take_out<Q: Hash + Eq + ?Sized, L, F: From<Unwritable>>(
        &self,
        key: &Q,
        log: impl FnOnce(&K) -> Result<L, F>,
    ) -> Result<Option<L>, F>
    where
        K: Borrow<Q>,
    {
        let mut edit = self.edit()?;
        let (hash, Some(id)) = self.keys.look_up(key) else { return Ok(None) };
        edit.remove(id);
        let logged = log(self.keys.of(id))?;
        edit.commit_and(|| self.keys.free(id, hash));
        Ok(Some(logged))
    }

    /// Waits for the turn to change the index. Before the first change of one that was opened, its keys
    /// are verified as the rest is.
    fn edit(&self) -> Result<Edit<'_, S>, Unwritable> {
        let edit = self.hnsw.edit()?;
        self.keys.verify_once().map_err(Unwritable::Damaged)?;
        // Of an index that was opened: its keys can be looked up from here on.
        self.keys.reserve(0..0).map_err(|_| Unwritable::Memory)?;
        Ok(edit)
    }

    /// A new index with the same points, keys and parameters, without the space of removed points; its
    /// graph is built anew. It has the points that live when the call begins; what is written to this index
    /// meanwhile or afterwards it does not have.
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
    /// When memory or threads are refused, or the file of the index is [damaged](Unwritable::Damaged). One
    /// that was imported, or whose graph is [broken](Unwritable::Poisoned), can be compacted, and the new one
    /// can be changed.
    pub fn compact(&self, build: Build<'_>) -> Result<Self, CompactError<S::PointError>> {
        match self.settled() {
            // Rows and keys are whole, whatever has become of the graph.
            Ok(_) | Err(Unwritable::Poisoned) => {}
            Err(unwritable) => return Err(CompactError::Unwritable(unwritable)),
        }
        // Nobody is kept waiting: rows and keys of points that are published stay as they are.
        let ids: Vec<Id> = self.hnsw.ids().collect();
        let space = self.hnsw.space.subset(&ids).map_err(CompactError::Space)?;
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

    pub(crate) fn of(hnsw: Hnsw<S>, keys: Keys<K>) -> Self {
        Self { hnsw, keys }
    }

    /// The same index by ids.
    pub(crate) fn by_id(&self) -> &Hnsw<S> {
        &self.hnsw
    }

    pub(crate) fn keys(&self) -> &Keys<K> {
        &self.keys
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
