//! Equal rows: found by hash, linked as one point.
//!
//! A thousand equal rows are each other's nearest neighbours. Linked like other points they fill
//! every candidate list near them and close up into a clique that nobody outside is linked from:
//! hnswlib, usearch and faiss lose up to 95 % of the other points so. Here the first of them is
//! linked normally and the others, the *copies*, hang behind it in a chain.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;

use crate::file::{Corruption, Head, Kind, Parts, ReadError, Source};
use crate::graph::Graph;
use crate::id::Id;
use crate::space::{Scorer, Space};
use crate::store::{HashIndex, MOST, Table};

/// The first point of every distinct row, the *original*, found by the row; and the last point of
/// every chain behind one. Searches look a query up here, too: a point that equals it is where they
/// begin (ADR 10).
///
/// Where more rows have one fingerprint than it pays to compare, or rows were chosen so that their hashes
/// crowd, some originals are *unlisted*: they cannot be found by their row. A row that equals one is
/// another original, linked as if the rows were different.
#[derive(Debug)]
pub(crate) struct Duplicates {
    index: HashIndex,
    /// For each point a number, 0 where there is none, else one more than an id: of an original that has
    /// copies the last of them, of this copy the original, of an unlisted original itself. An original
    /// comes before its copies. Only the one writer reads and writes here.
    ends: Table<AtomicU32>,
}

/// What is known of a new point before it is [entered](Duplicates::enter).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meeting {
    hash: u64,
    /// The original that equals it.
    original: Option<Id>,
}

/// New points, in ascending order of ids.
#[derive(Debug)]
pub(crate) struct Split {
    /// Those with a row of their own, and the hashes of the rows.
    new: Vec<(Id, u64)>,
    /// The others, each behind the point to follow in its chain.
    pub(crate) copies: Vec<(Id, Id)>,
}

impl Split {
    /// Those with a row of their own.
    pub(crate) fn firsts(&self) -> Vec<Id> {
        self.new.iter().map(|(id, _)| *id).collect()
    }
}

impl Default for Duplicates {
    fn default() -> Self {
        Self { index: HashIndex::bounded(), ends: Table::with_capacity(0, 1) }
    }
}

impl Duplicates {
    /// The original that equals the target of a scorer, which knows the points below `reach`.
    pub(crate) fn equal_to(&self, scorer: &impl Scorer, reach: usize) -> Option<Id> {
        let hash = mixed(scorer.fingerprint()?);
        // A search waits for nobody. It finds its way without, in all likelihood.
        self.index.look(hash, |id| (id as usize) < reach && scorer.equals_target(id)).ok().flatten()
    }

    /// Sees to it that the points `ids` can be entered without fail. Changes nothing else.
    ///
    /// # Errors
    /// When the system refuses memory.
    pub(crate) fn reserve(&self, ids: Range<Id>) -> io::Result<()> {
        self.index.reserve(ids.len())?;
        self.ends.reserve(ids.end as usize)?;
        self.ends.grow_to(ids.end as usize);
        Ok(())
    }

    /// Bytes by which this grows when `additional` points are entered.
    pub(crate) fn bytes_for(&self, additional: usize) -> usize {
        self.index.bytes_for(additional) + additional * size_of::<AtomicU32>()
    }

    /// Compares a new point with the originals. Changes nothing; the space may panic.
    pub(crate) fn meet<S: Space>(&self, space: &S, id: Id) -> Meeting {
        let hash = hash(space, id);
        let original = self.index.find(hash, |other| space.equal(other, id));
        Meeting { hash, original }
    }

    /// Enters a point, for which there is [memory](Self::reserve); if it has an equal, returns the last
    /// point of the chain that it joins. Nothing was entered or removed since it was met.
    pub(crate) fn enter(&self, id: Id, meeting: Meeting) -> Option<Id> {
        let Some((original, last)) = self.chain_of(&meeting) else {
            let is_listed = self.index.insert(meeting.hash, id);
            self.set_end(id, (!is_listed).then_some(id));
            return None;
        };
        self.set_end(last, None);
        self.join(original, id);
        Some(last)
    }

