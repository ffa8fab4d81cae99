//! The first step of a batch: each new point, on its own, finds whom it will link to.

use super::builder::Builder;
use super::reverse::Edge;
use super::select::select;
use crate::graph::Graph;
use crate::id::{Candidate, Id};
use crate::search::{Scratch, Walk};
use crate::space::{Scorer, Space};

/// How many of its nearest points a new point asks for room in the tree before it goes down it.
const NEAR: usize = 32;

/// What one new point wants of the graph.
pub(super) struct Plan {
    pub(super) id: Id,
    /// The nearest points on level 0, ascending: those that may become its parent.
    pub(super) near: Vec<Candidate>,
    /// Its neighbours, level by level from 0.
    links: Vec<Vec<Candidate>>,
    pub(super) distances: u64,
}

impl<S: Space> Builder<'_, S> {
    /// Searches the frozen graph for the neighbours of `id`, from the top down to level 0.
    pub(super) fn plan(&self, graph: &Graph, id: Id, scratch: &mut Scratch) -> Plan {
        let mut plan = Plan { id, near: Vec::new(), links: Vec::new(), distances: 0 };
        let Some(entry) = graph.entry() else { return plan };
        scratch.distances = 0;
        let mut scorer = self.space.member(id);
        let top = graph.level(id).min(graph.level(entry));
        let ef = self.params.ef_construction;
        for level in (0..=top).rev() {
            scorer.aim(id);
            let mut walk = Walk { graph, scorer: &mut scorer, scratch };
            match plan.near.first() {
                None => walk.descend(entry, level, ef),
                Some(nearest) => {
                    let seed = [*nearest];
                    walk.beam(level, ef, &seed);
                }
            }
            plan.near.clear();
            plan.near.extend_from_slice(scratch.found());
            let (links, distances) = select(&mut scorer, &plan.near, self.params.m, |_| false);
            scratch.distances += distances;
            plan.links.push(links);
        }
        plan.links.reverse();
        plan.near.truncate(NEAR);
        plan.distances = scratch.distances;
        plan
    }
}

impl Plan {
    /// Writes the point's own lists and returns the links that should lead back to it. The parent
    /// that the tree has chosen joins the list on level 0.
    pub(super) fn publish(&self, graph: &Graph, parent: Option<Candidate>) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (level, links) in self.links.iter().enumerate() {
            let parent = parent.filter(|parent| level == 0 && !links.contains(parent));
            let links = links.iter().copied().chain(parent);
            let ids: Vec<Id> = links.clone().map(Candidate::id).collect();
            graph.set_links(self.id, level, &ids);
            let back = |link: Candidate| Candidate::new(link.distance(), self.id);
            edges.extend(links.map(|link| Edge { level, to: link.id(), from: back(link) }));
        }
        edges
    }
}
