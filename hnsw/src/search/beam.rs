//! The traversal: best-first search with a beam, over the links of one level.

use std::sync::atomic::Ordering::Relaxed;

use nearfield_kernels::prefetch;

use super::pool::Pool;
use super::visited::Visited;
use crate::graph::Graph;
use crate::id::{Candidate, Id};
use crate::space::Scorer;

/// Cache lines fetched of a list that will be read: all of it at M = 16.
const LIST_LINES: usize = 2;

/// For each hit asked for, the candidates whose exact distances decide which they are.
const REFINED: usize = 2;

/// Memory of one search, reused by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    visited: Visited,
    pool: Pool,
    ids: Vec<Id>,
    scores: Vec<f32>,
    best: Vec<Candidate>,
    /// Distances computed so far.
    pub(crate) distances: u64,
}

impl Scratch {
    /// What the last beam found, ascending by (distance, id).
    pub(crate) fn found(&self) -> &[Candidate] {
        self.pool.candidates()
    }

    /// Whether the last beam ended in a [shell](Pool::is_shell).
    pub(crate) fn is_shell(&self) -> bool {
        self.pool.is_shell()
    }
}

/// A search under way: from the scorer's target through one graph.
pub(crate) struct Walk<'a, S> {
    pub(crate) graph: &'a Graph,
    pub(crate) scorer: &'a mut S,
    pub(crate) scratch: &'a mut Scratch,
}

impl<S: Scorer> Walk<'_, S> {
    /// Descends from the entry point to `level` and leaves there what a beam of `ef` finds.
    /// The graph must not be empty.
    pub(crate) fn descend(&mut self, entry: Id, level: usize, ef: usize) {
        self.scratch.distances += 1;
        let mut nearest = [Candidate::new(self.scorer.score(entry), entry)];
        for upper in (level + 1..=self.graph.level(entry)).rev() {
            self.beam(upper, 1, &nearest);
            nearest[0] = self.scratch.found()[0];
        }
        self.beam(level, ef, &nearest);
    }

    /// Best-first search on `level` from `seeds`: expands the nearest candidate that is not yet
    /// expanded until none of the `ef` nearest is left.
    pub(crate) fn beam(&mut self, level: usize, ef: usize, seeds: &[Candidate]) {
        self.scratch.visited.clear(self.graph.len());
        self.scratch.pool.reset(ef);
        for seed in seeds {
            self.scratch.visited.add([seed.id()].into_iter(), 1);
            self.scratch.pool.insert(*seed);
        }
        while let Some(candidate) = self.scratch.pool.expand_next() {
            self.expand(candidate.id(), level);
        }
    }

    /// The `k` nearest of what the last beam found, by exact distances.
    pub(crate) fn best(&mut self, k: usize) -> &[Candidate] {
        let Scratch { pool, ids, scores, best, .. } = &mut *self.scratch;
        let found = pool.candidates();
        let found = &found[..found.len().min(k.saturating_mul(REFINED))];
        ids.clear();
        ids.extend(found.iter().map(|candidate| candidate.id()));
        scores.clear();
        scores.extend(found.iter().map(|candidate| candidate.distance()));
        self.scorer.refine(ids, scores);
        best.clear();
        best.extend(ids.iter().zip(scores).map(|(id, score)| Candidate::new(*score, *id)));
        best.sort_unstable();
        best.truncate(k);
        best
    }

    /// Scores the unseen neighbours of `id` with one call and offers them to the pool.
    #[inline(always)]
    fn expand(&mut self, id: Id, level: usize) {
        let Scratch { visited, pool, scores, distances, .. } = &mut *self.scratch;
        let graph = self.graph;
        if let Some(next) = pool.next() {
            prefetch::<LIST_LINES, _>(graph.slots(next.id(), level));
        }
        let slots = graph.slots(id, level);
        let linked = slots.iter().map(|slot| slot.load(Relaxed));
        // An empty slot holds an id beyond every length. Copies would fill the pool with one point;
        // they are collected from the chain behind it when the search is over.
        let linked = linked.filter(|id| (*id as usize) < graph.len() && !graph.is_copy(*id));
        let ids = visited.add(linked, slots.len());
        scores.resize(ids.len(), 0.0);
        self.scorer.score_all(ids, scores);
        *distances += ids.len() as u64;
        for (id, score) in ids.iter().zip(scores) {
            if pool.insert(Candidate::new(*score, *id)) {
                // It will be expanded if nothing nearer comes, and its list is far away.
                prefetch::<LIST_LINES, _>(graph.slots(*id, level));
            }
        }
    }
}
