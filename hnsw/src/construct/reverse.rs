//! The last step of a batch: the links back to the new points, settled once per target.

use super::builder::Builder;
use super::select::select;
use crate::graph::{Draft, List};
use crate::id::{Candidate, Id};
use crate::space::{Scorer, Space};

/// The share of a list that is left free when it is chosen anew: an eighth. A full list would be
/// chosen anew for the next link already; so the build on WordNet takes 14 % fewer distances, and a
/// query 2 % fewer, at the same recall (ADR 5).
const ROOM: usize = 8;

/// A link that `to` should get on `level`: the new point and its distance. Sorting brings the edges
/// of a list together, nearest first, in an order that no timing can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) level: usize,
    pub(super) to: Id,
    pub(super) from: Candidate,
}

/// The edges of one list after another, of sorted edges.
pub(super) fn lists(edges: &[Edge]) -> Vec<&[Edge]> {
    edges.chunk_by(|a, b| (a.level, a.to) == (b.level, b.to)).collect()
}

impl<S: Space> Builder<'_, S> {
    /// One list with these edges added. If it overflows, it is chosen anew from the old links that live
    /// and the new ones. Also returns the distances computed.
    pub(super) fn add_reverse_links(&self, draft: &Draft<'_>, edges: &[Edge]) -> (List, u64) {
        let Edge { level, to, .. } = edges[0];
        let mut ids: Vec<Id> = draft.links(to, level).filter(|id| !draft.is_dead(*id)).collect();
        let old = ids.len();
        ids.extend(edges.iter().map(|edge| edge.from.id()));
        let degree = draft.graph().degree(level);
        if ids.len() <= degree {
            return (List { id: to, level, links: ids }, 0);
        }
        let mut scorer = self.space.member(to);
        let mut scores = vec![0.0; old];
        scorer.score_all(&ids[..old], &mut scores);
        let scored = ids.iter().zip(&scores).map(|(id, score)| Candidate::new(*score, *id));
        let mut candidates: Vec<Candidate> =
            scored.chain(edges.iter().map(|edge| edge.from)).collect();
        candidates.sort_unstable();
        let in_tree = |id| level == 0 && draft.is_tree_link(to, id);
        let limit = degree - degree / ROOM;
        let (links, distances) = select(&mut scorer, &candidates, level, limit, in_tree);
        let links = links.iter().map(|link| link.id()).collect();
        (List { id: to, level, links }, old as u64 + distances)
    }

    /// Adds the edges of one list to the draft, as [`add_reverse_links`](Self::add_reverse_links). Returns the distances computed.
    pub(super) fn add_reverse_links_now(&self, draft: &mut Draft<'_>, edges: &[Edge]) -> u64 {
        let (List { id, level, links }, distances) = self.add_reverse_links(draft, edges);
        draft.set_links(id, level, links);
        distances
    }
}
