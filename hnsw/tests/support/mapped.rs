//! Indexes over mapped files, of which the tests promise that nobody writes to them.
#![allow(unsafe_code, reason = "promises that the files of a test stay as they are")]
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::Path;

use nearfield_hnsw::{
    Hnsw, Index, SavedKey, Vectors,
    file::OpenError,
    space::{Space, VectorElement},
};

// SAFETY of all: a test has its folder for itself, and replaces files there only when what was opened
// before is gone, or by another file.

type Opened<T> = Result<T, OpenError>;

pub(crate) fn open<K: SavedKey, E: VectorElement>(path: &Path) -> Opened<Index<K, Vectors<E>>> {
    // SAFETY: see above.
    unsafe { Index::open(path) }
}

pub(crate) fn open_verified<K: SavedKey, E: VectorElement>(
    path: &Path,
) -> Opened<Index<K, Vectors<E>>> {
    // SAFETY: see above.
    unsafe { Index::open_verified(path) }
}

pub(crate) fn open_graph<K: SavedKey, S: Space>(space: S, path: &Path) -> Opened<Index<K, S>> {
    // SAFETY: see above.
    unsafe { Index::open_graph(space, path) }
}

/// The same by ids.
pub(crate) mod by_id {
    use super::*;

    pub(crate) fn open<E: VectorElement>(path: &Path) -> Opened<Hnsw<Vectors<E>>> {
        // SAFETY: see above.
        unsafe { Hnsw::open(path) }
    }

    pub(crate) fn open_verified<E: VectorElement>(path: &Path) -> Opened<Hnsw<Vectors<E>>> {
        // SAFETY: see above.
        unsafe { Hnsw::open_verified(path) }
    }

    pub(crate) fn open_graph<S: Space>(space: S, path: &Path) -> Opened<Hnsw<S>> {
        // SAFETY: see above.
        unsafe { Hnsw::open_graph(space, path) }
    }
}
