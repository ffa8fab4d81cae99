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

/// Bytes of the head.
pub(super) const HEAD: usize = 64;

/// The key of removed points.
const FREE: u64 = u64::MAX;

/// The vectors, which stand before all else.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    /// Where they begin, behind their own size.
    start: u64,
    rows: u64,
    row_bytes: u64,
}

impl Matrix {
    /// What the first bytes may mean, in both widths that sizes have; the head that follows shows it.
    pub(super) fn candidates(first: &[u8]) -> impl Iterator<Item = Self> + use<> {
        let narrow = || {
            let mut sizes = Cursor::new(first);
            let (rows, row_bytes) = (sizes.u32("rows").ok()?, sizes.u32("bytes of a row").ok()?);
            Some(Self { start: 8, rows: rows.into(), row_bytes: row_bytes.into() })
        };
        let wide = || {
            let mut sizes = Cursor::new(first);
            let (rows, row_bytes) = (sizes.u64("rows").ok()?, sizes.u64("bytes of a row").ok()?);
            Some(Self { start: 16, rows, row_bytes })
        };
        [narrow(), wide()].into_iter().flatten()
    }

    /// Where they end, and the head begins.
    pub(super) fn end(self) -> Option<u64> {
        self.rows.checked_mul(self.row_bytes)?.checked_add(self.start)
    }
}