    /// The last point of the chain that a point joins which was met, if it is a copy.
    pub(crate) fn tail(&self, meeting: &Meeting) -> Option<Id> {
        self.chain_of(meeting).map(|(_, last)| last)
    }

    /// The first and the last point of the chain of equal points.
    fn chain_of(&self, meeting: &Meeting) -> Option<(Id, Id)> {
        let original = meeting.original?;
        let last = self.end(original).unwrap_or(original);
        // An unlisted original cannot be found again when its copies should move up.
        let is_listed = last != original || self.end(original).is_none();
        is_listed.then_some((original, last))
    }

    /// Enters new points, for which there is [memory](Self::reserve), and splits them into those with a
    /// row of their own and, for the others, pairs of the point to follow in its chain and the copy; both
    /// ascending by id. The space may panic before anything has changed.
    pub(crate) fn split<S: Space>(&self, space: &S, ids: Range<Id>) -> Split {
        let (mut new, mut copies) = (Vec::with_capacity(ids.len()), Vec::new());
        let meetings = self.meet_all(space, ids.clone());
        self.index.grow(ids.len());
        for (id, meeting) in ids.zip(meetings) {
            match self.enter(id, meeting) {
                Some(before) => copies.push((before, id)),
                None => new.push((id, meeting.hash)),
            }
        }
        Split { new, copies }
    }

    /// Forgets points that were entered last, all together.
    pub(crate) fn undo(&self, split: &Split) {
        split.copies.iter().rev().for_each(|(before, copy)| self.shorten(*copy, *before));
        split.new.iter().for_each(|(id, hash)| self.remove(*hash, *id, None));
    }

    /// Compares new points with the originals, and with those of them that come earlier.
    fn meet_all<S: Space>(&self, space: &S, ids: Range<Id>) -> Vec<Meeting> {
        let first = ids.start;
        let meet = |id: Id| self.meet(space, id);
        let mut meetings: Vec<Meeting> = ids.clone().into_par_iter().map(meet).collect();
        let hash_of = |id: &Id| meetings[(*id - first) as usize].hash;
        let is_new = |id: &Id| meetings[(*id - first) as usize].original.is_none();
        let mut new: Vec<Id> = ids.filter(is_new).collect();
        new.par_sort_unstable_by_key(|id| (hash_of(id), *id));
        let alike: Vec<&[Id]> = new.chunk_by(|a, b| hash_of(a) == hash_of(b)).collect();
        let copies = alike.into_par_iter().flat_map_iter(|alike| copies(space, alike));
        let copies: Vec<(Id, Id)> = copies.collect();
        for (original, copy) in copies {
            meetings[(copy - first) as usize].original = Some(original);
        }
        meetings
    }

    /// What an original, which is about to go, is found by. The space may panic.
    pub(crate) fn hash<S: Space>(&self, space: &S, original: Id) -> u64 {
        hash(space, original)
    }

    /// Forgets an original, which has this hash. Its first copy, if it has one, is the original now.
    pub(crate) fn remove(&self, hash: u64, original: Id, first_copy: Option<Id>) {
        let last = self.end(original);
        self.set_end(original, None);
        let Some(first_copy) = first_copy else { return self.index.remove(hash, original) };
        self.index.replace(hash, original, first_copy);
        match last {
            Some(last) if last != first_copy => self.join(first_copy, last),
            _ => self.set_end(first_copy, None),
        }
    }

    /// Forgets the last copy in a chain; the point before it is the last now.
    pub(crate) fn shorten(&self, copy: Id, before: Id) {
        let Some(original) = self.end(copy) else { return };
        self.set_end(copy, None);
        if original == before {
            self.set_end(original, None);
        } else {
            self.join(original, before);
        }
    }

