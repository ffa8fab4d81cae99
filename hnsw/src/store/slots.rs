//! Places for values of any type, each filled once, that never move.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nearfield_kernels::locate;

use super::grant;
use crate::id::Id;

/// The first piece has 2⁶ places, each later one as many as all before it, until a piece is as large as
/// pieces become: at most 2¹² places and 256 KiB, so that making one takes no time that is noticed.
const FIRST_LOG2: u32 = 6;
const LARGEST_LOG2: u32 = 12;
const LARGEST_BYTES: usize = 1 << 18;

/// Small pieces: a first one, and doublings.
const SMALL: usize = (LARGEST_LOG2 - FIRST_LOG2) as usize + 1;

/// Groups of large pieces: a first one, and doublings for all ids.
const GROUPS: usize = (u32::BITS - FIRST_LOG2) as usize + 1;

/// Places that come together. A filled one is published by its own `OnceLock`.
type Piece<T> = OnceLock<Box<[OnceLock<T>]>>;

/// A value for each id, or none yet. Readers wait for nobody.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    /// The pieces that are smaller than the largest.
    small: [Piece<T>; SMALL],
    large: [OnceLock<Box<[Piece<T>]>>; GROUPS],
    /// Ids for which there are pieces. Only who makes room reads it.
    room: AtomicUsize,
    bytes: AtomicUsize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            small: [const { OnceLock::new() }; SMALL],
            large: [const { OnceLock::new() }; GROUPS],
            room: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }
}

impl<T> Slots<T> {
    /// The logarithm of the places in a large piece.
    const PIECE_LOG2: u32 = {
        let mut log2 = LARGEST_LOG2;
        while log2 > FIRST_LOG2 && size_of::<OnceLock<T>>() << log2 > LARGEST_BYTES {
            log2 -= 1;
        }
        log2
    };

    /// Makes room for all ids below `len`. One caller at a time. What there is stays, on an error too.
    ///
    /// # Errors
    /// When the system refuses memory.
    pub(crate) fn reserve(&self, len: usize) -> io::Result<()> {
        loop {
            let room = self.room.load(Relaxed);
            if room >= len {
                return Ok(());
            }
            let places = Self::places_from(room);
            let piece = empty(places)?;
            let bytes = size_of_val(&*piece);
            if let Some((group, _)) = Self::group(room as Id)
                && self.large[group].get().is_none()
            {
                let pieces = empty(1 << (group - 1))?;
                self.bytes.fetch_add(size_of_val(&*pieces), Relaxed);
                let _ = self.large[group].set(pieces);
            }
            let (cell, _) = self.place(room as Id).expect("its group is there");
            let _ = cell.set(piece);
            self.bytes.fetch_add(bytes, Relaxed);
            self.room.store(room + places, Relaxed);
        }
    }

    /// Fills the place of `id`.
    ///
    /// # Panics
    /// When no [room](Self::reserve) was made for it, or it is filled already.
    pub(crate) fn set(&self, id: Id, value: T) {
        let piece = self.place(id).and_then(|(cell, place)| Some(&cell.get()?[place]));
        let filled = piece.unwrap_or_else(|| panic!("there is no room for {id}")).set(value);
        assert!(filled.is_ok(), "place {id} is filled twice");
    }

    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        let (cell, place) = self.place(id)?;
        cell.get()?[place].get()
    }

    /// Bytes of the pieces; what values own elsewhere is not counted.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// The cell of the piece of `id`, if there is one yet, and the place in the piece.
    fn place(&self, id: Id) -> Option<(&Piece<T>, usize)> {
        match Self::group(id) {
            None => {
                let (piece, place) = locate(id, FIRST_LOG2);
                Some((&self.small[piece], place))
            }
            Some((group, cell)) => {
                let place = id as usize & ((1 << Self::PIECE_LOG2) - 1);
                Some((&self.large[group].get()?[cell], place))
            }
        }
    }

    /// Of an id in a large piece the group, from 1 on, and the piece among the group's.
    fn group(id: Id) -> Option<(usize, usize)> {
        let number = id >> Self::PIECE_LOG2;
        (number > 0).then(|| locate(number, 0))
    }

    /// The places of the piece that begins at `start`; of an id within a piece at least as many as are
    /// in that.
    fn places_from(start: usize) -> usize {
        let doubling = start.max(1).next_power_of_two().max(1 << FIRST_LOG2);
        doubling.min(1 << Self::PIECE_LOG2)
    }
}

/// Places for values, none of them filled.
fn empty<T>(len: usize) -> io::Result<Box<[OnceLock<T>]>> {
    grant()?;
    let mut places = Vec::new();
    places.try_reserve_exact(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    places.extend(std::iter::repeat_with(OnceLock::new).take(len));
    Ok(places.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_stay_where_they_are() {
        let slots = Slots::default();
        let ids = [0, 1, 63, 64, 127, 128, 1000, 4095, 4096, 8191, 8192, 100_000];
        for id in ids {
            assert_eq!(slots.get(id), None);
            slots.reserve(id as usize + 1).unwrap();
            slots.set(id, id.to_string());
        }
        let first = slots.get(0).map(std::ptr::from_ref);
        slots.reserve(500_001).unwrap();
        slots.set(500_000, "far".into());
        assert_eq!(slots.get(0).map(std::ptr::from_ref), first);
        for id in ids {
            assert_eq!(slots.get(id), Some(&id.to_string()));
        }
        assert_eq!(slots.get(2), None);
        assert_eq!(slots.get(Id::MAX), None);
    }

    #[test]
    fn every_id_has_a_place_of_its_own() {
        fn fill<T: PartialEq + Copy + std::fmt::Debug>(value: impl Fn(Id) -> T) {
            let slots = Slots::default();
            slots.reserve(20_000).unwrap();
            (0..20_000).for_each(|id| slots.set(id, value(id)));
            assert!((0..20_000).all(|id| slots.get(id) == Some(&value(id))));
        }
        fill(|id| id);
        fill(|id| [id; 300]);
    }

    #[test]
    fn pieces_are_small() {
        let slots = Slots::<[u64; 4]>::default();
        for len in 1..100_000 {
            let before = slots.bytes();
            slots.reserve(len).unwrap();
            let added = slots.bytes() - before;
            assert!(added <= LARGEST_BYTES + 4096, "{added} bytes for place {len}");
        }
        assert!(slots.bytes() < 100_000 * 40 * 11 / 10);
    }

    #[test]
    #[should_panic(expected = "place 3 is filled twice")]
    fn a_place_is_filled_once() {
        let slots = Slots::default();
        slots.reserve(4).unwrap();
        slots.set(3, ());
        slots.set(3, ());
    }

    #[test]
    #[should_panic(expected = "there is no room for 64")]
    fn room_is_made_first() {
        let slots = Slots::default();
        slots.reserve(64).unwrap();
        slots.set(64, ());
    }
}
