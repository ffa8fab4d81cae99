//! faiss's `IndexHNSWFlat` and `IndexHNSWSQ`, read.
//!
//! As [`write_index`] of version 1.15 has it; all numbers little-endian, nothing aligned; an array
//! stands behind its length, a `u64`.
//!
//! | bytes | | |
//! |---|---|---|
//! | 4 | | `IHNf` (flat) or `IHNs` (scalar quantizer) |
//! | 33 | | header, see below |
//! | | `f64` array | probabilities of levels |
//! | | `i32` array | room for links: those of all levels below each, from 0 |
//! | | `i32` array | on how many levels each point is |
//! | | `u64` array | where the links of each point begin among all, and where the last end |
//! | | `i32` array | the links: of each point the lists of its levels, −1 where empty |
//! | 20 | `i32` × 5 | entry point, highest level, `efConstruction`, `efSearch`, one that is not used |
//! | 4 | | `IxF2`, `IxFI` or `IxFl` (flat), `IxSQ` (scalar quantizer) |
//! | 33 | | header |
//!
//! A header: `i32` dimensions, `i64` points, 16 bytes that mean nothing, `u8` whether it is trained,
//! `i32` metric: 0 inner product, 1 squared Euclidean.
//!
//! Flat ends with the vectors, an array of `f32`. A scalar quantizer is:
//!
//! | bytes | | |
//! |---|---|---|
//! | 4 | `i32` | kind: 0, a byte per element and a range per dimension; 2, one range for all |
//! | 8 | `i32`, `f32` | how ranges were found |
//! | 16 | `u64` × 2 | dimensions, bytes of a code |
//! | | `f32` array | least values and steps: d and d of them, or 1 and 1 |
//! | | `u8` array | the codes; *c* stands for least + step · (*c* + ½) / 255 |
//!
//! Points have no keys of their own: theirs are 0, 1, 2 …
//!
//! [`write_index`]: https://github.com/facebookresearch/faiss/blob/v1.15.1/faiss/impl/index_write.cpp

use nearfield_kernels::Metric;

use super::cursor::{Cursor, numbers};
use super::error::ImportError;
use super::library::Library;
use super::parsed::{Parsed, Rows};

/// What an index of faiss begins with.
pub(super) struct Head {
    pub(super) dim: usize,
    pub(super) points: u64,
    pub(super) metric: Metric,
}

impl Head {
    /// That of a graph; how the vectors are stored, its last letter says.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<(Self, u8), ImportError> {
        let Ok([b'I', b'H', b'N', storage]) = cursor.array("kind of index") else {
            return Err(ImportError::Unknown(Some(Library::Faiss)));
        };
        if !matches!(storage, b'f' | b's') {
            let kind = format!("IHN{}", char::from(storage).escape_default());
            return Err(ImportError::unsupported("kind of index", kind));
        }
        Ok((Self::read_rest(cursor)?, storage))
    }

    fn read_rest(cursor: &mut Cursor<'_>) -> Result<Self, ImportError> {
        let dim = cursor.i32("dimensions")?;
        let points = cursor.i64("number of points")?;
        cursor.items(16, 1, "unused numbers of the header")?;
        let is_trained = cursor.u8("whether it is trained")?;
        ImportError::unless(is_trained <= 1, "whether it is trained", is_trained, "0 or 1")?;
        let metric = match cursor.i32("metric")? {
            0 => Metric::InnerProduct,
            1 => Metric::L2Squared,
            metric => return Err(ImportError::unsupported("metric", metric)),
        };
        let dim = usize::try_from(dim).ok().filter(|dim| *dim > 0).ok_or(dim);
        let dim = dim.map_err(|dim| ImportError::damaged("dimensions", dim, "at least 1"))?;
        let count = u64::try_from(points);
        let points = count.map_err(|_| ImportError::damaged("points", points, "at least 0"))?;
        Ok(Self { dim, points, metric })
    }

    /// The vectors are those of the same points.
    fn expect(&self, outer: &Self) -> Result<(), ImportError> {
        ImportError::unless(self.dim == outer.dim, "dimensions of vectors", self.dim, outer.dim)?;
        let (points, all) = (self.points, outer.points);
        ImportError::unless(points == all, "number of vectors", points, all)?;
        let (metric, expected) = (self.metric, outer.metric);
        ImportError::unless(metric == expected, "metric of vectors", metric, expected)
    }
}

