//! Places for ids, found by a hash: open addressing with linear probing.
//!
//! A *run* is a row of filled places between two empty ones. An id lies in the run of its *home*, the
//! place that its hash leads to, so whoever looks for it goes from there to the next empty place. A table
//! that has become too small hands its ids over to a larger one run by run, and is not changed in any
//! other way.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::file::{Corruption, Kind, Parts, ReadError, Source};
use crate::id::Id;
use crate::store::{Plain, Segment};

/// Tags of places that hold no id, and of those whose ids are in a larger table. The others have the
/// highest bit set.
const EMPTY: u8 = 0;
const MOVED: u8 = 1;

/// Bytes that a place takes.
pub(super) const PLACE_BYTES: usize = 1 + 4 + 4;

/// What is kept of a hash: 39 bits, from which its place in a table of any size follows.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// The highest 7 bits, and a one above them.
    tag: u8,
    low: u32,
}

impl Kept {
    pub(super) fn of(hash: u64) -> Self {
        Self { tag: (hash >> 56) as u8 | 0x80, low: hash as u32 }
    }

    /// The place among `mask` + 1 at which to begin. Beyond 2³² places a bit of the tag takes part.
    fn home(self, mask: usize) -> usize {
        let wide = u64::from(self.low) | u64::from(self.tag & 1) << 32;
        (wide & mask as u64) as usize
    }
}

/// What a reader finds in a table.
pub(super) enum Seen {
    Id(Id),
    Absent,
    /// The ids of this hash are in a larger table.
    Moved,
}

/// What is stored in `tags` and `ids`, readers act upon. A store there is a `Release` and a load by a
/// reader an `Acquire`, all of them: so whoever sees what one writer has stored also sees what it and the
/// writers before it had done until then, and the version of the index among that. `lows` only the writer
/// reads, whom the lock tells of other writers.
#[derive(Debug)]
pub(super) struct Table {
    tags: Array<AtomicU8>,
    ids: Array<AtomicU32>,
    /// Of a table from a file they are known once it is verified.
    lows: Array<AtomicU32>,
}

/// Places, in a piece of memory that suits their number.
#[derive(Debug)]
enum Array<T> {
    Small(Box<[T]>),
    /// Mapped: it becomes memory page by page as it is used, so that making it takes no time.
    Large(Segment<T>),
}

/// Arrays below so many bytes are not worth a map of their own.
const SMALL_BYTES: usize = 1 << 15;

impl<T: Plain + Default> Array<T> {
    fn zeroed(len: usize) -> io::Result<Self> {
        if len.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > SMALL_BYTES) {
            return Ok(Self::Large(Segment::zeroed_in_small_pages(len)?));
        }
        let mut places = Vec::new();
        places.try_reserve_exact(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        places.extend(std::iter::repeat_with(T::default).take(len));
        Ok(Self::Small(places.into()))
    }
}

impl<T: Plain> std::ops::Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        match self {
            Self::Small(places) => places,
            Self::Large(places) => places,
        }
    }
}

