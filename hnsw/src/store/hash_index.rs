//! Finds an id by the hash of its point, while one thread adds and removes.
//!
//! | array | per place | holds |
//! |---|---|---|
//! | tags | 1 byte | 0 where empty, else 7 bits of the hash and the highest bit |
//! | ids | 4 bytes | the id |
//! | lows | 4 bytes | 32 more bits of the hash; not in a file |
//!
//! Seven of eight places are filled at most, so an id takes 10.3 to 20.6 bytes.
//!
//! **Growth.** A table that is full gets a successor of twice the size. Every insertion hands some of its
//! ids over, and readers look in both meanwhile, so that no insertion takes long. Hashes are kept: neither
//! growth nor removal calls what others wrote. A table that has become too small stays until the index is
//! dropped, since somebody may be reading it.
//!
//! **Bounds.** Rows can be chosen so that many hashes are alike. A [bounded](HashIndex::bounded) index
//! refuses what would make a run longer than [`LONGEST`] or be looked up behind [`MOST`] that look the
//! same. Good hashes are never refused: at 7/8 a run of k places is as likely as e^(−0.0085 k).

mod table;

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

use table::{Kept, PLACE_BYTES, Seen, Table, Writing};

use crate::file::{Corruption, Kind, Parts, ReadError, Source};
use crate::id::Id;

/// The smallest table has 2⁴ places, the largest 2³³.
const SMALLEST_LOG2: usize = 4;
const SIZES: usize = 30;

/// Places of a table that an insertion hands over to its successor, and the rest of their run. The
/// successor is full after as many insertions as the table had ids, and the table empty long before.
const STEP: usize = if cfg!(test) { SHORT_STEP } else { 256 };

/// In tests small tables are handed over in many steps, too.
const SHORT_STEP: usize = 4;

/// Places in a run of a bounded index.
const LONGEST: usize = 1 << 13;

/// Ids that a bounded index compares with what is looked for.
pub(crate) const MOST: usize = 64;

/// One writer at a time; readers wait for nobody.
#[derive(Debug)]
pub(crate) struct HashIndex {
    tables: [OnceLock<Table>; SIZES],
    /// Which [tables are in use](InUse).
    in_use: AtomicUsize,
    /// Places of the old table that have been handed over. Only the writer reads it.
    handed_over: AtomicUsize,
    /// Only the writer reads it.
    len: AtomicUsize,
    /// Odd while ids move from place to place: who finds nothing meanwhile looks again.
    version: AtomicU32,
    bounded: bool,
}

/// Ids were moving from place to place, so one that is there may have been overlooked.
pub(crate) struct Moving;

/// A table, and the one that hands its ids over to it.
#[derive(Clone, Copy, PartialEq)]
struct InUse {
    table: usize,
    old: Option<usize>,
}

impl InUse {
    fn word(self) -> usize {
        self.table | self.old.map_or(0, |old| (old + 1) << 8)
    }

    fn of(word: usize) -> Self {
        Self { table: word & 0xFF, old: (word >> 8).checked_sub(1) }
    }
}

impl Default for HashIndex {
    fn default() -> Self {
        let smallest = Table::empty(SMALLEST_LOG2).expect("memory for 16 ids");
        Self::with_table(0, smallest, false)
    }
}

impl HashIndex {
    fn with_table(size: usize, table: Table, bounded: bool) -> Self {
        let tables = [const { OnceLock::new() }; SIZES];
        let _ = tables[size].set(table);
        let (len, handed_over, version) = Default::default();
        let in_use = AtomicUsize::new(InUse { table: size, old: None }.word());
        Self { tables, in_use, handed_over, len, version, bounded }
    }

    /// An index in which no operation takes long, whatever the hashes: it may refuse ids.
    pub(crate) fn bounded() -> Self {
        Self { bounded: true, ..Self::default() }
    }

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
    pub(crate) fn look(
        &self,
        hash: u64,
        mut is: impl FnMut(Id) -> bool,
    ) -> Result<Option<Id>, Moving> {
        let version = self.version.load(Acquire);
        let found = self.seen(Kept::of(hash), &mut is);
        if found.is_some() {
            return Ok(found);
        }
        // Pairs with the fence in `remove` for who has seen what that stored, and with every store to a
        // place, which is a `Release`, for who has seen what a later writer stored.
        fence(Acquire);
        let is_still = version.is_multiple_of(2) && version == self.version.load(Relaxed);
        if is_still { Ok(None) } else { Err(Moving) }
    }

    fn seen(&self, hash: Kept, is: &mut impl FnMut(Id) -> bool) -> Option<Id> {
        let most = if self.bounded { MOST } else { usize::MAX };
        let mut in_use = self.in_use();
        loop {
            let Writing { table, old } = self.tables(in_use);
            // Until a run is handed over, what is in it is not in the table, and afterwards not in the
            // old one.
            if let Some(Seen::Id(id)) = old.map(|old| old.find(hash, most, &mut *is)) {
                return Some(id);
            }
            match table.find(hash, most, &mut *is) {
                Seen::Id(id) => return Some(id),
                Seen::Absent => return None,
                Seen::Moved => {}
            }
            let before = std::mem::replace(&mut in_use, self.in_use());
            if in_use == before {
                // Nobody has moved anything: the file is damaged.
                return None;
            }
        }
    }

    /// Sees to it that `additional` ids can be added without fail. Changes nothing else.
    ///
    /// # Errors
    /// When the system refuses memory.
    pub(crate) fn reserve(&self, additional: usize) -> io::Result<()> {
        let Some(size) = self.larger(additional) else { return Ok(()) };
        let table = self.tables.get(size).ok_or(io::ErrorKind::OutOfMemory)?;
        if table.get().is_none() {
            let _ = table.set(Table::empty(size + SMALLEST_LOG2)?);
        }
        Ok(())
    }

