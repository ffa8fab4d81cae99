//! A change of the graph, worked out in full before its first store.
//!
//! A writer reads the graph through its draft, which answers as the graph will be, and puts every change
//! into it. All calls of a space's or a caller's code happen while the draft is made. If one of them
//! panics, or memory is refused, the draft is dropped and the graph is as it was. [`Draft::commit`] calls
//! nobody and allocates nothing: it cannot fail halfway.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::Graph;
use crate::id::Id;

/// The neighbours of one point on one level, as they will be.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) id: Id,
    pub(crate) level: usize,
    pub(crate) links: Vec<Id>,
}

impl List {
    fn store(&self, graph: &Graph) {
        graph.set_links(self.id, self.level, &self.links);
    }
}

/// What a change makes of the points that it touches; all others are as in the graph.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    graph: &'a Graph,
    /// The points that the change adds.
    new: Range<Id>,
    /// In the order in which they are first written.
    lists: Vec<List>,
    places: HashMap<(Id, usize), usize>,
    parents: HashMap<Id, Option<Id>>,
    /// Numbers of children, of those whose number changes.
    children: HashMap<Id, usize>,
    copies: HashMap<Id, bool>,
    /// Points that end, each with the point that moves for it.
    ended: Vec<(Id, Option<Id>)>,
    entry: Option<Id>,
}

impl<'a> Draft<'a> {
    /// A draft that adds the points `new` and changes nothing else yet. One writer at a time, who has
    /// [reserved](Graph::reserve) memory for them. Points between those of the graph and these are lost:
    /// somebody else pushed them into the space, or they came in a change that was dropped.
    pub(crate) fn new(graph: &'a Graph, new: Range<Id>) -> Self {
        Self {
            graph,
            new,
            lists: Vec::new(),
            places: HashMap::new(),
            parents: HashMap::new(),
            children: HashMap::new(),
            copies: HashMap::new(),
            ended: Vec::new(),
            entry: graph.entry(),
        }
    }

    /// A draft without new points.
    pub(crate) fn none(graph: &'a Graph) -> Self {
        let len = graph.len() as Id;
        Self::new(graph, len..len)
    }

    /// The graph as it still is.
    pub(crate) fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Whether the graph has room for `id`; other points are new, and have nothing yet.
    fn is_there(&self, id: Id) -> bool {
        (id as usize) < self.graph.len()
    }

