//! What a reader has found in a file, whatever the library; and how it becomes an index.
//!
//! Readers see to the structure: that lengths fit together and all is there. What the contents must be
//! so that a search can rely on them is verified here, once for all.

use std::sync::atomic::Ordering::Relaxed;

use nearfield_kernels::Metric;

use super::codes::Codes;
use super::cursor::numbers;
use super::error::ImportError;
use crate::graph::Graph;
use crate::id::{Id, MAX_POINTS};
use crate::index::{Hnsw, Index, Keys};
use crate::params::Params;
use crate::space::Space;
use crate::vectors::{VectorElement, VectorError, Vectors};

/// Elements brought into memory at a time.
const CHUNK: usize = 1 << 16;

/// How many times the bytes of the file its lists may take in memory: they are padded to the room of
/// the longest, and those of level 0 have twice that of the others. In files as libraries write them it
/// is no more than twice.
const MOST_ROOM: u64 = 8;

/// The parts of a file.
pub(super) struct Parsed<'a> {
    /// The file's length.
    pub(super) bytes: usize,
    /// The name of the element type.
    pub(super) element: &'static str,
    pub(super) metric: Metric,
    pub(super) dim: usize,
    pub(super) rows: Rows<'a>,
    /// The room for links on level 0, and on each level above.
    pub(super) room: [u64; 2],
    pub(super) ef_construction: u64,
    /// The highest level of each point: as many as there are points.
    pub(super) levels: Vec<u8>,
    /// Of each point the list on every level up to its own, from 0: ids as little-endian `u32`.
    pub(super) lists: Vec<&'a [u8]>,
    /// Where searches begin, and the highest level; not looked at where there is no point.
    pub(super) entry: (u64, i64),
    pub(super) keys: Vec<u64>,
    /// The points that were removed, ascending.
    pub(super) removed: Vec<Id>,
}

/// Where the rows are.
pub(super) enum Rows<'a> {
    /// A row every `stride` bytes.
    Apart {
        bytes: &'a [u8],
        stride: usize,
    },
    Codes(Codes<'a>),
}

impl Rows<'_> {
    /// Writes the bytes of a row, little-endian.
    fn write(&self, row: usize, out: &mut [u8]) {
        match self {
            Self::Apart { bytes, stride } => {
                out.copy_from_slice(&bytes[row * stride..][..out.len()]);
            }
            Self::Codes(codes) => codes.write(row, out.as_chunks_mut().0),
        }
    }
}

impl Parsed<'_> {
    /// The most points of a file: every one has an id.
    pub(super) fn check_count(points: u64) -> Result<(), ImportError> {
        if points <= MAX_POINTS as u64 {
            return Ok(());
        }
        let points = usize::try_from(points).unwrap_or(usize::MAX);
        Err(VectorError::TooMany { points }.into())
    }

    /// The index, once all that it relies on is seen to hold.
    pub(super) fn into_index<E: VectorElement>(
        self,
    ) -> Result<Index<u64, Vectors<E>>, ImportError> {
        if E::NAME != self.element {
            return Err(ImportError::Element { file: self.element, asked: E::NAME });
        }
        let params = self.params()?;
        let vectors = self.vectors()?;
        let keys = self.index_keys()?;
        let graph = self.graph(params.m)?;
        Ok(Index::of(Hnsw::over(vectors, params, graph), keys))
    }

    /// Lists on level 0 have room for 2M links, those above for M.
    fn params(&self) -> Result<Params, ImportError> {
        let [base, upper] = self.room;
        let m = upper.max(base.div_ceil(2)).max(*Params::M.start() as u64);
        let m = usize::try_from(m).unwrap_or(usize::MAX);
        let most = *Params::EF_CONSTRUCTION.end();
        let ef_construction = usize::try_from(self.ef_construction).unwrap_or(most).clamp(1, most);
        let params = Params::default().m(m).ef_construction(ef_construction);
        params.check().map_err(ImportError::Params)?;
        let lists = (self.levels.len() + self.lists.len()) as u64;
        let bytes = lists * (m * size_of::<Id>()) as u64;
        if bytes > MOST_ROOM * self.bytes as u64 {
            return Err(ImportError::Disproportion { bytes, file: self.bytes });
        }
        Ok(params)
    }

    fn vectors<E: VectorElement>(&self) -> Result<Vectors<E>, ImportError> {
        let points = self.levels.len();
        let mut vectors = Vectors::whole(self.dim, self.metric)?.with_capacity(points);
        let at_once = (CHUNK / self.dim).max(1);
        let mut chunk = Vec::new();
        for first in (0..points).step_by(at_once) {
            chunk.resize(at_once.min(points - first) * self.dim, E::zeroed());
            for (row, values) in chunk.chunks_exact_mut(self.dim).enumerate() {
                self.rows.write(first + row, bytemuck::cast_slice_mut(values));
            }
            if cfg!(target_endian = "big") {
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut chunk);
                bytes.chunks_exact_mut(size_of::<E>()).for_each(<[u8]>::reverse);
            }
            vectors.extend(&chunk).map_err(|error| match error {
                VectorError::Row { row, flaw } => VectorError::Row { row: first + row, flaw },
                error => error,
            })?;
        }
        debug_assert_eq!(vectors.len(), points);
        Ok(vectors)
    }

    /// Keys of points that live are unique; what a removed one had, another may have now.
    fn index_keys(&self) -> Result<Keys<u64>, ImportError> {
        let keys = Keys::new();
        keys.reserve(0..self.keys.len() as Id).map_err(ImportError::Memory)?;
        let mut removed = self.removed.iter().peekable();
        for (id, key) in (0..).zip(&self.keys) {
            if removed.next_if_eq(&&id).is_some() {
                keys.recall(id, *key);
                continue;
            }
            match keys.look_up(key) {
                (hash, None) => keys.assign(id, *key, hash, None),
                _ => return Err(ImportError::KeyTwice { key: *key, id }),
            }
        }
        Ok(keys)
    }

    fn graph(self, m: usize) -> Result<Graph, ImportError> {
        let Self { levels, lists, removed, entry, .. } = self;
        let entry = entry_point(&levels, entry)?;
        let graph = Graph::imported(m, levels).map_err(ImportError::Memory)?;
        let mut lists = lists.into_iter();
        for from in 0..graph.len() as Id {
            for (level, list) in (0..=graph.level(from)).zip(&mut lists) {
                let slots = graph.slots(from, level);
                for (slot, to) in slots.iter().zip(numbers(list, Id::from_le_bytes)) {
                    if to as usize >= graph.len() || graph.level(to) < level {
                        return Err(ImportError::Link { from, to, level });
                    }
                    slot.store(to, Relaxed);
                }
            }
        }
        graph.set_entry(entry);
        removed.into_iter().for_each(|id| graph.end(id, None));
        graph.publish();
        Ok(graph)
    }
}

/// The entry point, on the highest level of all.
fn entry_point(levels: &[u8], (id, highest): (u64, i64)) -> Result<Option<Id>, ImportError> {
    let Some(top) = levels.iter().max() else { return Ok(None) };
    let level = usize::try_from(id).ok().and_then(|id| levels.get(id));
    if level != Some(top) || i64::from(*top) != highest {
        return Err(ImportError::Entry { id, level: highest });
    }
    Ok(Some(id as Id))
}
