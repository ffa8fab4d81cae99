//! A graph, with its vectors behind it.
//!
//! Behind the letters `IHNf` (whole vectors), `IHNs` (codes) or `IH00` (either) and the header:
//!
//! | bytes | | |
//! |---|---|---|
//! | | `f64` array | probabilities of levels |
//! | | `i32` array | room for links: those of all levels below each, from 0 |
//! | | `i32` array | on how many levels each point is |
//! | | `u64` array | where the links of each point begin among all, and where the last end |
//! | | `i32` array | the links: of each point the lists of its levels, −1 where empty |
//! | 20 | `i32` × 5 | entry point, highest level, `efConstruction`, `efSearch`, one that is not used |
//! | | | the index of the vectors |
//!
//! Points have no keys of their own: theirs are 0, 1, 2 …

use super::super::cursor::{Cursor, numbers};
use super::super::error::ImportError;
use super::super::parsed::Parsed;
use super::head::Head;
use super::storage;

/// The parts of a file of so many bytes, behind the header of the graph.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    bytes: usize,
    head: &Head,
) -> Result<Parsed<'a>, ImportError> {
    Parsed::check_count(head.points)?;
    cursor.vector(8, "the probabilities of levels")?;
    let room = Room::read(cursor.vector(4, "the room for links")?)?;
    let levels = cursor.vector(4, "the levels")?;
    let starts = cursor.vector(8, "the places of links")?;
    let links = cursor.vector(4, "the links")?;
    let entry = cursor.i32("the entry point")?;
    let highest = cursor.i32("the highest level")?;
    let ef_construction = cursor.i32("efConstruction")?;
    cursor.items(8, 1, "the parameters of searches")?;

    let (points, count) = (head.points, (levels.len() / 4) as u64);
    ImportError::unless(count == points, "the number of levels", count, points)?;
    let level = |levels: i32| {
        let level = levels.checked_sub(1).and_then(|level| u8::try_from(level).ok());
        let level = level.filter(|level| usize::from(*level) < room.levels());
        let expected = || format!("in 1…{}", room.levels().min(256));
        level.ok_or_else(|| {
            ImportError::damaged("the number of levels of a point", levels, expected())
        })
    };
    let levels = numbers(levels, i32::from_le_bytes).map(level).collect::<Result<Vec<u8>, _>>()?;
    let lists = room.split(&levels, starts, links)?;
    let rows = storage::read(cursor, head)?;
    let highest_used = levels.iter().max().map_or(0, |level| usize::from(*level));
    Ok(Parsed {
        bytes,
        element: "f32",
        metric: head.metric,
        dim: head.dim,
        rows,
        room: room.widest(highest_used),
        ef_construction: u64::try_from(ef_construction).unwrap_or(0),
        // A number below 0 becomes one that no point has.
        entry: (i64::from(entry).cast_unsigned(), i64::from(highest)),
        keys: (0..points).collect(),
        removed: Vec::new(),
        levels,
        lists,
    })
}

/// How many links there is room for below each level, and on all.
struct Room(Vec<usize>);

impl Room {
    /// From 0, ascending: a list takes bytes of the file, if only one link.
    fn read(below: &[u8]) -> Result<Self, ImportError> {
        let mut last = None;
        let mut ascend = |(level, below): (usize, i32)| {
            let next = usize::try_from(below).ok();
            last = next.filter(|next| last < Some(*next) && (level > 0 || *next == 0));
            last.ok_or_else(|| {
                ImportError::damaged("the room for links", below, "ascending from 0")
            })
        };
        let below = numbers(below, i32::from_le_bytes).enumerate();
        below.map(&mut ascend).collect::<Result<_, _>>().map(Self)
    }

    fn levels(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// That on level 0, and the most above it up to `highest`.
    fn widest(&self, highest: usize) -> [u64; 2] {
        let mut rooms = self.0.windows(2).map(|pair| (pair[1] - pair[0]) as u64);
        [rooms.next().unwrap_or(0), rooms.take(highest).max().unwrap_or(0)]
    }

    /// The lists of every point on every level.
    fn split<'a>(
        &self,
        levels: &[u8],
        starts: &[u8],
        links: &'a [u8],
    ) -> Result<Vec<&'a [u8]>, ImportError> {
        let mut starts = numbers(starts, u64::from_le_bytes);
        let count = starts.len();
        ImportError::unless(
            count == levels.len() + 1,
            "the number of places of links",
            count,
            levels.len() + 1,
        )?;
        // The first of them and, behind each point, the sum of what its levels have room for.
        let mut at = 0;
        let mut lists = Vec::with_capacity(levels.len());
        for level in levels {
            let start = starts.next().unwrap_or(0);
            ImportError::unless(start == at as u64, "the place of links", start, at)?;
            for pair in self.0.windows(2).take(usize::from(*level) + 1) {
                let room = links.get(at * 4..(at + pair[1] - pair[0]) * 4);
                let needed = at as u64 * 4;
                let left = links.len();
                let room =
                    room.ok_or(ImportError::Cut { what: "the links", at: at * 4, needed, left })?;
                let filled = numbers(room, i32::from_le_bytes).take_while(|link| *link != -1);
                lists.push(&room[..4 * filled.count()]);
                at += pair[1] - pair[0];
            }
        }
        let (end, all) = (starts.next().unwrap_or(0), links.len() / 4);
        ImportError::unless(end == at as u64 && all == at, "the number of links", all, at)?;
        Ok(lists)
    }
}
