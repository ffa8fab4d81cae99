//! Removing a point: others take over what it did for the graph.
//!
//! Its copies, if it has any, move up: the first becomes a point like others. Its children in the tree
//! get other parents. The lists that lead to it lead on to where it led ([`repair`](super::repair)). Its
//! own lists stay, for searches that are under way.

use std::collections::HashSet;

use super::builder::Builder;
use super::reverse::Edge;
use super::tree::Adoption;
use crate::graph::Draft;
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View};
use crate::space::{Scorer, Space};

/// How many of the nearest points an orphan asks for a place before it takes one that is sure to be
/// free, and how far up the tree is looked for its root, to rule out a circle.
const ASKED: usize = 8;
const DEPTH: usize = 256;

/// What a removal asks of the table of equal rows.
#[derive(Debug)]
pub(crate) enum Gone {
    /// The point had a row of its own, of this hash; its first copy, if it has one, stands for it now.
    First { hash: u64, id: Id, first_copy: Option<Id> },
    /// The last copy in a chain; the point before it is the last now.
    Last { copy: Id, before: Id },
}

impl<S: Space> Builder<'_, S> {
    /// Takes a living point out of the graph, and returns the distances that took. One writer at a time.
    pub(crate) fn remove(
        &self,
        draft: &mut Draft<'_>,
        id: Id,
        scratch: &mut Scratch,
    ) -> (Option<Gone>, u64) {
        if draft.is_copy(id) {
            draft.end(id, None);
            return (self.splice(draft, id), 0);
        }
        let first_copy = draft.next_copy(id);
        let gone = Gone::First { hash: self.duplicates.hash(self.space, id), id, first_copy };
        draft.end(id, first_copy);
        let mut distances =
            first_copy.map_or(0, |first_copy| self.promote(draft, first_copy, scratch));
        let holders: Vec<Vec<Id>> =
            (0..=draft.level(id)).map(|level| holders(draft, id, level)).collect();
        for (level, holders) in holders.iter().enumerate() {
            distances += holders.iter().map(|id| self.repair_list(draft, *id, level)).sum::<u64>();
        }
        distances += self.reparent(draft, id);
        if draft.entry() == Some(id) {
            draft.set_entry(highest(draft));
        }
        (Some(gone), distances)
    }

    /// Takes a copy out of its chain.
    fn splice(&self, draft: &mut Draft<'_>, id: Id) -> Option<Gone> {
        let before = draft.parent(id).expect("a copy follows another point");
        let after = draft.next_copy(id);
        replace(draft, before, id, after);
        let Some(after) = after else { return Some(Gone::Last { copy: id, before }) };
        draft.follow(before, after);
        replace(draft, after, id, Some(before));
        None
    }

    /// Makes the first copy of a point that goes a point like others.
    fn promote(&self, draft: &mut Draft<'_>, first_copy: Id, scratch: &mut Scratch) -> u64 {
        let copy = draft.next_copy(first_copy);
        let view = View::linked(draft.graph(), self.duplicates);
        let mut target = self.space.member(first_copy);
        // As long as it is a copy it does not meet itself.
        let (level, is_dead) = (draft.level(first_copy), |id| draft.is_dead(id));
        let mut plan = self.plan(&view, &mut target, level, is_dead, scratch);
        if plan.near.is_empty() {
            // The point that takes the place of the one that goes is not in the graph yet. It may be the only other.
            let new = draft.ids().skip(draft.graph().len());
            new.filter(|id| !draft.is_copy(*id))
                .for_each(|id| plan.add(Candidate::new(target.score(id), id)));
        }
        draft.unfollow(first_copy);
        self.link_one(draft, first_copy, plan, copy)
    }

    /// Takes a point out of the tree, and hangs its children elsewhere.
    fn reparent(&self, draft: &mut Draft<'_>, id: Id) -> u64 {
        let is_child = |child: &Id| draft.parent(*child) == Some(id) && !draft.is_copy(*child);
        let mut orphans: Vec<Id> = draft.links(id, 0).filter(is_child).collect();
        let parent = draft.parent(id);
        draft.orphan(id);
        orphans.iter().for_each(|orphan| draft.orphan(*orphan));
        // Without a parent it was the root, and one of its children is now.
        let Some(above) = parent.or_else(|| orphans.pop()) else { return 0 };
        let unattached = (0..orphans.len()).map(|first| &orphans[first..]);
        unattached.map(|orphans| self.attach(draft, orphans, id, above)).sum()
    }

    /// Finds a parent for the first of the orphans: one of its nearest points with room that hangs from
    /// the root, or else one below `above`.
    fn attach(&self, draft: &mut Draft<'_>, orphans: &[Id], gone: Id, above: Id) -> u64 {
        let orphan = orphans[0];
        let mut adoption = Adoption::new(draft);
        let draft = &adoption.draft;
        let near: HashSet<Id> = draft.links(orphan, 0).chain(draft.links(gone, 0)).collect();
        let can_adopt = |other: &Id| {
            *other != orphan
                && !draft.is_dead(*other)
                && !draft.is_copy(*other)
                && adoption.has_room(*other)
        };
        let near: Vec<Id> = near.into_iter().filter(can_adopt).collect();
        let mut scorer = self.space.member(orphan);
        let mut scores = vec![0.0; near.len()];
        scorer.score_all(&near, &mut scores);
        let mut candidates: Vec<Candidate> =
            near.iter().zip(scores).map(|(id, score)| Candidate::new(score, *id)).collect();
        candidates.sort_unstable();
        let hangs = |candidate: &&Candidate| hangs_from_root(draft, candidate.id(), orphans);
        let parent = candidates.iter().take(ASKED).find(hangs).copied().unwrap_or_else(|| {
            let parent = adoption.descendant_with_room(above);
            Candidate::new(scorer.score(parent), parent)
        });
        adoption.set_parent(parent.id(), orphan);
        near.len() as u64 + self.tie(adoption.draft, orphan, parent)
    }

    /// Links two points on level 0 in both directions.
    fn tie(&self, draft: &mut Draft<'_>, a: Id, b: Candidate) -> u64 {
        let edges = [(b.id(), a), (a, b.id())];
        let mut distances = 0;
        for (to, from) in edges {
            if draft.links(to, 0).all(|link| link != from) {
                let edge = Edge { level: 0, to, from: Candidate::new(b.distance(), from) };
                distances += self.add_reverse_links_now(draft, &[edge]);
            }
        }
        distances
    }
}

