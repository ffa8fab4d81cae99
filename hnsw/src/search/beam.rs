//! The traversal: best-first search with a beam, over the links of one level.

use std::sync::atomic::Ordering::Relaxed;

use nearfield_kernels::prefetch;

use super::pool::Pool;
use super::view::View;
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
    /// What the last [`collect`](Walk::collect) found of what it was asked for.
    matches: Pool,
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

    /// What the last beam found of what it was asked for, ascending by (distance, id).
    pub(crate) fn matches(&self) -> &[Candidate] {
        self.matches.candidates()
    }

    /// Whether the last beam ended in a [shell](Pool::is_shell).
    pub(crate) fn is_shell(&self) -> bool {
        self.pool.is_shell()
    }

    /// Whether the last beam found as many points as it could hold, so that others may have fallen off.
    pub(crate) fn is_full(&self) -> bool {
        self.pool.is_full()
    }

    /// Takes the nearest point that the last beam found out of it.
    pub(crate) fn take_first(&mut self) -> Option<Candidate> {
        self.pool.take_first()
    }
}

/// A search under way: from the scorer's target through one graph.
pub(crate) struct Walk<'a, S> {
    pub(crate) graph: &'a Graph,
    /// The scorer knows the points below; others are passed over.
    pub(crate) reach: usize,
    pub(crate) scorer: &'a mut S,
    pub(crate) scratch: &'a mut Scratch,
}

