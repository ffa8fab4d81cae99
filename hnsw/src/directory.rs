//! Finds an id by the hash of its point, while one thread adds and removes.
//!
//! Open addressing with linear probing, a byte of the hash beside each id:
//!
//! | array | per place | holds |
//! |---|---|---|
//! | `tags` | 1 byte | 0 where empty, else 7 bits of the hash and the highest bit |
//! | `ids` | 4 bytes | the id |
//!
//! Seven of eight places are filled at most, so an id takes 5.7 to 11.4 bytes. Hashes are not kept:
//! whoever makes the table grow computes them again. A table that has become too small stays until the
//! directory is dropped, since somebody may be reading it.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU8, AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

use crate::format::{Damage, Kind, Parts, ReadError, Source};
use crate::id::Id;
use crate::store::{Plain, Segment};

/// The smallest table has 2⁴ places, the largest 2³³.
const SMALLEST_LOG2: usize = 4;
const SIZES: usize = 30;

/// One writer at a time; readers wait for nobody.
#[derive(Debug)]
pub(crate) struct Directory {
    tables: [OnceLock<Table>; SIZES],
    /// Which table is in use.
    active: AtomicUsize,
    len: AtomicUsize,
    /// Odd while ids move from place to place: who finds nothing meanwhile looks again.
    version: AtomicU32,
}

/// Ids were moving from place to place, so one that is there may have been overlooked.
pub(crate) struct Moving;

#[derive(Debug)]
struct Table {
    tags: Array<AtomicU8>,
    ids: Array<AtomicU32>,
}

/// Places, in memory of their own or in a file.
#[derive(Debug)]
enum Array<T> {
    Own(Box<[T]>),
    Saved(Segment<T>),
}

impl<T: Plain> std::ops::Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        match self {
            Self::Own(places) => places,
            Self::Saved(places) => places,
        }
    }
}

impl Default for Directory {
    fn default() -> Self {
        let tables = [const { OnceLock::new() }; SIZES];
        let _ = tables[0].set(Table::empty(SMALLEST_LOG2));
        Self {
            tables,
            active: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            version: AtomicU32::new(0),
        }
    }
}

impl Directory {
    /// An id with this hash that `is` the one. Waits while ids move, which takes a writer a microsecond.
    pub(crate) fn find(&self, hash: u64, mut is: impl FnMut(Id) -> bool) -> Option<Id> {
        loop {
            match self.look(hash, &mut is) {
                Ok(found) => return found,
                Err(Moving) => std::thread::yield_now(),
            }
        }
    }

    /// The same for who would rather not wait.
    pub(crate) fn look(&self, hash: u64, is: impl FnMut(Id) -> bool) -> Result<Option<Id>, Moving> {
        let version = self.version.load(Acquire);
        if let Some((_, id)) = self.table().find(hash, is) {
            return Ok(Some(id));
        }
        fence(Acquire);
        let is_still = version.is_multiple_of(2) && version == self.version.load(Relaxed);
        if is_still { Ok(None) } else { Err(Moving) }
    }

    /// Adds an id that is not there.
    pub(crate) fn insert(&self, hash: u64, id: Id, hash_of: impl Fn(Id) -> u64) {
        self.reserve(1, hash_of);
        self.table().insert(hash, id);
        self.len.fetch_add(1, Relaxed);
    }

    /// Puts `new` in the place of `old`, which has the same hash.
    pub(crate) fn replace(&self, hash: u64, old: Id, new: Id) {
        let table = self.table();
        if let Some((place, _)) = table.find(hash, |id| id == old) {
            table.ids[place].store(new, Release);
        }
    }

    /// Removes an id.
    pub(crate) fn remove(&self, hash: u64, id: Id, hash_of: impl Fn(Id) -> u64) {
        let table = self.table();
        let Some((place, _)) = table.find(hash, |other| other == id) else { return };
        self.version.fetch_add(1, Relaxed);
        fence(Release);
        table.close(place, hash_of);
        self.version.fetch_add(1, Release);
        self.len.fetch_sub(1, Relaxed);
    }