    /// Adds the index of hashes, and the ends of chains in the order of their originals.
    pub(crate) fn save<'a>(&'a self, parts: &mut Parts<'a>) {
        self.index.save(parts);
        let with_end = |id: Id| Some([id, self.end(id).filter(|end| *end >= id)?]);
        let pairs = (0..self.ends.len() as Id).filter_map(with_end);
        parts.bytes(Kind::Tails, pairs.flatten().flat_map(Id::to_le_bytes).collect());
    }

    /// What was saved; the ends of chains are missing until it is [verified](Self::verify).
    pub(crate) fn restore(head: &Head, source: &mut Source) -> Result<Self, ReadError> {
        let ends = Table::with_capacity(0, 1);
        ends.reserve(head.points as usize)?;
        ends.grow_to(head.points as usize);
        Ok(Self { index: HashIndex::restore(source)?, ends })
    }

    /// A point of a file's graph that is not found by its row in the space, so that the graph was built over
    /// another one; looked for among `most` that lie evenly. `tails` are those of the file.
    pub(crate) fn stranger<S: Space>(
        &self,
        space: &S,
        graph: &Graph,
        tails: &[u8],
        most: usize,
    ) -> Option<Id> {
        if graph.is_imported() {
            return None;
        }
        let numbers: Vec<Id> =
            tails.as_chunks::<4>().0.iter().map(|id| Id::from_le_bytes(*id)).collect();
        let pairs = numbers.as_chunks::<2>().0;
        let is_unlisted = |id: &Id| pairs.binary_search(&[*id, *id]).is_ok();
        let ids = 0..graph.len() as Id;
        let ids = ids.step_by(graph.len().div_ceil(most).max(1));
        let mut originals = ids.filter(|id| !graph.is_dead(*id) && !graph.is_copy(*id));
        originals.find(|id| {
            let is_found = self.index.find(hash(space, *id), |other| other == *id).is_some();
            !is_found && !is_unlisted(id)
        })
    }

    /// Verifies that the index of hashes knows every listed original of a verified graph and nothing else,
    /// and learns the ends of chains.
    pub(crate) fn verify<S: Space>(
        &self,
        space: &S,
        graph: &Graph,
        tails: &[u8],
    ) -> Result<(), Corruption> {
        let saved = tails.as_chunks::<4>().0.iter().map(|id| Id::from_le_bytes(*id));
        let saved: Vec<Id> = saved.collect();
        let (saved, rest) = saved.as_chunks::<2>();
        // Those of an imported graph are not looked up.
        let is_original = |id: &Id| {
            let is_linked = (*id as usize) < graph.len() && !graph.is_dead(*id);
            is_linked && !graph.is_copy(*id) && !graph.is_imported()
        };
        let is_listed = |id: &Id| saved.binary_search(&[*id, *id]).is_err();
        let firsts = || graph.living().filter(is_original);
        let hash_of = |id: Id| (is_original(&id) && is_listed(&id)).then(|| hash(space, id));
        self.index.verify(firsts().filter(is_listed).count(), hash_of)?;
        let mut ends = Vec::new();
        for id in firsts() {
            let chain = std::iter::successors(graph.next_copy(id), |copy| graph.next_copy(*copy));
            if let Some(copy) = chain.clone().find(|copy| !space.equal(*copy, id)) {
                return Err(Corruption::Item { section: Kind::Copies, item: u64::from(copy) / 64 });
            }
            let unlisted = || (!is_listed(&id)).then_some(id);
            ends.extend(chain.last().or_else(unlisted).map(|end| [id, end]));
        }
        let (expected, found) = (ends.len() as u64, saved.len() as u64);
        if expected != found || !rest.is_empty() {
            return Err(Corruption::Count { section: Kind::Tails, expected, found });
        }
        if let Some(item) = ends.iter().zip(saved).position(|(end, saved)| end != saved) {
            return Err(Corruption::Item { section: Kind::Tails, item: item as u64 });
        }
        ends.into_iter().for_each(|[original, end]| self.join(original, end));
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes() + self.ends.bytes()
    }

    /// Makes `copy` the last in the chain of an original.
    fn join(&self, original: Id, copy: Id) {
        self.set_end(original, Some(copy));
        self.set_end(copy, Some(original));
    }

    fn end(&self, id: Id) -> Option<Id> {
        self.ends.row(id)[0].load(Relaxed).checked_sub(1)
    }

    fn set_end(&self, id: Id, end: Option<Id>) {
        self.ends.row(id)[0].store(end.map_or(0, |end| end + 1), Relaxed);
    }
}

