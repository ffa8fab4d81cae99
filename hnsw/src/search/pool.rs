//! The beam: the `ef` best candidates seen so far, sorted, each expanded or not.

use std::collections::VecDeque;

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
    plateau: Plateau,
}

/// Candidates that fell off a pool in which all distances are equal.
///
/// On a plateau (one-hot rows: every distance between two of them is 2) a full pool keeps the
/// smallest ids and a plain beam stops, whatever lies behind the others. While the plateau lasts,
/// those others are expanded too, up to `budget` of them.
#[derive(Debug, Default)]
struct Plateau {
    waiting: VecDeque<Candidate>,
    budget: usize,
}

impl Pool {
    /// Empties the pool for a beam of `ef` that may expand `plateau` candidates more where all
    /// distances are equal.
    pub(crate) fn reset(&mut self, ef: usize, plateau: usize) {
        self.capacity = ef;
        self.candidates.clear();
        self.expanded.clear();
        self.cursor = 0;
        self.plateau.waiting.clear();
        self.plateau.budget = plateau;
    }

    /// The candidates, ascending by (distance, id).
    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Adds a candidate that was never added before, if it is among the best.
    #[inline(always)]
    pub(crate) fn insert(&mut self, candidate: Candidate) {
        if self.candidates.len() == self.capacity {
            let last = self.candidates[self.capacity - 1];
            if candidate > last {
                if candidate.ties(self.candidates[0]) {
                    self.plateau.push(candidate);
                }
                return;
            }
            let expanded = self.expanded[self.capacity - 1];
            if !expanded && last.ties(self.candidates[0]) && last.ties(candidate) {
                self.plateau.push(last);
            }
            self.candidates.pop();
            self.expanded.pop();
        }
        let place = self.candidates.partition_point(|other| *other < candidate);
        self.candidates.insert(place, candidate);
        self.expanded.insert(place, false);
        self.cursor = self.cursor.min(place);
    }

    /// The nearest candidate that is not expanded yet, which counts as expanded from here on.
    #[inline(always)]
    pub(crate) fn expand_next(&mut self) -> Option<Candidate> {
        while self.cursor < self.candidates.len() {
            let at = self.cursor;
            self.cursor += 1;
            if !std::mem::replace(&mut self.expanded[at], true) {
                return Some(self.candidates[at]);
            }
        }
        let nearest = *self.candidates.first()?;
        self.plateau.pop().filter(|waiting| waiting.ties(nearest))
    }
}

impl Plateau {
    #[cold]
    fn push(&mut self, candidate: Candidate) {
        if self.waiting.len() < self.budget {
            self.waiting.push_back(candidate);
        }
    }

    fn pop(&mut self) -> Option<Candidate> {
        let candidate = self.waiting.pop_front()?;
        self.budget -= 1;
        Some(candidate)
    }
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
        pool.reset(3, 0);
        for (distance, id) in [(5.0, 1), (3.0, 2), (4.0, 3), (9.0, 4)] {
            pool.insert(Candidate::new(distance, id));
        }
        assert_eq!(ids(&pool), [2, 3, 1]);
        assert_eq!(pool.expand_next().unwrap().id(), 2);
        assert_eq!(pool.expand_next().unwrap().id(), 3);
        pool.insert(Candidate::new(1.0, 5)); // nearer than all: the cursor goes back
        assert_eq!(ids(&pool), [5, 2, 3]);
        assert_eq!(pool.expand_next().unwrap().id(), 5);
        assert!(pool.expand_next().is_none(), "1 fell off unexpanded");
    }

    #[test]
    fn a_plateau_is_walked_within_its_budget() {
        for (budget, expanded) in [(0, 2), (3, 5), (99, 10)] {
            let mut pool = Pool::default();
            pool.reset(2, budget);
            (0..10).rev().for_each(|id| pool.insert(Candidate::new(2.0, id)));
            assert_eq!(ids(&pool), [0, 1]);
            assert_eq!(std::iter::from_fn(|| pool.expand_next()).count(), expanded);
        }
    }

    #[test]
    fn the_plateau_ends_with_a_nearer_candidate() {
        let mut pool = Pool::default();
        pool.reset(2, 99);
        (0..10).for_each(|id| pool.insert(Candidate::new(2.0, id)));
        pool.insert(Candidate::new(1.0, 10));
        assert_eq!(std::iter::from_fn(|| pool.expand_next()).count(), 2);
    }
}
