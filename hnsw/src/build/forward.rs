//! The first step of a batch: each new point, on its own, finds whom it will link to.

use super::builder::Builder;
use super::reverse::Edge;
use super::select::select;
use crate::graph::Graph;
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View, Walk};
use crate::space::{Scorer, Space};

/// How many of its nearest points a new point asks for room in the tree before it goes down it.
const NEAR: usize = 32;

/// What one new point wants of the graph.
pub(crate) struct Plan {
    /// The nearest living points on level 0, ascending: those that may become its parent.
    pub(super) near: Vec<Candidate>,
    /// Its neighbours, level by level from 0.
    links: Vec<Vec<Candidate>>,
    pub(super) distances: u64,
}

impl<S: Space> Builder<'_, S> {
    /// Searches the graph for the neighbours of a target on all levels up to `level`, from the top
    /// down. Others may change the graph meanwhile.
    pub(crate) fn plan(
        &self,
        view: &View<'_>,
        target: &mut impl Scorer,
        level: usize,
        scratch: &mut Scratch,
    ) -> Plan {
        let mut plan = Plan::none();
        let Some(entry) = view.entry else { return plan };
        let graph = view.graph;
        scratch.distances = 0;
        let mut member = self.space.member(entry);
        let mut seeds = None;
        let ef = self.params.ef_construction;
        for level in (0..=level.min(graph.level(entry))).rev() {
            let mut walk = Walk { graph, reach: view.reach, scorer: target, scratch };
            let seeds = seeds.get_or_insert_with(|| walk.descend(entry, level));
            walk.beam(level, ef, seeds);
            seeds.clear();
            seeds.extend(scratch.found());
            let living = scratch.found().iter().filter(|found| !graph.is_dead(found.id()));
            plan.near.clear();
            plan.near.extend(living);
            let (links, distances) =
                select(&mut member, &plan.near, level, self.params.m, |_| false);
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
    /// A plan for a point that will hang behind an equal one, or is the first.
    pub(crate) fn none() -> Self {
        Self { near: Vec::new(), links: Vec::new(), distances: 0 }
    }

    /// Whether it can be carried out for a point of this level in a graph as it is now: it covers the
    /// levels that there are, and a point that it wants to link to still lives.
    pub(crate) fn holds(&self, graph: &Graph, level: usize) -> bool {
        let Some(entry) = graph.entry() else { return true };
        let levels = 1 + level.min(graph.level(entry));
        self.links.len() >= levels && self.near.iter().any(|near| !graph.is_dead(near.id()))
    }

    /// Writes the lists of the point `id` and returns the links that should lead back to it. The
    /// parent that the tree has chosen joins the list on level 0, and so does the first of its copies.
    pub(super) fn publish(
        &self,
        graph: &Graph,
        id: Id,
        parent: Option<Candidate>,
        copy: Option<Id>,
    ) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (level, links) in self.links.iter().enumerate().take(graph.level(id) + 1) {
            let parent = parent.filter(|parent| level == 0 && !links.contains(parent));
            let living = links.iter().filter(|link| !graph.is_dead(link.id()));
            let links: Vec<Candidate> = living.copied().chain(parent).collect();
            let copy = copy.filter(|_| level == 0);
            let ids: Vec<Id> = links.iter().map(|link| link.id()).chain(copy).collect();
            graph.set_links(id, level, &ids);
            let back = |link: Candidate| Candidate::new(link.distance(), id);
            edges.extend(links.iter().map(|link| Edge { level, to: link.id(), from: back(*link) }));
        }
        if self.links.is_empty() {
            graph.set_links(id, 0, copy.as_slice());
        }
        edges
    }
}
