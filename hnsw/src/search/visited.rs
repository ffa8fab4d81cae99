//! The set of points that a search has seen.

use super::trim::trim;
use crate::id::Id;

/// Up to so many points the set has a bit for each. Of more, the bits would be spread over more memory
/// than caches hold, and every scratch memory would have them: 12.5 MB at 10⁸ points.
const MOST_BITS: usize = 1 << 24;

/// One bit per point: 125 kB for a million points stay in the L2 cache, where four-byte epochs
/// would not. Cleared by the list of what was set, so clearing costs what the search touched. Among very
/// many points a [table](Table) of those that were seen.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    table: Table,
    uses_table: bool,
    seen: Vec<Id>,
}

impl Visited {
    /// Empties the set and makes room for ids below `len`.
    pub(crate) fn clear(&mut self, len: usize) {
        self.clear_for(len, len > MOST_BITS);
    }

    fn clear_for(&mut self, len: usize, uses_table: bool) {
        if self.uses_table {
            self.seen.clear();
            self.table.clear();
        }
        for id in self.seen.drain(..) {
            self.words[id as usize / 64] = 0;
        }
        self.uses_table = uses_table;
        if !uses_table {
            self.words.resize(self.words.len().max(len.div_ceil(64)), 0);
        }
    }

    /// Gives back the memory for ids that only a very wide search has met.
    pub(crate) fn trim(&mut self) {
        self.clear(0);
        trim(&mut self.seen);
        self.table.trim();
    }

    /// All that were added since it was cleared, in their order.
    pub(crate) fn seen(&self) -> &[Id] {
        &self.seen
    }

    /// Whether `id` was added.
    pub(crate) fn has(&self, id: Id) -> bool {
        if self.uses_table {
            return self.table.has(id);
        }
        self.words.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// Adds `ids`, of which there are at most `most`, and returns those that were new. Whether one is
    /// cannot be predicted, so nothing branches on it.
    #[inline(always)]
    pub(crate) fn add(&mut self, ids: impl Iterator<Item = Id>, most: usize) -> &[Id] {
        if self.uses_table {
            return self.add_to_table(ids, most);
        }
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

    #[inline(never)]
    fn add_to_table(&mut self, ids: impl Iterator<Item = Id>, most: usize) -> &[Id] {
        let first = self.seen.len();
        self.table.reserve(&self.seen, most);
        let Self { table, seen, .. } = self;
        seen.extend(ids.filter(|id| table.insert(*id)));
        &seen[first..]
    }
}

/// Ids by open addressing, at most half full. Each entry has the number of the search that wrote it above
/// the id, so that a new search empties the table by counting on.
#[derive(Debug, Default)]
struct Table {
    /// A power of two.
    entries: Vec<u64>,
    search: u32,
}

impl Table {
    /// Entries at first, 64 kB: an ordinary search needs no more.
    const LEAST: usize = 1 << 13;

    fn clear(&mut self) {
        self.search = self.search.wrapping_add(1);
        if self.search == 0 {
            self.entries.fill(0);
            self.search = 1;
        }
    }

    fn trim(&mut self) {
        if self.entries.len() > 1 << 17 {
            *self = Self::default();
        }
    }

    /// Makes room for `more` ids beside those that are in it.
    fn reserve(&mut self, ids: &[Id], more: usize) {
        let needed = (2 * (ids.len() + more)).next_power_of_two().max(Self::LEAST);
        if needed > self.entries.len() {
            self.entries.clear();
            self.entries.resize(needed, 0);
            // No entry is that of search 0.
            self.search = 1;
            ids.iter().for_each(|id| _ = self.insert(*id));
        }
    }

    /// Adds an id; whether it is new.
    fn insert(&mut self, id: Id) -> bool {
        let place = self.place(id);
        let entry = self.entry(id);
        std::mem::replace(&mut self.entries[place], entry) != entry
    }

    fn has(&self, id: Id) -> bool {
        !self.entries.is_empty() && self.entries[self.place(id)] == self.entry(id)
    }

    fn entry(&self, id: Id) -> u64 {
        u64::from(self.search) << 32 | u64::from(id)
    }

    /// Where the id is, or where it would be added.
    fn place(&self, id: Id) -> usize {
        let (mask, entry) = (self.entries.len() - 1, self.entry(id));
        // The upper bits of the product depend on all bits of the id.
        let hash = u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut place = hash as usize & mask;
        while self.entries[place] >> 32 == u64::from(self.search) && self.entries[place] != entry {
            place = (place + 1) & mask;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_until_cleared() {
        let mut visited = Visited::default();
        for (len, uses_table) in
            [(10, false), (200, true), (200, false), (20_000, true), (20_000, true), (100, false)]
        {
            visited.clear_for(len, uses_table);
            assert!(!visited.has(3));
            let every_third: Vec<Id> = (0..len as Id).step_by(3).collect();
            assert_eq!(visited.add(every_third.iter().copied(), len), every_third);
            let others = (0..len as Id).filter(|id| id % 3 != 0);
            assert_eq!(visited.add(0..len as Id, len), others.collect::<Vec<_>>());
            assert_eq!(visited.add([5, 1].into_iter(), 2), []);
            assert_eq!(visited.seen().len(), len);
            assert!(visited.has(len as Id - 1) && !visited.has(len as Id + 100_000));
        }
        visited.table.search = u32::MAX;
        visited.clear_for(10, true);
        visited.add([3].into_iter(), 1);
        visited.clear_for(10, true);
        assert!(!visited.has(3), "the count of searches begins again");
        visited.trim();
    }

    #[test]
    fn very_many_points_need_no_bits() {
        let mut visited = Visited::default();
        visited.clear(MOST_BITS + 1);
        assert_eq!(visited.add([MOST_BITS as Id, 7, 7].into_iter(), 3), [MOST_BITS as Id, 7]);
        assert!(visited.words.is_empty());
    }
}
