//! Inserting and removing points while others search.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::MutexGuard;
use std::{fmt, io};

use rayon::ThreadPoolBuildError;

use crate::build::{Build, Plan};
use crate::hnsw::{Hnsw, Unwritable, Writer};
use crate::id::{Id, MAX_POINTS};
use crate::search::View;
use crate::space::Store;
use crate::threads::Started;

/// Lists that lead to removed points from far away are looked for when so many points have been
/// removed: a sixteenth of those that live, but at least 64. A sweep reads all lists once, 20 ns each,
/// which this spreads over the removals.
const SWEEP_SHARE: usize = 16;
const SWEEP_LEAST: usize = 64;

impl<S: Store> Hnsw<S> {
    /// Adds a point and returns its id. The search for its neighbours runs beside searches and other
    /// inserts; linking waits for its turn. When this returns, every new search finds the point.
    ///
    /// # Errors
    /// When the point is refused, or ids, memory or the [budget](Self::with_memory_budget) are used up.
    /// The index is then as before.
    pub fn insert(&self, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        let newcomer = self.newcomer(point)?;
        let mut edit = self.edit()?;
        let id = edit.insert(point, newcomer)?;
        edit.publish();
        Ok(id)
    }

    /// Replaces a point by another: one step for searches, which see the one or the other. Returns the
    /// new point's id; the old one is as if [removed](Self::remove).
    ///
    /// # Errors
    /// As [`insert`](Self::insert), and [`InsertError::NoSuchPoint`] when `id` does not live.
    pub fn replace(&self, id: Id, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        let newcomer = self.newcomer(point)?;
        let mut edit = self.edit()?;
        if !edit.lives(id) {
            return Err(InsertError::NoSuchPoint { id });
        }
        let new = edit.insert(point, newcomer)?;
        edit.remove(id);
        edit.publish();
        Ok(new)
    }

    /// Removes a point; whether it was there. Its id is not used again, and its memory is given back
    /// with the index.
    ///
    /// # Errors
    /// When the index cannot be changed.
    pub fn remove(&self, id: Id) -> Result<bool, Unwritable> {
        let mut edit = self.edit()?;
        let lives = edit.lives(id);
        if lives {
            edit.remove(id);
            edit.publish();
        }
        Ok(lives)
    }

    /// Adds points and links them in parallel; returns their ids. With one writer the result does not
    /// depend on the threads. Searches see all of them or none; other writers wait.
    ///
    /// # Errors
    /// As [`insert`](Self::insert); nothing is added then. [`InsertError::Point`] has the place of the
    /// first point that is refused.
    pub fn insert_batch<P: Borrow<S::Point>>(
        &self,
        points: &[P],
        build: Build<'_>,
    ) -> Result<Range<Id>, InsertError<S::PointError>> {
        self.inspect(points)?;
        let threads = build.threads.start().map_err(InsertError::Threads)?;
        let mut edit = self.edit()?;
        let ids = edit.push_batch(points)?;
        edit.link_batch(ids.clone(), &threads, build);
        Ok(ids)
    }

    /// Refuses a batch in which a point cannot be pushed.
    pub(crate) fn inspect<P: Borrow<S::Point>>(
        &self,
        points: &[P],
    ) -> Result<(), InsertError<S::PointError>> {
        let mut scratch = S::Scratch::default();
        for (place, point) in points.iter().enumerate() {
            let newcomer = self.space.newcomer(point.borrow(), &mut scratch);
            newcomer.map_err(|error| InsertError::Point { place, error })?;
        }
        Ok(())
    }

    /// Searches for a new point's neighbours; others may change the graph meanwhile.
    pub(crate) fn newcomer(&self, point: &S::Point) -> Result<Plan, InsertError<S::PointError>> {
        let view = View::new(&self.graph, &self.originals, None);
        let refused = |error| InsertError::Point { place: 0, error };
        self.scratches.lend(|query, walk| {
            let mut target = self.space.newcomer(point, query).map_err(refused)?;
            if self.originals.equal_to(&target, view.reach).is_some() {
                return Ok(Plan::none());
            }
            // Its id, if nobody comes first.
            let level = self.graph.level(view.reach as Id);
            Ok(self.builder(&|_, _| {}).plan(&view, &mut target, level, walk))
        })
    }

    /// Waits for the turn to change the index.
    pub(crate) fn edit(&self) -> Result<Edit<'_, S>, Unwritable> {
        if self.graph.is_imported() {
            return Err(Unwritable::Imported);
        }
        Ok(Edit { index: self, writer: self.settled()? })
    }
}

/// The index in the hands of the one thread that changes it. Searches see what it did once it
/// publishes.
pub(crate) struct Edit<'a, S: Store> {
    index: &'a Hnsw<S>,
    writer: MutexGuard<'a, Writer>,
}