    /// Makes room for `more` ids.
    pub(crate) fn reserve(&self, more: usize, hash_of: impl Fn(Id) -> u64) {
        let needed = (self.len.load(Relaxed) + more).div_ceil(7) * 8;
        let size = (needed.next_power_of_two().ilog2() as usize).max(SMALLEST_LOG2) - SMALLEST_LOG2;
        let active = self.active.load(Relaxed);
        if size <= active {
            return;
        }
        let larger = Table::empty(size + SMALLEST_LOG2);
        self.table().all().for_each(|id| larger.insert(hash_of(id), id));
        if self.tables[size].set(larger).is_ok() {
            self.active.store(size, Release);
        }
    }

    /// Adds the table in use.
    pub(crate) fn save<'a>(&'a self, parts: &mut Parts<'a>) {
        parts.slice(Kind::DirectoryTags, &self.table().tags);
        parts.slice(Kind::DirectoryIds, &self.table().ids);
    }

    /// A directory whose table is in a file. It can be asked; whatever it finds may be wrong until it is
    /// [verified](Self::verify).
    pub(crate) fn restore(source: &mut Source) -> Result<Self, ReadError> {
        let places = source.len(Kind::DirectoryTags)? as usize;
        let size = places.checked_ilog2().unwrap_or(0) as usize;
        let sizes = SMALLEST_LOG2..SMALLEST_LOG2 + SIZES;
        if !places.is_power_of_two() || !sizes.contains(&size) {
            return Err(Damage::Field { name: "places", value: places as u64 }.into());
        }
        let table = Table {
            tags: Array::Saved(source.segment(Kind::DirectoryTags, places, places)?),
            ids: Array::Saved(source.segment(Kind::DirectoryIds, places, places)?),
        };
        let tables = [const { OnceLock::new() }; SIZES];
        let active = size - SMALLEST_LOG2;
        let _ = tables[active].set(table);
        let (active, len) = (AtomicUsize::new(active), AtomicUsize::new(0));
        Ok(Self { tables, active, len, version: AtomicU32::new(0) })
    }

    /// Whether the table holds each of `len` ids once, where it is found; `hash_of` gives nothing for ids
    /// that should not be there. To be called before the first change.
    pub(crate) fn verify(
        &self,
        len: usize,
        hash_of: impl Fn(Id) -> Option<u64>,
    ) -> Result<(), Damage> {
        let table = self.table();
        let found = table.all().count();
        if found != len || len > table.tags.len() / 8 * 7 {
            let section = Kind::DirectoryTags;
            return Err(Damage::Count { section, expected: len as u64, found: found as u64 });
        }
        self.len.store(len, Relaxed);
        table.verify(hash_of)
    }

    /// Bytes of the table in use, and of those it has outgrown.
    pub(crate) fn bytes(&self) -> usize {
        let places = self.tables.iter().filter_map(OnceLock::get).map(|table| table.ids.len());
        places.sum::<usize>() * (size_of::<AtomicU8>() + size_of::<AtomicU32>())
    }

    fn table(&self) -> &Table {
        let table = self.tables[self.active.load(Acquire)].get();
        table.expect("the active table is there")
    }
}

impl Table {
    fn empty(log2: usize) -> Self {
        fn zeros<T: Default>(len: usize) -> Array<T> {
            Array::Own(std::iter::repeat_with(T::default).take(len).collect())
        }
        Self { tags: zeros(1 << log2), ids: zeros(1 << log2) }
    }

    /// The places at which to look for a hash, in order.
    fn places(&self, hash: u64) -> impl Iterator<Item = usize> {
        let mask = self.ids.len() - 1;
        (0..=mask).map(move |step| (hash as usize).wrapping_add(step) & mask)
    }

    /// The place of an id with this hash that `is` the one, and the id.
    fn find(&self, hash: u64, mut is: impl FnMut(Id) -> bool) -> Option<(usize, Id)> {
        let tag = tag(hash);
        for place in self.places(hash) {
            let found = self.tags[place].load(Acquire);
            if found == 0 {
                return None;
            }
            let id = self.ids[place].load(Acquire);
            if found == tag && is(id) {
                return Some((place, id));
            }
        }
        None
    }

