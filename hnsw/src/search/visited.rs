//! The set of points that a search has seen.

use super::trim::trim;
use crate::id::Id;

/// One bit per point: 125 kB for a million points stay in the L2 cache, where four-byte epochs
/// would not. Cleared by the list of what was set, so clearing costs what the search touched.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    seen: Vec<Id>,
}

impl Visited {
    /// Empties the set and makes room for ids below `len`.
    pub(crate) fn clear(&mut self, len: usize) {
        for id in self.seen.drain(..) {
            self.words[id as usize / 64] = 0;
        }
        self.words.resize(self.words.len().max(len.div_ceil(64)), 0);
    }

    /// Gives back the memory for ids that only a very wide search has met.
    pub(crate) fn trim(&mut self) {
        self.clear(0);
        trim(&mut self.seen);
    }

    /// All that were added since it was cleared, in their order.
    pub(crate) fn seen(&self) -> &[Id] {
        &self.seen
    }

    /// Whether `id` was added.
    pub(crate) fn has(&self, id: Id) -> bool {
        self.words.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// Adds `ids`, of which there are at most `most`, and returns those that were new. Whether one is
    /// cannot be predicted, so nothing branches on it.
    #[inline(always)]
    pub(crate) fn add(&mut self, ids: impl Iterator<Item = Id>, most: usize) -> &[Id] {
        let first = self.seen.len();
        self.seen.resize(first + most, 0);
        let mut end = first;
        for id in ids {
            let word = &mut self.words[id as usize / 64];
            let before = *word;
            *word |= 1 << (id % 64);
            self.seen[end] = id;
            end += usize::from(before >> (id % 64) & 1 == 0);
        }
        self.seen.truncate(end);
        &self.seen[first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_until_cleared() {
        let mut visited = Visited::default();
        for len in [10, 200, 100] {
            visited.clear(len);
            let every_third: Vec<Id> = (0..len as Id).step_by(3).collect();
            assert_eq!(visited.add(every_third.iter().copied(), len), every_third);
            let others = (0..len as Id).filter(|id| id % 3 != 0);
            assert_eq!(visited.add(0..len as Id, len), others.collect::<Vec<_>>());
            assert_eq!(visited.add([5, 1].into_iter(), 2), []);
            assert_eq!(visited.seen().len(), len);
            assert!(visited.has(len as Id - 1) && !visited.has(1000));
        }
    }
}
