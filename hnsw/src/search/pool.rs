//! The beam: the `ef` best candidates seen so far, sorted, each expanded or not.

use super::trim::trim;
use crate::id::Candidate;

/// A sorted array: with `ef` in the hundreds its insertions (a binary search and a short move) cost
/// less than the two heaps of the paper, and the next candidate is found by a cursor.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    capacity: usize,
    /// Ascending by (distance, id).
    candidates: Vec<Candidate>,
    expanded: Vec<bool>,
    /// All candidates before it are expanded.
    cursor: usize,
}

impl Pool {
    /// Gives back the memory of a very wide beam.
    pub(crate) fn trim(&mut self) {
        trim(&mut self.candidates);
        trim(&mut self.expanded);
        // What is left of the one would not fit what is left of the other.
        self.reset(0);
    }

    /// Empties the pool for a beam of `ef`.
    pub(crate) fn reset(&mut self, ef: usize) {
        self.capacity = ef;
        self.candidates.clear();
        self.expanded.clear();
        self.cursor = 0;
    }

    /// Makes room for `ef` of these candidates, the nearest, none of which counts as expanded.
    pub(crate) fn refill(&mut self, ef: usize, candidates: impl Iterator<Item = Candidate>) {
        self.reset(ef);
        self.candidates.extend(candidates);
        if self.candidates.len() > ef {
            self.candidates.select_nth_unstable(ef);
            self.candidates.truncate(ef);
        }
        self.candidates.sort_unstable();
        self.expanded.resize(self.candidates.len(), false);
    }

    /// The candidates, ascending by (distance, id).
    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Whether there are `ef` candidates: then others may have fallen off.
    pub(crate) fn is_full(&self) -> bool {
        self.candidates.len() == self.capacity
    }

    /// Whether it has room for the candidate, or would drop a farther one for it.
    #[inline(always)]
    pub(crate) fn wants(&self, candidate: Candidate) -> bool {
        !self.is_full() || self.candidates.last().is_some_and(|last| candidate < *last)
    }

    /// Whether it has room, or the candidate is no farther than the farthest in it.
    pub(crate) fn reaches(&self, candidate: Candidate) -> bool {
        !self.is_full() || self.candidates.last().is_some_and(|last| candidate <= *last)
    }

    /// Takes the nearest candidate out, once it and `ahead` behind it are expanded.
    pub(crate) fn take_first(&mut self) -> Option<Candidate> {
        if self.candidates.is_empty() {
            return None;
        }
        self.cursor = self.cursor.saturating_sub(1);
        self.expanded.remove(0);
        Some(self.candidates.remove(0))
    }

    /// Adds a candidate that was never added before, if it is among the best; whether it is the next to
    /// be expanded now.
    #[inline(always)]
    pub(crate) fn insert(&mut self, candidate: Candidate) -> bool {
        if self.candidates.len() == self.capacity {
            if candidate > self.candidates[self.capacity - 1] {
                return false;
            }
            self.candidates.pop();
            self.expanded.pop();
        }
        let place = self.candidates.partition_point(|other| *other < candidate);
        self.candidates.insert(place, candidate);
        self.expanded.insert(place, false);
        let is_next = place <= self.cursor;
        self.cursor = self.cursor.min(place);
        is_next
    }

    /// The nearest candidate that may not be expanded yet: the next one unless a nearer comes.
    #[inline(always)]
    pub(crate) fn next(&self) -> Option<Candidate> {
        self.candidates.get(self.cursor).copied()
    }

    /// The nearest candidate that is not expanded yet, if it is one of the first `most`; it counts as
    /// expanded from here on.
    #[inline(always)]
    pub(crate) fn expand_next(&mut self, most: usize) -> Option<Candidate> {
        while self.cursor < self.candidates.len().min(most) {
            let at = self.cursor;
            self.cursor += 1;
            if !std::mem::replace(&mut self.expanded[at], true) {
                return Some(self.candidates[at]);
            }
        }
        None
    }

