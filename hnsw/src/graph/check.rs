//! What must always hold of a graph, as code: run after every mutating test.

use std::fmt;

use super::Graph;
use crate::file::Corruption;
use crate::id::Id;

/// An invariant of the graph that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvariantViolation {
    /// There are points and no entry point, or the entry point is not on the highest level.
    Entry(Option<Id>),
    /// A link leads out of the graph, to its own point, to a point that is not on that level, or
    /// above level 0 to a copy.
    Link {
        /// The point whose list it stands in.
        from: Id,
        /// Where it leads.
        to: Id,
        /// The level of the list.
        level: usize,
    },
    /// A list holds an id twice.
    Repeated {
        /// The point whose list it is.
        from: Id,
        /// The id that stands there twice.
        to: Id,
        /// The level of the list.
        level: usize,
    },
    /// A point and its parent in the spanning tree do not link to each other, or a second point
    /// besides the root has no parent, or the count of children is wrong.
    Tree(Id),
    /// A copy has links beyond its chain.
    Copy(Id),
    /// The point's key leads to another point, or to none.
    Key(Id),
    /// There are more keys than points.
    Keys {
        /// How many keys there are.
        keys: usize,
        /// How many points live.
        points: usize,
    },
    /// The point cannot be reached from the entry point on level 0.
    Unreachable(Id),
    /// An array that belongs to the lists does not fit them.
    Array(Corruption),
    /// Nothing was checked: the call comes from the progress function of a batch, which is still changing
    /// the graph.
    Reporting,
}

impl fmt::Display for InvariantViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => {
                write!(f, "the entry point {entry:?} is not on the highest level")
            }
            Self::Link { from, to, level } => {
                write!(f, "point {from} links to {to} on level {level}, where it must not")
            }
            Self::Repeated { from, to, level } => {
                write!(f, "point {from} links to {to} twice on level {level}")
            }
            Self::Tree(id) => write!(f, "the spanning tree is broken at point {id}"),
            Self::Copy(id) => write!(f, "the copy {id} has links outside its chain"),
            Self::Key(id) => write!(f, "the key of point {id} does not lead to it"),
            Self::Keys { keys, points } => write!(f, "{keys} keys for {points} points"),
            Self::Unreachable(id) => write!(f, "point {id} cannot be reached on level 0"),
            Self::Array(damage) => damage.fmt(f),
            Self::Reporting => f.write_str(
                "the graph is not checked from the progress function of a batch; check it after the batch",
            ),
        }
    }
}

impl std::error::Error for InvariantViolation {}

impl Graph {
    pub(crate) fn check(&self) -> Result<(), InvariantViolation> {
        self.check_entry()?;
        self.check_ranges()?;
        self.verify_arrays().map_err(InvariantViolation::Array)?;
        let root = self.living().find(|id| self.parent(*id).is_none());
        let mut links = Vec::new();
        for id in self.living() {
            for level in 0..=self.level(id) {
                links.clear();
                links.extend(self.links(id, level));
                self.check_list(id, level, &mut links)?;
            }
            // Other libraries know no tree.
            if !self.is_imported() {
                self.check_tree(id, root)?;
            }
        }
        self.check_circles()?;
        self.unreachable().next().map_or(Ok(()), |id| Err(InvariantViolation::Unreachable(id)))
    }

    /// What must hold of a graph that was saved. An imported one need not be as good as one that was
    /// built here, as long as it can be searched.
    pub(super) fn check_file(&self) -> Result<(), InvariantViolation> {
        if !self.is_imported() {
            return self.check();
        }
        self.check_ranges()?;
        self.check_entry()
    }

    /// The points that were not removed.
    pub(crate) fn living(&self) -> impl Iterator<Item = Id> {
        (0..self.len() as Id).filter(|id| !self.is_dead(*id))
    }

    fn check_entry(&self) -> Result<(), InvariantViolation> {
        let linked = self.living().filter(|id| !self.is_copy(*id));
        let top = linked.map(|id| self.level(id)).max();
        if self.is_imported() {
            // Its searches may begin at a removed point, which is still on its way.
            let entry = self.entry().map(|id| self.level(id));
            return if entry >= top {
                Ok(())
            } else {
                Err(InvariantViolation::Entry(self.entry()))
            };
        }
        let entry = self.entry().filter(|id| !self.is_dead(*id));
        if entry.map(|id| self.level(id)) == top {
            Ok(())
        } else {
            Err(InvariantViolation::Entry(self.entry()))
        }
    }

    /// Ids are those of points, in the lists of removed points as well, so that the checks that follow
    /// can use them.
    fn check_ranges(&self) -> Result<(), InvariantViolation> {
        let is_point = |id: Id| (id as usize) < self.len();
        for from in 0..self.len() as Id {
            if !self.parent(from).is_none_or(is_point) {
                return Err(InvariantViolation::Tree(from));
            }
            for level in 0..=self.level(from) {
                if let Some(to) = self.links(from, level).find(|to| !is_point(*to)) {
                    return Err(InvariantViolation::Link { from, to, level });
                }
            }
        }
        Ok(())
    }