    /// Bytes by which the index grows when `additional` ids are added.
    pub(crate) fn bytes_for(&self, additional: usize) -> usize {
        self.larger(additional).map_or(0, |size| PLACE_BYTES << (size + SMALLEST_LOG2))
    }

    /// Goes on to a larger table if `additional` ids need one: at once, where they are added one by one
    /// afterwards, to that which they need together.
    ///
    /// # Panics
    /// When there is none: that was not [reserved](Self::reserve).
    pub(crate) fn grow(&self, additional: usize) {
        let Some(size) = self.larger(additional) else { return };
        self.hand_over(usize::MAX);
        let mut larger = (size..SIZES).filter(|size| self.tables[*size].get().is_some());
        let table = larger.next().expect("there is memory for what is added");
        self.handed_over.store(0, Relaxed);
        let old = Some(self.in_use().table);
        // Readers who see a table see all of it: it is behind a lock that is opened once.
        self.in_use.store(InUse { table, old }.word(), Release);
    }

    /// Adds an id that is not there, for which there is [memory](Self::reserve). Whether it was taken; an
    /// index that is not bounded takes all.
    pub(crate) fn insert(&self, hash: u64, id: Id) -> bool {
        self.grow(1);
        self.hand_over(STEP);
        let (tables, hash) = (self.tables(self.in_use()), Kept::of(hash));
        let room = tables.room(hash);
        let is_taken = !self.bounded || tables.has_room(hash, room, LONGEST, MOST);
        if is_taken {
            tables.put(room, hash, id);
            self.len.fetch_add(1, Relaxed);
        }
        is_taken
    }

    /// Puts `new` in the place of `old`, which has the same hash, if that is there.
    pub(crate) fn replace(&self, hash: u64, old: Id, new: Id) {
        let tables = self.tables(self.in_use());
        if let Some(place) = tables.find(Kept::of(hash), old) {
            tables.replace(place, new);
        }
    }

    /// Removes an id, if it is there.
    pub(crate) fn remove(&self, hash: u64, id: Id) {
        let tables = self.tables(self.in_use());
        let Some(place) = tables.find(Kept::of(hash), id) else { return };
        // Between the two nothing can panic.
        self.version.fetch_add(1, Relaxed);
        // Who sees what is stored below sees the odd version as well.
        fence(Release);
        tables.close(place);
        self.version.fetch_add(1, Release);
        self.len.fetch_sub(1, Relaxed);
    }

    /// Adds the table in use, of which growth is completed. Nobody may write until that is written.
    pub(crate) fn save<'a>(&'a self, parts: &mut Parts<'a>) {
        self.hand_over(usize::MAX);
        self.tables(self.in_use()).table.save(parts);
    }

    /// A bounded index whose table is in a file. It can be asked; whatever it finds may be wrong until it
    /// is [verified](Self::verify).
    pub(crate) fn restore(source: &mut Source) -> Result<Self, ReadError> {
        let places = source.len(Kind::DirectoryTags)? as usize;
        let size = places.checked_ilog2().unwrap_or(0) as usize;
        let sizes = SMALLEST_LOG2..SMALLEST_LOG2 + SIZES;
        if !places.is_power_of_two() || !sizes.contains(&size) {
            return Err(Corruption::Field { name: "places", value: places as u64 }.into());
        }
        Ok(Self::with_table(size - SMALLEST_LOG2, Table::restored(source, places)?, true))
    }

    /// Whether the table holds each of `len` ids once, where it is found; `hash_of` gives nothing for ids
    /// that should not be there. To be called before the first change.
    pub(crate) fn verify(
        &self,
        len: usize,
        hash_of: impl Fn(Id) -> Option<u64>,
    ) -> Result<(), Corruption> {
        let table = self.tables(self.in_use()).table;
        let found = table.filled();
        if found != len || len > table.places() / 8 * 7 {
            let section = Kind::DirectoryTags;
            return Err(Corruption::Count { section, expected: len as u64, found: found as u64 });
        }
        self.len.store(len, Relaxed);
        table.verify(hash_of)
    }

    /// Bytes of the table in use, and of those it has outgrown.
    pub(crate) fn bytes(&self) -> usize {
        let used = self.tables[..=self.in_use().table].iter().filter_map(OnceLock::get);
        used.map(Table::places).sum::<usize>() * PLACE_BYTES
    }

    /// Hands over so many more places of the old table; when all are, it is not in use any more.
    fn hand_over(&self, places: usize) {
        let in_use = self.in_use();
        let tables = self.tables(in_use);
        let Some(old) = tables.old else { return };
        let start = self.handed_over.load(Relaxed);
        let end = old.places().min(start.saturating_add(places));
        tables.hand_over(start..end);
        self.handed_over.store(end, Relaxed);
        if end == old.places() {
            self.in_use.store(InUse { old: None, ..in_use }.word(), Release);
        }
    }

    /// The size of the table that is needed for `additional` ids, if it is not in use.
    fn larger(&self, additional: usize) -> Option<usize> {
        let needed = self.len.load(Relaxed).saturating_add(additional).div_ceil(7) * 8;
        let size = (needed.next_power_of_two().ilog2() as usize).max(SMALLEST_LOG2) - SMALLEST_LOG2;
        (size > self.in_use().table).then_some(size)
    }

    fn in_use(&self) -> InUse {
        InUse::of(self.in_use.load(Acquire))
    }

    fn tables(&self, in_use: InUse) -> Writing<'_> {
        let table = |size: usize| self.tables[size].get().expect("a table in use is there");
        Writing { table: table(in_use.table), old: in_use.old.map(table) }
    }
}

#[cfg(test)]
mod tests;
