//! The first step of a batch: each new point, on its own, finds whom it will link to.

use super::builder::Builder;
use super::reverse::Edge;
use super::select::select;
use crate::graph::{Draft, Graph, List, Snapshot};
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View, Walk};
use crate::space::{Scorer, Space};

/// A plan is made anew when the graph has changed by more than this share of its points since: a 32nd.
/// Of 64 points that waited for a batch of 20,000 points while 500 were there, searches beside them with ef 16
/// found 103 of 320 with the plans from before the batch.
const STALE: usize = 32;

/// How many of its nearest points a new point asks for room in the tree before it goes down it.
const NEAR: usize = 32;

/// What one new point wants of the graph.
pub(crate) struct Plan {
    /// The nearest living points on level 0, ascending: those that may become its parent.
    pub(super) near: Vec<Candidate>,
    /// Its neighbours, level by level from 0.
    links: Vec<Vec<Candidate>>,
    /// The points and removals that had been published. While a batch is being linked the graph has room
    /// for all of its points, but few of them can be found.
    snapshot: Snapshot,
    pub(super) distances: u64,
}

impl<S: Space> Builder<'_, S> {
    /// Searches the graph for the neighbours of a target on all levels up to `level`, from the top
    /// down. Others may change the graph meanwhile. It will not link to points that are `is_dead`.
    pub(crate) fn plan(
        &self,
        view: &View<'_>,
        target: &mut impl Scorer,
        level: usize,
        is_dead: impl Fn(Id) -> bool,
        scratch: &mut Scratch,
    ) -> Plan {
        let mut plan = Plan { snapshot: view.snapshot, ..Plan::none() };
        let Some(entry) = view.entry else { return plan };
        let graph = view.graph;
        scratch.distances = 0;
        let mut member = self.space.member(entry);
        let mut seeds = None;
        let ef = self.params.ef_construction;
        for level in (0..=level.min(graph.level(entry))).rev() {
            let mut walk = Walk::over(view, target, scratch);
            let seeds = seeds.get_or_insert_with(|| walk.descend(entry, level));
            walk.beam(level, ef, seeds);
            seeds.clear();
            seeds.extend(scratch.found());
            let living = scratch.found().iter().filter(|found| !is_dead(found.id()));
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
        Self { near: vec![], links: vec![], snapshot: Snapshot::default(), distances: 0 }
    }

    /// Adds a neighbour on level 0 that the search could not find.
    pub(super) fn add(&mut self, neighbour: Candidate) {
        self.near.push(neighbour);
        match self.links.first_mut() {
            Some(links) => links.push(neighbour),
            None => self.links.push(vec![neighbour]),
        }
    }

    /// Whether it can be carried out for a point of this level in a graph as it is now: it covers the
    /// levels that there are, a point that it wants to link to still lives, and the graph has not changed
    /// by more than a [share](STALE). A plan that was made before a large batch knows nothing of the batch.
    pub(crate) fn holds(&self, graph: &Graph, level: usize) -> bool {
        let Some(entry) = graph.entry() else { return true };
        let levels = 1 + level.min(graph.level(entry));
        let Snapshot { count, removals } = self.snapshot;
        let changes = graph.len() - count as usize + (graph.removals() - removals) as usize;
        changes <= count as usize / STALE
            && self.links.len() >= levels
            && self.near.iter().any(|near| !graph.is_dead(near.id()))
    }

    /// The lists of the point `id`. The parent that the tree has chosen joins the list on level 0, and so
    /// does the first of its copies.
    pub(super) fn lists(
        &self,
        draft: &Draft<'_>,
        id: Id,
        parent: Option<Candidate>,
        copy: Option<Id>,
    ) -> Vec<List> {
        let list = |level: usize| {
            let copy = copy.filter(|_| level == 0);
            let links = self.neighbours(level, parent).map(Candidate::id);
            let living = links.filter(|link| !draft.is_dead(*link));
            List { id, level, links: living.chain(copy).collect() }
        };
        (0..self.links.len().clamp(1, draft.level(id) + 1)).map(list).collect()
    }

    /// The links that should lead back to the point `id`.
    pub(super) fn edges(
        &self,
        draft: &Draft<'_>,
        id: Id,
        parent: Option<Candidate>,
    ) -> impl Iterator<Item = Edge> {
        let levels = 0..self.links.len().min(draft.level(id) + 1);
        let links = levels
            .flat_map(move |level| self.neighbours(level, parent).map(move |link| (level, link)));
        let living = links.filter(|(_, link)| !draft.is_dead(link.id()));
        living.map(move |(level, link)| Edge {
            level,
            to: link.id(),
            from: Candidate::new(link.distance(), id),
        })
    }

    /// Whom the point links to on `level`, its parent in the tree among them on level 0.
    fn neighbours(
        &self,
        level: usize,
        parent: Option<Candidate>,
    ) -> impl Iterator<Item = Candidate> {
        let links = self.links.get(level).map_or(&[][..], Vec::as_slice);
        // By its id: a space may compute another distance for a member than for a point to be inserted.
        let is_new = |parent: &Candidate| links.iter().all(|link| link.id() != parent.id());
        links.iter().copied().chain(parent.filter(|parent| level == 0 && is_new(parent)))
    }
}
