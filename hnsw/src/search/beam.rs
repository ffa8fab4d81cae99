//! The traversal: best-first search with a beam, over the links of one level.

use std::sync::atomic::Ordering::Relaxed;

use nearfield_kernels::prefetch;

use super::pool::Pool;
use super::trim::trim;
use super::view::View;
use super::visited::Visited;
use crate::graph::{Frozen, Graph};
use crate::id::{Candidate, Id};
use crate::space::Scorer;

/// Cache lines fetched of a list that will be read: all of it at M = 16.
const LIST_LINES: usize = 2;

/// A descent also goes on from candidates that are farther than the nearest of their level by up to this
/// share of its distance: 1/16. The paper goes on from the nearest alone, and so ends on a wrong cluster where
/// a level has a dozen points of each; level 0 does not lead out of it. Of a million points on 300 patches
/// recall 0.95 took 592 distances, and takes 446; natural sets take 1 % more or fewer (ADR 12).
const ABOUT: f32 = 1.0 / 16.0;

/// From how many it goes on at most: among points that are all about equally far, it would visit all.
const DESCENT_EF: usize = 8;

/// Memory of one search, reused by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    visited: Visited,
    /// The scores of all that the beam has met, in its order.
    met: Vec<f32>,
    pool: Pool,
    /// What the last [`collect`](Walk::collect) found of what it was asked for.
    matches: Pool,
    ids: Vec<Id>,
    scores: Vec<f32>,
    best: Vec<Candidate>,
    /// The point that equals the target of the search, if there is one.
    equal: Option<Candidate>,
    /// Distances computed so far.
    pub(crate) distances: u64,
}

impl Scratch {
    /// Gives memory back to the system that only a very wide or deep search has needed.
    pub(crate) fn trim(&mut self) {
        self.visited.trim();
        self.pool.trim();
        self.matches.trim();
        trim(&mut self.met);
        trim(&mut self.ids);
        trim(&mut self.scores);
        trim(&mut self.best);
    }

    /// What the last beam found, ascending by (distance, id).
    pub(crate) fn found(&self) -> &[Candidate] {
        self.pool.candidates()
    }

    /// What the last beam found of what it was asked for, ascending by (distance, id).
    pub(crate) fn matches(&self) -> &[Candidate] {
        self.matches.candidates()
    }

    /// How many points the last beam has met.
    pub(crate) fn met(&self) -> usize {
        self.met.len()
    }

    /// Whether the last beam has met a point.
    pub(crate) fn has_met(&self, id: Id) -> bool {
        self.visited.has(id)
    }

    /// Whether the last beam ended in a [plateau](Pool::is_plateau).
    pub(crate) fn is_plateau(&self) -> bool {
        self.pool.is_plateau()
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
    graph: &'a Graph,
    frozen: Option<&'a Frozen>,
    /// The scorer knows the points below; others are passed over.
    reach: usize,
    pub(crate) scorer: &'a mut S,
    pub(crate) scratch: &'a mut Scratch,
}

impl<'a, S: Scorer> Walk<'a, S> {
    pub(crate) fn over(view: &'a View<'_>, scorer: &'a mut S, scratch: &'a mut Scratch) -> Self {
        let View { graph, reach, .. } = *view;
        Self { graph, frozen: view.frozen.as_deref(), reach, scorer, scratch }
    }

    /// Descends from the entry point to the nearest points found above `level`: where a beam on it
    /// should begin. On each level it goes on from every candidate that is about as near as the nearest.
    pub(crate) fn descend(&mut self, entry: Id, level: usize) -> Vec<Candidate> {
        // In its own graph another library descends with a beam of 1; it finds the same points here.
        let ef = if self.graph.is_imported() { 1 } else { DESCENT_EF };
        let mut nearest = vec![self.score(entry)];
        for upper in (level + 1..=self.graph.level(entry)).rev() {
            self.begin(ef, &nearest);
            while let Some(candidate) = self.scratch.pool.expand_next(usize::MAX)
                && candidate.distance() <= about(self.scratch.found()[0].distance())
            {
                self.expand(candidate.id(), upper, None);
            }
            nearest.clear();
            nearest.extend(self.scratch.found());
        }
        nearest
    }

