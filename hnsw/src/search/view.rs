//! What one search sees of a graph that others change.

use std::ops::Range;
use std::sync::Arc;

use super::filter::Filter;
use crate::graph::{Duplicates, Frozen, Graph, Snapshot};
use crate::id::Id;

/// A graph as a search found it when it began, and what the search may return of it.
pub(crate) struct View<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) duplicates: &'a Duplicates,
    pub(crate) entry: Option<Id>,
    /// The search walks through ids below, also the dead.
    pub(crate) reach: usize,
    /// And returns of them what was published.
    pub(crate) snapshot: Snapshot,
    /// The graph as it was before the batch that is being linked.
    pub(crate) frozen: Option<Arc<Frozen>>,
    pub(crate) filter: Option<&'a dyn Filter>,
}

impl<'a> View<'a> {
    /// What a search sees: the points that are published, and those that it meets on the way to them.
    /// To be made before the scorer, which then knows all points within reach and the entry.
    pub(crate) fn published(
        graph: &'a Graph,
        duplicates: &'a Duplicates,
        filter: Option<&'a dyn Filter>,
    ) -> Self {
        // In this order: a writer stores them in the other.
        let entry = graph.entry();
        let snapshot = graph.snapshot();
        let reach = snapshot.count as usize;
        let frozen = if graph.len() > reach { graph.frozen(snapshot.count) } else { None };
        let entry = frozen.as_ref().map_or(entry, |frozen| frozen.entry());
        Self { graph, duplicates, entry, reach, snapshot, frozen, filter }
    }

    /// What is seen by who links: also the points that are linked and not published yet.
    pub(crate) fn linked(graph: &'a Graph, duplicates: &'a Duplicates) -> Self {
        let entry = graph.entry();
        let snapshot = graph.snapshot();
        Self { graph, duplicates, entry, reach: graph.len(), snapshot, frozen: None, filter: None }
    }

    /// Whether the search may return `id`.
    #[inline]
    pub(crate) fn allows(&self, id: Id) -> bool {
        self.graph.is_visible(id, self.snapshot)
            && self.filter.is_none_or(|filter| filter.allows(&id))
    }

    /// Whether the search may return `id` or a copy of it.
    #[inline]
    pub(crate) fn allows_any(&self, id: Id) -> bool {
        self.allows(id) || (self.graph.has_copies() && self.copies(id).any(|id| self.allows(id)))
    }

    /// What these removals have taken from its place, as far as the search knows it.
    pub(crate) fn disturbed(&self, removals: Range<u32>) -> impl Iterator<Item = Id> {
        self.graph.disturbed(removals).filter(|id| (*id as usize) < self.reach)
    }

    /// The chain of copies behind `id`.
    pub(crate) fn copies(&self, id: Id) -> impl Iterator<Item = Id> {
        let next = |id: &Id| self.graph.next_copy(*id).filter(|next| (*next as usize) < self.reach);
        std::iter::successors(next(&id), next)
    }
}
