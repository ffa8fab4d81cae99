//! What can be asked of a durable index: the same as of an [`Index`](crate::Index), which answers.

use std::borrow::{Borrow, Cow};
use std::hash::Hash;

use super::index::Durable;
use super::policy::Policy;
use crate::graph::InvariantViolation;
use crate::id::Id;
use crate::index::{KeyHit, KeyPages, KeySearcher, SavedKey};
use crate::inspect::{Memory, Stats};
use crate::params::Params;
use crate::search::{BatchError, Search, SearchError};
use crate::threads::Threads;
use crate::vectors::{VectorElement, VectorError, Vectors};

impl<K: SavedKey, E: VectorElement, P: Policy> Durable<K, E, P> {
    /// As [`Index::search`](crate::Index::search).
    ///
    /// # Errors
    /// As [`Index::search`](crate::Index::search).
    pub fn search(
        &self,
        query: &[E],
        search: Search<'_, K>,
    ) -> Result<Vec<KeyHit<'_, K>>, SearchError<VectorError>> {
        self.index.search(query, search)
    }

    /// As [`Index::search_near`](crate::Index::search_near).
    ///
    /// # Errors
    /// As [`Index::search_near`](crate::Index::search_near).
    pub fn search_near<Q: Hash + Eq + ?Sized>(
        &self,
        key: &Q,
        search: Search<'_, K>,
    ) -> Result<Vec<KeyHit<'_, K>>, SearchError<VectorError>>
    where
        K: Borrow<Q>,
    {
        self.index.search_near(key, search)
    }

    /// As [`Index::search_batch`](crate::Index::search_batch).
    ///
    /// # Errors
    /// As [`Index::search_batch`](crate::Index::search_batch).
    pub fn search_batch<V: Borrow<[E]> + Sync>(
        &self,
        queries: &[V],
        search: Search<'_, K>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<KeyHit<'_, K>>>, BatchError<VectorError>> {
        self.index.search_batch(queries, search, threads)
    }

    /// As [`Index::pages`](crate::Index::pages).
    ///
    /// # Errors
    /// As [`Index::pages`](crate::Index::pages).
    pub fn pages<'a>(
        &'a self,
        query: &'a [E],
        search: Search<'a, K>,
    ) -> Result<KeyPages<'a, K, Vectors<E>>, SearchError<VectorError>> {
        self.index.pages(query, search)
    }

    /// As [`Index::search_f32`](crate::Index::search_f32).
    ///
    /// # Errors
    /// As [`Index::search_f32`](crate::Index::search_f32).
    pub fn search_f32(
        &self,
        query: &[f32],
        search: Search<'_, K>,
    ) -> Result<Vec<KeyHit<'_, K>>, SearchError<VectorError>> {
        self.index.search_f32(query, search)
    }

    /// As [`Index::search_batch_f32`](crate::Index::search_batch_f32).
    ///
    /// # Errors
    /// As [`Index::search_batch_f32`](crate::Index::search_batch_f32).
    pub fn search_batch_f32<V: Borrow<[f32]> + Sync>(
        &self,
        queries: &[V],
        search: Search<'_, K>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<KeyHit<'_, K>>>, BatchError<VectorError>> {
        self.index.search_batch_f32(queries, search, threads)
    }

    /// As [`Index::pages_f32`](crate::Index::pages_f32).
    ///
    /// # Errors
    /// As [`Index::pages_f32`](crate::Index::pages_f32).
    pub fn pages_f32<'a>(
        &'a self,
        query: &'a [f32],
        search: Search<'a, K>,
    ) -> Result<KeyPages<'a, K, Vectors<E>, [f32]>, SearchError<VectorError>> {
        self.index.pages_f32(query, search)
    }

    /// As [`Index::key_searcher`](crate::Index::key_searcher).
    pub fn key_searcher(&self) -> KeySearcher<'_, K, Vectors<E>> {
        self.index.key_searcher()
    }

    /// The vector of a key, as [`Index::get`](crate::Index::get).
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Cow<'_, [E]>>
    where
        K: Borrow<Q>,
    {
        self.index.get(key)
    }

    /// Whether a point has the key.
    pub fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.index.contains(key)
    }

    /// The id of the point that has the key.
    pub fn id<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Id>
    where
        K: Borrow<Q>,
    {
        self.index.id(key)
    }

    /// The key of the point `id`, as [`Index::key`](crate::Index::key).
    pub fn key(&self, id: Id) -> Option<&K> {
        self.index.key(id)
    }

    /// The keys and ids of all points that live at the moment of the call, in order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&K, Id)> {
        self.index.iter()
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The vectors, those that were removed among them.
    pub fn space(&self) -> &Vectors<E> {
        self.index.space()
    }

    /// The parameters it was built with.
    pub fn params(&self) -> &Params {
        self.index.params()
    }

    /// The memory in use, by part.
    pub fn memory(&self) -> Memory {
        self.index.memory()
    }

    /// What the index is made of, as [`Index::stats`](crate::Index::stats).
    pub fn stats(&self) -> Stats {
        self.index.stats()
    }

    /// A digest of the graph, as [`Index::graph_hash`](crate::Index::graph_hash).
    pub fn graph_hash(&self) -> u64 {
        self.index.graph_hash()
    }

    /// Whether [`compact`](Self::compact) pays, as
    /// [`Index::should_compact`](crate::Index::should_compact).
    pub fn should_compact(&self) -> bool {
        self.index.should_compact()
    }

    /// Verifies the index in memory, as [`Index::check`](crate::Index::check).
    ///
    /// # Errors
    /// The first invariant that is broken; it would be a bug of this crate.
    pub fn check(&self) -> Result<(), InvariantViolation> {
        self.index.check()
    }
}
