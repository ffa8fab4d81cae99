//! Lists as they were before a batch, for the searches beside it.
//!
//! While a batch is linked, points that were there before give up links to each other for links to new
//! points, which no search may return yet. A search that walked through the new points would fill its
//! beam with them: it took 30 to 45 times its distances beside 20,000 points of a new topic. One that
//! only passed over them would miss the links that were given up. So whoever changes a list of an old
//! point first keeps a copy of it, and searches read the copy until the batch is published.
//!
//! A reader may read a list at the moment when it is first changed. It then finds some of the old links,
//! and new points, which it passes over.

use std::io;
use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, PoisonError, RwLock};

use crate::id::Id;
use crate::store::Segment;

/// The graph of the points that were published when a batch began.
#[derive(Debug)]
pub(crate) struct Frozen {
    points: u32,
    entry: Option<Id>,
    base: Kept,
    upper: Kept,
}

impl Frozen {
    /// Where searches begin.
    pub(crate) fn entry(&self) -> Option<Id> {
        self.entry
    }

    /// The slots of `list` on level 0, as they were.
    #[inline(always)]
    pub(super) fn base<'a>(&'a self, list: u32, now: &'a [AtomicU32]) -> &'a [AtomicU32] {
        self.base.slots(list).unwrap_or(now)
    }

    /// The slots of `list` on an upper level, as they were.
    pub(super) fn upper<'a>(&'a self, list: u32, now: &'a [AtomicU32]) -> &'a [AtomicU32] {
        self.upper.slots(list).unwrap_or(now)
    }
}

/// Copies of lists. They take memory only where lists have changed.
#[derive(Debug)]
struct Kept {
    /// For each list, one more than the place of its copy; 0 while it is as it was.
    places: Segment<AtomicU32>,
    copies: Segment<AtomicU32>,
    degree: usize,
    taken: AtomicU32,
}

impl Kept {
    fn of(lists: usize, degree: usize) -> io::Result<Self> {
        let places = Segment::zeroed_in_small_pages(lists)?;
        let copies = Segment::zeroed_in_small_pages(lists * degree)?;
        Ok(Self { places, copies, degree, taken: AtomicU32::new(0) })
    }

    /// Keeps a list that is about to change for the first time. One thread at a time for each list.
    fn keep(&self, list: u32, slots: &[AtomicU32]) {
        let Some(place) = self.places.get(list as usize).filter(|place| place.load(Relaxed) == 0)
        else {
            return;
        };
        let copy = self.taken.fetch_add(1, Relaxed);
        for (kept, slot) in self.row(copy).iter().zip(slots) {
            kept.store(slot.load(Relaxed), Relaxed);
        }
        // Who reads the place reads the whole copy.
        place.store(copy + 1, Release);
    }

    #[inline(always)]
    fn slots(&self, list: u32) -> Option<&[AtomicU32]> {
        let copy = self.places.get(list as usize)?.load(Acquire).checked_sub(1)?;
        Some(self.row(copy))
    }

    fn row(&self, copy: u32) -> &[AtomicU32] {
        &self.copies[copy as usize * self.degree..][..self.degree]
    }
}

/// The frozen graph while there is one.
#[derive(Debug, Default)]
pub(super) struct Freezer {
    /// The points in it, 0 while there is none. Only who writes the graph looks here.
    points: AtomicU32,
    frozen: RwLock<Option<Arc<Frozen>>>,
}

impl Freezer {
    /// Freezes the graph of the first `points` points, which has so many lists of each kind.
    pub(super) fn freeze(
        &self,
        points: u32,
        entry: Option<Id>,
        [base, upper]: [(usize, usize); 2],
    ) -> io::Result<()> {
        // A batch that was broken off has left its lists changed.
        if self.points.load(Relaxed) == points {
            return Ok(());
        }
        let kept = |(lists, degree)| Kept::of(lists, degree);
        let frozen = Frozen { points, entry, base: kept(base)?, upper: kept(upper)? };
        *self.frozen.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(frozen));
        self.points.store(points, Relaxed);
        Ok(())
    }

    /// Ends it. Searches under way go on with what they have.
    pub(super) fn thaw(&self) {
        if self.points.swap(0, Relaxed) > 0 {
            *self.frozen.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Keeps a list of the point `id`, if it is in the frozen graph, before it is changed.
    pub(super) fn keep(&self, id: Id, level: usize, list: u32, slots: &[AtomicU32]) {
        if id >= self.points.load(Relaxed) {
            return;
        }
        if let Some(frozen) = &*self.frozen.read().unwrap_or_else(PoisonError::into_inner) {
            let kept = if level == 0 { &frozen.base } else { &frozen.upper };
            kept.keep(list, slots);
        }
    }

    /// The frozen graph, if it is that of so many points. A search does not wait for it.
    pub(super) fn frozen(&self, points: u32) -> Option<Arc<Frozen>> {
        let frozen = self.frozen.try_read().ok()?;
        frozen.as_ref().filter(|frozen| frozen.points == points).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_as_it_was_until_the_thaw() {
        let freezer = Freezer::default();
        let slots = |links: [Id; 2]| links.map(AtomicU32::new);
        let read =
            |slots: &[AtomicU32]| slots.iter().map(|slot| slot.load(Relaxed)).collect::<Vec<_>>();
        let now = slots([1, 2]);
        freezer.keep(0, 0, 0, &now);
        assert!(freezer.frozen(3).is_none(), "nothing is frozen");
        freezer.freeze(3, Some(1), [(3, 2), (0, 1)]).unwrap();
        assert!(freezer.frozen(2).is_none(), "of other points");
        let frozen = freezer.frozen(3).unwrap();
        assert_eq!(frozen.entry(), Some(1));
        assert_eq!(read(frozen.base(2, &now)), [1, 2], "as it is");
        freezer.keep(2, 0, 2, &now);
        let now = slots([1, 7]);
        freezer.keep(2, 0, 2, &now);
        freezer.keep(7, 0, 7, &now);
        assert_eq!(read(frozen.base(2, &now)), [1, 2], "as it was");
        assert_eq!(read(frozen.base(7, &now)), [1, 7], "new");
        freezer.thaw();
        assert!(freezer.frozen(3).is_none());
        assert_eq!(read(frozen.base(2, &now)), [1, 2], "for who has it");
    }
}
