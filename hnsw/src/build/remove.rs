//! Removing a point: others take over what it did for the graph.
//!
//! Its copies, if it has any, move up: the first becomes a point like others. Its children in the tree
//! get other parents. The lists that lead to it lead on to where it led ([`mend`](super::mend)). Its
//! own lists stay, for searches that are under way.

use std::collections::HashSet;

use super::builder::Builder;
use super::reverse::Edge;
use super::tree::Adoption;
use crate::graph::Graph;
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View};
use crate::space::{Scorer, Space};

/// How many of the nearest points an orphan asks for a place before it takes one that is sure to be
/// free, and how far up the tree is looked for its root, to rule out a circle.
const ASKED: usize = 8;
const DEPTH: usize = 256;

impl<S: Space> Builder<'_, S> {
    /// Takes a living point out of the graph, and returns the distances that took. Searches see it
    /// until the graph is published. One writer at a time.
    pub(crate) fn remove(&self, graph: &Graph, id: Id, scratch: &mut Scratch) -> u64 {
        if graph.is_copy(id) {
            graph.end(id, None);
            self.splice(graph, id);
            return 0;
        }
        let hash = self.originals.hash(self.space, id);
        let heir = graph.next_copy(id);
        graph.end(id, heir);
        let moved = heir.map_or(0, |heir| self.promote(graph, heir, scratch));
        self.originals.remove(hash, id, heir);
        let holders: Vec<Vec<Id>> =
            (0..=graph.level(id)).map(|level| holders(graph, id, level)).collect();
        let mut distances = moved;
        for (level, holders) in holders.iter().enumerate() {
            distances += holders.iter().map(|id| self.mend(graph, *id, level)).sum::<u64>();
        }
        distances += self.rehang(graph, id);
        if graph.entry() == Some(id) {
            let linked = graph.living().filter(|id| !graph.is_copy(*id));
            graph.set_entry(linked.max_by_key(|id| (graph.level(*id), std::cmp::Reverse(*id))));
        }
        distances
    }

    /// Takes a copy out of its chain.
    fn splice(&self, graph: &Graph, id: Id) {
        let before = graph.parent(id).expect("a copy follows another point");
        let after = graph.next_copy(id);
        replace(graph, before, id, after);
        match after {
            Some(after) => {
                graph.follow(before, after);
                replace(graph, after, id, Some(before));
            }
            None => self.originals.shorten(id, before),
        }
    }

    /// Makes the first copy of a point that goes a point like others.
    fn promote(&self, graph: &Graph, heir: Id, scratch: &mut Scratch) -> u64 {
        let copy = graph.next_copy(heir);
        let view = View::new(graph, self.originals, None);
        let mut target = self.space.member(heir);
        // As long as it is a copy it does not meet itself.
        let plan = self.plan(&view, &mut target, graph.level(heir), scratch);
        graph.unfollow(heir);
        self.link_one(graph, heir, plan, copy)
    }

    /// Takes a point out of the tree, and hangs its children elsewhere.
    fn rehang(&self, graph: &Graph, id: Id) -> u64 {
        let is_child = |child: &Id| graph.parent(*child) == Some(id) && !graph.is_copy(*child);
        let mut orphans: Vec<Id> = graph.links(id, 0).filter(is_child).collect();
        let parent = graph.parent(id);
        graph.orphan(id);
        orphans.iter().for_each(|orphan| graph.orphan(*orphan));
        // Without a parent it was the root, and one of its children is now.
        let Some(above) = parent.or_else(|| orphans.pop()) else { return 0 };
        let root = parent.map_or(above, |parent| root(graph, parent));
        orphans.into_iter().map(|orphan| self.attach(graph, orphan, id, above, root)).sum()
    }

    /// Finds a parent for an orphan: one of its nearest points with room that hangs from the root, or
    /// else one below `above`.
    fn attach(&self, graph: &Graph, orphan: Id, gone: Id, above: Id, root: Id) -> u64 {
        let mut adoption = Adoption::new(graph);
        let near: HashSet<Id> = graph.links(orphan, 0).chain(graph.links(gone, 0)).collect();
        let can_adopt = |other: &Id| {
            *other != orphan
                && !graph.is_dead(*other)
                && !graph.is_copy(*other)
                && adoption.has_room(*other)
        };
        let near: Vec<Id> = near.into_iter().filter(can_adopt).collect();
        let mut scorer = self.space.member(orphan);
        let mut scores = vec![0.0; near.len()];
        scorer.score_all(&near, &mut scores);
        let mut candidates: Vec<Candidate> =
            near.iter().zip(scores).map(|(id, score)| Candidate::new(score, *id)).collect();
        candidates.sort_unstable();
        let hangs = |candidate: &&Candidate| ancestors(graph, candidate.id()).last() == Some(root);
        let parent = candidates.iter().take(ASKED).find(hangs).copied().unwrap_or_else(|| {
            let parent = adoption.descendant_with_room(above);
            Candidate::new(scorer.score(parent), parent)
        });
        adoption.adopt(parent.id(), orphan);
        near.len() as u64 + self.tie(graph, orphan, parent)
    }

    /// Links two points on level 0 in both directions.
    fn tie(&self, graph: &Graph, a: Id, b: Candidate) -> u64 {
        let edges = [(b.id(), a), (a, b.id())];
        let is_missing = |(to, from): &(Id, Id)| graph.links(*to, 0).all(|link| link != *from);
        let edge = |(to, from)| Edge { level: 0, to, from: Candidate::new(b.distance(), from) };
        edges.into_iter().filter(is_missing).map(|ends| self.settle(graph, &[edge(ends)])).sum()
    }
}

/// The living points known to link to `id` on `level`: its own neighbours, and theirs. Links from
/// farther away are found by the next sweep.
fn holders(graph: &Graph, id: Id, level: usize) -> Vec<Id> {
    let near = graph.links(id, level).filter(|near| graph.level(*near) >= level);
    let near: Vec<Id> = near.filter(|near| !graph.is_copy(*near)).collect();
    let next = near.iter().flat_map(|near| graph.links(*near, level));
    let mut asked: Vec<Id> = near.iter().copied().chain(next).collect();
    asked.sort_unstable();
    asked.dedup();
    asked.retain(|other| {
        !graph.is_dead(*other)
            && !graph.is_copy(*other)
            && graph.links(*other, level).any(|link| link == id)
    });
    asked
}

/// `id` and what it hangs from, up to the root unless that is far.
fn ancestors(graph: &Graph, id: Id) -> impl Iterator<Item = Id> {
    std::iter::successors(Some(id), |id| graph.parent(*id)).take(DEPTH)
}

/// The root of the tree.
fn root(graph: &Graph, id: Id) -> Id {
    std::iter::successors(Some(id), |id| graph.parent(*id)).last().unwrap_or(id)
}

/// Puts `new` where `old` stands in the list of `id` on level 0.
fn replace(graph: &Graph, id: Id, old: Id, new: Option<Id>) {
    let others = graph.links(id, 0).filter(|link| *link != old);
    let links: Vec<Id> = others.chain(new).collect();
    graph.set_links(id, 0, &links);
}
