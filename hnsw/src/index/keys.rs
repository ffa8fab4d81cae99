//! The keys of points: by id, and ids by key.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::hnsw::Hnsw;
use super::key::{Key, SavedKey};
use super::saved_keys::{self, SavedKeys};
use crate::file::{Corruption, Head, Parts, ReadError, Source};
use crate::id::{Hit, Id};
use crate::search::Filter;
use crate::space::Space;
use crate::store::{HashIndex, Slots};

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

/// What is known of a point beside its row.
struct Label<K> {
    key: K,
    /// The point that had the key before. Who looks for the key while the one replaces the other takes
    /// the one that is published.
    before: Option<Id>,
}

/// One thread at a time writes: the one that changes the index. A key's `Hash`, `Eq` and `Borrow` may panic:
/// they are called where nothing is half done, and never by what writes.
pub(crate) struct Keys<K> {
    /// Of the points that the index was opened with.
    saved: SavedKeys<K>,
    /// Of later points.
    labels: Slots<Label<K>>,
    /// The last point of each key; made from the saved keys when it is first needed, before the first
    /// change.
    index: OnceLock<HashIndex>,
    /// Held while that is made.
    making: Mutex<()>,
    hasher: RandomState,
    len: AtomicUsize,
    /// Whether the saved keys are good.
    verified: AtomicBool,
}

impl<K: Key> Keys<K> {
    pub(crate) fn new() -> Self {
        Self::with_saved(SavedKeys::none(), 0)
    }

    fn with_saved(saved: SavedKeys<K>, len: usize) -> Self {
        let (labels, index, making, hasher, verified) = Default::default();
        Self { saved, labels, index, making, hasher, len: AtomicUsize::new(len), verified }
    }

    /// The index of hashes, which is made now if it is not there yet.
    fn index(&self) -> io::Result<&HashIndex> {
        if self.index.get().is_none() {
            let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            if self.index.get().is_none() {
                let _ = self.index.set(self.index_of_saved()?);
            }
        }
        Ok(self.index.get().expect("it was made"))
    }

    fn index_of_saved(&self) -> io::Result<HashIndex> {
        let index = HashIndex::default();
        index.reserve(self.saved.living().count())?;
        for id in self.saved.living() {
            // Keys that are none, or another's, are only in damaged files.
            let Some(key) = self.saved.get(id) else { continue };
            let hash = self.hasher.hash_one(key);
            if index.find(hash, |other| self.saved.get(other) == Some(key)).is_none() {
                index.insert(hash, id);
            }
        }
        Ok(index)
    }

    /// Sees to it that the points `ids` can be [given](Self::assign) keys without fail. Changes nothing
    /// else.
    ///
    /// # Errors
    /// When the system refuses memory.
    pub(crate) fn reserve(&self, ids: Range<Id>) -> io::Result<()> {
        self.index()?.reserve(ids.len())?;
        self.labels.reserve(ids.end as usize)
    }

    /// The hash of a key, and its point as the thread sees it that changes the index.
    pub(crate) fn look_up<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> (u64, Option<Id>)
    where
        K: Borrow<Q>,
    {
        let hash = self.hasher.hash_one(key);
        let has_key = |id: Id| self.get(id).is_some_and(|other| other.borrow() == key);
        let found = match self.index() {
            Ok(index) => index.find(hash, has_key),
            // Nothing was ever written without the index.
            Err(_) => self.saved.living().find(|id| has_key(*id)),
        };
        (hash, found)
    }

    /// The hashes of new keys.
    ///
    /// # Errors
    /// The place of the first that has a point, or comes for the second time.
    pub(crate) fn hashes_of_new(&self, keys: &[K]) -> Result<Vec<u64>, usize> {
        let mut earlier = HashSet::with_capacity(keys.len());
        let hash = |(place, key)| match self.look_up::<K>(key) {
            (hash, None) if earlier.insert(key) => Ok(hash),
            _ => Err(place),
        };
        keys.iter().enumerate().map(hash).collect()
    }

    /// Gives `id`, which is not published and for which there is [memory](Self::reserve), its key, which
    /// has this hash; the key's point was `before` until then.
    pub(crate) fn assign(&self, id: Id, key: K, hash: u64, before: Option<Id>) {
        let index = self.index.get().expect("it is made when memory is reserved");
        self.labels.set(id, Label { key, before });
        match before {
            Some(before) => index.replace(hash, before, id),
            None => {
                index.insert(hash, id);
                self.len.fetch_add(1, Relaxed);
            }
        }
    }

    /// Tells the key that a removed point had; there is memory for it.
    pub(crate) fn recall(&self, id: Id, key: K) {
        self.labels.set(id, Label { key, before: None });
    }