/// Whether there can be a head in these bytes.
pub(super) fn is_head(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// What stands between the vectors and the graph.
pub(super) struct Head {
    pub(super) points: u64,
    pub(super) dim: u64,
    pub(super) metric: Metric,
    pub(super) element: &'static str,
    removed: u64,
}

impl Head {
    pub(super) fn read(cursor: &mut Cursor<'_>, matrix: Matrix) -> Result<Self, ImportError> {
        let Matrix { rows: points, row_bytes, .. } = matrix;
        let mut head = Cursor::new(cursor.items(HEAD as u64, 1, "the head")?);
        head.items(7, 1, "the magic")?;
        let mut version = || head.u16("the version");
        let (major, minor, patch) = (version()?, version()?, version()?);
        if major != 2 || minor < 10 {
            let (found, instead) = (format!("{major}.{minor}.{patch}"), "2.10 and later are");
            return Err(ImportError::unsupported("the version of usearch", found, instead));
        }
        let metric = metric(head.u8("the metric")?)?;
        let (element, size) = element(head.u8("the type of elements")?)?;
        for (what, expected, instead) in [
            ("the type of keys", U64, "save the index with `u64` keys"),
            (
                "the type of ids",
                U32,
                "save the index with `u32` slots, which up to 2³² points need",
            ),
        ] {
            let kind = head.u8(what)?;
            if kind != expected {
                return Err(ImportError::unsupported(what, scalar(kind), instead));
            }
        }
        let live = head.u64("the number of points that live")?;
        let removed = head.u64("the number of points that were removed")?;
        let all = live.checked_add(removed);
        let what = "the number of points that live";
        let expected = || format!("{points}, the vectors, less {removed}, the removed points");
        ImportError::unless(all == Some(points), what, live, expected())?;
        let dim = head.u64("the number of dimensions")?;
        let fits = dim > 0 && dim.checked_mul(size) == Some(row_bytes);
        if points > 0 || row_bytes > 0 {
            let expected = || format!("what {row_bytes} bytes of {element} have");
            ImportError::unless(fits, "the number of dimensions", dim, expected())?;
        }
        Ok(Self { points, dim, metric, element, removed })
    }
}

const U32: u8 = 15;
const U64: u8 = 14;

fn metric(kind: u8) -> Result<Metric, ImportError> {
    let name = match kind {
        b'e' => return Ok(Metric::L2Squared),
        b'i' => return Ok(Metric::InnerProduct),
        b'c' => return Ok(Metric::Cosine),
        b'p' => "pearson",
        b'h' => "haversine",
        b'd' => "divergence",
        b'b' => "hamming",
        b'j' => "jaccard",
        b't' => "tanimoto",
        b's' => "sorensen",
        0 => "of the writer's own",
        _ => "undocumented",
    };
    let found = format!("{name} (`{}`)", char::from(kind).escape_default());
    Err(ImportError::unsupported("the metric", found, "l2sq, ip and cos are"))
}

/// The name of a type of elements, and its bytes.
fn element(kind: u8) -> Result<(&'static str, u64), ImportError> {
    Ok(match kind {
        11 => ("f32", 4),
        12 => ("f16", 2),
        4 => ("bf16", 2),
        23 => ("i8", 1),
        17 => ("u8", 1),
        kind => {
            let instead = "save the index with dtype f32, f16, bf16, i8 or u8";
            return Err(ImportError::unsupported("the type of elements", scalar(kind), instead));
        }
    })
}

/// A type of usearch's.
fn scalar(kind: u8) -> String {
    let name = match kind {
        1 => "b1x8",
        2 => "u40",
        3 => "uuid",
        4 => "bf16",
        5 => "e5m2",
        6 => "e4m3",
        7 => "e2m3",
        8 => "e3m2",
        10 => "f64",
        11 => "f32",
        12 => "f16",
        U64 => "u64",
        U32 => "u32",
        16 => "u16",
        17 => "u8",
        20 => "i64",
        21 => "i32",
        22 => "i16",
        23 => "i8",
        _ => "undocumented",
    };
    format!("{name} (scalar kind {kind})")
}

/// The vectors, which the head behind them shows to be such.
fn matrix(bytes: &[u8]) -> Result<Matrix, ImportError> {
    if is_head(bytes) {
        return Err(ImportError::NoVectors);
    }
    let behind = |matrix: &Matrix| bytes.get(usize::try_from(matrix.end()?).ok()?..);
    Matrix::candidates(bytes)
        .find(|matrix| behind(matrix).is_some_and(is_head))
        .ok_or(ImportError::Unknown(Some(Library::Usearch)))
}

/// The parts of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed<'_>, ImportError> {
    let mut cursor = Cursor::new(bytes);
    let matrix = matrix(bytes)?;
    cursor.items(matrix.start, 1, "the size of the matrix")?;
    let rows = cursor.items(matrix.rows, matrix.row_bytes, "the vectors")?;
    let head = Head::read(&mut cursor, matrix)?;
    Parsed::check_count(head.points)?;
    let points = cursor.u64("the number of points")?;
    ImportError::unless(points == head.points, "the number of points", points, head.points)?;
    let upper = cursor.u64("the connectivity")?;
    let base = cursor.u64("the connectivity of level 0")?;
    let highest = cursor.u64("the highest level")?;
    let entry = cursor.u64("the entry point")?;
    let levels = cursor.items(points, 2, "the levels")?;
    let level = |level: i16| {
        let expected = || ImportError::damaged("the level of a point", level, "in 0…255");
        u8::try_from(level).map_err(|_| expected())
    };
    let levels = numbers(levels, i16::from_le_bytes).map(level).collect::<Result<Vec<u8>, _>>()?;
    let mut lists = Vec::with_capacity(levels.len());
    let mut keys = Vec::with_capacity(levels.len());
    let mut removed = Vec::new();
    for (id, level) in levels.iter().enumerate() {
        let key = cursor.u64("a key")?;
        let again = cursor.i16("the level of a point")?;
        ImportError::unless(again == i16::from(*level), "the level of a point", again, level)?;
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
    ImportError::unless(
        count == head.removed,
        "the number of removed points",
        count,
        head.removed,
    )?;
    Ok(Parsed {
        bytes: bytes.len(),
        element: head.element,
        metric: head.metric,
        dim: usize::try_from(head.dim).unwrap_or(usize::MAX),
        rows: Rows::Apart { bytes: rows, stride: matrix.row_bytes as usize },
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
    let count = cursor.u32("the number of links in a list")?;
    let links = cursor.items(room, 4, "a list of links")?;
    let expected = || format!("at most {room}");
    ImportError::unless(
        u64::from(count) <= room,
        "the number of links in a list",
        count,
        expected(),
    )?;
    Ok(&links[..4 * count as usize])
}
