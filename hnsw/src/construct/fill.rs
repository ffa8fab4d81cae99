//! The last pass of a build with `keep_pruned`: every list on level 0 is chosen anew, and filled.
//!
//! Insertion chooses a point's links among those that came before it, and prunes what is reached
//! through another. Where points are about equally far from each other (5,000 normal vectors, 64-d)
//! a search with ef 50 so finds 0.897 of the ten nearest. With every list chosen again among all
//! points and filled with what is dominated least it finds 0.942; filled with the nearest of what
//! was pruned, 0.934 (ADR 5).

use rayon::prelude::*;

use super::builder::Builder;
use crate::graph::{Draft, Graph, List};
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View, Walk};
use crate::space::{Scorer, Space};

/// A list is chosen among three times as many of the nearest points as it holds, beside the links
/// it has. With 64 for a list of 32 recall was 0.006 lower, with 140 the same (ADR 5).
const CHOICE: usize = 3;

/// The links that a point gets, and the distances it took to choose them.
type Chosen = (Vec<Id>, u64);

impl<S: Space> Builder<'_, S> {
    /// Chooses the lists of the points `ids` on level 0 anew. As with insertion they search a frozen
    /// graph; each then writes its own list alone, so the links that lead to it stay.
    pub(super) fn fill(&self, graph: &Graph, ids: &[Id]) -> u64 {
        let list = |scratch: &mut Scratch, id: &Id| {
            let (links, distances) = self.full_list(graph, *id, scratch);
            (List { id: *id, level: 0, links }, distances)
        };
        let (lists, distances): (Vec<List>, Vec<u64>) =
            ids.par_iter().map_init(Scratch::default, list).unzip();
        Draft::none(graph).commit_batch(&lists);
        distances.iter().sum()
    }

    fn full_list(&self, graph: &Graph, id: Id, scratch: &mut Scratch) -> Chosen {
        let Some(entry) = graph.entry() else { return (Vec::new(), 0) };
        let degree = graph.degree(0);
        let mut scorer = self.space.member(id);
        scratch.distances = 0;
        let view = View::linked(graph, self.duplicates);
        let mut walk = Walk::over(&view, &mut scorer, scratch);
        let seeds = walk.descend(entry, 0);
        walk.beam(0, self.params.ef_construction, &seeds);
        let others = |found: &&Candidate| found.id() != id && !graph.is_dead(found.id());
        let found = scratch.found().iter().filter(others);
        let mut candidates: Vec<Candidate> = found.take(CHOICE * degree).copied().collect();
        let is_new = |link: &Id| candidates.iter().all(|candidate| candidate.id() != *link);
        let living = graph.links(id, 0).filter(|link| !graph.is_dead(*link));
        let links: Vec<Id> = living.filter(is_new).collect();
        candidates.extend(links.iter().map(|link| Candidate::new(scorer.score(*link), *link)));
        let in_tree = |other| graph.is_tree_link(id, other);
        let (list, distances) = least_dominated(&mut scorer, &candidates, degree, in_tree);
        (list, scratch.distances + links.len() as u64 + distances)
    }
}

/// A candidate, with what decides whether it is next: tree links first, then by the number of
/// selected neighbours that are nearer to it than the target is, then by distance.
type Rank = (bool, usize, Candidate);

/// Selects `limit` of `candidates`, one at a time: the nearest of those that the fewest selected
/// neighbours dominate. What `keeps` names comes first. Returns the distances computed, too.
fn least_dominated<S: Scorer>(
    scorer: &mut S,
    candidates: &[Candidate],
    limit: usize,
    keeps: impl Fn(Id) -> bool,
) -> Chosen {
    let rank = |candidate: &Candidate| (!keeps(candidate.id()), 0, *candidate);
    let mut open: Vec<Rank> = candidates.iter().map(rank).collect();
    let (mut selected, mut distances) = (Vec::with_capacity(limit), 0);
    let (mut ids, mut scores) = (Vec::new(), Vec::new());
    while selected.len() < limit
        && let Some(next) = (0..open.len()).min_by_key(|place| open[*place])
    {
        let (.., next) = open.swap_remove(next);
        selected.push(next.id());
        ids.clear();
        ids.extend(open.iter().map(|(.., candidate)| candidate.id()));
        scores.resize(ids.len(), 0.0);
        scorer.set_target(next.id());
        scorer.score_all(&ids, &mut scores);
        distances += ids.len() as u64;
        for ((_, dominated, candidate), score) in open.iter_mut().zip(&scores) {
            *dominated += usize::from(*score < candidate.distance());
        }
    }
    (selected, distances)
}
