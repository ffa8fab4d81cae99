//! The protected spanning tree: why every point can be reached.
//!
//! Pruning by diversity alone cuts points off: on sorted clusters, one-hot rows or a cluster that
//! arrives in one batch it left 4 % to 99 % of them unreachable in trials. So each point keeps the
//! link to a parent, its nearest point with room, and the parent the link back. These links are
//! never pruned. A point has few children, so most of its list stays free for the heuristic.

use std::collections::{HashMap, VecDeque};

use super::plan::Plan;
use crate::graph::Draft;
use crate::id::{Candidate, Id};
use crate::space::{Scorer, Space};

/// Children per point: with M = 16 a quarter of the 32 links on level 0. A list must hold the
/// parent, the children and the head of a chain of copies: 1 + 2 + 1 links at M = 2.
fn most_children(m: usize) -> usize {
    (m / 2).clamp(2, 8)
}

/// Gives every planned point a parent, one after another, since each takes room that the next no
/// longer has. Returns the parents with their distances; the first point of all has none.
pub(super) fn set_parents<S: Space>(
    draft: &mut Draft<'_>,
    space: &S,
    plans: &[(Id, Plan)],
) -> Vec<Option<Candidate>> {
    let mut adoption = Adoption::new(draft);
    let parent_of = |(id, plan): &(Id, Plan)| {
        let draft = &adoption.draft;
        let mut living = plan.near.iter().filter(|near| !draft.is_dead(near.id())).copied();
        let nearest = living.clone().next()?.id();
        let parent = living.find(|near| adoption.has_room(near.id())).unwrap_or_else(|| {
            let parent = adoption.descendant_with_room(nearest);
            Candidate::new(space.member(*id).score(parent), parent)
        });
        adoption.set_parent(parent.id(), *id);
        Some(parent)
    };
    plans.iter().map(parent_of).collect()
}

/// Points are being hung into the tree.
pub(super) struct Adoption<'a, 'b> {
    pub(super) draft: &'a mut Draft<'b>,
    most: usize,
    /// Children of this batch, to whom no list leads yet.
    new: HashMap<Id, Vec<Id>>,
}

impl<'a, 'b> Adoption<'a, 'b> {
    pub(super) fn new(draft: &'a mut Draft<'b>) -> Self {
        let most = most_children(draft.graph().m());
        Self { draft, most, new: HashMap::new() }
    }

    pub(super) fn has_room(&self, id: Id) -> bool {
        self.draft.children(id) < self.most
    }

    pub(super) fn set_parent(&mut self, parent: Id, id: Id) {
        self.draft.set_parent(parent, id);
        self.new.entry(parent).or_default().push(id);
    }

    /// The first point below `id`, generation by generation, that has room. A full point has
    /// children and a leaf has room, so there always is one.
    pub(super) fn descendant_with_room(&self, id: Id) -> Id {
        let mut generation = VecDeque::from([id]);
        while let Some(id) = generation.pop_front() {
            if self.has_room(id) {
                return id;
            }
            let linked = self.draft.links(id, 0);
            let is_child =
                |child: &Id| self.draft.parent(*child) == Some(id) && !self.draft.is_copy(*child);
            generation.extend(linked.filter(is_child));
            generation.extend(self.new.get(&id).into_iter().flatten());
        }
        unreachable!("a finite tree has leaves, and leaves have room")
    }
}
