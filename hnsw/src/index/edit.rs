//! One turn of the one thread that changes an index: reserve, work out, commit.
//!
//! Until [`Edit::commit`] nothing is stored that a search, a save or another writer could see, except rows
//! in the space, which have no use until they are linked. So whatever happens before (a point is refused,
//! memory is refused, code of the space or of the caller panics, a log cannot be written) leaves the index
//! as it was. `commit` itself allocates nothing and calls no such code.

use std::borrow::Borrow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::MutexGuard;

use super::hnsw::{Hnsw, Writer};
use super::insert_error::InsertError;
use crate::construct::{Build, Gone, Plan};
use crate::graph::{Draft, Meeting, Split};
use crate::id::{Id, MAX_POINTS};
use crate::progress::Progress;
use crate::search::View;
use crate::space::Store;
use crate::threads::Apart;

/// Each removal also repairs lists that lead to removed points from far away: so many that every list has
/// its turn within as many removals as a sixteenth of the points that live, but at least 64. That reads
/// about 16 points' lists a removal, 20 ns each. (All lists at once took 383 ms at 100,000 points.)
const SWEEP_SHARE: usize = 16;
const SWEEP_LEAST: usize = 64;

/// The index in the hands of the one thread that changes it.
pub(crate) struct Edit<'a, S: Store> {
    index: &'a Hnsw<S>,
    writer: MutexGuard<'a, Writer>,
    draft: Draft<'a>,
    /// How the new point, if there is one, stands to the rows that are there.
    entered: Option<(Id, Meeting)>,
    /// What a removal takes from the table of rows.
    gone: Option<Gone>,
    /// Where the next removal goes on with mending.
    next_repaired: Id,
    distances: u64,
}

impl<'a, S: Store> Edit<'a, S> {
    pub(crate) fn new(index: &'a Hnsw<S>, writer: MutexGuard<'a, Writer>) -> Self {
        let (draft, next_repaired) = (Draft::none(&index.graph), writer.next_repaired);
        Self { index, writer, draft, entered: None, gone: None, next_repaired, distances: 0 }
    }

    pub(crate) fn lives(&self, id: Id) -> bool {
        (id as usize) < self.index.graph.len() && !self.index.graph.is_dead(id)
    }

    /// The ids that the next `points` points will have.
    pub(crate) fn next_ids(&self, points: usize) -> Range<Id> {
        let first = self.index.space.len() as Id;
        first..first.saturating_add(points as Id)
    }

    /// Refuses points for which there are no ids, no memory, or no memory within the budget. Returns the
    /// ids that they will have. After it nothing runs out of memory any more.
    fn reserve<P: Borrow<S::Point>>(
        &self,
        points: &[P],
    ) -> Result<Range<Id>, InsertError<S::PointError>> {
        let Hnsw { space, graph, duplicates, .. } = self.index;
        let (first, total) = (space.len(), space.len() + points.len());
        if total > MAX_POINTS {
            return Err(InsertError::TooMany { points: total });
        }
        if let Some(budget) = self.index.budget {
            let rows = points.iter().map(|point| space.bytes_of(point.borrow()));
            let rows = rows.fold(0, usize::saturating_add);
            let rest = graph.bytes_of(total - graph.len()) + duplicates.bytes_for(points.len());
            let needed = self.index.memory().total().saturating_add(rows).saturating_add(rest);
            if needed > budget {
                return Err(InsertError::Budget { budget, needed });
            }
        }
        let refused = |error| InsertError::Point { place: 0, error };
        space.reserve(points.len()).map_err(refused)?;
        graph.reserve(total).map_err(InsertError::Memory)?;
        let ids = first as Id..total as Id;
        duplicates.reserve(ids.clone()).map_err(InsertError::Memory)?;
        Ok(ids)
    }

    /// Pushes a point and works out its links: as planned, or anew if the graph has changed too much.
    pub(crate) fn insert(
        &mut self,
        point: &S::Point,
        plan: Plan,
    ) -> Result<Id, InsertError<S::PointError>> {
        let Hnsw { space, graph, duplicates, scratches, .. } = self.index;
        let expected = self.reserve(&[point])?.start;
        let id = self.push(point, 0, expected)?;
        self.draft = Draft::new(graph, id..id + 1);
        let (builder, level) = (self.index.builder(&|_, _| {}), graph.level(id));
        let meeting = duplicates.meet(space, id);
        let draft = &mut self.draft;
        self.distances += if let Some(before) = duplicates.tail(&meeting) {
            builder.chain_one(draft, before, id)
        } else if plan.holds(graph, level) {
            builder.link_one(draft, id, plan, None)
        } else {
            let view = View::linked(graph, duplicates);
            let is_dead = |id| graph.is_dead(id);
            let again = scratches
                .lend(|_, walk| builder.plan(&view, &mut space.member(id), level, is_dead, walk));
            builder.link_one(draft, id, again, None)
        };
        self.entered = Some((id, meeting));
        Ok(id)
    }

