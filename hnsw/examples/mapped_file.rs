//! Vectors that stay in their file: the file is mapped, and the index holds ids and links only.
//!
//! A model for a [`Space`] over vectors that are somewhere else. The file holds rows of little-endian
//! `f32`, one after the other. `cargo run --release --example mapped_file` writes one, indexes it and
//! compares what a search finds with a scan.
#![allow(unsafe_code, reason = "to map a file takes a promise about all who can write to it")]

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;
use nearfield_hnsw::{
    Build, Flat, Hnsw, Id, Metric, Params, Search,
    space::{MAX_POINTS, Scorer, Space},
};
use nearfield_kernels::{Kernel, Rows, all_finite};
use twox_hash::XxHash3_64;

/// The rows of a mapped file, compared by their squared Euclidean distance.
///
/// As long as it lives nobody may write to the file or shorten it: the operating system would end the
/// program, or change rows under the graph.
#[derive(Debug)]
pub(crate) struct MappedRows {
    map: Mmap,
    dim: usize,
    kernel: Kernel<f32>,
}

impl MappedRows {
    /// Maps a file of rows of `dim` numbers, and reads it once, to look for what is not a number.
    ///
    /// # Safety
    /// As long as the rows live nobody writes to the file or shortens it.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the file does not consist of such rows; and when it cannot
    /// be read.
    pub(crate) unsafe fn open(path: &Path, dim: usize) -> io::Result<Self> {
        let damaged = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
        let kernel = Kernel::best(Metric::L2Squared).map_err(io::Error::other)?;
        let file = File::open(path)?;
        // SAFETY: the bytes must not change while they are mapped, which nobody can enforce for a file:
        // the caller promises it.
        let map = unsafe { Mmap::map(&file)? };
        let row_bytes = dim.saturating_mul(size_of::<f32>());
        if row_bytes == 0 || !map.len().is_multiple_of(row_bytes) {
            return Err(damaged("not a whole number of rows"));
        }
        if map.len() / row_bytes > MAX_POINTS {
            return Err(damaged("more rows than an index can hold"));
        }
        if cfg!(target_endian = "big") {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the bytes are little-endian"));
        }
        let rows = Self { map, dim, kernel };
        // A space makes sure once that no distance will be NaN.
        if all_finite(rows.values()) { Ok(rows) } else { Err(damaged("a number is not finite")) }
    }

    /// The file as numbers. A map begins at a page, so they are aligned.
    fn values(&self) -> &[f32] {
        bytemuck::cast_slice(&self.map)
    }

    fn row(&self, id: Id) -> &[f32] {
        &self.values()[id as usize * self.dim..][..self.dim]
    }

    fn scorer_from<'a>(&'a self, target: &'a [f32]) -> RowScorer<'a> {
        RowScorer { kernel: self.kernel, rows: Rows::new(self.values(), self.dim), target }
    }
}

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum QueryError {
    Dimension { expected: usize, found: usize },
    NotFinite,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension { expected, found } => write!(f, "{found} numbers, not {expected}"),
            Self::NotFinite => f.write_str("a number is not finite"),
        }
    }
}

impl Error for QueryError {}

impl Space for MappedRows {
    type Query = [f32];
    type QueryError = QueryError;
    type Scratch = (); // a query is compared as it comes
    type Scorer<'a> = RowScorer<'a>;

    fn len(&self) -> usize {
        self.values().len() / self.dim
    }

    fn scorer<'a>(
        &'a self,
        query: &'a [f32],
        _scratch: &'a mut (),
    ) -> Result<RowScorer<'a>, QueryError> {
        if query.len() != self.dim {
            return Err(QueryError::Dimension { expected: self.dim, found: query.len() });
        }
        if !all_finite(query) {
            return Err(QueryError::NotFinite);
        }
        Ok(self.scorer_from(query))
    }

    fn member(&self, id: Id) -> RowScorer<'_> {
        self.scorer_from(self.row(id))
    }

    fn equal(&self, a: Id, b: Id) -> bool {
        bytemuck::cast_slice::<f32, u8>(self.row(a)) == bytemuck::cast_slice::<_, u8>(self.row(b))
    }

    fn fingerprint(&self, id: Id) -> u64 {
        // An algorithm with a name: what a saved graph holds of it must be the same tomorrow.
        XxHash3_64::oneshot(bytemuck::cast_slice(self.row(id)))
    }

    fn description(&self) -> String {
        format!("f32, {}, l2", self.dim)
    }

    /// None that are the program's own: pages of the file come and go as the system likes.
    fn bytes(&self) -> usize {
        0
    }
}

/// Compares rows where they lie in the file. The kernel fetches the rows ahead.
#[derive(Debug)]
pub(crate) struct RowScorer<'a> {
    kernel: Kernel<f32>,
    rows: Rows<'a, f32>,
    target: &'a [f32],
}

impl Scorer for RowScorer<'_> {
    fn set_target(&mut self, id: Id) {
        self.target = self.rows.row(id);
    }

    fn score(&mut self, id: Id) -> f32 {
        self.kernel.distance(self.target, self.rows.row(id))
    }

    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        self.kernel.gather(self.target, &self.rows, ids, out);
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    const DIM: usize = 8;
    let path = std::env::temp_dir().join(format!("nearfield-{}.f32", std::process::id()));
    let mixed = |i: u32| (i ^ i >> 7).wrapping_mul(0x9E37_79B9);
    let number = |i: u32| (mixed(mixed(i)) >> 8) as f32 / (1 << 24) as f32; // 0…1
    let bytes: Vec<u8> = (0..2000 * DIM as u32).flat_map(|i| number(i).to_le_bytes()).collect();
    std::fs::write(&path, bytes)?;

    // SAFETY: no other program knows of the file, and this one only reads it from here on.
    let rows = || unsafe { MappedRows::open(&path, DIM) };
    let index = Hnsw::build(rows()?, Params::default(), Build::default())?;
    let memory = index.memory();
    println!("{} rows; {} bytes of points, {} of links", index.len(), memory.points, memory.links);

    let (query, search) = ([0.5; DIM], Search::new(3).ef(64));
    let hits = index.search(&query, search)?;
    for hit in &hits {
        println!("row {} at {}", hit.id, hit.distance);
    }
    let exact = Flat::new(rows()?).search(&query, search)?;
    println!("{}", if hits == exact { "as a scan finds them" } else { "a scan finds others" });

    drop(index);
    Ok(std::fs::remove_file(&path)?)
}