    /// Frees the key of `id`, whose removal is published; it has this hash.
    pub(crate) fn free(&self, id: Id, hash: u64) {
        // Who knows the hash has looked the key up.
        let Some(index) = self.index.get() else { return };
        index.remove(hash, id);
        self.len.fetch_sub(1, Relaxed);
    }

    /// The key of a point, if it has one.
    pub(crate) fn get(&self, id: Id) -> Option<&K> {
        match self.labels.get(id) {
            Some(label) => Some(&label.key),
            None => self.saved.get(id),
        }
    }

    /// The key of a point.
    ///
    /// # Panics
    /// When it has none, as a point that no search returns.
    pub(crate) fn of(&self, id: Id) -> &K {
        self.get(id).expect("a published point has a key")
    }

    /// A hit with its key; `None` where a damaged file has none for it.
    pub(crate) fn name(&self, hit: Hit) -> Option<KeyHit<'_, K>> {
        let key = self.get(hit.id)?;
        Some(KeyHit { key, distance: hit.distance, id: hit.id })
    }

    /// Keys that have a point.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// The point of a key as the thread sees it that changes the index.
    pub(crate) fn current<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Id>
    where
        K: Borrow<Q>,
    {
        self.look_up(key).1
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
        let mut id = self.current(key)?;
        loop {
            let snapshot = index.graph.snapshot();
            let before = self.labels.get(id).and_then(|label| label.before);
            let mut ids = std::iter::once(id).chain(before);
            let visible = ids.find(|id| index.graph.is_visible(*id, snapshot));
            // Neither is there: the key is about to come or to go, or both were replaced meanwhile.
            let again = self.current(key)?;
            if visible.is_some() || again == id {
                return visible;
            }
            id = again;
        }
    }

    /// Bytes of keys and of their index; what keys own elsewhere is not counted.
    pub(crate) fn bytes(&self) -> usize {
        let index = self.index.get().map_or(0, HashIndex::bytes);
        self.saved.memory() + self.labels.bytes() + index
    }
}

impl<K: SavedKey> Keys<K> {
    /// Adds the keys of the points of `index` that live.
    pub(crate) fn save<S: Space>(&self, index: &Hnsw<S>, head: &mut Head, parts: &mut Parts<'_>) {
        let graph = &index.graph;
        let key = |id| if graph.is_dead(id) { None } else { self.get(id) };
        saved_keys::save((0..graph.len() as Id).map(key), head, parts);
    }

    /// The keys of a file.
    pub(crate) fn restore(head: &Head, source: &mut Source) -> Result<Self, ReadError> {
        let live = head.points.saturating_sub(head.removals) as usize;
        Ok(Self::with_saved(SavedKeys::restore(head, source)?, live))
    }

    /// A point of the file whose bytes are no key, among a few of them or among all.
    pub(crate) fn unreadable(&self, all: bool) -> Option<Id> {
        self.saved.unreadable(all)
    }

    /// Lets go of what the file holds of keys that were verified, if it was read into memory.
    pub(crate) fn forget_bytes(&mut self) {
        self.saved.forget_bytes();
    }
}

impl<K: Key> Keys<K> {
    /// Verifies that every saved key can be read and is one point's. The one thread that changes the
    /// index calls it before the first change.
    pub(crate) fn verify_once(&self) -> Result<(), Corruption> {
        if self.verified.load(Relaxed) {
            return Ok(());
        }
        self.verify()?;
        self.verified.store(true, Relaxed);
        Ok(())
    }

    fn verify(&self) -> Result<(), Corruption> {
        self.saved.verify()?;
        let is_bad = |id: &Id| match self.saved.get(*id) {
            Some(key) => self.current(key) != Some(*id),
            None => true,
        };
        self.saved.living().find(is_bad).map_or(Ok(()), |id| Err(Corruption::Key { id }))
    }
}

impl<K> fmt::Debug for Keys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("len", &self.len).finish_non_exhaustive()
    }
}

/// A filter over keys, asked about ids.
pub(crate) struct ByKey<'a, K> {
    pub(crate) keys: &'a Keys<K>,
    pub(crate) filter: &'a dyn Filter<K>,
}

