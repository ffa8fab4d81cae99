//! Inserting, replacing and removing points while others search.
//!
//! A point's neighbours are searched for before the writer's turn ([`Plan`]). In its turn
//! ([`Edit`](super::edit::Edit)) a writer reserves memory, works the change out, and commits it.

use std::borrow::Borrow;
use std::ops::Range;

use super::edit::Edit;
use super::hnsw::{Hnsw, Unwritable};
use super::insert_error::InsertError;
use crate::construct::{Build, Plan};
use crate::id::Id;
use crate::search::View;
use crate::space::Store;

impl<S: Store> Hnsw<S> {
    /// Adds a point and returns its id. The search for its neighbours runs beside searches and other
    /// inserts; linking waits for its turn. When this returns, every new search finds the point.
    ///
    /// # Errors
    /// When the point is refused, or ids, memory or the [budget](Self::with_memory_budget) are used up.
    /// The index is then as before.
    pub fn insert(&self, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        let plan = self.plan(point)?;
        let mut edit = self.edit()?;
        let id = edit.insert(point, plan)?;
        edit.commit(|| ());
        Ok(id)
    }

    /// Replaces a point by another: one step for searches, which see the one or the other. Returns the
    /// new point's id; the old one is as if [removed](Self::remove).
    ///
    /// # Errors
    /// As [`insert`](Self::insert), and [`InsertError::NoSuchPoint`] when `id` does not live.
    pub fn replace(&self, id: Id, point: &S::Point) -> Result<Id, InsertError<S::PointError>> {
        let plan = self.plan(point)?;
        let mut edit = self.edit()?;
        if !edit.lives(id) {
            return Err(InsertError::NoSuchPoint { id });
        }
        let new = edit.insert(point, plan)?;
        edit.remove(id);
        edit.commit(|| ());
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
            edit.commit(|| ());
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
        let mut edit = self.edit()?;
        let batch = edit.push_batch(points, build)?;
        let ids = batch.ids();
        edit.link_batch(batch, || ())?;
        Ok(ids)
    }

    /// Refuses a batch in which a point cannot be pushed.
    pub(crate) fn inspect<P: Borrow<S::Point>>(
        &self,
        points: &[P],
    ) -> Result<(), InsertError<S::PointError>> {
        let mut scratch = S::Scratch::default();
        for (place, point) in points.iter().enumerate() {
            let insert_scorer = self.space.insert_scorer(point.borrow(), &mut scratch);
            insert_scorer.map_err(|error| InsertError::Point { place, error })?;
        }
        Ok(())
    }

    /// Searches for a new point's neighbours; others may change the graph meanwhile.
    pub(crate) fn plan(&self, point: &S::Point) -> Result<Plan, InsertError<S::PointError>> {
        let view = View::linked(&self.graph, &self.duplicates);
        let refused = |error| InsertError::Point { place: 0, error };
        self.scratches.lend(|query, walk| {
            let mut target = self.space.insert_scorer(point, query).map_err(refused)?;
            if self.duplicates.equal_to(&target, view.reach).is_some() {
                return Ok(Plan::none());
            }
            // Its id, if nobody comes first.
            let level = self.graph.level(view.reach as Id);
            let is_dead = |id| self.graph.is_dead(id);
            Ok(self.builder(&|_, _| {}).plan(&view, &mut target, level, is_dead, walk))
        })
    }

    /// Waits for the turn to change the index.
    pub(crate) fn edit(&self) -> Result<Edit<'_, S>, Unwritable> {
        if self.graph.is_imported() {
            return Err(Unwritable::Imported);
        }
        Ok(Edit::new(self, self.settled()?))
    }
}
