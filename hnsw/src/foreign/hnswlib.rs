//! hnswlib's `.bin`, read and written.
//!
//! As [`saveIndex` and `loadIndex`] of version 0.8.0 have it; all numbers little-endian. A header of 96
//! bytes:
//!
//! | byte | | |
//! |---|---|---|
//! | 0 | `u64` | where level 0 begins in an element: 0 |
//! | 8 | `u64` | how many elements there is room for |
//! | 16 | `u64` | n, how many there are |
//! | 24 | `u64` | bytes of an element |
//! | 32 | `u64` | where the label is in an element |
//! | 40 | `u64` | where the vector is in an element |
//! | 48 | `i32` | the highest level; −1 without elements |
//! | 52 | `u32` | the element at which searches begin |
//! | 56 | `u64` | maxM, the room for links above level 0 |
//! | 64 | `u64` | maxM0, the room on level 0: twice that |
//! | 72 | `u64` | M |
//! | 80 | `f64` | 1 / ln M, the scale of levels |
//! | 88 | `u64` | `ef_construction` |
//!
//! Then n elements:
//!
//! | bytes | | |
//! |---|---|---|
//! | 2 | `u16` | links on level 0 |
//! | 1 | `u8` | flags: bit 0 where the element is deleted |
//! | 1 | | unused |
//! | 4 · maxM0 | `u32` | the links; what stands behind their number means nothing |
//! | 4 · d | `f32` | the vector |
//! | 8 | `u64` | the label |
//!
//! And for each element the `u32` bytes of its upper lists, then these, from level 1 on: a `u16`, two
//! unused bytes and maxM links each.
//!
//! There is no magic number, no metric and no dimension: the first follows from how the offsets fit
//! together, the last from the size of an element; the metric the caller must know.
//!
//! [`saveIndex` and `loadIndex`]: https://github.com/nmslib/hnswlib/blob/v0.8.0/hnswlib/hnswalg.h

use std::io;

use nearfield_kernels::Metric;

use super::cursor::Cursor;
use super::error::ImportError;
use super::library::Library;
use super::parsed::{Parsed, Rows};
use crate::graph::Graph;
use crate::id::{Id, NONE};
use crate::index::Hnsw;
use crate::vectors::Vectors;

/// The metrics that hnswlib knows.
pub(super) const METRICS: [Metric; 3] = [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine];

/// Bit 0 of the third byte of an element.
const DELETED: u8 = 1;

/// What the head of a file says, once its numbers are seen to fit together.
pub(super) struct Head {
    pub(super) points: u64,
    pub(super) dim: usize,
    size: u64,
    highest: i32,
    entry: u32,
    max_m: u64,
    max_m0: u64,
    ef_construction: u64,
}

impl Head {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ImportError> {
        let level0 = cursor.u64("offsetLevel0")?;
        let room = cursor.u64("max_elements")?;
        let points = cursor.u64("cur_element_count")?;
        let size = cursor.u64("size_data_per_element")?;
        let label = cursor.u64("label_offset")?;
        let vector = cursor.u64("offsetData")?;
        let highest = cursor.i32("maxlevel")?;
        let entry = cursor.u32("enterpoint_node")?;
        let max_m = cursor.u64("maxM")?;
        let max_m0 = cursor.u64("maxM0")?;
        let _m = cursor.u64("M")?;
        let _scale = cursor.f64("mult")?;
        let ef_construction = cursor.u64("ef_construction")?;
        // Without a magic number, this tells such a file from others.
        let values = label.checked_sub(vector).filter(|bytes| *bytes > 0 && bytes % 4 == 0);
        let fits = level0 == 0
            && points <= room
            && Some(vector) == list_bytes(max_m0)
            && Some(size) == label.checked_add(8);
        let Some(values) = values.filter(|_| fits) else {
            return Err(ImportError::Unknown(Some(Library::Hnswlib)));
        };
        let dim = usize::try_from(values / 4).unwrap_or(usize::MAX);
        Ok(Self { points, dim, size, highest, entry, max_m, max_m0, ef_construction })
    }
}

/// Bytes of a list with room for so many links.
fn list_bytes(room: u64) -> Option<u64> {
    room.checked_mul(4)?.checked_add(4)
}

