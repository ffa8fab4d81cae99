//! usearch's `.usearch`, read.
//!
//! As [`save_to_stream`] of version 2.26 has it; all numbers little-endian, nothing aligned:
//!
//! | bytes | | |
//! |---|---|---|
//! | 8 | `u32` × 2 | rows, bytes of a row; `u64` × 2 where the writer was asked for 64-bit dimensions |
//! | rows · bytes | | the vectors; these two parts are missing where it was asked to leave them out |
//! | 64 | | the head, see below |
//! | 40 | `u64` × 5 | n, connectivity, connectivity of level 0, highest level, entry |
//! | 2 · n | `i16` | the level of each point |
//! | | | the points, see below |
//!
//! The head:
//!
//! | byte | | |
//! |---|---|---|
//! | 0 | 7 bytes | `usearch` |
//! | 7 | `u16` × 3 | version |
//! | 13 | `u8` | metric: `e` squared Euclidean, `i` inner product, `c` cosine |
//! | 14 | `u8` | elements: 11 `f32`, 12 `f16`, 4 `bf16`, 23 `i8`, 17 `u8` |
//! | 15 | `u8` × 2 | type of keys: 14, `u64`; type of ids: 15, `u32` |
//! | 17 | `u64` × 3 | points that live, points that were removed, dimensions |
//! | 41 | `u8` | whether a key may have several vectors |
//!
//! A point: its key `u64`, its level `i16`, and a list for level 0 and each level above, a `u32` number
//! of links and room for as many as the connectivity says. A removed point has the key `u64::MAX` and
//! keeps its links.
//!
//! [`save_to_stream`]: https://github.com/unum-cloud/usearch/blob/v2.26.0/include/usearch/index_dense.hpp

use nearfield_kernels::Metric;

use super::cursor::{Cursor, numbers};
use super::error::ImportError;
use super::library::Library;
use super::parsed::{Parsed, Rows};
use crate::id::Id;

const MAGIC: &[u8; 7] = b"usearch";

/// The key of removed points.
const FREE: u64 = u64::MAX;

/// What stands before the graph.
pub(super) struct Head<'a> {
    pub(super) points: u64,
    pub(super) dim: u64,
    pub(super) metric: Metric,
    pub(super) element: &'static str,
    row_bytes: u64,
    rows: &'a [u8],
    removed: u64,
}