    /// Where a beam on level 0 should begin: at a point that equals the target, or else where the
    /// upper levels lead. Only points that are published.
    pub(crate) fn seed(&mut self, view: &View<'_>, entry: Id) -> Vec<Candidate> {
        let equal = view.duplicates.equal_to(self.scorer, self.reach);
        // One that is being inserted may have no links yet.
        let equal = equal.filter(|equal| view.graph.is_visible(*equal, view.snapshot));
        self.scratch.equal = equal.map(|equal| self.score(equal));
        if let Some(equal) = self.scratch.equal {
            return vec![equal];
        }
        let mut seeds = self.descend(entry, 0);
        if seeds.iter().any(|seed| seed.id() as usize >= self.reach) {
            // A search that begins now begins at a point that it may not return, and goes on from its links.
            self.begin(seeds.len() + self.graph.degree(0), &seeds);
            self.expand(entry, 0, None);
            seeds.clear();
            let found = self.scratch.found().iter();
            seeds.extend(found.filter(|found| (found.id() as usize) < self.reach));
        }
        seeds
    }

    /// Best-first search on `level` from `seeds`: expands the nearest candidate that is not yet
    /// expanded until none of the `ef` nearest is left.
    pub(crate) fn beam(&mut self, level: usize, ef: usize, seeds: &[Candidate]) {
        self.begin(ef, seeds);
        self.go_on(level);
    }

    /// Goes on with a beam until none of the candidates that it holds is left to be expanded.
    pub(crate) fn go_on(&mut self, level: usize) {
        while let Some(candidate) = self.scratch.pool.expand_next(usize::MAX) {
            self.expand(candidate.id(), level, None);
        }
    }

    /// Goes on with a beam on level 0 until the nearest points that `view` allows are found, as many as
    /// [`hold`](Self::hold) said, or too many others on the way.
    pub(crate) fn collect(&mut self, view: &View<'_>) {
        while let Some(candidate) = self.scratch.pool.expand_next(usize::MAX)
            && self.scratch.matches.reaches(candidate)
        {
            self.expand(candidate.id(), 0, Some(view));
        }
    }

    /// Lets the beam hold `ef` candidates, and `matches` of those that `view` allows if it collects. What
    /// it has met and let go comes back; nothing is scored twice.
    pub(crate) fn hold(&mut self, ef: usize, matches: usize, view: Option<&View<'_>>) {
        let Scratch { visited, met, pool, matches: collected, .. } = &mut *self.scratch;
        let scored = visited.seen().iter().zip(&*met);
        pool.refill(ef, scored.map(|(id, score)| Candidate::new(*score, *id)));
        collected.reset(matches);
        let Some(view) = view else { return };
        let allowed = pool.candidates().iter().filter(|found| view.allows_any(found.id()));
        for candidate in allowed.take(matches) {
            collected.insert(*candidate);
        }
    }

    /// Begins a beam: what falls off it is what is farther than `ef` others.
    pub(crate) fn begin(&mut self, ef: usize, seeds: &[Candidate]) {
        // The entry may be a point that is not published yet.
        let end = seeds.iter().map(|seed| seed.id() as usize + 1).max().unwrap_or(0);
        self.scratch.visited.clear(self.reach.max(end));
        self.scratch.met.clear();
        self.scratch.pool.reset(ef);
        for seed in seeds {
            self.meet(*seed);
        }
    }

