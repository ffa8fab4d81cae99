//! What one search returns: walks to the target, widens the beam where it must, and collects hits.

use super::beam::{Scratch, Walk};
use super::request::Search;
use super::scan::scan;
use super::view::View;
use crate::graph::mix;
use crate::id::{Candidate, Hit, Id};
use crate::space::Scorer;

/// How much wider than asked for a beam may become that ends in a plateau (see [`Pool::is_plateau`]) or
/// finds too little: with 64, a search with ef 64 crosses 4,096 one-hot rows.
///
/// [`Pool::is_plateau`]: super::pool::Pool::is_plateau
const WIDEST: usize = 64;

/// By how much it is widened at a time. What it has met is not scored again.
const WIDER: usize = 4;

/// The share of all points that a walk looks for what a filter allows before it gives up and the
/// points are scanned: a sixteenth. A point on the way costs about 16 distances, one of a scan a call
/// of the filter, and a distance if it is allowed.
const SCARCE: usize = 16;

/// Points of which a filter is asked that does not know how many it allows. A walk in vain would look at
/// up to 64 · ef others.
const SAMPLE: usize = 512;

/// Leaves in `hits` what a checked request returns, and returns the number of distances it took.
pub(super) fn answer<S: Scorer>(
    view: &View<'_>,
    scorer: &mut S,
    scratch: &mut Scratch,
    search: Search<'_>,
    hits: &mut Vec<Hit>,
) -> u64 {
    scratch.distances = 0;
    hits.clear();
    let walk = Walk::over(view, scorer, scratch);
    let mut answer = Answer { view, walk, search, hits };
    if !answer.walk() {
        answer.scan();
    }
    hits.retain(|hit| search.reaches(hit.distance));
    scratch.distances
}

struct Answer<'a, S> {
    view: &'a View<'a>,
    walk: Walk<'a, S>,
    search: Search<'a>,
    hits: &'a mut Vec<Hit>,
}

/// What a beam tells of itself.
#[derive(PartialEq, Eq)]
enum Beam {
    /// It found what there is near the target.
    Good,
    /// It ended in a plateau: a wider one may find nearer points.
    Plateau,
    /// What the filter allows is too rare on the way.
    Scarce,
}

