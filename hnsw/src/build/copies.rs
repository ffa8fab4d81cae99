//! Equal rows: found by hash, linked as one point.
//!
//! A thousand equal rows are each other's nearest neighbours. Linked like other points they fill
//! every candidate list near them and close up into a clique that nobody outside is linked from:
//! hnswlib, usearch and faiss lose up to 95 % of the other points so. Here the first of them is
//! linked normally and the others, the *copies*, hang behind it in a chain.

use std::ops::Range;

use hashbrown::HashTable;
use rayon::prelude::*;

use crate::id::Id;
use crate::space::Space;

/// Finds for a point the last point before it with an equal row.
#[derive(Debug, Default)]
pub(crate) struct Originals {
    /// For each distinct row the last of its points: where the next copy is chained.
    last: HashTable<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// Low half of the row's fingerprint, so that growing the table reads no rows.
    fingerprint: u32,
    id: Id,
}

impl Last {
    fn hash(&self) -> u64 {
        // The fingerprint is uniform, but hashbrown wants the high bits filled too.
        crate::graph::mix(u64::from(self.fingerprint))
    }
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
        let fingerprints: Vec<u64> =
            ids.clone().into_par_iter().map(|id| space.fingerprint(id)).collect();
        self.last.reserve(ids.len(), Last::hash);
        for (id, fingerprint) in ids.zip(fingerprints) {
            let last = Last { fingerprint: fingerprint as u32, id };
            let equal =
                |other: &Last| other.fingerprint == last.fingerprint && space.equal(other.id, id);
            match self.last.entry(last.hash(), equal, Last::hash) {
                hashbrown::hash_table::Entry::Occupied(mut entry) => {
                    copies.push((entry.get().id, id));
                    entry.get_mut().id = id;
                }
                hashbrown::hash_table::Entry::Vacant(entry) => {
                    entry.insert(last);
                    new.push(id);
                }
            }
        }
        (new, copies)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.last.allocation_size()
    }
}