/// The parts of a file.
pub(super) fn read(bytes: &[u8], metric: Metric) -> Result<Parsed<'_>, ImportError> {
    if !METRICS.contains(&metric) {
        let instead = "hnswlib has l2, ip and cosine: give the one that the file was written with";
        return Err(ImportError::unsupported("the metric of an hnswlib index", metric, instead));
    }
    let mut cursor = Cursor::new(bytes);
    let head = Head::read(&mut cursor)?;
    let Head { points, dim, size, highest, entry, max_m, max_m0, .. } = head;
    Parsed::check_count(points)?;
    let elements = cursor.items(points, size, "the elements")?;
    // From here on a point is some bytes of the file, and so are the sizes of its parts.
    let (points, size) = (points as usize, size as usize);
    let upper_bytes = list_bytes(max_m)
        .filter(|_| max_m > 0)
        .ok_or_else(|| ImportError::damaged("maxM, the room for links,", max_m, "at least 1"))?;
    let mut parsed = Parsed {
        bytes: bytes.len(),
        element: "f32",
        metric,
        dim,
        rows: Rows::Apart {
            bytes: elements.get(4 + 4 * max_m0 as usize..).unwrap_or(&[]),
            stride: size,
        },
        room: [max_m0, max_m],
        ef_construction: head.ef_construction,
        levels: Vec::with_capacity(points),
        lists: Vec::with_capacity(points),
        entry: (u64::from(entry), i64::from(highest)),
        keys: Vec::with_capacity(points),
        removed: Vec::new(),
    };
    for (id, element) in elements.chunks_exact(size.max(1)).enumerate() {
        let mut inside = Cursor::new(element);
        parsed.lists.push(list(&mut inside, max_m0)?);
        if element[2] & DELETED != 0 {
            parsed.removed.push(id as Id);
        }
        let label = element.last_chunk().expect("an element ends with its label");
        parsed.keys.push(u64::from_le_bytes(*label));
        let upper = cursor.u32("the bytes of upper lists")?;
        let levels = u64::from(upper) / upper_bytes;
        let is_whole = u64::from(upper) % upper_bytes == 0;
        let level = u8::try_from(levels).ok().filter(|_| is_whole);
        let expected = || format!("up to 255 lists of {upper_bytes} bytes");
        let level = level
            .ok_or_else(|| ImportError::damaged("the bytes of upper lists", upper, expected()))?;
        parsed.levels.push(level);
        for _ in 0..level {
            parsed.lists.push(list(&mut cursor, max_m)?);
        }
    }
    cursor.end()?;
    Ok(parsed)
}

/// The links of a list with room for so many.
fn list<'a>(cursor: &mut Cursor<'a>, room: u64) -> Result<&'a [u8], ImportError> {
    let count = cursor.u16("the number of links in a list")?;
    let _flags = cursor.u16("flags of a list")?;
    let links = cursor.items(room, 4, "a list of links")?;
    let expected = || format!("at most {room}");
    ImportError::unless(
        u64::from(count) <= room,
        "the number of links in a list",
        count,
        expected(),
    )?;
    Ok(&links[..4 * usize::from(count)])
}

/// Hands the bytes of a file to `out`, in pieces; `key` tells the labels. The metric is one of
/// [`METRICS`], and nobody changes the index meanwhile.
pub(super) fn write(
    index: &Hnsw<Vectors<f32>>,
    key: impl Fn(Id) -> u64,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let (graph, vectors) = (&index.graph, &index.space);
    let (points, m) = (graph.len(), graph.m());
    let (base, entry) = (4 + 4 * graph.degree(0), entry_point(graph));
    let label = base + 4 * vectors.dim();
    let highest = entry.map_or(-1, |entry| graph.level(entry) as i32);
    let mut piece = Vec::new();
    for number in [0, points, points, label + 8, label, base] {
        piece.extend((number as u64).to_le_bytes());
    }
    piece.extend(highest.to_le_bytes());
    piece.extend(entry.unwrap_or(NONE).to_le_bytes());
    for number in [graph.degree(1), graph.degree(0), m] {
        piece.extend((number as u64).to_le_bytes());
    }
    piece.extend(level_scale(m).to_le_bytes());
    piece.extend((index.params().ef_construction as u64).to_le_bytes());
    for id in 0..points as Id {
        let start = piece.len();
        write_list(graph, id, 0, &mut piece);
        if graph.is_dead(id) {
            piece[start + 2] |= DELETED;
        }
        let row = vectors.get(id).expect("a point of the graph has a row");
        row.iter().for_each(|value| piece.extend(value.to_le_bytes()));
        piece.extend(key(id).to_le_bytes());
        out(&piece)?;
        piece.clear();
    }
    for id in 0..points as Id {
        // Copies have no links above level 0, and where only removed points are higher, nobody looks.
        let level = if graph.is_copy(id) { 0 } else { graph.level(id).min(highest as usize) };
        let bytes = level * (4 + 4 * graph.degree(1));
        piece.extend((bytes as u32).to_le_bytes());
        (1..=level).for_each(|level| write_list(graph, id, level, &mut piece));
        out(&piece)?;
        piece.clear();
    }
    out(&piece)
}

/// By what hnswlib will draw the levels of points that it adds.
#[expect(clippy::disallowed_methods, reason = "nothing here depends on its last digit")]
fn level_scale(m: usize) -> f64 {
    1.0 / (m as f64).ln()
}

/// Appends a list with its room.
fn write_list(graph: &Graph, id: Id, level: usize, out: &mut Vec<u8>) {
    let count = graph.links(id, level).count();
    out.extend((count as u32).to_le_bytes());
    let links = graph.links(id, level).chain(std::iter::repeat(0)).take(graph.degree(level));
    links.for_each(|link| out.extend(link.to_le_bytes()));
}

/// Where searches of hnswlib begin: as here, or where all points were removed at any on the highest
/// level.
fn entry_point(graph: &Graph) -> Option<Id> {
    let highest = || (0..graph.len() as Id).max_by_key(|id| graph.level(*id));
    graph.entry().or_else(highest)
}