impl Table {
    /// A table of 2^`log2` empty places.
    pub(super) fn empty(log2: usize) -> io::Result<Self> {
        let places = u32::try_from(log2).ok().and_then(|log2| 1usize.checked_shl(log2));
        let places = places.ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            tags: Array::zeroed(places)?,
            ids: Array::zeroed(places)?,
            lows: Array::zeroed(places)?,
        })
    }

    /// A table in a file. It can be asked, and changed once it is [verified](Self::verify).
    pub(super) fn restored(source: &mut Source, places: usize) -> Result<Self, ReadError> {
        Ok(Self {
            tags: Array::Large(source.segment(Kind::DirectoryTags, places, places)?),
            ids: Array::Large(source.segment(Kind::DirectoryIds, places, places)?),
            lows: Array::zeroed(places)?,
        })
    }

    pub(super) fn save<'a>(&'a self, parts: &mut Parts<'a>) {
        parts.slice(Kind::DirectoryTags, &self.tags);
        parts.slice(Kind::DirectoryIds, &self.ids);
    }

    pub(super) fn places(&self) -> usize {
        self.tags.len()
    }

    /// The id with this hash that `is` the one, where there is one among the first `most` that look so.
    pub(super) fn find(&self, hash: Kept, most: usize, mut is: impl FnMut(Id) -> bool) -> Seen {
        let mut asked = 0;
        for place in self.from(hash) {
            match self.tags[place].load(Acquire) {
                EMPTY => break,
                MOVED => return Seen::Moved,
                tag if tag == hash.tag => {
                    let id = self.ids[place].load(Acquire);
                    if is(id) {
                        return Seen::Id(id);
                    }
                    asked += 1;
                    if asked == most {
                        break;
                    }
                }
                _ => {}
            }
        }
        Seen::Absent
    }

    /// All places, beginning with the home of a hash.
    fn from(&self, hash: Kept) -> impl Iterator<Item = usize> {
        let mask = self.places() - 1;
        let home = hash.home(mask);
        (0..=mask).map(move |step| home.wrapping_add(step) & mask)
    }

    /// Whether every id is there once, and found from the place that its hash leads to: no place
    /// between the two is empty. Learns the hashes.
    pub(super) fn verify(&self, hash_of: impl Fn(Id) -> Option<u64>) -> Result<(), Corruption> {
        let mask = self.places() - 1;
        let is_empty = |place: &usize| self.tags[*place].load(Relaxed) == EMPTY;
        let first = (0..=mask).find(is_empty).unwrap_or(0);
        let mut seen = HashSet::new();
        let mut run = 0;
        for place in (first..=mask).chain(0..first) {
            if is_empty(&place) {
                run = 0;
                continue;
            }
            let id = self.ids[place].load(Relaxed);
            let is_good = hash_of(id).map(Kept::of).is_some_and(|hash| {
                self.lows[place].store(hash.low, Relaxed);
                let steps = place.wrapping_sub(hash.home(mask)) & mask;
                steps <= run && hash.tag == self.tags[place].load(Relaxed) && seen.insert(id)
            });
            if !is_good {
                return Err(Corruption::Item { section: Kind::DirectoryIds, item: place as u64 });
            }
            run += 1;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn contents(&self) -> Vec<Option<(u8, Id)>> {
        let filled = |tag: u8, id| (tag != EMPTY).then_some((tag, id));
        let places = self.tags.iter().zip(&*self.ids);
        places.map(|(tag, id)| filled(tag.load(Relaxed), id.load(Relaxed))).collect()
    }

    /// Places that are filled.
    pub(super) fn filled(&self) -> usize {
        self.tags.iter().filter(|tag| tag.load(Relaxed) != EMPTY).count()
    }

    fn put(&self, place: usize, hash: Kept, id: Id) {
        self.lows[place].store(hash.low, Relaxed);
        self.ids[place].store(id, Release);
        self.tags[place].store(hash.tag, Release);
    }

    fn kept(&self, place: usize) -> Kept {
        Kept { tag: self.tags[place].load(Relaxed), low: self.lows[place].load(Relaxed) }
    }
}

/// A table in the hands of the one writer, and a smaller one, if there is, that hands its ids over to it.
///
/// Ids of a run of the smaller table get places in the larger one at the same distance from a multiple of
/// the smaller size, and no others do. So a run has to be handed over when one of these places is looked
/// at, not before, and the table becomes what it would be had all been handed over at once, in the order
/// of their places.
#[derive(Clone, Copy)]
pub(super) struct Writing<'a> {
    pub(super) table: &'a Table,
    pub(super) old: Option<&'a Table>,
}

