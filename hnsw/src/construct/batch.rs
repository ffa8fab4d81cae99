//! One insertion of any number of points, batch by batch.

use std::ops::Range;

use rayon::prelude::*;

use super::builder::Builder;
use super::plan::Plan;
use super::reverse::{Edge, lists};
use super::{order, tree};
use crate::graph::{Draft, Graph, List};
use crate::id::{Candidate, Id};
use crate::search::{Scratch, View};
use crate::space::{Scorer, Space};

/// A batch is at most this share of the points that the index will hold after the operation:
/// large enough to keep many threads busy, small enough to see what is around (ParlayANN takes 2 %).
const SHARE: f64 = 0.02;

impl<S: Space> Builder<'_, S> {
    /// Links new points, which the space holds and the graph has room for: those with a row of their own,
    /// and pairs of the point to follow and a copy. Returns the number of distances it took. Runs in the
    /// rayon pool at hand.
    pub(crate) fn link(
        &self,
        graph: &Graph,
        ids: Range<Id>,
        mut new: Vec<Id>,
        copies: &[(Id, Id)],
    ) -> u64 {
        let total = ids.len();
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
        distances += self.chain(graph, copies);
        (self.progress)(total, total);
        distances
    }

    fn link_batch(&self, graph: &Graph, batch: &[Id]) -> u64 {
        let view = View::linked(graph, self.duplicates);
        let is_dead = |id| graph.is_dead(id);
        let plan = |scratch: &mut Scratch, id: &Id| {
            let mut target = self.space.member(*id);
            (*id, self.plan(&view, &mut target, graph.level(*id), is_dead, scratch))
        };
        let plans: Vec<(Id, Plan)> = batch.par_iter().map_init(Scratch::default, plan).collect();
        let mut draft = Draft::none(graph);
        let parents = tree::set_parents(&mut draft, self.space, &plans);
        let adopted =
            || plans.iter().zip(&parents).map(|((id, plan), parent)| (*id, plan, *parent));
        let own = |(id, plan, parent): (Id, &Plan, _)| plan.lists(&draft, id, parent, None);
        // A point of the batch may be the parent of another: links that lead back join the own list.
        let own: Vec<List> = adopted().flat_map(own).collect();
        own.into_iter().for_each(|List { id, level, links }| draft.set_links(id, level, links));
        let mut edges: Vec<Edge> =
            adopted().flat_map(|(id, plan, parent)| plan.edges(&draft, id, parent)).collect();
        edges.par_sort_unstable();
        let add_reverse_links = |edges: &[Edge]| self.add_reverse_links(&draft, edges);
        let (back, settled): (Vec<List>, Vec<u64>) =
            lists(&edges).into_par_iter().map(add_reverse_links).unzip();
        plans.iter().for_each(|(id, _)| raise_entry(&mut draft, *id));
        draft.commit_batch(&back);
        plans.iter().map(|(_, plan)| plan.distances).sum::<u64>() + settled.iter().sum::<u64>()
    }

    /// Links one point as planned, on this thread; `copy` is the first in its chain of copies.
    pub(crate) fn link_one(
        &self,
        draft: &mut Draft<'_>,
        id: Id,
        plan: Plan,
        copy: Option<Id>,
    ) -> u64 {
        let plans = [(id, plan)];
        let parents = tree::set_parents(draft, self.space, &plans);
        let [(_, plan)] = plans;
        for List { id, level, links } in plan.lists(draft, id, parents[0], copy) {
            draft.set_links(id, level, links);
        }
        let mut edges: Vec<Edge> = plan.edges(draft, id, parents[0]).collect();
        edges.sort_unstable();
        let settled: u64 =
            lists(&edges).into_iter().map(|list| self.add_reverse_links_now(draft, list)).sum();
        raise_entry(draft, id);
        plan.distances + settled
    }

    /// Hangs one copy behind the point before it in its chain, on this thread.
    pub(crate) fn chain_one(&self, draft: &mut Draft<'_>, before: Id, copy: Id) -> u64 {
        let edge = self.follow(draft, before, copy);
        1 + self.add_reverse_links_now(draft, &[edge])
    }

    /// Hangs every copy behind the point before it in its chain.
    fn chain(&self, graph: &Graph, copies: &[(Id, Id)]) -> u64 {
        let mut draft = Draft::none(graph);
        let follow = |(before, copy): &(Id, Id)| self.follow(&mut draft, *before, *copy);
        let mut edges: Vec<Edge> = copies.iter().map(follow).collect();
        edges.par_sort_unstable();
        let add_reverse_links = |edges: &[Edge]| self.add_reverse_links(&draft, edges);
        let settled: Vec<(List, u64)> =
            lists(&edges).into_par_iter().map(add_reverse_links).collect();
        let mut distances = copies.len() as u64;
        for (List { id, level, links }, settled) in settled {
            draft.set_links(id, level, links);
            distances += settled;
        }
        draft.commit();
        distances
    }

    /// Lets a copy link to the point before it; returns the link that should lead back.
    fn follow(&self, draft: &mut Draft<'_>, before: Id, copy: Id) -> Edge {
        draft.follow(before, copy);
        draft.set_links(copy, 0, vec![before]);
        let from = Candidate::new(self.space.member(before).score(copy), copy);
        Edge { level: 0, to: before, from }
    }
}

/// Lets searches begin at `id` if it stands above the entry point.
fn raise_entry(draft: &mut Draft<'_>, id: Id) {
    if draft.entry().is_none_or(|entry| draft.level(id) > draft.level(entry)) {
        draft.set_entry(Some(id));
    }
}
