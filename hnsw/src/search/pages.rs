//! A search that goes on: page after page of hits, without repeats, until there are no more.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use super::beam::Walk;
use super::request::Search;
use super::scan::scan;
use super::searcher::{Memory, Scratches};
use super::view::View;
use crate::id::{Candidate, Hit, Id};
use crate::space::{MakeScorer, Scorer, Space};

/// Points that are compared at a time when the walk is over.
const BLOCK: usize = 1 << 16;

/// The pages of a search: an iterator over the hits of one after another, `k` to a page.
///
/// Nothing comes twice. Each page is sorted; on the whole pages are ascending too, but as any search of
/// a beam, this one may find a nearer point late. The last page may be shorter, and all pages together
/// hold every point that is wanted. It sees the index as it was when it began.
///
/// A page takes as long as a search would that goes on from there; very deep pages become slower, as
/// the beam remembers all points that it has met. With a radius ([`Search::within`]) the beam goes on until
/// it meets a point beyond. As a nearer one might come late, all others are then compared, so that none
/// within the radius is missing: the last page takes as long as an exact search.
///
/// `Q` is the type of the query, where it is not the space's own.
pub struct Pages<'a, S: Space, Q: ?Sized = <S as Space>::Query> {
    view: View<'a>,
    space: &'a S,
    query: &'a Q,
    make_scorer: MakeScorer<S, Q>,
    search: Search<'a>,
    scratches: &'a Scratches<S>,
    /// `None` only while being dropped.
    memory: Option<Box<Memory<S>>>,
    /// What was collected and not returned yet: the copies of a point come one after another.
    ready: VecDeque<Hit>,
    returned: HashSet<Id>,
    /// Whether the walk has come to its end.
    is_over: bool,
    /// Removals that are taken into account.
    seen: u32,
    distances: u64,
}

impl<'a, S: Space, Q: ?Sized> Pages<'a, S, Q> {
    /// For a checked request and a query that the space has accepted once.
    pub(crate) fn new(
        view: View<'a>,
        space: &'a S,
        query: &'a Q,
        make_scorer: MakeScorer<S, Q>,
        search: Search<'a>,
        scratches: &'a Scratches<S>,
    ) -> Result<Self, S::QueryError> {
        let mut memory = scratches.take();
        let Memory { walk: scratch, query: buffer, .. } = &mut *memory;
        let mut scorer = make_scorer(space, query, buffer)?;
        scratch.distances = 0;
        let mut walk = Walk::over(&view, &mut scorer, scratch);
        let seeds = view.entry.map(|entry| walk.seed(&view, entry)).unwrap_or_default();
        walk.begin(usize::MAX, &seeds);
        let distances = scratch.distances;
        drop(scorer);
        let seen = view.snapshot.removals;
        Ok(Self {
            view,
            space,
            query,
            make_scorer,
            search,
            scratches,
            memory: Some(memory),
            ready: VecDeque::new(),
            returned: HashSet::new(),
            is_over: false,
            seen,
            distances,
        })
    }

    /// Distances computed so far.
    pub fn distances(&self) -> u64 {
        self.distances
    }

    fn page(&mut self) -> Vec<Hit> {
        let Self { view, search, ready, returned, .. } = self;
        let Memory { walk: scratch, query: buffer, .. } =
            &mut **self.memory.get_or_insert_default();
        let scorer = (self.make_scorer)(self.space, self.query, buffer);
        let Ok(mut scorer) = scorer else { return Vec::new() };
        scratch.distances = 0;
        let mut walk = Walk::over(view, &mut scorer, scratch);
        let mut page = Vec::new();
        while page.len() < search.k {
            if let Some(hit) = ready.pop_front() {
                page.push(hit);
                continue;
            }
            if self.is_over {
                break;
            }
            walk.resume(search.ef);
            // Points removed since the view was taken may have lost the links to them.
            let logged = view.graph.removals();
            if logged != self.seen {
                for id in view.disturbed(self.seen..logged) {
                    let candidate = walk.score(id);
                    walk.meet(candidate);
                }
                self.seen = logged;
                continue;
            }
            let first = walk.scratch.take_first().map(|first| walk.exact(first.id()).hit());
            match first.filter(|first| search.reaches(first.distance)) {
                Some(Hit { id, distance }) => {
                    let chain = std::iter::once(id).chain(view.copies(id));
                    let fresh = chain.filter(|id| view.allows(*id) && returned.insert(*id));
                    ready.extend(fresh.map(|id| Hit { id, distance }));
                }
                None => {
                    self.is_over = true;
                    // Nor can the walk reach all points in the graph of another library.
                    if first.is_some() || view.graph.is_imported() {
                        let wanted = |id: &Id| view.allows(*id) && !returned.contains(id);
                        let ids = (0..view.snapshot.count).filter(wanted);
                        ready.extend(within(&mut walk, ids, search));
                    }
                }
            }
        }
        self.distances += walk.scratch.distances;
        page.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
        page
    }
}

/// Those of the points that lie within the radius, ascending.
fn within<S: Scorer>(
    walk: &mut Walk<'_, S>,
    mut ids: impl Iterator<Item = Id>,
    search: &Search<'_>,
) -> Vec<Hit> {
    let (mut found, mut block) = (Vec::new(), Vec::new());
    loop {
        let scored = scan(walk.scorer, ids.by_ref().take(BLOCK), BLOCK, &mut block);
        if scored == 0 {
            break;
        }
        walk.scratch.distances += scored;
        found.extend(block.drain(..).filter(|found| search.reaches(found.distance())));
    }
    found.sort_unstable();
    found.into_iter().map(Candidate::hit).collect()
}

impl<S: Space, Q: ?Sized> Iterator for Pages<'_, S, Q> {
    type Item = Vec<Hit>;

    fn next(&mut self) -> Option<Vec<Hit>> {
        Some(self.page()).filter(|page| !page.is_empty())
    }
}

impl<S: Space, Q: ?Sized> Drop for Pages<'_, S, Q> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.scratches.give_back(memory);
        }
    }
}

impl<S: Space, Q: ?Sized> fmt::Debug for Pages<'_, S, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("returned", &self.returned.len())
            .field("distances", &self.distances)
            .finish_non_exhaustive()
    }
}