impl Writing<'_> {
    /// The place of an id.
    pub(super) fn find(self, hash: Kept, id: Id) -> Option<usize> {
        let places = self.table.from(hash).take_while(|place| self.tag(*place) != EMPTY);
        let mut same = places.filter(|place| self.tag(*place) == hash.tag);
        same.find(|place| self.table.ids[*place].load(Relaxed) == id)
    }

    /// The place where an id of this hash is to be put.
    pub(super) fn room(self, hash: Kept) -> usize {
        let empty = self.table.from(hash).find(|place| self.tag(*place) == EMPTY);
        empty.expect("an eighth of the places is empty")
    }

    /// Whether the run in which `room` for a hash was found becomes no longer than `longest` when that
    /// is taken, and fewer than `most` ids in front of it look like one of this hash.
    pub(super) fn has_room(self, hash: Kept, room: usize, longest: usize, most: usize) -> bool {
        let mask = self.table.places() - 1;
        let home = hash.home(mask);
        let before_room = room.wrapping_sub(home) & mask;
        let place = |step: usize| home.wrapping_add(step) & mask;
        let is_filled = |place: &usize| self.tag(*place) != EMPTY;
        let after = (1..=longest).map(|step| place(before_room + step)).take_while(is_filled);
        let before = (1..=longest).map(|step| place(step.wrapping_neg())).take_while(is_filled);
        let same = (0..before_room).filter(|step| self.tag(place(*step)) == hash.tag);
        before_room < longest
            && before_room + 1 + after.count() + before.count() <= longest
            && same.count() < most
    }

    pub(super) fn put(self, place: usize, hash: Kept, id: Id) {
        self.table.put(place, hash, id);
    }

    pub(super) fn replace(self, place: usize, id: Id) {
        self.table.ids[place].store(id, Release);
    }

    /// Empties a place, and moves up what was put behind it because it was taken.
    pub(super) fn close(self, mut hole: usize) {
        let mask = self.table.places() - 1;
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            if self.tag(place) == EMPTY {
                break;
            }
            let hash = self.table.kept(place);
            // It may move unless its home lies behind the hole.
            if place.wrapping_sub(hash.home(mask)) & mask >= place.wrapping_sub(hole) & mask {
                self.table.put(hole, hash, self.table.ids[place].load(Relaxed));
                hole = place;
            }
        }
        self.table.tags[hole].store(EMPTY, Release);
    }

    /// Hands over what lies in some places of the old table, and in the runs they belong to.
    pub(super) fn hand_over(self, places: std::ops::Range<usize>) {
        places.for_each(|place| _ = self.tag(place));
    }

    /// What is in a place, once that is settled.
    fn tag(self, place: usize) -> u8 {
        if let Some(old) = self.old {
            let place = place & (old.places() - 1);
            if !matches!(old.tags[place].load(Relaxed), EMPTY | MOVED) {
                self.hand_over_run(old, place);
            }
        }
        self.table.tags[place].load(Relaxed)
    }

    fn hand_over_run(self, old: &Table, place: usize) {
        let mask = old.places() - 1;
        let is_filled = |place: &usize| old.tags[*place].load(Relaxed) != EMPTY;
        let before = (1..=mask).map(|step| place.wrapping_sub(step) & mask).take_while(is_filled);
        let start = place.wrapping_sub(before.count()) & mask;
        let run = (0..=mask).map(|step| (start + step) & mask).take_while(is_filled);
        let end = start + run.count();
        // A run that goes round the end comes in the order of its places, as in the rest.
        let places = || (0..end.saturating_sub(mask + 1)).chain(start..end.min(mask + 1));
        for place in places() {
            let (hash, id) = (old.kept(place), old.ids[place].load(Relaxed));
            let is_empty = |place: &usize| self.table.tags[*place].load(Relaxed) == EMPTY;
            let room = self.table.from(hash).find(is_empty);
            self.table.put(room.expect("there is more room than in the old table"), hash, id);
        }
        // Whoever sees this sees the ids in the larger table, and which that is.
        places().for_each(|place| old.tags[place].store(MOVED, Release));
    }
}
