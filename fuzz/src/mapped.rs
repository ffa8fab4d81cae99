//! An index over a mapped file, of which a target promises that nobody writes to it.
#![allow(unsafe_code, reason = "promises that the files of a target stay as they are")]

use std::path::Path;

use nearfield_hnsw::{file::OpenError, Index, Vectors};

/// Maps an index.
pub fn open_mapped(path: &Path) -> Result<Index<u64, Vectors<f32>>, OpenError> {
    // SAFETY: a target makes its file in a folder of its own, and writes to it no more.
    unsafe { Index::open(path) }
}