    /// Offers a point to the beam, unless the beam has met it before.
    pub(crate) fn meet(&mut self, candidate: Candidate) {
        if !self.scratch.visited.add([candidate.id()].into_iter(), 1).is_empty() {
            self.scratch.met.push(candidate.distance());
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
    ///
    /// Candidates are reranked until no other can be nearer. The point that equals the target is one of
    /// them, even where the beam is full of others that seemed as near.
    pub(crate) fn best(
        &mut self,
        k: usize,
        collected: bool,
        wanted: impl Fn(Id) -> bool,
    ) -> &[Candidate] {
        let Self { scorer, scratch, .. } = self;
        let Scratch { pool, matches, best, equal, ids, scores, .. } = &mut **scratch;
        let found = if collected { matches } else { pool }.candidates();
        let fallen = equal.filter(|equal| found.binary_search(equal).is_err());
        let mut candidates = fallen.into_iter().chain(found.iter().copied());
        best.clear();
        best.extend(candidates.by_ref().filter(|candidate| wanted(candidate.id())).take(k));
        rerank(*scorer, best, ids, scores);
        // Where there are fewer than k, none is left.
        if let Some(farthest) = best.iter().max().map(|farthest| farthest.distance()) {
            let first = best.len();
            best.extend(candidates.filter(|candidate| {
                scorer.least(candidate.id(), candidate.distance()) <= farthest
                    && wanted(candidate.id())
            }));
            rerank(*scorer, &mut best[first..], ids, scores);
        }
        best.sort_unstable();
        truncate(best, k, collected);
        best
    }

    /// The point `id` and its exact distance.
    pub(crate) fn exact(&mut self, id: Id) -> Candidate {
        let mut score = [self.score(id).distance()];
        self.scorer.rerank(&[id], &mut score);
        Candidate::new(score[0], id)
    }

    /// Scores the unseen neighbours of `id` with one call and offers them to the pool, and to those
    /// collected for `view`.
    ///
    /// Not inlined, so that its loops are: where three beams inlined it, a call per link took 10 % of the
    /// time.
    #[inline(never)]
    fn expand(&mut self, id: Id, level: usize, view: Option<&View<'_>>) {
        let Scratch { visited, met, pool, matches, distances, .. } = &mut *self.scratch;
        let (graph, frozen, reach) = (self.graph, self.frozen, self.reach);
        if let Some(next) = pool.next() {
            prefetch::<LIST_LINES, _>(graph.slots_in(frozen, next.id(), level));
        }
        let slots = graph.slots_in(frozen, id, level);
        let linked = slots.iter().map(|slot| slot.load(Relaxed));
        // An empty slot holds an id beyond every reach. Copies would fill the pool with one point;
        // they are collected from the chain behind it when the search is over.
        let linked = linked.filter(|id| (*id as usize) < reach && !graph.is_copy(*id));
        let ids = visited.add(linked, slots.len());
        let before = met.len();
        met.resize(before + ids.len(), 0.0);
        let scores = &mut met[before..];
        self.scorer.score_all(ids, scores);
        *distances += ids.len() as u64;
        for (id, score) in ids.iter().zip(&*scores) {
            let candidate = Candidate::new(*score, *id);
            if pool.insert(candidate) {
                // It will be expanded if nothing nearer comes, and its list is far away.
                prefetch::<LIST_LINES, _>(graph.slots_in(frozen, *id, level));
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

/// Replaces the distances of candidates by exact ones.
fn rerank(
    scorer: &mut impl Scorer,
    candidates: &mut [Candidate],
    ids: &mut Vec<Id>,
    scores: &mut Vec<f32>,
) {
    ids.clear();
    ids.extend(candidates.iter().map(|candidate| candidate.id()));
    scores.clear();
    scores.extend(candidates.iter().map(|candidate| candidate.distance()));
    scorer.rerank(ids, scores);
    for (candidate, (id, score)) in candidates.iter_mut().zip(ids.iter().zip(scores)) {
        *candidate = Candidate::new(*score, *id);
    }
}

/// The largest distance that is about as near as `nearest`.
fn about(nearest: f32) -> f32 {
    nearest + nearest.abs() * ABOUT
}

/// Drops all but the first `k`, and those as far as the last of these if asked to.
fn truncate(candidates: &mut Vec<Candidate>, k: usize, keep_ties: bool) {
    let end = match candidates.get(k.wrapping_sub(1)) {
        Some(last) if keep_ties => candidates.partition_point(|c| *c <= *last || c.ties(*last)),
        _ => k,
    };
    candidates.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of known distances.
    struct Listed {
        ids: Vec<Id>,
        distances: [f32; 4],
    }

    impl Scorer for Listed {
        fn set_target(&mut self, _: Id) {}

        fn score(&mut self, id: Id) -> f32 {
            self.distances[self.ids.iter().position(|known| *known == id).unwrap()]
        }

        fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
            ids.iter().zip(out).for_each(|(id, out)| *out = self.score(*id));
        }
    }

    #[test]
    fn a_descent_passes_a_point_that_is_nearer_by_little_and_leads_nowhere() {
        let graph = Graph::with_capacity(4, 0, 256);
        graph.reserve(256).unwrap();
        graph.grow_to(256);
        let ids: Vec<Id> = (0..256).filter(|id| graph.level(*id) == 1).take(4).collect();
        let [entry, trap, way, nearest] = ids[..] else { panic!("{ids:?}") };
        graph.set_links(entry, 1, &[trap, way]);
        graph.set_links(way, 1, &[nearest]);
        let descend = |to_way| {
            let mut scorer = Listed { ids: ids.clone(), distances: [48.0, 32.0, to_way, 1.0] };
            let (graph, scratch) = (&graph, &mut Scratch::default());
            let mut walk = Walk { graph, frozen: None, reach: 256, scorer: &mut scorer, scratch };
            walk.descend(entry, 0)[0].id()
        };
        assert_eq!(descend(34.0), nearest, "32 and a sixteenth");
        assert_eq!(descend(34.1), trap);
    }
}