    /// Works out what becomes of the graph without a point that lives, and repairs some other lists.
    pub(crate) fn remove(&mut self, id: Id) {
        let Hnsw { graph, scratches, .. } = self.index;
        let (builder, draft) = (self.index.builder(&|_, _| {}), &mut self.draft);
        let (gone, distances) = scratches.lend(|_, walk| builder.remove(draft, id, walk));
        self.gone = gone;
        self.distances += distances;
        let live = graph.len() - graph.removals() as usize;
        let share = graph.len().div_ceil((live / SWEEP_SHARE).max(SWEEP_LEAST));
        for _ in 0..share {
            let id =
                if (self.next_repaired as usize) < graph.len() { self.next_repaired } else { 0 };
            self.next_repaired = id + 1;
            if !draft.is_dead(id) {
                self.distances += builder.repair_lists(draft, id);
            }
        }
    }

    /// Carries out what was worked out, lets `name` give the new point its key, and publishes: searches that
    /// begin from now on see it. `name` must not fail.
    pub(crate) fn commit(self, name: impl FnOnce()) {
        self.commit_all(name, || ());
    }

    /// Carries out what was worked out, publishes, and lets `free` give the key of a removed point free.
    pub(crate) fn commit_and(self, free: impl FnOnce()) {
        self.commit_all(|| (), free);
    }

    fn commit_all(mut self, name: impl FnOnce(), free: impl FnOnce()) {
        let Hnsw { graph, duplicates, .. } = self.index;
        self.writer.is_broken = true;
        self.draft.commit();
        if let Some((id, meeting)) = self.entered {
            duplicates.enter(id, meeting);
        }
        match self.gone {
            Some(Gone::First { hash, id, first_copy }) => duplicates.remove(hash, id, first_copy),
            Some(Gone::Last { copy, before }) => duplicates.shorten(copy, before),
            None => {}
        }
        name();
        graph.publish();
        free();
        self.index.count(self.distances);
        self.writer.next_repaired = self.next_repaired;
        self.writer.is_broken = false;
    }

    /// Pushes points that were inspected, and starts the threads that will link them.
    pub(crate) fn push_batch<'b, P: Borrow<S::Point>>(
        &mut self,
        points: &[P],
        build: Build<'b>,
    ) -> Result<Batch<'b>, InsertError<S::PointError>> {
        let threads = build.threads.start_apart(points.len()).map_err(InsertError::Threads)?;
        let ids = self.reserve(points)?;
        self.index.graph.freeze().map_err(InsertError::Memory)?;
        for ((place, point), expected) in points.iter().enumerate().zip(ids.clone()) {
            self.push(point.borrow(), place, expected)?;
        }
        Ok(Batch { ids, threads, build })
    }

    /// Pushes the point at `place` of a call into the space.
    fn push(
        &self,
        point: &S::Point,
        place: usize,
        expected: Id,
    ) -> Result<Id, InsertError<S::PointError>> {
        let pushed = self.index.space.push(point);
        let id = pushed.map_err(|error| InsertError::Point { place, error })?;
        // Keys and memory are reserved for the ids that are next.
        if id == expected { Ok(id) } else { Err(InsertError::OutOfTurn { place, id, expected }) }
    }

    /// Links points that were pushed, in parallel, lets `name` give them their keys, and publishes. If code
    /// of the space panics, the points are as if they had never been there.
    pub(crate) fn link_batch(
        mut self,
        batch: Batch<'_>,
        name: impl FnOnce(),
    ) -> Result<(), InsertError<S::PointError>> {
        let (index, Batch { ids, threads, build }) = (self.index, batch);
        let Hnsw { space, graph, duplicates, .. } = index;
        let entry = graph.entry();
        let progress = Progress::new(build.progress, &index.reporting);
        let work = || threads.run(|| duplicates.split(space, ids.clone()));
        let split = work().map_err(InsertError::Threads)?;
        Draft::new(graph, ids.clone()).commit();
        let tell = |done, total| progress.tell(done, total);
        let work = || {
            let builder = index.builder(&tell);
            threads.run(|| builder.link(graph, ids.clone(), split.firsts(), &split.copies))
        };
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(distances)) => index.count(distances),
            Ok(Err(error)) => {
                self.undo(ids, &split, entry);
                return Err(InsertError::Threads(error));
            }
            Err(panic) => {
                self.undo(ids, &split, entry);
                drop(self);
                resume_unwind(panic);
            }
        }
        self.writer.is_broken = true;
        name();
        graph.publish();
        self.writer.is_broken = false;
        drop(self);
        progress.end();
        Ok(())
    }

    /// Takes points of a batch out of the graph, of which any number may be linked. Lists that lost links
    /// for them get others as removals repair them.
    fn undo(&mut self, ids: Range<Id>, split: &Split, entry: Option<Id>) {
        let Hnsw { graph, duplicates, .. } = self.index;
        self.writer.is_broken = true;
        let mut draft = Draft::none(graph);
        for (before, copy) in split.copies.iter().filter(|(before, _)| !ids.contains(before)) {
            let links = draft.links(*before, 0).filter(|link| link != copy).collect();
            draft.set_links(*before, 0, links);
        }
        ids.clone().for_each(|id| draft.orphan(id));
        ids.for_each(|id| draft.end(id, None));
        draft.set_entry(entry);
        draft.commit();
        duplicates.undo(split);
        graph.publish();
        self.writer.is_broken = false;
    }
}

/// Points that are in the space and wait to be linked, all of them or none.
pub(crate) struct Batch<'a> {
    ids: Range<Id>,
    threads: Apart,
    build: Build<'a>,
}

impl Batch<'_> {
    pub(crate) fn ids(&self) -> Range<Id> {
        self.ids.clone()
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