impl<'a> Head<'a> {
    pub(super) fn read(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<Self, ImportError> {
        let (is_wide, points, row_bytes) = matrix(bytes)?;
        cursor.items(if is_wide { 16 } else { 8 }, 1, "size of the matrix")?;
        let rows = cursor.items(points, row_bytes, "vectors")?;
        let mut head = Cursor::new(cursor.items(64, 1, "head")?);
        head.items(7, 1, "magic")?;
        let version = [head.u16("version")?, head.u16("version")?, head.u16("version")?];
        if version[0] != 2 || version[1] < 10 {
            let [major, minor, patch] = version;
            return Err(ImportError::unsupported("version", format!("{major}.{minor}.{patch}")));
        }
        let metric = match head.u8("metric")? {
            b'e' => Metric::L2Squared,
            b'i' => Metric::InnerProduct,
            b'c' => Metric::Cosine,
            kind => {
                return Err(ImportError::unsupported("metric", char::from(kind).escape_default()));
            }
        };
        let (element, size) = match head.u8("elements")? {
            11 => ("f32", 4),
            12 => ("f16", 2),
            4 => ("bf16", 2),
            23 => ("i8", 1),
            17 => ("u8", 1),
            kind => return Err(ImportError::unsupported("type of elements", kind)),
        };
        for (what, expected) in [("type of keys", 14), ("type of ids", 15)] {
            let kind = head.u8(what)?;
            if kind != expected {
                return Err(ImportError::unsupported(what, kind));
            }
        }
        let live = head.u64("points that live")?;
        let removed = head.u64("points that were removed")?;
        let all = live.checked_add(removed);
        ImportError::unless(all == Some(points), "number of points", live, "that of the vectors")?;
        let dim = head.u64("dimensions")?;
        let fits = dim > 0 && dim.checked_mul(size) == Some(row_bytes);
        if points > 0 || row_bytes > 0 {
            ImportError::unless(
                fits,
                "dimensions",
                dim,
                format!("{row_bytes} bytes of {element}"),
            )?;
        }
        Ok(Self { points, dim, metric, element, row_bytes, rows, removed })
    }
}

/// Whether the matrix begins with 64-bit dimensions, and these: as the head behind it shows.
fn matrix(bytes: &[u8]) -> Result<(bool, u64, u64), ImportError> {
    let unknown = ImportError::Unknown(Some(Library::Usearch));
    if bytes.starts_with(MAGIC) {
        return Err(ImportError::NoVectors);
    }
    let is_head = |offset: u64, rows: u64, row_bytes: u64| {
        let matrix = rows.checked_mul(row_bytes)?.checked_add(offset)?;
        let head = bytes.get(usize::try_from(matrix).ok()?..)?;
        head.starts_with(MAGIC).then_some((offset == 16, rows, row_bytes))
    };
    let narrow = || {
        let mut sizes = Cursor::new(bytes);
        let (rows, row_bytes) = (sizes.u32("rows").ok()?, sizes.u32("bytes of a row").ok()?);
        is_head(8, rows.into(), row_bytes.into())
    };
    let wide = || {
        let mut sizes = Cursor::new(bytes);
        let (rows, row_bytes) = (sizes.u64("rows").ok()?, sizes.u64("bytes of a row").ok()?);
        is_head(16, rows, row_bytes)
    };
    narrow().or_else(wide).ok_or(unknown)
}

/// The parts of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed<'_>, ImportError> {
    let mut cursor = Cursor::new(bytes);
    let head = Head::read(bytes, &mut cursor)?;
    Parsed::check_count(head.points)?;
    let points = cursor.u64("number of points")?;
    ImportError::unless(points == head.points, "number of points", points, head.points)?;
    let upper = cursor.u64("connectivity")?;
    let base = cursor.u64("connectivity of level 0")?;
    let highest = cursor.u64("highest level")?;
    let entry = cursor.u64("entry point")?;
    let levels = cursor.items(points, 2, "levels")?;
    let level = |level: i16| {
        let expected = || ImportError::damaged("level", level, "in 0…255");
        u8::try_from(level).map_err(|_| expected())
    };
    let levels = numbers(levels, i16::from_le_bytes).map(level).collect::<Result<Vec<u8>, _>>()?;
    let mut lists = Vec::with_capacity(levels.len());
    let mut keys = Vec::with_capacity(levels.len());
    let mut removed = Vec::new();
    for (id, level) in levels.iter().enumerate() {
        let key = cursor.u64("key")?;
        let again = cursor.i16("level")?;
        ImportError::unless(again == i16::from(*level), "level of a point", again, level)?;
        for level in 0..=*level {
            lists.push(list(&mut cursor, if level == 0 { base } else { upper })?);
        }
        if key == FREE {
            removed.push(id as Id);
        }
        keys.push(key);
    }
    cursor.end()?;
    let count = removed.len() as u64;
    ImportError::unless(count == head.removed, "removed points", count, head.removed)?;
    Ok(Parsed {
        bytes: bytes.len(),
        element: head.element,
        metric: head.metric,
        dim: usize::try_from(head.dim).unwrap_or(usize::MAX),
        rows: Rows::Apart { bytes: head.rows, stride: head.row_bytes as usize },
        room: [base, upper],
        // It is not in the file; this is what the library takes without being told.
        ef_construction: 128,
        levels,
        lists,
        entry: (entry, i64::try_from(highest).unwrap_or(i64::MAX)),
        keys,
        removed,
    })
}

/// The links of a list with room for so many.
fn list<'a>(cursor: &mut Cursor<'a>, room: u64) -> Result<&'a [u8], ImportError> {
    let count = cursor.u32("links in a list")?;
    let links = cursor.items(room, 4, "a list of links")?;
    let expected = || format!("at most {room}");
    ImportError::unless(u64::from(count) <= room, "links in a list", count, expected())?;
    Ok(&links[..4 * count as usize])
}
