//! The graph in a file: its arrays as sections, and what must be verified before they are trusted.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use super::frozen::Freezer;
use super::level::Levels;
use super::visibility::Visibility;
use super::{BLOCK, Graph};
use crate::file::{Corruption, Head, Kind, Parts, ReadError, Source};
use crate::id::{Id, NONE};

impl Graph {
    /// Adds the graph's arrays, and what the head says of it. Nobody may be writing.
    pub(crate) fn save<'a>(&'a self, head: &mut Head, parts: &mut Parts<'a>) {
        let points = self.len();
        head.m = self.m as u32;
        head.points = points as u32;
        head.entry = self.entry().unwrap_or(NONE);
        head.copies = self.copy_count.load(Relaxed) as u32;
        parts.table(Kind::Links, &self.base, points);
        parts.table(Kind::UpperLinks, &self.upper, self.upper.len());
        parts.table(Kind::UpperStarts, &self.upper_starts, points.div_ceil(BLOCK));
        parts.table(Kind::Parents, &self.parents, points);
        parts.table(Kind::Children, &self.children, points.div_ceil(2));
        parts.table(Kind::Copies, &self.copies, points.div_ceil(64));
        self.visibility.save(points, head, parts);
        if let Some(levels) = self.levels.list() {
            parts.slice(Kind::Levels, levels);
        }
    }

    /// A graph whose arrays are in a file. Until it is [verified](Self::verify) every id in it may be
    /// wrong: it can be searched, not changed.
    pub(crate) fn restore(head: &Head, source: &mut Source) -> Result<Self, ReadError> {
        let (m, points) = (head.m as usize, head.points as usize);
        if points == NONE as usize {
            return Err(Corruption::Field { name: "points", value: head.points.into() }.into());
        }
        if head.entry != NONE && head.entry >= head.points {
            return Err(Corruption::Field { name: "entry point", value: head.entry.into() }.into());
        }
        let levels = match source.len(Kind::Levels) {
            Err(Corruption::Missing(_)) => Levels::new(m, head.seed),
            Err(damage) => return Err(damage.into()),
            Ok(len) if len == points as u64 => Levels::listed(source.bytes(Kind::Levels)?),
            Ok(found) => {
                let (section, expected) = (Kind::Levels, points as u64);
                return Err(Corruption::Section { section, expected, found }.into());
            }
        };
        // Lists that are not whole make another length than what is demanded.
        let lists = source.len(Kind::UpperLinks)? as usize / (m * size_of::<Id>());
        Ok(Self {
            m,
            levels,
            base: source.table(Kind::Links, 2 * m, points)?,
            upper: source.table(Kind::UpperLinks, m, lists)?,
            upper_starts: source.table(Kind::UpperStarts, 1, points.div_ceil(BLOCK))?,
            parents: source.table(Kind::Parents, 1, points)?,
            children: source.table(Kind::Children, 1, points.div_ceil(2))?,
            freezer: Freezer::default(),
            copies: source.table(Kind::Copies, 1, points.div_ceil(64))?,
            copy_count: AtomicUsize::new(head.copies as usize),
            visibility: Visibility::restore(head, source)?,
            entry: AtomicU32::new(head.entry),
        })
    }

    /// Verifies whatever a file could have wrong.
    pub(crate) fn verify(&self) -> Result<(), Corruption> {
        self.verify_arrays()?;
        self.check_file().map_err(|broken| Corruption::Graph(broken.to_string()))
    }

    /// Verifies what belongs to the lists: where those above level 0 begin, removals, and copies.
    pub(super) fn verify_arrays(&self) -> Result<(), Corruption> {
        self.verify_starts()?;
        self.visibility.verify(self.len())?;
        self.verify_copies()
    }

    /// The places of upper lists, which follow from the levels.
    fn verify_starts(&self) -> Result<(), Corruption> {
        let mut lists = 0;
        for id in 0..self.len() as Id {
            let block = id / BLOCK as Id;
            if id.is_multiple_of(BLOCK as Id)
                && self.upper_starts.row(block)[0].load(Relaxed) as usize != lists
            {
                return Err(Corruption::Item { section: Kind::UpperStarts, item: block.into() });
            }
            lists += self.level(id);
        }
        let size = |lists: usize| (lists * self.m * size_of::<Id>()) as u64;
        let (expected, found) = (size(lists), size(self.upper.len()));
        if expected == found {
            Ok(())
        } else {
            Err(Corruption::Section { section: Kind::UpperLinks, expected, found })
        }
    }

    /// Copies are points that follow earlier ones, and there are as many as the head says.
    fn verify_copies(&self) -> Result<(), Corruption> {
        let damage = |word: usize| Corruption::Item { section: Kind::Copies, item: word as u64 };
        let mut copies = 0;
        for word in 0..self.copies.len() {
            let bits = self.copies.row(word as u32)[0].load(Relaxed);
            for id in (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| word * 64 + bit) {
                let follows = id < self.len() && self.parent(id as Id) < Some(id as Id);
                if !follows || self.parent(id as Id).is_none() {
                    return Err(damage(word));
                }
                copies += 1;
            }
        }
        if copies == self.copy_count.load(Relaxed) {
            Ok(())
        } else {
            Err(Corruption::Field { name: "copies", value: self.copy_count.load(Relaxed) as u64 })
        }
    }
}