/// Among points of one hash, ascending, each that equals an earlier one, behind that. Whatever the hash,
/// a point is compared with few.
fn copies<S: Space>(space: &S, alike: &[Id]) -> Vec<(Id, Id)> {
    let (mut originals, mut copies) = (Vec::new(), Vec::new());
    for id in alike {
        match originals.iter().find(|original| space.equal(**original, *id)) {
            Some(original) => copies.push((*original, *id)),
            None if originals.len() < MOST => originals.push(*id),
            None => {}
        }
    }
    copies
}

fn hash<S: Space>(space: &S, id: Id) -> u64 {
    mixed(space.fingerprint(id))
}

/// A space of the user's own may leave bits of its fingerprints empty; the index uses the highest and the
/// lowest.
fn mixed(fingerprint: u64) -> u64 {
    crate::graph::mix(fingerprint)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::hash::{Hash, Hasher};
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::space::{PointMetric, Points};

    /// How many calls of a point's code go well before one panics: in any thread, since points are
    /// compared in parallel.
    static GOOD_CALLS: AtomicUsize = AtomicUsize::new(usize::MAX);

    fn call() {
        assert!(GOOD_CALLS.fetch_sub(1, Relaxed) > 0, "a point's code has panicked");
    }

    /// A point whose code can panic, if it is counted. Of those that are equal all have one hash, and some
    /// others.
    #[derive(Clone, Debug)]
    struct Fickle {
        number: u64,
        is_counted: bool,
    }

    impl Fickle {
        fn number(&self) -> u64 {
            if self.is_counted {
                call();
            }
            self.number
        }
    }

    impl PartialEq for Fickle {
        fn eq(&self, other: &Self) -> bool {
            self.number() == other.number
        }
    }

    impl Eq for Fickle {}

    impl Hash for Fickle {
        fn hash<H: Hasher>(&self, state: &mut H) {
            (self.number() % 10).hash(state);
        }
    }

    struct Apart;

    impl PointMetric for Apart {
        type Point = Fickle;
        type Error = Infallible;

        fn distance(&self, a: &Fickle, b: &Fickle) -> f32 {
            a.number.abs_diff(b.number) as f32
        }
    }

    fn points(numbers: impl IntoIterator<Item = u64>) -> Points<Apart> {
        points_of(numbers.into_iter().map(|number| Fickle { number, is_counted: false }))
    }

    fn points_of(all: impl Iterator<Item = Fickle>) -> Points<Apart> {
        let mut points = Points::new(Apart).with_equality();
        points.extend(all).unwrap();
        points
    }

    fn contents(duplicates: &Duplicates, space: &Points<Apart>) -> Vec<Meeting> {
        (0..space.len() as Id).map(|id| duplicates.meet(space, id)).collect()
    }

    /// Points with rows of their own, and copies behind the points that they follow.
    type NewAndCopies = (Vec<Id>, Vec<(Id, Id)>);

    fn split(duplicates: &Duplicates, space: &Points<Apart>, ids: Range<Id>) -> NewAndCopies {
        duplicates.reserve(ids.clone()).unwrap();
        let split = duplicates.split(space, ids);
        (split.firsts(), split.copies)
    }

    fn one_by_one(duplicates: &Duplicates, space: &Points<Apart>, ids: Range<Id>) -> NewAndCopies {
        let (mut new, mut copies) = (Vec::new(), Vec::new());
        for id in ids {
            duplicates.reserve(id..id + 1).unwrap();
            match duplicates.enter(id, duplicates.meet(space, id)) {
                Some(before) => copies.push((before, id)),
                None => new.push(id),
            }
        }
        (new, copies)
    }

    #[test]
    fn a_batch_is_split_as_if_its_points_came_one_by_one() {
        let space = points((0..1000).map(|id| id * id % 97 % 41));
        let (batches, single) = (Duplicates::default(), Duplicates::default());
        for ids in [0..300, 300..301, 301..1000] {
            let batch = split(&batches, &space, ids.clone());
            assert_eq!(batch, one_by_one(&single, &space, ids));
        }
        assert_eq!(contents(&batches, &space), contents(&single, &space));
    }

    #[test]
    fn where_many_rows_have_one_fingerprint_the_later_ones_are_unlisted() {
        // 200 rows with each of ten hashes, and each row again.
        let space = points((0..4000).map(|id| id % 2000));
        let duplicates = Duplicates::default();
        let (new, copies) = split(&duplicates, &space, 0..4000);
        assert!(copies.iter().all(|(before, copy)| before + 2000 == *copy));
        assert_eq!((new.len(), copies.len()), (4000 - 10 * MOST, 10 * MOST));
        // They come and go as others do.
        for (before, copy) in copies {
            duplicates.shorten(copy, before);
        }
        for id in (0..2000).chain(new.into_iter().filter(|id| *id >= 2000)) {
            duplicates.remove(duplicates.hash(&space, id), id, None);
        }
        assert!(contents(&duplicates, &space).iter().all(|meeting| meeting.original.is_none()));
        let (new, copies) = split(&duplicates, &space, 0..5);
        assert_eq!((new.len(), copies.len()), (5, 0));
    }

    #[test]
    fn a_space_that_panics_leaves_all_as_before() {
        let point = |id: u64| Fickle { number: id % 60, is_counted: true };
        let space = points_of((0..300).map(point));
        let duplicates = Duplicates::default();
        split(&duplicates, &space, 0..100);
        let before = contents(&duplicates, &space);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        for good_calls in 0.. {
            let batch = || split(&duplicates, &space, 100..300);
            GOOD_CALLS.store(good_calls, Relaxed);
            let batch = std::panic::catch_unwind(std::panic::AssertUnwindSafe(batch));
            GOOD_CALLS.store(usize::MAX, Relaxed);
            if let Ok((new, copies)) = batch {
                assert_eq!((new.len(), copies.len()), (0, 200));
                break;
            }
            assert_eq!(contents(&duplicates, &space), before);
        }
        std::panic::set_hook(hook);
    }

    #[test]
    fn a_batch_that_is_undone_was_never_there() {
        let space = points((0..300).map(|id| id % 60));
        let duplicates = Duplicates::default();
        split(&duplicates, &space, 0..50);
        let before = contents(&duplicates, &space);
        duplicates.reserve(50..300).unwrap();
        duplicates.undo(&duplicates.split(&space, 50..300));
        assert_eq!(contents(&duplicates, &space), before);
        assert_eq!(split(&duplicates, &space, 50..53).1, []);
    }

    #[test]
    fn the_last_of_a_chain_is_known_whatever_goes() {
        let space = points([7; 6]);
        let duplicates = Duplicates::default();
        duplicates.reserve(0..6).unwrap();
        assert_eq!(split(&duplicates, &space, 0..4), (vec![0], vec![(0, 1), (1, 2), (2, 3)]));
        // The original goes, and then the last copy.
        duplicates.remove(duplicates.hash(&space, 0), 0, Some(1));
        duplicates.shorten(3, 2);
        assert_eq!(duplicates.enter(4, duplicates.meet(&space, 4)), Some(2));
        duplicates.shorten(4, 2);
        duplicates.shorten(2, 1);
        assert_eq!(duplicates.enter(5, duplicates.meet(&space, 5)), Some(1));
        duplicates.remove(duplicates.hash(&space, 1), 1, Some(5));
        assert_eq!(duplicates.meet(&space, 0).original, Some(5));
    }
}
