//! The keys of points: by id, and ids by key.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;

use crate::hnsw::Hnsw;
use crate::id::{Hit, Id, NONE};
use crate::search::Filter;
use crate::space::Space;
use crate::store::Slots;

/// What a key must be: a number, a string, a UUID …
pub trait Key: Clone + Eq + Hash + Send + Sync {}

impl<K: Clone + Eq + Hash + Send + Sync> Key for K {}

/// The point that a key has, and the one that it had before: whoever looks while one replaces the
/// other takes the one that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    now: Id,
    before: Id,
}

/// A point that a search returned, by its key.
#[derive(Debug, PartialEq)]
pub struct KeyHit<'a, K> {
    /// The point's key.
    pub key: &'a K,
    /// Its distance from the query.
    pub distance: f32,
    /// Its id in the graph and the space.
    pub id: Id,
}

impl<K> Clone for KeyHit<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for KeyHit<'_, K> {}

/// Readers wait for nobody. One thread at a time writes: the one that changes the index.
pub(crate) struct Keys<K> {
    by_id: Slots<K>,
    holders: papaya::HashMap<K, Holder>,
}

impl<K: Key> Keys<K> {
    pub(crate) fn new() -> Self {
        Self { by_id: Slots::default(), holders: papaya::HashMap::new() }
    }

    /// Gives `id`, which is not published, its key; the key's point was `before` until then.
    pub(crate) fn assign(&self, id: Id, key: K, before: Option<Id>) {
        self.by_id.set(id, key.clone());
        self.holders.pin().insert(key, Holder { now: id, before: before.unwrap_or(NONE) });
    }

    /// Takes its point from a key, as soon as the removal is published.
    pub(crate) fn retire(&self, key: K, id: Id) {
        self.holders.pin().insert(key, Holder { now: NONE, before: id });
    }

    /// Forgets a key whose point's removal is published.
    pub(crate) fn forget<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.holders.pin().remove(key);
    }

    /// The key of a point, if it has one.
    pub(crate) fn get(&self, id: Id) -> Option<&K> {
        self.by_id.get(id)
    }

    /// The key of a point.
    ///
    /// # Panics
    /// When it has none, as a point that no search returns.
    pub(crate) fn of(&self, id: Id) -> &K {
        self.get(id).expect("a published point has a key")
    }

    /// A hit with its key.
    pub(crate) fn name(&self, hit: Hit) -> KeyHit<'_, K> {
        KeyHit { key: self.of(hit.id), distance: hit.distance, id: hit.id }
    }

    /// Keys that have a point.
    pub(crate) fn len(&self) -> usize {
        self.holders.len()
    }

    /// The point of a key as the thread sees it that changes the index.
    pub(crate) fn current<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Id>
    where
        K: Borrow<Q>,
    {
        self.holder(key).map(|holder| holder.now).filter(|id| *id != NONE)
    }

    /// The point of a key as a search would see it that begins now.
    pub(crate) fn find<Q: Hash + Eq + ?Sized, S: Space>(
        &self,
        key: &Q,
        index: &Hnsw<S>,
    ) -> Option<Id>
    where
        K: Borrow<Q>,
    {
        let mut holder = self.holder(key)?;
        loop {
            let snapshot = index.graph.snapshot();
            let mut ids = [holder.now, holder.before].into_iter();
            let visible = ids.find(|id| index.graph.is_visible(*id, snapshot));
            // Neither is there: the key is about to come, or both were replaced meanwhile.
            let again = self.holder(key)?;
            if visible.is_some() || again == holder {
                return visible;
            }
            holder = again;
        }
    }

    fn holder<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Holder>
    where
        K: Borrow<Q>,
    {
        self.holders.pin().get(key).copied()
    }

    /// Bytes of keys and table; what keys own elsewhere is not counted.
    pub(crate) fn bytes(&self) -> usize {
        // papaya keeps one allocation and a word for each entry, with a load of at most a half.
        let entry = size_of::<(K, Holder)>() + 2 * size_of::<[usize; 2]>();
        self.by_id.bytes() + self.holders.len() * entry
    }
}

impl<K> fmt::Debug for Keys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// A filter over keys, asked about ids.
pub(crate) struct ByKey<'a, K> {
    pub(crate) keys: &'a Keys<K>,
    pub(crate) filter: &'a dyn Filter<K>,
}

impl<K: Key> Filter for ByKey<'_, K> {
    fn allows(&self, id: &Id) -> bool {
        self.filter.allows(self.keys.of(*id))
    }

    fn count(&self) -> Option<usize> {
        self.filter.count()
    }
}
