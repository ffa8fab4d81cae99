//! What sections hold.

use std::fmt;

/// What a section of a saved index holds. Arrays are as the index has them in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum Kind {
    /// The vectors: for each point a row of so many elements as the head says, those beyond the
    /// dimension zero. With the flag *halves* the upper 16 bits, rounded, of all
    /// elements of a row and then the lower ones.
    Rows = 1,
    /// For each point 2M `u32`: its neighbours on level 0, 2³² − 1 where there is none.
    Links = 2,
    /// For each list above level 0 M `u32`, as [`Links`](Self::Links). A point has one for each level
    /// above 0 on which it is, from below, behind those of the points before it.
    UpperLinks = 3,
    /// For each 16 points a `u32`: the number of the first list of the first of them.
    UpperStarts = 4,
    /// For each point a `u32`: its parent in the spanning tree, or the point that it follows in a chain of
    /// copies; 2³² − 1 for the root.
    Parents = 5,
    /// For each point 4 bits, the lower ones first: how many children it has.
    Children = 6,
    /// For each point a bit, in `u64`, the lowest first: whether it is a copy.
    Copies = 7,
    /// For each point a `u32`: the number of the removal that ended it, from 1 on; 0 while it lives.
    /// Empty while none was removed.
    Deaths = 8,
    /// For each removal two `u32`: the point, and one that moved for it or 2³² − 1.
    Removals = 9,
    /// The table that finds points by their rows: a byte for each place, 0 where it is empty, else the
    /// highest 7 bits of the hash and a one above them.
    DirectoryTags = 10,
    /// The same table: for each place the `u32` of a point.
    DirectoryIds = 11,
    /// For each point that has copies two `u32`: the point and the last of the copies, ascending.
    Tails = 12,
    /// The bytes of all keys, one behind the other; those of removed points are empty.
    Keys = 13,
    /// For each point a `u64`: where the bytes of its key end.
    KeyEnds = 14,
    /// For each point of an imported graph a byte: its highest level. Other graphs have the level that
    /// M, the seed and the id give.
    Levels = 15,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Rows,
        Self::Links,
        Self::UpperLinks,
        Self::UpperStarts,
        Self::Parents,
        Self::Children,
        Self::Copies,
        Self::Deaths,
        Self::Removals,
        Self::DirectoryTags,
        Self::DirectoryIds,
        Self::Tails,
        Self::Keys,
        Self::KeyEnds,
        Self::Levels,
    ];

    pub(super) fn of(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == code)
    }

    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Links => "links",
            Self::UpperLinks => "upper links",
            Self::UpperStarts => "upper starts",
            Self::Parents => "parents",
            Self::Children => "children",
            Self::Copies => "copies",
            Self::Deaths => "deaths",
            Self::Removals => "removals",
            Self::DirectoryTags => "directory tags",
            Self::DirectoryIds => "directory ids",
            Self::Tails => "tails",
            Self::Keys => "keys",
            Self::KeyEnds => "key ends",
            Self::Levels => "levels",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