    /// Whoever goes from parent to parent comes to the root.
    fn check_circles(&self) -> Result<(), InvariantViolation> {
        // The point from which an ancestor was first passed.
        let mut passed = vec![None; self.len()];
        for start in self.living() {
            let mut at = Some(start);
            while let Some(id) = at
                && passed[id as usize].is_none()
            {
                passed[id as usize] = Some(start);
                at = self.parent(id);
                if at.is_some_and(|parent| passed[parent as usize] == Some(start)) {
                    return Err(InvariantViolation::Tree(id));
                }
            }
        }
        Ok(())
    }

    /// `links` are those of `from`; afterwards they are sorted. (With a set of hashes instead, a file takes
    /// twice the instructions to load.)
    fn check_list(
        &self,
        from: Id,
        level: usize,
        links: &mut [Id],
    ) -> Result<(), InvariantViolation> {
        for &to in &*links {
            let inside = (to as usize) < self.len() && to != from;
            if !inside || self.level(to) < level || (level > 0 && self.is_copy(to)) {
                return Err(InvariantViolation::Link { from, to, level });
            }
        }
        links.sort_unstable();
        match links.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(InvariantViolation::Repeated { from, to: pair[0], level }),
            None => Ok(()),
        }
    }

    fn check_tree(&self, id: Id, root: Option<Id>) -> Result<(), InvariantViolation> {
        let links_to = |from: Id, to: Id| self.links(from, 0).any(|link| link == to);
        let is_child = |other: &Id| {
            self.parent(*other) == Some(id) && !self.is_copy(*other) && !self.is_dead(*other)
        };
        let children = self.links(id, 0).filter(is_child).count();
        let holds = match self.parent(id) {
            Some(parent) => !self.is_dead(parent) && links_to(id, parent) && links_to(parent, id),
            // There is one root.
            None => root == Some(id),
        };
        if !holds || children != self.children(id) {
            return Err(InvariantViolation::Tree(id));
        }
        let only_chain = || self.links(id, 0).all(|link| self.is_tree_link(id, link));
        if self.is_copy(id) && !only_chain() { Err(InvariantViolation::Copy(id)) } else { Ok(()) }
    }

    /// The points that a walk over level 0 from the entry point does not reach, by way of living
    /// points, or in an imported graph of any. With the tree's links in both directions, none of these
    /// means that every point reaches every other.
    pub(crate) fn unreachable(&self) -> impl Iterator<Item = Id> {
        let mut reached = vec![false; self.len()];
        let mut open: Vec<Id> = self.entry().into_iter().collect();
        open.iter().for_each(|id| reached[*id as usize] = true);
        let is_way = |id: &Id| self.is_imported() || !self.is_dead(*id);
        while let Some(id) = open.pop() {
            for next in self.links(id, 0).filter(is_way) {
                if !std::mem::replace(&mut reached[next as usize], true) {
                    open.push(next);
                }
            }
        }
        self.living().filter(move |id| !reached[*id as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Draft;

    /// Four points on a line, each the parent of the next.
    fn line() -> Graph {
        let graph = Graph::with_capacity(64, 0, 4);
        graph.reserve(4).unwrap();
        graph.grow_to(4);
        assert!(
            (0..4).all(|id| graph.level(id) == 0),
            "with few points of 64 links none is lifted"
        );
        for id in 0..4u32 {
            let links: Vec<Id> = (0..4u32).filter(|other| id.abs_diff(*other) == 1).collect();
            graph.set_links(id, 0, &links);
        }
        let mut draft = Draft::none(&graph);
        (1..4).for_each(|id| draft.set_parent(id - 1, id));
        draft.set_entry(Some(0));
        draft.commit();
        graph
    }

    #[test]
    fn parents_in_a_circle_are_no_tree() {
        let graph = line();
        assert_eq!(graph.check(), Ok(()));
        // Every point but the first hangs from another, and each pair links both ways.
        let mut draft = Draft::none(&graph);
        draft.orphan(1);
        draft.set_links(1, 0, vec![0, 2, 3]);
        draft.set_links(3, 0, vec![1, 2]);
        draft.set_parent(3, 1);
        draft.commit();
        assert!(
            matches!(graph.check(), Err(InvariantViolation::Tree(1..=3))),
            "{:?}",
            graph.check()
        );
    }

    #[test]
    fn ids_beyond_the_points_are_named() {
        let graph = line();
        graph.set_links(2, 0, &[1, 3, 9]);
        assert_eq!(graph.check(), Err(InvariantViolation::Link { from: 2, to: 9, level: 0 }));
    }

    #[test]
    fn a_link_that_repeats_is_named() {
        let graph = line();
        graph.set_links(1, 0, &[3, 2, 3]);
        assert_eq!(graph.check(), Err(InvariantViolation::Repeated { from: 1, to: 3, level: 0 }));
    }
}
