//! The set of points that a search has seen.

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

    /// Adds `id`; whether it was new.
    #[inline(always)]
    pub(crate) fn insert(&mut self, id: Id) -> bool {
        let word = &mut self.words[id as usize / 64];
        let bit = 1 << (id % 64);
        let new = *word & bit == 0;
        if new {
            *word |= bit;
            self.seen.push(id);
        }
        new
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
            for id in (0..len as Id).step_by(3) {
                assert!(visited.insert(id));
                assert!(!visited.insert(id));
            }
        }
    }
}