    fn insert(&self, hash: u64, id: Id) {
        let empty = self.places(hash).find(|place| self.tags[*place].load(Relaxed) == 0);
        let place = empty.expect("an eighth of the places is empty");
        self.ids[place].store(id, Relaxed);
        self.tags[place].store(tag(hash), Release);
    }

    /// Empties a place, and moves up what was put behind it because it was taken.
    fn close(&self, mut hole: usize, hash_of: impl Fn(Id) -> u64) {
        let mask = self.ids.len() - 1;
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let tag = self.tags[place].load(Relaxed);
            if tag == 0 {
                break;
            }
            let id = self.ids[place].load(Relaxed);
            let home = hash_of(id) as usize & mask;
            // It may move unless its home lies behind the hole.
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                self.ids[hole].store(id, Relaxed);
                self.tags[hole].store(tag, Release);
                hole = place;
            }
        }
        self.tags[hole].store(0, Release);
    }

    /// Whether every id is there once, and found from the place that its hash leads to: no place
    /// between the two is empty.
    fn verify(&self, hash_of: impl Fn(Id) -> Option<u64>) -> Result<(), Damage> {
        let mask = self.ids.len() - 1;
        let is_empty = |place: &usize| self.tags[*place].load(Relaxed) == 0;
        let first = (0..=mask).find(is_empty).unwrap_or(0);
        let mut seen = HashSet::new();
        let mut run = 0;
        for place in (first..=mask).chain(0..first) {
            if is_empty(&place) {
                run = 0;
                continue;
            }
            let id = self.ids[place].load(Relaxed);
            let is_good = hash_of(id).is_some_and(|hash| {
                let steps = place.wrapping_sub(hash as usize) & mask;
                steps <= run && tag(hash) == self.tags[place].load(Relaxed) && seen.insert(id)
            });
            if !is_good {
                return Err(Damage::Item { section: Kind::DirectoryIds, item: place as u64 });
            }
            run += 1;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = Id> {
        let filled =
            |(tag, id): (&AtomicU8, &AtomicU32)| (tag.load(Relaxed) != 0).then(|| id.load(Relaxed));
        self.tags.iter().zip(&*self.ids).filter_map(filled)
    }
}

/// The highest bits of the hash; the lowest choose the place.
fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8 | 0x80
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::graph::mix;

    /// Few hashes, so that many ids share their place, and their tag.
    fn hash(id: Id) -> u64 {
        mix(u64::from(id) % 100) & 0xC000_0000_0000_00FF
    }

    #[test]
    fn does_what_a_map_does() {
        let directory = Directory::default();
        let mut map = HashMap::new();
        for step in 0..5000u32 {
            let id = (mix(u64::from(step)) % 500) as Id;
            if map.remove(&id).is_some() {
                directory.remove(hash(id), id, hash);
            } else {
                map.insert(id, ());
                directory.insert(hash(id), id, hash);
            }
            for id in 0..500 {
                let found = directory.find(hash(id), |other| other == id);
                assert_eq!(found, map.get(&id).map(|()| id), "after {step}");
            }
        }
        directory.replace(hash(*map.keys().next().unwrap()), *map.keys().next().unwrap(), 1000);
        assert!(map.keys().any(|id| directory.find(hash(*id), |other| other == 1000).is_some()));
    }

    #[test]
    fn readers_find_what_stays_while_others_come_and_go() {
        let directory = Directory::default();
        let ids = 0..200;
        ids.clone().for_each(|id| directory.insert(hash(id), id, hash));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..200u32 {
                    let others = 1000..1000 + round * 5;
                    others.clone().for_each(|id| directory.insert(hash(id), id, hash));
                    others.for_each(|id| directory.remove(hash(id), id, hash));
                }
            });
            while !writer.is_finished() {
                for id in ids.clone() {
                    assert_eq!(directory.find(hash(id), |other| other == id), Some(id));
                }
            }
        });
    }
}
