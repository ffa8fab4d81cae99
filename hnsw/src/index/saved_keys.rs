//! Keys in a file, read when they are asked for.

use std::fmt;
use std::hint::black_box;
use std::sync::OnceLock;

use super::key::SavedKey;
use crate::file::{Bytes, Corruption, Head, Kind, Parts, ReadError, Source};
use crate::id::Id;

/// Keys that get memory together.
const BLOCK: usize = 64;

/// Bytes of a number in the sections, and of one in that of deaths.
const END_BYTES: usize = size_of::<u64>();
const DEATH_BYTES: usize = size_of::<Id>();

/// The keys of the points that a file holds.
pub(crate) struct SavedKeys<K> {
    cells: Box<[OnceLock<Box<Block<K>>>]>,
    bytes: Bytes,
    ends: Bytes,
    deaths: Bytes,
    points: usize,
    read: fn(&[u8]) -> Option<K>,
}

type Block<K> = [OnceLock<K>; BLOCK];

/// Keys that are read when a file is opened, and bytes of one that need no memory of their own.
const SAMPLE: usize = 8;
const SHORT: usize = 64;

impl<K: SavedKey> SavedKeys<K> {
    pub(crate) fn restore(head: &Head, source: &mut Source) -> Result<Self, ReadError> {
        let points = head.points as usize;
        let ends = source.bytes(Kind::KeyEnds)?;
        if ends.len() != points * END_BYTES {
            let (expected, found) = ((points * END_BYTES) as u64, ends.len() as u64);
            return Err(Corruption::Section { section: Kind::KeyEnds, expected, found }.into());
        }
        let empty = std::iter::repeat_with(OnceLock::new);
        Ok(Self {
            cells: empty.take(points.div_ceil(BLOCK)).collect(),
            bytes: source.bytes(Kind::Keys)?,
            ends,
            deaths: source.bytes(Kind::Deaths)?,
            points,
            read: K::read,
        })
    }
}

impl<K> SavedKeys<K> {
    /// No keys.
    pub(crate) fn none() -> Self {
        let none = || Bytes::Read([].into());
        let (bytes, ends, deaths) = (none(), none(), none());
        Self { cells: Box::default(), bytes, ends, deaths, points: 0, read: |_| None }
    }

    /// The ids whose points lived when the file was written.
    pub(crate) fn living(&self) -> impl Iterator<Item = Id> {
        (0..self.points).filter(|id| self.lived(*id)).map(|id| id as Id)
    }

    /// The key of a point that lived; `None` as well where its bytes are none.
    pub(crate) fn get(&self, id: Id) -> Option<&K> {
        let place = id as usize;
        let block = self.cells.get(place / BLOCK)?;
        let block = block.get_or_init(|| Box::new([const { OnceLock::new() }; BLOCK]));
        let cell = &block[place % BLOCK];
        if cell.get().is_none() {
            let bytes = self.bytes_of(place).filter(|_| self.lived(place))?;
            let _ = cell.set(self.read_copied(bytes)?);
        }
        cell.get()
    }

    /// The key of these bytes. Those that are mapped are copied first, so that what was looked at is what
    /// becomes the key, even if somebody breaks the promise not to write to the file.
    fn read_copied(&self, bytes: &[u8]) -> Option<K> {
        if matches!(self.bytes, Bytes::Read(_)) {
            return (self.read)(bytes);
        }
        let (mut short, mut long) = ([0; SHORT], Vec::new());
        let copy = match short.get_mut(..bytes.len()) {
            Some(copy) => copy,
            None => {
                long.resize(bytes.len(), 0);
                &mut long[..]
            }
        };
        copy.copy_from_slice(bytes);
        (self.read)(black_box(copy))
    }

    /// A point that lived whose bytes are no key, among a few of them or among all.
    pub(crate) fn unreadable(&self, all: bool) -> Option<Id> {
        let step = if all { 1 } else { self.points.div_ceil(SAMPLE).max(1) };
        let mut ids = (0..self.points).step_by(step).filter(|id| self.lived(*id));
        ids.find(|id| self.get(*id as Id).is_none()).map(|id| id as Id)
    }

    /// Whether the bytes of keys follow each other to the end.
    pub(crate) fn verify(&self) -> Result<(), Corruption> {
        let mut before = 0;
        for id in 0..self.points {
            let end = self.end(id).filter(|end| *end >= before);
            before = end.ok_or(Corruption::Item { section: Kind::KeyEnds, item: id as u64 })?;
        }
        if before == self.bytes.len() as u64 {
            Ok(())
        } else {
            let (expected, found) = (before, self.bytes.len() as u64);
            Err(Corruption::Section { section: Kind::Keys, expected, found })
        }
    }

    /// Frees the bytes of keys that have all been read.
    pub(crate) fn forget_bytes(&mut self) {
        self.bytes = Bytes::Read([].into());
        self.ends = Bytes::Read([].into());
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        let blocks = self.cells.iter().filter(|block| block.get().is_some()).count();
        let read = [&self.bytes, &self.ends, &self.deaths].map(|bytes| match bytes {
            Bytes::Mapped(..) => 0,
            Bytes::Read(bytes) => bytes.len(),
        });
        size_of_val(&*self.cells) + blocks * size_of::<Block<K>>() + read.iter().sum::<usize>()
    }

    fn lived(&self, id: usize) -> bool {
        let death = self.deaths.get(id * DEATH_BYTES..(id + 1) * DEATH_BYTES);
        id < self.points && death.is_none_or(|death| death == [0; DEATH_BYTES])
    }

    fn bytes_of(&self, id: usize) -> Option<&[u8]> {
        let start = if id == 0 { 0 } else { self.end(id - 1)? };
        self.bytes.get(usize::try_from(start).ok()?..usize::try_from(self.end(id)?).ok()?)
    }

    fn end(&self, id: usize) -> Option<u64> {
        let end = self.ends.get(id * END_BYTES..(id + 1) * END_BYTES)?;
        end.try_into().ok().map(u64::from_le_bytes)
    }
}

impl<K> fmt::Debug for SavedKeys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedKeys").field("points", &self.points).finish_non_exhaustive()
    }
}

/// Adds the keys of `points` points, of whom `None` have none.
pub(crate) fn save<'k, K: SavedKey + 'k>(
    keys: impl Iterator<Item = Option<&'k K>>,
    head: &mut Head,
    parts: &mut Parts<'_>,
) {
    const { assert!(matches!(K::ENCODING.len(), 1..=16), "a name of 1 to 16 bytes") };
    head.keys = K::ENCODING.to_owned();
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for key in keys {
        key.inspect(|key| key.write(&mut bytes));
        ends.extend((bytes.len() as u64).to_le_bytes());
    }
    parts.bytes(Kind::Keys, bytes);
    parts.bytes(Kind::KeyEnds, ends);
}