    /// All points, those that the change adds and those that were removed among them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.graph.len() as Id).chain(self.new.clone())
    }

    pub(crate) fn level(&self, id: Id) -> usize {
        self.graph.level(id)
    }

    pub(crate) fn entry(&self) -> Option<Id> {
        self.entry
    }

    pub(crate) fn set_entry(&mut self, id: Option<Id>) {
        self.entry = id;
    }

    /// The neighbours of `id` on `level`.
    pub(crate) fn links(&self, id: Id, level: usize) -> impl Iterator<Item = Id> {
        let place = if self.places.is_empty() { None } else { self.places.get(&(id, level)) };
        let drafted = place.map(|place| self.lists[*place].links.iter().copied());
        let stored = (drafted.is_none() && self.is_there(id)).then(|| self.graph.links(id, level));
        drafted.into_iter().flatten().chain(stored.into_iter().flatten())
    }

    /// Makes `links` the neighbours of `id` on `level`.
    pub(crate) fn set_links(&mut self, id: Id, level: usize, links: Vec<Id>) {
        let place = *self.places.entry((id, level)).or_insert(self.lists.len());
        let list = List { id, level, links };
        match self.lists.get_mut(place) {
            Some(drafted) => *drafted = list,
            None => self.lists.push(list),
        }
    }

    pub(crate) fn parent(&self, id: Id) -> Option<Id> {
        match self.parents.get(&id) {
            Some(parent) => *parent,
            None if self.is_there(id) => self.graph.parent(id),
            None => None,
        }
    }

    /// The number of tree children of `id`, without the head of a chain of copies.
    pub(crate) fn children(&self, id: Id) -> usize {
        match self.children.get(&id) {
            Some(children) => *children,
            None if self.is_there(id) => self.graph.children(id),
            None => 0,
        }
    }

    /// Hangs `id` below `parent` in the tree; the links between them are the caller's to set.
    pub(crate) fn set_parent(&mut self, parent: Id, id: Id) {
        self.parents.insert(id, Some(parent));
        self.children.insert(parent, self.children(parent) + 1);
    }

    /// Takes `id` out of the tree; the links are the caller's to change.
    pub(crate) fn orphan(&mut self, id: Id) {
        if let Some(parent) = self.parent(id) {
            self.children.insert(parent, self.children(parent) - 1);
        }
        self.parents.insert(id, None);
    }

    /// Whether the level-0 link between the two belongs to the tree and must stay.
    pub(crate) fn is_tree_link(&self, a: Id, b: Id) -> bool {
        self.parent(a) == Some(b) || self.parent(b) == Some(a)
    }

    /// Whether `id` is a copy: equal to an earlier row, and linked only into the chain behind it.
    pub(crate) fn is_copy(&self, id: Id) -> bool {
        match self.copies.get(&id) {
            Some(is_copy) => *is_copy,
            None => self.is_there(id) && self.graph.is_copy(id),
        }
    }

    /// Lets `id` follow `before` in its chain of copies; the links are the caller's to set.
    pub(crate) fn follow(&mut self, before: Id, id: Id) {
        self.parents.insert(id, Some(before));
        self.copies.insert(id, true);
    }

    /// Makes a copy a point like others, outside the tree and without links of its own yet.
    pub(crate) fn unfollow(&mut self, id: Id) {
        self.parents.insert(id, None);
        self.copies.insert(id, false);
    }

    /// The next copy in the chain that begins behind the point `id`, as [`Graph::next_copy`].
    pub(crate) fn next_copy(&self, id: Id) -> Option<Id> {
        let mut later = self.links(id, 0).filter(|next| *next > id);
        if self.is_copy(id) {
            return later.next();
        }
        later.find(|next| self.is_copy(*next) && self.parent(*next) == Some(id))
    }

    /// Ends `id`. `moved` is a point that loses its place in the graph for it: searches under way will
    /// look for both.
    pub(crate) fn end(&mut self, id: Id, moved: Option<Id>) {
        self.ended.push((id, moved));
    }

    /// Whether `id` was removed, before or by this change.
    pub(crate) fn is_dead(&self, id: Id) -> bool {
        self.ended.iter().any(|(ended, _)| *ended == id)
            || (self.is_there(id) && self.graph.is_dead(id))
    }

    /// Carries the change out. Searches that begin after the next [`Graph::publish`] rely on it.
    pub(crate) fn commit(self) {
        let graph = self.graph;
        self.store_points();
        self.lists.iter().for_each(|list| list.store(graph));
        graph.set_entry(self.entry);
    }

    /// Carries out the change of a batch in the rayon pool at hand: first the lists of its points, then
    /// those that lead to them.
    pub(crate) fn commit_batch(self, back: &[List]) {
        let graph = self.graph;
        self.store_points();
        self.lists.par_iter().for_each(|list| list.store(graph));
        back.par_iter().for_each(|list| list.store(graph));
        graph.set_entry(self.entry);
    }

    /// Stores all but the lists and the entry point. The log of removals comes first: whoever misses a
    /// point in a list finds it there.
    fn store_points(&self) {
        let graph = self.graph;
        graph.begin_stores();
        if !self.new.is_empty() {
            let lost = graph.len() as Id..self.new.start;
            graph.grow_to(self.new.end as usize);
            lost.for_each(|id| graph.end(id, None));
        }
        self.ended.iter().for_each(|(id, moved)| graph.end(*id, *moved));
        self.copies.iter().for_each(|(id, is_copy)| graph.set_copy(*id, *is_copy));
        self.parents.iter().for_each(|(id, parent)| graph.set_parent(*id, *parent));
        self.children.iter().for_each(|(id, children)| graph.set_children(*id, *children));
    }
}
