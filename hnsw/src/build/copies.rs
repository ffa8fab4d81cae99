//! Equal rows: found by hash, linked as one point.
//!
//! A thousand equal rows are each other's nearest neighbours. Linked like other points they fill
//! every candidate list near them and close up into a clique that nobody outside is linked from:
//! hnswlib, usearch and faiss lose up to 95 % of the other points so. Here the first of them is
//! linked normally and the others, the *copies*, hang behind it in a chain.

use std::ops::Range;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayon::prelude::*;

use crate::id::Id;
use crate::space::Space;

/// Finds for a point the last point before it with an equal row.
#[derive(Debug, Default)]
pub(crate) struct Originals {
    /// For each distinct row the last of its points: where the next copy is chained. Ids alone: the
    /// fingerprints of the rows place them, and are computed again when the table grows.
    last: HashTable<Id>,
}

impl Originals {
    /// Splits new points into those with a row of their own and, for the others, pairs of the point
    /// to follow in its chain and the copy; both ascending by id.
    pub(crate) fn split<S: Space>(
        &mut self,
        space: &S,
        ids: Range<Id>,
    ) -> (Vec<Id>, Vec<(Id, Id)>) {
        let (mut new, mut copies) = (Vec::with_capacity(ids.len()), Vec::new());
        // A space of the user's own may leave the high bits empty, and hashbrown wants them filled.
        let hash = |id: &Id| crate::graph::mix(space.fingerprint(*id));
        let hashes: Vec<u64> = ids.clone().into_par_iter().map(|id| hash(&id)).collect();
        self.last.reserve(ids.len(), hash);
        for (id, hashed) in ids.zip(hashes) {
            match self.last.entry(hashed, |other| space.equal(*other, id), hash) {
                Entry::Occupied(mut entry) => {
                    copies.push((std::mem::replace(entry.get_mut(), id), id));
                }
                Entry::Vacant(entry) => {
                    entry.insert(id);
                    new.push(id);
                }
            }
        }
        (new, copies)
    }

    /// Adds one point; if it has an equal, returns the last point of the chain that it joins.
    pub(crate) fn add<S: Space>(&mut self, space: &S, id: Id) -> Option<Id> {
        let hash = |id: &Id| crate::graph::mix(space.fingerprint(*id));
        match self.last.entry(hash(&id), |other| space.equal(*other, id), hash) {
            Entry::Occupied(mut entry) => Some(std::mem::replace(entry.get_mut(), id)),
            Entry::Vacant(entry) => {
                entry.insert(id);
                None
            }
        }
    }

    /// Forgets the last point of a chain; the one before it, if there is one, is the last now.
    pub(crate) fn remove<S: Space>(&mut self, space: &S, id: Id, before: Option<Id>) {
        let hash = crate::graph::mix(space.fingerprint(id));
        let Ok(mut entry) = self.last.find_entry(hash, |last| *last == id) else { return };
        match before {
            Some(before) => *entry.get_mut() = before,
            None => drop(entry.remove()),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.last.allocation_size()
    }
}