impl<S: Scorer> Walk<'_, S> {
    /// Descends from the entry point to the nearest point found above `level`: where a beam on it
    /// should begin.
    pub(crate) fn descend(&mut self, entry: Id, level: usize) -> [Candidate; 1] {
        let mut nearest = [self.score(entry)];
        for upper in (level + 1..=self.graph.level(entry)).rev() {
            self.beam(upper, 1, &nearest);
            nearest[0] = self.scratch.found()[0];
        }
        nearest
    }

    /// Where a beam on level 0 should begin: at a point that equals the target, or else where the
    /// upper levels lead.
    pub(crate) fn seed(&mut self, view: &View<'_>, entry: Id) -> [Candidate; 1] {
        let equal = view.originals.equal_to(self.scorer, self.reach);
        // One that is being inserted may have no links yet.
        match equal.filter(|equal| view.graph.is_visible(*equal, view.snapshot)) {
            Some(equal) => [self.score(equal)],
            None => self.descend(entry, 0),
        }
    }

    /// Best-first search on `level` from `seeds`: expands the nearest candidate that is not yet
    /// expanded until none of the `ef` nearest is left.
    pub(crate) fn beam(&mut self, level: usize, ef: usize, seeds: &[Candidate]) {
        self.begin(ef, seeds);
        while let Some(candidate) = self.scratch.pool.expand_next(usize::MAX) {
            self.expand(candidate.id(), level, None);
        }
    }

    /// As [`beam`](Self::beam) on level 0, until the `ef` nearest points that `view` allows are found,
    /// or `most` others on the way.
    pub(crate) fn collect(&mut self, view: &View<'_>, ef: usize, most: usize, seeds: &[Candidate]) {
        self.begin(most, seeds);
        self.scratch.matches.reset(ef);
        for seed in seeds {
            if view.allows_any(seed.id()) {
                self.scratch.matches.insert(*seed);
            }
        }
        while let Some(candidate) = self.scratch.pool.expand_next(usize::MAX)
            && self.scratch.matches.reaches(candidate)
        {
            self.expand(candidate.id(), 0, Some(view));
        }
    }

    /// Begins a beam on level 0 that [`resume`](Self::resume) carries on: nothing falls off it.
    pub(crate) fn begin(&mut self, ef: usize, seeds: &[Candidate]) {
        self.scratch.visited.clear(self.reach);
        self.scratch.pool.reset(ef);
        for seed in seeds {
            self.meet(*seed);
        }
    }

    /// Offers a point to the beam, unless the beam has met it before.
    pub(crate) fn meet(&mut self, candidate: Candidate) {
        if !self.scratch.visited.add([candidate.id()].into_iter(), 1).is_empty() {
            self.scratch.pool.insert(candidate);
        }
    }

    /// Goes on with a beam on level 0 until the first `ef` candidates are expanded.
    pub(crate) fn resume(&mut self, ef: usize) {
        while let Some(candidate) = self.scratch.pool.expand_next(ef) {
            self.expand(candidate.id(), 0, None);
        }
    }

    /// The point `id` and its distance.
    pub(crate) fn score(&mut self, id: Id) -> Candidate {
        self.scratch.distances += 1;
        Candidate::new(self.scorer.score(id), id)
    }

    /// The `k` nearest of the last beam, or of what it collected, among those that `wanted` names; by
    /// exact distances. Of what it collected also those as far as the last: which of them has the
    /// lowest id that is allowed, its copies decide.
    pub(crate) fn best(
        &mut self,
        k: usize,
        collected: bool,
        wanted: impl Fn(Id) -> bool,
    ) -> &[Candidate] {
        let Scratch { pool, matches, ids, scores, best, .. } = &mut *self.scratch;
        let found = if collected { matches } else { pool }.candidates();
        let wanted = found.iter().filter(|candidate| wanted(candidate.id()));
        let refined = k.saturating_mul(REFINED);
        best.clear();
        best.extend(wanted.take(if collected { usize::MAX } else { refined }));
        truncate(best, refined, collected);
        ids.clear();
        ids.extend(best.iter().map(|candidate| candidate.id()));
        scores.clear();
        scores.extend(best.iter().map(|candidate| candidate.distance()));
        self.scorer.refine(ids, scores);
        best.clear();
        best.extend(ids.iter().zip(scores).map(|(id, score)| Candidate::new(*score, *id)));
        best.sort_unstable();
        truncate(best, k, collected);
        best
    }

    /// The point `id` and its exact distance.
    pub(crate) fn exact(&mut self, id: Id) -> Candidate {
        let mut score = [self.score(id).distance()];
        self.scorer.refine(&[id], &mut score);
        Candidate::new(score[0], id)
    }

    /// Scores the unseen neighbours of `id` with one call and offers them to the pool, and to those
    /// collected for `view`.
    ///
    /// Not inlined, so that its loops are: where three beams inlined it, a call per link took 10 % of the
    /// time.
    #[inline(never)]
    fn expand(&mut self, id: Id, level: usize, view: Option<&View<'_>>) {
        let Scratch { visited, pool, matches, scores, distances, .. } = &mut *self.scratch;
        let (graph, reach) = (self.graph, self.reach);
        if let Some(next) = pool.next() {
            prefetch::<LIST_LINES, _>(graph.slots(next.id(), level));
        }
        let slots = graph.slots(id, level);
        let linked = slots.iter().map(|slot| slot.load(Relaxed));
        // An empty slot holds an id beyond every reach. Copies would fill the pool with one point;
        // they are collected from the chain behind it when the search is over.
        let linked = linked.filter(|id| (*id as usize) < reach && !graph.is_copy(*id));
        let ids = visited.add(linked, slots.len());
        scores.resize(ids.len(), 0.0);
        self.scorer.score_all(ids, scores);
        *distances += ids.len() as u64;
        for (id, score) in ids.iter().zip(scores) {
            let candidate = Candidate::new(*score, *id);
            if pool.insert(candidate) {
                // It will be expanded if nothing nearer comes, and its list is far away.
                prefetch::<LIST_LINES, _>(graph.slots(*id, level));
            }
            if let Some(view) = view
                && matches.wants(candidate)
                && view.allows_any(*id)
            {
                matches.insert(candidate);
            }
        }
    }
}

/// Drops all but the first `k`, and those as far as the last of these if asked to.
fn truncate(candidates: &mut Vec<Candidate>, k: usize, keep_ties: bool) {
    let end = match candidates.get(k.wrapping_sub(1)) {
        Some(last) if keep_ties => candidates.partition_point(|c| *c <= *last || c.ties(*last)),
        _ => k,
    };
    candidates.truncate(end);
}