/// The parts of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed<'_>, ImportError> {
    let mut cursor = Cursor::new(bytes);
    let (head, storage) = Head::read(&mut cursor)?;
    Parsed::check_count(head.points)?;
    cursor.vector(8, "probabilities of levels")?;
    let room = Room::read(cursor.vector(4, "room for links")?)?;
    let levels = cursor.vector(4, "levels")?;
    let starts = cursor.vector(8, "where links begin")?;
    let links = cursor.vector(4, "links")?;
    let entry = cursor.i32("entry point")?;
    let highest = cursor.i32("highest level")?;
    let ef_construction = cursor.i32("efConstruction")?;
    cursor.items(8, 1, "parameters of searches")?;

    let (points, count) = (head.points, (levels.len() / 4) as u64);
    ImportError::unless(count == points, "number of levels", count, points)?;
    let level = |levels: i32| {
        let level = levels.checked_sub(1).and_then(|level| u8::try_from(level).ok());
        let level = level.filter(|level| usize::from(*level) < room.levels());
        let expected = || format!("in 1…{}", room.levels().min(256));
        level.ok_or_else(|| ImportError::damaged("levels of a point", levels, expected()))
    };
    let levels = numbers(levels, i32::from_le_bytes).map(level).collect::<Result<Vec<u8>, _>>()?;
    let lists = room.split(&levels, starts, links)?;
    let rows = if storage == b'f' { flat(&mut cursor, &head) } else { codes(&mut cursor, &head) }?;
    cursor.end()?;
    let highest_used = levels.iter().max().map_or(0, |level| usize::from(*level));
    Ok(Parsed {
        bytes: bytes.len(),
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
            last.ok_or_else(|| ImportError::damaged("room for links", below, "ascending from 0"))
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
            "number of places",
            count,
            levels.len() + 1,
        )?;
        // The first of them and, behind each point, the sum of what its levels have room for.
        let mut at = 0;
        let mut lists = Vec::with_capacity(levels.len());
        for level in levels {
            let start = starts.next().unwrap_or(0);
            ImportError::unless(start == at as u64, "place of links", start, at)?;
            for pair in self.0.windows(2).take(usize::from(*level) + 1) {
                let room = links.get(at * 4..(at + pair[1] - pair[0]) * 4);
                let needed = at as u64 * 4;
                let left = links.len();
                let room =
                    room.ok_or(ImportError::Cut { what: "links", at: at * 4, needed, left })?;
                let filled = numbers(room, i32::from_le_bytes).take_while(|link| *link != -1);
                lists.push(&room[..4 * filled.count()]);
                at += pair[1] - pair[0];
            }
        }
        let (end, all) = (starts.next().unwrap_or(0), links.len() / 4);
        ImportError::unless(end == at as u64 && all == at, "number of links", all, at)?;
        Ok(lists)
    }
}

fn flat<'a>(cursor: &mut Cursor<'a>, outer: &Head) -> Result<Rows<'a>, ImportError> {
    storage(cursor, outer, &[b"IxF2", b"IxFI", b"IxFl"])?;
    let bytes = cursor.vector(4, "vectors")?;
    whole(bytes.len(), outer, 4)?;
    Ok(Rows::Apart { bytes, stride: 4 * outer.dim })
}

fn codes<'a>(cursor: &mut Cursor<'a>, outer: &Head) -> Result<Rows<'a>, ImportError> {
    storage(cursor, outer, &[b"IxSQ"])?;
    let kind = cursor.i32("kind of quantizer")?;
    let ranges = match kind {
        0 => outer.dim,
        2 => 1,
        kind => return Err(ImportError::unsupported("kind of quantizer", kind)),
    };
    cursor.items(8, 1, "how ranges were found")?;
    let dim = cursor.u64("dimensions of codes")?;
    ImportError::unless(dim == outer.dim as u64, "dimensions of codes", dim, outer.dim)?;
    let size = cursor.u64("bytes of a code")?;
    ImportError::unless(size == dim, "bytes of a code", size, dim)?;
    let trained = cursor.vector(4, "ranges")?;
    let codes = cursor.vector(1, "codes")?;
    let count = trained.len() / 4;
    let expected = || 2 * ranges as u64;
    ImportError::unless(count as u64 == expected(), "number of ranges", count, expected())?;
    whole(codes.len(), outer, 1)?;
    let ranges = numbers(trained, f32::from_le_bytes);
    let (least, step) = ranges.clone().zip(ranges.skip(count / 2)).unzip();
    Ok(Rows::Codes { codes, least, step })
}

/// What holds the vectors, and that it fits the graph.
fn storage(cursor: &mut Cursor<'_>, outer: &Head, kinds: &[&[u8; 4]]) -> Result<(), ImportError> {
    let kind: [u8; 4] = cursor.array("kind of storage")?;
    if &kind == b"null" {
        return Err(ImportError::NoVectors);
    }
    if !kinds.contains(&&kind) {
        return Err(ImportError::unsupported("kind of storage", kind.escape_ascii()));
    }
    Head::read_rest(cursor)?.expect(outer)
}

/// There are as many vectors as points, of `size` bytes per element.
fn whole(bytes: usize, outer: &Head, size: u64) -> Result<(), ImportError> {
    let expected =
        (outer.dim as u64).checked_mul(size).and_then(|row| row.checked_mul(outer.points));
    let all = format!("{} of {} elements", outer.points, outer.dim);
    ImportError::unless(expected == Some(bytes as u64), "bytes of vectors", bytes, all)
}
