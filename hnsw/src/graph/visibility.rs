//! Which points there are, and since when: what a search sees of what writers do.
//!
//! One word holds a [`Snapshot`]: the number of points that are linked, and the number of removals.
//! A writer stores it with Release once everything is in place; a search loads it once and returns
//! what was there then: ids below the count that had not died. Each id carries the number of the
//! removal that ended it, so that a point and its replacement, which one store brings and takes, are
//! never seen both, nor neither.
//!
//! A writer takes a removed point out of the lists at once, before it stores the word. A search that
//! began before may then no longer find its way to it. When it has read all it needs of the graph, it
//! looks at the log of removals, and adds what was logged since it began.

use std::io;
use std::ops::Range;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

use crate::file::{Corruption, Head, Kind, Parts, ReadError, Source};
use crate::id::{Id, NONE};
use crate::store::Table;

/// What a search sees: the points `0..count` without those that the first `removals` ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) count: u32,
    pub(crate) removals: u32,
}

impl Snapshot {
    /// The points that live.
    pub(crate) fn live(self) -> usize {
        (self.count - self.removals) as usize
    }
}

/// | array | per | holds |
/// |---|---|---|
/// | `deaths` | point | the number of the removal that ended it, counted from 1; 0 while it lives |
/// | `log` | removal | the point that was removed, and the point that moved for it, or [`NONE`] |
///
/// Both take memory only where points have been removed.
#[derive(Debug)]
pub(super) struct Visibility {
    word: AtomicU64,
    deaths: Table<AtomicU32>,
    log: Table<AtomicU32>,
    /// Removals in the log, those not yet in the word among them.
    logged: AtomicU32,
}

impl Visibility {
    pub(super) fn with_capacity(points: usize) -> Self {
        Self {
            word: AtomicU64::new(0),
            deaths: Table::with_capacity(points, 1),
            log: Table::with_capacity(0, 2),
            logged: AtomicU32::new(0),
        }
    }

    /// Makes sure that [`grow_to`](Self::grow_to) finds memory for `len` points, all of which may be
    /// removed. On an error nothing has changed.
    pub(super) fn reserve(&self, len: usize) -> io::Result<()> {
        self.deaths.reserve(len)?;
        self.log.reserve(len)
    }

    /// Makes room for `len` points, for which memory is reserved.
    pub(super) fn grow_to(&self, len: usize) {
        self.deaths.grow_to(len);
        self.log.grow_to(len);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let word = self.word.load(Acquire);
        Snapshot { count: word as u32, removals: (word >> 32) as u32 }
    }

    /// Lets searches that begin from now on see the first `count` points, and all removals logged.
    pub(super) fn publish(&self, count: usize) {
        let removals = self.logged.load(Relaxed);
        self.word.store(u64::from(removals) << 32 | count as u64, Release);
    }

    /// To be called by a writer whose turn begins, before its first store. The fence in [`end`](Self::end)
    /// publishes a removal together with what the same writer stores afterwards. A later writer has no such
    /// fence of its own between taking the lock and its first store; without one, a search on a weakly
    /// ordered CPU that reads a slot of the later writer could miss the removal of the earlier one.
    pub(super) fn begin_stores(&self) {
        fence(Release);
    }

    /// Ends `id`, and logs it together with a point that is about to move. Whoever sees the lists
    /// without them will see the log as well.
    pub(super) fn end(&self, id: Id, moved: Option<Id>) {
        let removal = self.logged.load(Relaxed);
        self.deaths.row(id)[0].store(removal + 1, Relaxed);
        let entry = self.log.row(removal);
        entry[0].store(id, Relaxed);
        entry[1].store(moved.unwrap_or(NONE), Relaxed);
        self.logged.store(removal + 1, Release);
        // Pairs with the fence in `logged`: who reads a slot written from here on and then
        // passes that fence reads this count.
        fence(Release);
    }

    /// Whether `id` was removed, published or not.
    #[inline(always)]
    pub(super) fn is_dead(&self, id: Id) -> bool {
        self.logged.load(Relaxed) > 0 && self.deaths.row(id)[0].load(Relaxed) != 0
    }

    #[inline(always)]
    pub(super) fn is_visible(&self, id: Id, snapshot: Snapshot) -> bool {
        if id >= snapshot.count {
            return false;
        }
        if self.logged.load(Relaxed) == 0 {
            return true;
        }
        let death = self.deaths.row(id)[0].load(Relaxed);
        death == 0 || death > snapshot.removals
    }

    /// The number of removals of which the caller may have seen anything in the graph.
    pub(super) fn logged(&self) -> u32 {
        fence(Acquire);
        self.logged.load(Acquire)
    }

    /// The points that these removals ended or moved.
    pub(super) fn disturbed(&self, removals: Range<u32>) -> impl Iterator<Item = Id> {
        let entries = removals.flat_map(|removal| self.log.row(removal));
        entries.map(|id| id.load(Relaxed)).filter(|id| *id != NONE)
    }

