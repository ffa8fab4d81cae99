//! One insertion of any number of points, batch by batch.

use std::ops::Range;

use rayon::prelude::*;

use super::builder::Builder;
use super::copies::Originals;
use super::forward::Plan;
use super::reverse::Edge;
use super::{order, tree};
use crate::graph::Graph;
use crate::id::{Candidate, Id};
use crate::search::Scratch;
use crate::space::{Scorer, Space};

/// A batch is at most this share of the points that the index will hold after the operation:
/// large enough to keep many threads busy, small enough to see what is around (ParlayANN takes 2 %).
const SHARE: f64 = 0.02;

impl<S: Space> Builder<'_, S> {
    /// Links the points `ids`, which the space holds and the graph has room for, and returns the
    /// number of distances it took. Runs in the rayon pool at hand.
    pub(crate) fn link(&self, graph: &mut Graph, originals: &mut Originals, ids: Range<Id>) -> u64 {
        let total = ids.len();
        let (mut new, copies) = originals.split(self.space, ids.clone());
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

    fn link_batch(&self, graph: &mut Graph, batch: &[Id]) -> u64 {
        let plans: Vec<Plan> = batch
            .par_iter()
            .map_init(Scratch::default, |scratch, id| self.plan(graph, *id, scratch))
            .collect();
        let parents = tree::adopt(graph, self.space, &plans);
        // A search may be reading: the new points' own lists first, then the links that lead to
        // them, then the entry point.
        let edges = plans.par_iter().zip(parents);
        let edges = edges.flat_map_iter(|(plan, parent)| plan.publish(graph, parent)).collect();
        let settled = self.settle(graph, edges);
        for plan in &plans {
            let higher = |entry| graph.level(plan.id) > graph.level(entry);
            if graph.entry().is_none_or(higher) {
                graph.set_entry(plan.id);
            }
        }
        plans.iter().map(|plan| plan.distances).sum::<u64>() + settled
    }

    /// Hangs every copy behind the point before it in its chain.
    fn chain(&self, graph: &mut Graph, copies: &[(Id, Id)]) -> u64 {
        for (before, copy) in copies {
            graph.mark_copy(*copy, *before);
            graph.set_links(*copy, 0, &[*before]);
        }
        let edge = |(before, copy): &(Id, Id)| {
            let from = Candidate::new(self.space.member(*before).score(*copy), *copy);
            Edge { level: 0, to: *before, from }
        };
        copies.len() as u64 + self.settle(graph, copies.par_iter().map(edge).collect())
    }
}
