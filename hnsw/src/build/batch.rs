//! One insertion of any number of points, batch by batch.

use std::ops::Range;

use rayon::prelude::*;

use super::builder::Builder;
use super::forward::Plan;
use super::reverse::{Edge, lists};
use super::{order, tree};
use crate::graph::Graph;
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View};
use crate::space::{Scorer, Space};

/// A batch is at most this share of the points that the index will hold after the operation:
/// large enough to keep many threads busy, small enough to see what is around (ParlayANN takes 2 %).
const SHARE: f64 = 0.02;

impl<S: Space> Builder<'_, S> {
    /// Links the points `ids`, which the space holds and the graph has room for, and returns the
    /// number of distances it took. Runs in the rayon pool at hand.
    pub(crate) fn link(&self, graph: &Graph, ids: Range<Id>) -> u64 {
        let total = ids.len();
        let (mut new, copies) = self.originals.split(self.space, ids.clone());
        order::shuffle(&mut new, self.params.seed ^ u64::from(ids.start));
        let largest = order::largest_batch(ids.end as usize, SHARE);
        let (mut done, mut distances) = (0, 0);
        for batch in order::batches(&mut new, largest) {
            distances += order::bring_together(self.space, batch);
            distances += self.link_batch(graph, batch);
            done += batch.len();
            (self.progress)(done, total);
        }
        if self.params.keep_pruned {
            let batches = new.chunks(largest.max(1));
            distances += batches.map(|batch| self.fill(graph, batch)).sum::<u64>();
        }
        distances += self.chain(graph, &copies);
        (self.progress)(total, total);
        distances
    }

    fn link_batch(&self, graph: &Graph, batch: &[Id]) -> u64 {
        let view = View::new(graph, self.originals, None);
        let plan = |scratch: &mut Scratch, id: &Id| {
            (*id, self.plan(&view, &mut self.space.member(*id), graph.level(*id), scratch))
        };
        let plans: Vec<(Id, Plan)> = batch.par_iter().map_init(Scratch::default, plan).collect();
        let parents = tree::adopt(graph, self.space, &plans);
        // A search may be reading: the new points' own lists first, then the links that lead to
        // them, then the entry point.
        let edges = plans.par_iter().zip(parents);
        let publish =
            |((id, plan), parent): (&(Id, Plan), _)| plan.publish(graph, *id, parent, None);
        let mut edges: Vec<Edge> = edges.flat_map_iter(publish).collect();
        edges.par_sort_unstable();
        let settled: u64 = lists(&edges).into_par_iter().map(|list| self.settle(graph, list)).sum();
        plans.iter().for_each(|(id, _)| raise_entry(graph, *id));
        plans.iter().map(|(_, plan)| plan.distances).sum::<u64>() + settled
    }

    /// Links one point as planned, on this thread; `copy` is the first in its chain of copies.
    pub(crate) fn link_one(&self, graph: &Graph, id: Id, plan: Plan, copy: Option<Id>) -> u64 {
        let plans = [(id, plan)];
        let parents = tree::adopt(graph, self.space, &plans);
        let [(_, plan)] = plans;
        let mut edges = plan.publish(graph, id, parents[0], copy);
        edges.sort_unstable();
        let settled: u64 = lists(&edges).into_iter().map(|list| self.settle(graph, list)).sum();
        raise_entry(graph, id);
        plan.distances + settled
    }

    /// Hangs one copy behind the point before it in its chain, on this thread.
    pub(crate) fn chain_one(&self, graph: &Graph, before: Id, copy: Id) -> u64 {
        1 + self.settle(graph, &[self.follow(graph, before, copy)])
    }

    /// Hangs every copy behind the point before it in its chain.
    fn chain(&self, graph: &Graph, copies: &[(Id, Id)]) -> u64 {
        let follow = |(before, copy): &(Id, Id)| self.follow(graph, *before, *copy);
        let mut edges: Vec<Edge> = copies.iter().map(follow).collect();
        edges.par_sort_unstable();
        let settled: u64 = lists(&edges).into_par_iter().map(|list| self.settle(graph, list)).sum();
        copies.len() as u64 + settled
    }

    /// Lets a copy link to the point before it; returns the link that should lead back.
    fn follow(&self, graph: &Graph, before: Id, copy: Id) -> Edge {
        graph.follow(before, copy);
        graph.set_links(copy, 0, &[before]);
        let from = Candidate::new(self.space.member(before).score(copy), copy);
        Edge { level: 0, to: before, from }
    }
}

/// Lets searches begin at `id` if it stands above the entry point.
fn raise_entry(graph: &Graph, id: Id) {
    if graph.entry().is_none_or(|entry| graph.level(id) > graph.level(entry)) {
        graph.set_entry(Some(id));
    }
}