    /// Adds what is known of removed points.
    pub(super) fn save<'a>(&'a self, points: usize, head: &mut Head, parts: &mut Parts<'a>) {
        let removals = self.logged.load(Relaxed);
        head.removals = removals;
        parts.table(Kind::Deaths, &self.deaths, if removals == 0 { 0 } else { points });
        parts.table(Kind::Removals, &self.log, removals as usize);
    }

    pub(super) fn restore(head: &Head, source: &mut Source) -> Result<Self, ReadError> {
        let (points, removals) = (head.points as usize, head.removals as usize);
        if removals > points {
            return Err(Corruption::Field { name: "removals", value: removals as u64 }.into());
        }
        let dead = if removals == 0 { 0 } else { points };
        let visibility = Self {
            word: AtomicU64::new(0),
            deaths: source.grown(Kind::Deaths, 1, dead, points)?,
            log: source.grown(Kind::Removals, 2, removals, points)?,
            logged: AtomicU32::new(head.removals),
        };
        visibility.publish(points);
        Ok(visibility)
    }

    /// Whether points and removals know each other.
    pub(super) fn verify(&self, points: usize) -> Result<(), Corruption> {
        let removals = self.logged.load(Relaxed);
        for removal in 0..removals {
            let [id, moved] = [0, 1].map(|at| self.log.row(removal)[at].load(Relaxed));
            let is_known = (id as usize) < points
                && self.deaths.row(id)[0].load(Relaxed) == removal + 1
                && (moved == NONE || (moved as usize) < points);
            if !is_known {
                return Err(Corruption::Item { section: Kind::Removals, item: removal.into() });
            }
        }
        // Each removal has a point of its own, so no more points may be dead than there are removals.
        let dead = (0..points as Id).filter(|id| self.is_dead(*id)).count();
        if dead == removals as usize {
            Ok(())
        } else {
            Err(Corruption::Field { name: "removals", value: removals.into() })
        }
    }

    pub(super) fn bytes(&self) -> usize {
        // Untouched pages of the tables are address space only.
        self.logged() as usize * (size_of::<[u32; 2]>() + size_of::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;
    use std::thread::yield_now;

    use super::*;

    /// Room for `len` points, all but the last of which are published.
    fn visibility(len: usize) -> Visibility {
        let visibility = Visibility::with_capacity(0);
        visibility.reserve(len).unwrap();
        visibility.grow_to(len);
        visibility.publish(len - 1);
        visibility
    }

    #[test]
    fn a_snapshot_sees_what_was_there() {
        assert_eq!(Visibility::with_capacity(0).snapshot(), Snapshot::default());
        let visibility = visibility(10);
        let before = visibility.snapshot();
        visibility.end(3, Some(4)); // point 9 replaces point 3
        assert!(visibility.is_dead(3) && !visibility.is_dead(9));
        assert!(visibility.is_visible(3, before) && !visibility.is_visible(9, before));
        assert_eq!(
            visibility.disturbed(before.removals..visibility.logged()).collect::<Vec<_>>(),
            [3, 4]
        );
        assert_eq!(visibility.snapshot(), before);
        visibility.publish(10);
        let after = visibility.snapshot();
        assert!(!visibility.is_visible(3, after) && visibility.is_visible(9, after));
        assert!(visibility.is_visible(3, before) && !visibility.is_visible(9, before));
        assert_eq!((before.live(), after.live()), (9, 9));
        assert_eq!(visibility.logged(), after.removals);
    }

    /// One writer removes a point; another, in its turn after it, writes the list that led to it. Who
    /// reads the list as the second left it also sees the log of the first. Miri shows it with some seeds
    /// where [`Visibility::begin_stores`] is left out (10 of 40).
    #[test]
    fn litmus_what_a_later_writer_stores_tells_of_an_earlier_removal() {
        let visibility = visibility(10);
        let list = AtomicU32::new(3);
        let (removed, is_over) = (Mutex::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut removed = removed.lock().unwrap();
                visibility.begin_stores();
                visibility.end(3, None);
                list.store(NONE, Relaxed);
                visibility.publish(9);
                *removed = true;
            });
            scope.spawn(|| {
                while !*removed.lock().unwrap() {
                    yield_now();
                }
                let _turn = removed.lock().unwrap();
                visibility.begin_stores();
                list.store(7, Relaxed);
                is_over.store(true, Relaxed);
                visibility.publish(10);
            });
            while !is_over.load(Relaxed) {
                yield_now();
            }
            // One look: who also saw what the first writer stored would see the log by that.
            if list.load(Relaxed) == 7 {
                assert_eq!(
                    visibility.logged(),
                    1,
                    "the list is without 3, and the log says nothing"
                );
            }
        });
    }

    /// A search that sees a list without a point sees the removal in the log, by the same writer's fence.
    #[test]
    fn litmus_a_list_without_a_point_tells_of_its_removal() {
        let visibility = visibility(10);
        let list = AtomicU32::new(3);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                visibility.begin_stores();
                visibility.end(3, Some(4));
                list.store(NONE, Relaxed);
                visibility.publish(10);
            });
            let before = visibility.snapshot();
            if list.load(Relaxed) == NONE {
                let logged = visibility.logged();
                assert_eq!(logged, 1);
                if before.removals == 0 {
                    assert_eq!(visibility.disturbed(0..logged).collect::<Vec<_>>(), [3, 4]);
                    assert!(visibility.is_visible(3, before));
                }
            }
        });
    }
}
