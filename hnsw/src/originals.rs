//! Equal rows: found by hash, linked as one point.
//!
//! A thousand equal rows are each other's nearest neighbours. Linked like other points they fill
//! every candidate list near them and close up into a clique that nobody outside is linked from:
//! hnswlib, usearch and faiss lose up to 95 % of the other points so. Here the first of them is
//! linked normally and the others, the *copies*, hang behind it in a chain.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use crate::directory::Directory;
use crate::format::{Damage, Kind, Parts, ReadError, Source};
use crate::graph::Graph;
use crate::id::Id;
use crate::space::{Scorer, Space};

/// The first point of every distinct row, the *original*, found by the row; and the last point of
/// every chain behind one. Searches look a query up here, too: a point that equals it is where they
/// begin (ADR 10).
#[derive(Debug, Default)]
pub(crate) struct Originals {
    directory: Directory,
    /// Only of originals that have copies. The one writer has the lock always.
    tails: Mutex<HashMap<Id, Id>>,
}

impl Originals {
    /// The original that equals the target of a scorer, which knows the points below `reach`.
    pub(crate) fn equal_to(&self, scorer: &impl Scorer, reach: usize) -> Option<Id> {
        let hash = mixed(scorer.fingerprint()?);
        // A search waits for nobody. It finds its way without, in all likelihood.
        self.directory.look(hash, |id| (id as usize) < reach && scorer.is_at(id)).ok().flatten()
    }

    /// Splits new points into those with a row of their own and, for the others, pairs of the point
    /// to follow in its chain and the copy; both ascending by id.
    pub(crate) fn split<S: Space>(&self, space: &S, ids: Range<Id>) -> (Vec<Id>, Vec<(Id, Id)>) {
        let (mut new, mut copies) = (Vec::with_capacity(ids.len()), Vec::new());
        let hashes: Vec<u64> = ids.clone().into_par_iter().map(|id| hash(space, id)).collect();
        self.directory.reserve(ids.len(), |id| hash(space, id));
        for (id, hash) in ids.zip(hashes) {
            match self.add_hashed(space, id, hash) {
                Some(before) => copies.push((before, id)),
                None => new.push(id),
            }
        }
        (new, copies)
    }

    /// Adds one point; if it has an equal, returns the last point of the chain that it joins.
    pub(crate) fn add<S: Space>(&self, space: &S, id: Id) -> Option<Id> {
        self.add_hashed(space, id, hash(space, id))
    }

    fn add_hashed<S: Space>(&self, space: &S, id: Id, hashed: u64) -> Option<Id> {
        let Some(original) = self.directory.find(hashed, |other| space.equal(other, id)) else {
            self.directory.insert(hashed, id, |id| hash(space, id));
            return None;
        };
        Some(self.tails().insert(original, id).unwrap_or(original))
    }

    /// Forgets an original. Its first copy, if it has one, is the original now.
    pub(crate) fn remove<S: Space>(&self, space: &S, original: Id, heir: Option<Id>) {
        let hashed = hash(space, original);
        let tail = self.tails().remove(&original);
        match heir {
            None => self.directory.remove(hashed, original, |id| hash(space, id)),
            Some(heir) => {
                self.directory.replace(hashed, original, heir);
                if let Some(tail) = tail.filter(|tail| *tail != heir) {
                    self.tails().insert(heir, tail);
                }
            }
        }
    }

    /// Forgets the last copy in a chain; the point before it is the last now.
    pub(crate) fn shorten<S: Space>(&self, space: &S, copy: Id, before: Id) {
        let original = self.directory.find(hash(space, copy), |other| space.equal(other, copy));
        let Some(original) = original else { return };
        if original == before {
            self.tails().remove(&original);
        } else {
            self.tails().insert(original, before);
        }
    }

    /// Adds the directory, and the ends of chains in the order of their originals.
    pub(crate) fn save<'a>(&'a self, parts: &mut Parts<'a>) {
        self.directory.save(parts);
        let mut tails: Vec<(Id, Id)> = self.tails().iter().map(|(a, b)| (*a, *b)).collect();
        tails.sort_unstable();
        let bytes = tails.iter().flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()]);
        parts.bytes(Kind::Tails, bytes.flatten().collect());
    }

    /// What was saved; the ends of chains are missing until it is [verified](Self::verify).
    pub(crate) fn restore(source: &mut Source) -> Result<Self, ReadError> {
        Ok(Self { directory: Directory::restore(source)?, tails: Mutex::default() })
    }

    /// Verifies that the directory knows every original of a verified graph and nothing else, and learns
    /// the ends of chains.
    pub(crate) fn verify<S: Space>(
        &self,
        space: &S,
        graph: &Graph,
        tails: &[u8],
    ) -> Result<(), Damage> {
        // Those of an imported graph are not looked up.
        let is_original = |id: &Id| {
            let is_linked = (*id as usize) < graph.len() && !graph.is_dead(*id);
            is_linked && !graph.is_copy(*id) && !graph.is_imported()
        };
        let originals = || graph.living().filter(is_original);
        let hash_of = |id: Id| is_original(&id).then(|| hash(space, id));
        self.directory.verify(originals().count(), hash_of)?;
        let mut ends = HashMap::new();
        for id in originals() {
            let chain = std::iter::successors(graph.next_copy(id), |copy| graph.next_copy(*copy));
            if let Some(copy) = chain.clone().find(|copy| !space.equal(*copy, id)) {
                return Err(Damage::Item { section: Kind::Copies, item: u64::from(copy) / 64 });
            }
            ends.extend(chain.last().map(|tail| (id, tail)));
        }
        let saved = tails.as_chunks::<4>().0.iter().map(|id| Id::from_le_bytes(*id));
        let saved: Vec<Id> = saved.collect();
        let (expected, found) = (ends.len() as u64, saved.len() as u64 / 2);
        if expected != found || saved.len() % 2 == 1 {
            return Err(Damage::Count { section: Kind::Tails, expected, found });
        }
        let is_end = |pair: &[Id]| ends.get(&pair[0]) == Some(&pair[1]);
        match saved.chunks_exact(2).position(|pair| !is_end(pair)) {
            Some(item) => Err(Damage::Item { section: Kind::Tails, item: item as u64 }),
            None => {
                *self.tails() = ends;
                Ok(())
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.directory.bytes() + self.tails().capacity() * size_of::<[Id; 3]>()
    }

    fn tails(&self) -> MutexGuard<'_, HashMap<Id, Id>> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash<S: Space>(space: &S, id: Id) -> u64 {
    mixed(space.fingerprint(id))
}

/// A space of the user's own may leave bits of its fingerprints empty; the directory uses the highest
/// and the lowest.
fn mixed(fingerprint: u64) -> u64 {
    crate::graph::mix(fingerprint)
}