/// The living points known to link to `id` on `level`: its own neighbours, and theirs. Links from
/// farther away are found as later removals repair list after list.
fn holders(draft: &Draft<'_>, id: Id, level: usize) -> Vec<Id> {
    let near = draft.links(id, level).filter(|near| draft.level(*near) >= level);
    let near: Vec<Id> = near.filter(|near| !draft.is_copy(*near)).collect();
    let next = near.iter().flat_map(|near| draft.links(*near, level));
    let mut asked: Vec<Id> = near.iter().copied().chain(next).collect();
    asked.sort_unstable();
    asked.dedup();
    asked.retain(|other| {
        !draft.is_dead(*other)
            && !draft.is_copy(*other)
            && draft.links(*other, level).any(|link| link == id)
    });
    asked
}

/// Whether `id` hangs from the root, and not from one of these orphans. `false` where the way up is long:
/// points that came in order hang from each other in a chain, and a walk to its root would take as many
/// steps as there are points.
fn hangs_from_root(draft: &Draft<'_>, id: Id, orphans: &[Id]) -> bool {
    let mut way = std::iter::successors(Some(id), |id| draft.parent(*id)).take(DEPTH);
    way.find(|id| draft.parent(*id).is_none()).is_some_and(|top| !orphans.contains(&top))
}

/// The living point on the highest level, of those the first; copies apart.
fn highest(draft: &Draft<'_>) -> Option<Id> {
    let mut highest: Option<(usize, Id)> = None;
    // The level of a point follows from its id: few points are looked at beyond that.
    for id in draft.ids() {
        let level = draft.level(id);
        let is_higher = highest.is_none_or(|(top, _)| level > top);
        if is_higher && !draft.is_dead(id) && !draft.is_copy(id) {
            highest = Some((level, id));
        }
    }
    highest.map(|(_, id)| id)
}

/// Puts `new` where `old` stands in the list of `id` on level 0.
fn replace(draft: &mut Draft<'_>, id: Id, old: Id, new: Option<Id>) {
    let links = draft.links(id, 0).filter(|link| *link != old).chain(new).collect();
    draft.set_links(id, 0, links);
}