impl<S: Store> Edit<'_, S> {
    pub(crate) fn lives(&self, id: Id) -> bool {
        (id as usize) < self.index.graph.len() && !self.index.graph.is_dead(id)
    }

    /// Pushes a point and links it as planned, or anew if the graph has changed too much.
    pub(crate) fn insert(
        &mut self,
        point: &S::Point,
        plan: Plan,
    ) -> Result<Id, InsertError<S::PointError>> {
        let Hnsw { space, graph, originals, scratches, .. } = self.index;
        self.make_room(1)?;
        let refused = |error| InsertError::Point { place: 0, error };
        let id = space.push(point).map_err(refused)?;
        let meeting = originals.meet(space, id);
        self.take_in(id..id + 1).map_err(InsertError::Memory)?;
        let (builder, level) = (self.index.builder(&|_, _| {}), graph.level(id));
        let distances = if let Some(before) = originals.enter(id, meeting) {
            builder.chain_one(graph, before, id)
        } else if plan.holds(graph, level) {
            builder.link_one(graph, id, plan, None)
        } else {
            let view = View::new(graph, originals, None);
            let again =
                scratches.lend(|_, walk| builder.plan(&view, &mut space.member(id), level, walk));
            builder.link_one(graph, id, again, None)
        };
        self.index.count(distances);
        Ok(id)
    }

    /// Pushes points that were inspected.
    pub(crate) fn push_batch<P: Borrow<S::Point>>(
        &mut self,
        points: &[P],
    ) -> Result<Range<Id>, InsertError<S::PointError>> {
        let space = &self.index.space;
        self.make_room(points.len())?;
        let first = space.len() as Id;
        for (place, point) in points.iter().enumerate() {
            let pushed = space.push(point.borrow());
            pushed.map_err(|error| InsertError::Point { place, error })?;
        }
        let ids = first..first + points.len() as Id;
        self.take_in(ids.clone()).map_err(InsertError::Memory)?;
        Ok(ids)
    }

    /// Links points that were pushed, in parallel, and publishes.
    pub(crate) fn link_batch(&mut self, ids: Range<Id>, threads: &Started<'_>, build: Build<'_>) {
        let index = self.index;
        threads.run(|| index.link(ids, build));
    }

    /// Makes the graph ready for points that were pushed. What else was pushed since the last time, by
    /// somebody else or in a batch that was not completed, will never be linked.
    fn take_in(&mut self, ids: Range<Id>) -> io::Result<()> {
        let graph = &self.index.graph;
        let lost = graph.len() as Id..ids.start;
        graph.grow_to(ids.end as usize)?;
        lost.for_each(|id| graph.end(id, None));
        Ok(())
    }

    /// Refuses points for which there are no ids left, or no memory within the budget.
    pub(crate) fn make_room(&self, points: usize) -> Result<(), InsertError<S::PointError>> {
        let total = self.index.space.len() + points;
        if total > MAX_POINTS {
            return Err(InsertError::TooMany { points: total });
        }
        let ids = self.index.space.len() as Id..total as Id;
        self.index.originals.reserve(ids).map_err(InsertError::Memory)?;
        let Some(budget) = self.index.budget else { return Ok(()) };
        let used = self.index.memory().total();
        let each = used.div_ceil(self.index.graph.len().max(1));
        let needed = used.saturating_add(points.saturating_mul(each));
        if needed > budget { Err(InsertError::Budget { budget, needed }) } else { Ok(()) }
    }

    /// Removes a point that lives.
    pub(crate) fn remove(&mut self, id: Id) {
        let Hnsw { graph, scratches, .. } = self.index;
        let builder = self.index.builder(&|_, _| {});
        let mut distances = scratches.lend(|_, walk| builder.remove(graph, id, walk));
        self.writer.unswept += 1;
        let live = graph.len() - graph.removals() as usize;
        if self.writer.unswept >= (live / SWEEP_SHARE).max(SWEEP_LEAST) {
            distances += builder.sweep(graph);
            self.writer.unswept = 0;
        }
        self.index.count(distances);
    }

    /// Lets searches that begin from now on see what was done.
    pub(crate) fn publish(&self) {
        self.index.graph.publish();
    }
}

/// Why points were not added. The index is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum InsertError<E> {
    /// A point was refused.
    Point {
        /// Its place in the batch, 0 for a single point.
        place: usize,
        /// Why.
        error: E,
    },
    /// The key of a point is there already, or twice in a batch.
    KeyExists {
        /// Its place in the batch, 0 for a single point.
        place: usize,
    },
    /// There is not one key for each point of a batch.
    Keys {
        /// How many keys came.
        keys: usize,
        /// How many points came.
        points: usize,
    },
    /// The point to be replaced does not live.
    NoSuchPoint {
        /// Its id.
        id: Id,
    },
    /// More points than ids, those that were removed among them.
    TooMany {
        /// How many points there would be.
        points: usize,
    },
    /// The memory budget does not allow it.
    Budget {
        /// Bytes allowed.
        budget: usize,
        /// Bytes that would be in use, by the average of the points so far.
        needed: usize,
    },
    /// The system refused memory for the links.
    Memory(io::Error),
    /// The system refused threads.
    Threads(ThreadPoolBuildError),
    /// The index cannot be changed.
    Unwritable(Unwritable),
}

impl<E> From<Unwritable> for InsertError<E> {
    fn from(unwritable: Unwritable) -> Self {
        Self::Unwritable(unwritable)
    }
}

impl<E: fmt::Display> fmt::Display for InsertError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point { place, error } => write!(f, "point {place} was refused: {error}"),
            Self::KeyExists { place } => write!(f, "the key of point {place} is there already"),
            Self::Keys { keys, points } => write!(f, "{keys} keys for {points} points"),
            Self::NoSuchPoint { id } => write!(f, "there is no point {id} to replace"),
            Self::TooMany { points } => {
                write!(f, "{points} points; an index holds at most {MAX_POINTS}")
            }
            Self::Budget { budget, needed } => {
                write!(f, "{needed} bytes would be in use; the budget is {budget}")
            }
            Self::Memory(error) => write!(f, "no memory for the links: {error}"),
            Self::Threads(error) => write!(f, "no threads for the batch: {error}"),
            Self::Unwritable(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for InsertError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Point { error, .. } => Some(error),
            Self::Memory(error) => Some(error),
            Self::Threads(error) => Some(error),
            // It says no more than its cause, which is then in its place.
            Self::Unwritable(error) => error.source(),
            _ => None,
        }
    }
}