impl<S: Scorer> Answer<'_, S> {
    /// Walks to the target, with a beam that is widened until it is good and holds enough. Whether it
    /// does in the end. It gives up where widening the beam again would cost as much as a scan.
    fn walk(&mut self) -> bool {
        self.walk.begin(0, &[]);
        let Some(entry) = self.view.entry else { return self.view.snapshot.live() == 0 };
        let (k, reach) = (self.search.k, self.view.reach);
        let mut ef = self.search.ef.min(reach);
        let widest = ef.saturating_mul(WIDEST).max(k).min(reach);
        if self.is_scarce(ef) {
            return false;
        }
        let seeds = self.walk.seed(self.view, entry);
        self.walk.begin(ef, &seeds);
        loop {
            let beam = self.beam(ef);
            if beam == Beam::Scarce {
                return false;
            }
            self.gather();
            if ef >= widest || (beam == Beam::Good && self.has_enough()) {
                return self.has_enough();
            }
            if self.walk.scratch.met().saturating_mul(WIDER) >= reach {
                return false;
            }
            ef = (ef * WIDER).min(widest);
        }
    }

    /// Goes on with the walk with a beam of `ef`.
    fn beam(&mut self, ef: usize) -> Beam {
        if !self.collects() {
            self.walk.hold(ef, 0, None);
            self.walk.go_on(0);
            let is_plateau = self.walk.scratch.is_plateau() && !self.view.graph.is_imported();
            return if is_plateau { Beam::Plateau } else { Beam::Good };
        }
        let most = if self.search.filter.is_some() { self.most(ef) } else { usize::MAX };
        self.walk.hold(most, ef, Some(self.view));
        self.walk.collect(self.view);
        let scratch = &*self.walk.scratch;
        let is_scarce = scratch.is_full() && scratch.matches().len() < self.least(ef);
        if is_scarce { Beam::Scarce } else { Beam::Good }
    }

    /// Whether points lie on the way that are not wanted: those that a filter does not allow, or the
    /// removed ones of an imported graph, whose links are still part of it.
    fn collects(&self) -> bool {
        let has_removed = self.view.graph.is_imported() && self.view.snapshot.removals > 0;
        self.search.filter.is_some() || has_removed
    }

    /// How many points a filtered walk looks at for `ef` that are allowed.
    fn most(&self, ef: usize) -> usize {
        (self.view.reach / SCARCE).min(ef.saturating_mul(WIDEST)).max(ef)
    }

    /// With how many it is content.
    fn least(&self, ef: usize) -> usize {
        self.search.k.min(ef).midpoint(ef)
    }

    /// Whether so few points are allowed that no walk need be tried: by what the filter says, or by a
    /// sample, which errs on the side of the walk.
    fn is_scarce(&self, ef: usize) -> bool {
        let Some(filter) = self.search.filter else { return false };
        let (allowed, all) = match filter.count() {
            Some(count) => (count, self.view.snapshot.live()),
            None if self.view.reach < SAMPLE * SCARCE => return false,
            None => (2 * self.sampled(), SAMPLE),
        };
        allowed.saturating_mul(self.most(ef)) < all * self.least(ef)
    }

    /// How many of a sample of points are allowed.
    fn sampled(&self) -> usize {
        let count = u64::from(self.view.snapshot.count).max(1);
        let ids = (0..SAMPLE as u64).map(|place| (mix(place) % count) as Id);
        ids.filter(|id| self.view.allows(*id)).count()
    }

    /// Whether there are as many hits as are wanted or can be had, or one beyond the radius.
    fn has_enough(&self) -> bool {
        let all = self.search.filter.is_some() && !self.walk.scratch.is_full();
        let wanted = match self.search.filter {
            None => self.search.k.min(self.view.snapshot.live()),
            Some(_) => self.search.k,
        };
        let is_beyond = |hit: &Hit| !self.search.reaches(hit.distance);
        all || self.hits.len() >= wanted || self.hits.last().is_some_and(is_beyond)
    }

    /// Collects the best of what the beam found, copies included, and what was removed while the
    /// search was under way.
    fn gather(&mut self) {
        let collected = self.collects();
        let Self { view, walk, search, hits } = self;
        let (graph, k) = (view.graph, search.k);
        hits.clear();
        let is_bare = !collected && graph.removals() == 0 && !graph.has_copies();
        if is_bare && view.snapshot.count as usize == view.reach {
            let best = walk.best(k, false, |_| true);
            return hits.extend(best.iter().map(|candidate| candidate.hit()));
        }
        let mut chains = walk.best(k, collected, |id| view.allows_any(id)).to_vec();
        let mut seen = view.snapshot.removals;
        loop {
            for first in chains {
                let chain = std::iter::once(first.id()).chain(view.copies(first.id()));
                let allowed = chain.filter(|id| view.allows(*id)).take(k);
                hits.extend(allowed.map(|id| Hit { id, ..first.hit() }));
            }
            // Nothing was missed of which the log says nothing after the last look at the graph.
            let logged = graph.removals();
            if logged == seen {
                break;
            }
            chains = view.disturbed(seen..logged).map(|id| walk.exact(id)).collect();
            seen = logged;
        }
        rank(hits, k);
    }

    /// Compares all points that are allowed. Those that the walk has met are not scored again.
    fn scan(&mut self) {
        let (met, collects) = (self.walk.scratch.met(), self.collects());
        self.walk.hold(met, met, collects.then_some(self.view));
        self.gather();
        let Self { view, walk, search, hits } = self;
        let scratch = &mut *walk.scratch;
        let ids = (0..view.snapshot.count).filter(|id| !scratch.has_met(*id));
        let mut best = Vec::new();
        let allowed = ids.filter(|id| view.allows(*id));
        let scored = scan(walk.scorer, allowed, search.k, &mut best);
        scratch.distances += scored;
        hits.extend(best.into_iter().map(Candidate::hit));
        rank(hits, search.k);
    }
}

/// The `k` nearest, each once.
fn rank(hits: &mut Vec<Hit>, k: usize) {
    hits.sort_unstable_by_key(|hit| Candidate::new(hit.distance, hit.id));
    hits.dedup_by_key(|hit| hit.id);
    hits.truncate(k);
}