    /// Whether a full pool tells nothing about the direction in which to go on, because what fills
    /// it is about equally far: all of it within 1/256 (two one-hot rows: always 2), or its farthest
    /// quarter (a thousand near-duplicates beside the way).
    ///
    /// In natural data the farthest quarter spreads over a factor of (4/3)^(2/d) in squared
    /// distance, 1.02 at an intrinsic dimension d of 30; 1/256 would take one of 150. Counts, such
    /// as Hamming distances, tie without being a plateau: there most of the quarter must differ.
    pub(crate) fn is_plateau(&self) -> bool {
        let len = self.candidates.len();
        if len < self.capacity || self.capacity < Self::SMALLEST_SHELL {
            return false;
        }
        let quarter = &self.candidates[len - len / 4..];
        let last = quarter[quarter.len() - 1].distance();
        let thin = |nearer: Candidate| (last - nearer.distance()) * 256.0 <= last.abs();
        let values = 1 + quarter.windows(2).filter(|pair| !pair[0].ties(pair[1])).count();
        let enough = if last.fract() == 0.0 { quarter.len() / 2 } else { 2 };
        thin(self.candidates[0]) || (thin(quarter[0]) && values >= enough)
    }

    /// Of fewer candidates, a quarter can lie close together by chance.
    const SMALLEST_SHELL: usize = 32;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(pool: &Pool) -> Vec<u32> {
        pool.candidates().iter().map(|candidate| candidate.id()).collect()
    }

    #[test]
    fn keeps_the_best_in_order_and_expands_nearest_first() {
        let mut pool = Pool::default();
        pool.reset(3);
        for (distance, id) in [(5.0, 1), (3.0, 2), (4.0, 3), (9.0, 4)] {
            pool.insert(Candidate::new(distance, id));
        }
        assert_eq!(ids(&pool), [2, 3, 1]);
        assert_eq!(pool.expand_next(3).unwrap().id(), 2);
        assert_eq!(pool.expand_next(3).unwrap().id(), 3);
        pool.insert(Candidate::new(1.0, 5)); // nearer than all: the cursor goes back
        assert_eq!(ids(&pool), [5, 2, 3]);
        assert_eq!(pool.expand_next(3).unwrap().id(), 5);
        assert!(pool.expand_next(3).is_none(), "1 fell off unexpanded");
    }

    #[test]
    fn a_refilled_pool_holds_the_nearest_and_expands_them() {
        let mut pool = Pool::default();
        let all = [(5.0, 1), (3.0, 2), (4.0, 3)].map(|(distance, id)| Candidate::new(distance, id));
        pool.refill(2, all.into_iter());
        assert_eq!((ids(&pool), pool.is_full()), (vec![2, 3], true));
        assert_eq!(pool.expand_next(2).unwrap().id(), 2);
        pool.refill(4, all.into_iter());
        assert_eq!((ids(&pool), pool.is_full()), (vec![2, 3, 1], false));
        assert_eq!(pool.expand_next(4).unwrap().id(), 2);
    }

    #[test]
    fn a_shell_is_told_from_a_spread() {
        let is_plateau = |ef: usize, distance: &dyn Fn(u32) -> f32| {
            let mut pool = Pool::default();
            pool.reset(ef);
            (0..100).for_each(|id| _ = pool.insert(Candidate::new(distance(id), id)));
            pool.is_plateau()
        };
        assert!(is_plateau(32, &|_| 2.0), "one-hot");
        assert!(is_plateau(32, &|_| 0.0), "zeros");
        assert!(is_plateau(32, &|id| 7.0 + id as f32 * 1e-4), "near-duplicates");
        assert!(is_plateau(32, &|id| -7.0 + id as f32 * 1e-4), "near-duplicates, inner product");
        assert!(
            is_plateau(32, &|id| if id < 23 { 1.0 } else { 7.0 + id as f32 * 1e-4 }),
            "beyond others"
        );
        assert!(
            is_plateau(32, &|id| if id < 23 { 1.0 } else { 7.5 + (id / 4) as f32 * 1e-6 }),
            "nearer"
        );
        assert!(!is_plateau(32, &|id| 7.0 + id as f32 * 0.1), "a spread");
        assert!(!is_plateau(32, &|id| if id < 23 { 0.5 } else { 0.8 }), "Jaccard");
        assert!(!is_plateau(32, &|id| (60 + id / 16) as f32), "Hamming");
        assert!(!is_plateau(200, &|_| 2.0), "not full");
        assert!(!is_plateau(31, &|_| 2.0), "few");
    }
}
