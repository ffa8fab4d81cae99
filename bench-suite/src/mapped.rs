//! Indexes over mapped files, of which a measurement promises that nobody writes to them.
#![allow(unsafe_code, reason = "promises that the files of a measurement stay as they are")]

use std::path::Path;

use nearfield_hnsw::{Hnsw, Index, Vectors, file::OpenError, space::VectorElement};

// SAFETY of all: whoever measures an index in a file does not write to it meanwhile; `save` puts another
// file in its place.

/// Maps an index.
pub(crate) fn open<E: VectorElement>(path: &Path) -> Result<Index<u64, Vectors<E>>, OpenError> {
    // SAFETY: see above.
    unsafe { Index::open(path) }
}

/// Maps an index and verifies it.
pub(crate) fn open_verified<E: VectorElement>(
    path: &Path,
) -> Result<Index<u64, Vectors<E>>, OpenError> {
    // SAFETY: see above.
    unsafe { Index::open_verified(path) }
}

/// Maps an index without keys.
pub(crate) fn open_bare<E: VectorElement>(path: &Path) -> Result<Hnsw<Vectors<E>>, OpenError> {
    // SAFETY: see above.
    unsafe { Hnsw::open(path) }
}

/// Maps an index without keys and verifies it.
pub(crate) fn open_bare_verified<E: VectorElement>(
    path: &Path,
) -> Result<Hnsw<Vectors<E>>, OpenError> {
    // SAFETY: see above.
    unsafe { Hnsw::open_verified(path) }
}