impl<K: Key> Filter for ByKey<'_, K> {
    fn allows(&self, id: &Id) -> bool {
        self.keys.get(*id).is_some_and(|key| self.filter.allows(key))
    }

    fn count(&self) -> Option<usize> {
        self.filter.count()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::hash::Hasher;

    use super::*;
    use crate::construct::Build;
    use crate::params::Params;
    use crate::vectors::Vectors;

    #[test]
    fn a_key_leads_to_the_point_that_is_published() {
        let space = Vectors::<f32>::new(1, nearfield_kernels::Metric::L2Squared).unwrap();
        let index = Hnsw::build(space, Params::default(), Build::default().threads(1)).unwrap();
        let keys = Keys::new();
        let found = || (keys.current("key"), keys.find("key", &index));
        let (hash, none) = keys.look_up("key");
        assert_eq!(none, None);
        let put = |old: Option<Id>| {
            let plan = index.plan(&[1.0]).unwrap();
            let mut edit = index.edit().unwrap();
            let new = edit.insert(&[1.0], plan).unwrap();
            old.into_iter().for_each(|old| edit.remove(old));
            keys.reserve(new..new + 1).unwrap();
            assert_eq!(found(), (old, old));
            edit.commit(|| {
                keys.assign(new, "key", hash, old);
                assert_eq!(found(), (Some(new), old));
            });
            assert_eq!(found(), (Some(new), Some(new)));
            new
        };
        let old = put(None);
        let new = put(Some(old));

        let mut edit = index.edit().unwrap();
        edit.remove(new);
        assert_eq!(found(), (Some(new), Some(new)));
        edit.commit_and(|| {
            assert_eq!(found(), (Some(new), None));
            keys.free(new, hash);
        });
        assert_eq!((found(), keys.len()), ((None, None), 0));
    }
    thread_local! {
        /// How many calls of a [`Fickle`] key's code go well before one panics.
        static GOOD_CALLS: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    fn call() {
        let left = GOOD_CALLS.get();
        GOOD_CALLS.set(left.wrapping_sub(1));
        assert!(left > 0, "a key's code has panicked");
    }

    /// A key whose code can panic.
    #[derive(Clone, Debug)]
    struct Fickle(u64);

    impl PartialEq for Fickle {
        fn eq(&self, other: &Self) -> bool {
            call();
            self.0 == other.0
        }
    }

    impl Eq for Fickle {}

    impl Hash for Fickle {
        fn hash<H: Hasher>(&self, state: &mut H) {
            call();
            // Few hashes, so that there is something to compare.
            (self.0 % 50).hash(state);
        }
    }

    /// Runs an operation with a panic at the first call of a key's code, at the second and so on, until
    /// there are not so many; `check` runs after each.
    fn with_every_panic(operation: impl Fn(), check: impl Fn(bool)) {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let run = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(&operation)).is_ok();
        for good_calls in 0.. {
            GOOD_CALLS.set(good_calls);
            let is_done = run();
            GOOD_CALLS.set(usize::MAX);
            check(is_done);
            if is_done {
                break;
            }
        }
        std::panic::set_hook(hook);
    }

    #[test]
    fn a_key_that_panics_leaves_all_as_before_or_as_after() {
        let keys = Keys::new();
        let points = std::cell::RefCell::new(BTreeMap::new());
        let next = Cell::new(0);
        let check = || {
            for key in 0..250 {
                let id = points.borrow().get(&key).copied();
                assert_eq!(keys.current(&Fickle(key)), id, "key {key}");
            }
            assert_eq!(keys.len(), points.borrow().len());
        };
        // Fills tables to the brim, so that places move and tables grow.
        for step in 0..300u64 {
            let key = step * 7 % 200;
            let put = || {
                let id: Id = next.get();
                let (hash, before) = keys.look_up(&Fickle(key));
                keys.reserve(id..id + 1).unwrap();
                keys.assign(id, Fickle(key), hash, before);
                (next.set(id + 1), points.borrow_mut().insert(key, id))
            };
            let take_out = || {
                let (hash, found) = keys.look_up(&Fickle(key));
                found.inspect(|id| keys.free(*id, hash));
                points.borrow_mut().remove(&key)
            };
            let put_batch = || {
                let new: Vec<Fickle> = (200..220).map(|place| Fickle(place + step)).collect();
                keys.hashes_of_new(&new).unwrap()
            };
            match step % 3 {
                0 | 1 => with_every_panic(|| _ = put(), |_| check()),
                _ if step.is_multiple_of(5) => with_every_panic(|| _ = put_batch(), |_| check()),
                _ => with_every_panic(|| _ = take_out(), |_| check()),
            }
        }
        assert!(points.borrow().len() > 100);
    }

    #[test]
    fn keys_of_a_batch_are_new_and_differ() {
        let keys = Keys::new();
        let batch = ["a", "b", "c"];
        let hashes = keys.hashes_of_new(&batch).unwrap();
        keys.reserve(0..3).unwrap();
        for (id, (key, hash)) in (0..).zip(batch.into_iter().zip(hashes)) {
            keys.assign(id, key, hash, None);
        }
        assert_eq!(keys.hashes_of_new(&["d", "b"]), Err(1));
        assert_eq!(keys.hashes_of_new(&["d", "e", "d"]), Err(2));
        assert!(keys.hashes_of_new(&["d", "e"]).is_ok());
        assert_eq!(keys.current("b"), Some(1));
    }
}
