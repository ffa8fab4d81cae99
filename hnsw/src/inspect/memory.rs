//! What an index takes of memory.

/// Bytes in use, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The points: for vectors the rows with their padding.
    pub points: usize,
    /// The lists of neighbours.
    pub links: usize,
    /// Tree, places of upper lists, the table of distinct rows, what is known of removed points.
    pub other: usize,
    /// The keys of an [`Index`](crate::Index) and their table; what keys own elsewhere, as strings do,
    /// is not counted.
    pub keys: usize,
}

impl Memory {
    /// All parts together.
    pub fn total(&self) -> usize {
        self.points + self.links + self.other + self.keys
    }
}
