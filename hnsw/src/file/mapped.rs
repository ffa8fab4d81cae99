//! Opening a saved index by a map, for which the caller must promise that the file stays as it is.
#![allow(unsafe_code, reason = "hands the promise that a file does not change on to the caller")]

use std::fs::File;
use std::path::Path;

use super::error::{OpenCause, OpenError};
use crate::file::{Head, Source, Unchanging};
use crate::index::{Hnsw, Index, SavedKey};
use crate::space::Space;
use crate::vectors::{VectorElement, Vectors};

impl<K: SavedKey, E: VectorElement> Index<K, Vectors<E>> {
    /// Opens a saved index without reading it: the file is mapped, and what a search needs comes into
    /// memory when it is needed. Takes milliseconds, whatever the size; processes that map the same file
    /// share its memory. [`load`](Self::load) does without the promise below.
    ///
    /// The index can be changed, in memory; the file stays as it is. Before the first change, and before
    /// it is saved, all of it is read and verified as by [`open_verified`](Self::open_verified).
    /// Until then the file is not trusted: whatever its bytes are, searches find points that there are.
    /// If it was damaged they may be wrong ones.
    ///
    /// On other systems than Unix most of the file is read into memory.
    ///
    /// ```
    /// use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("places.nearfield");
    /// let index = Index::new(Vectors::<f32>::new(2, Metric::L2Squared)?, Params::default())?;
    /// index.insert("harbour".to_string(), &[3.0, 4.0])?;
    /// index.save(&path)?;
    ///
    /// // SAFETY: this program alone has the file, and `save` puts a new one in its place.
    /// let opened = unsafe { Index::<String, Vectors<f32>>::open(&path)? };
    /// assert_eq!(opened.search(&[2.0, 4.0], Search::new(1))?[0].key, "harbour");
    /// opened.insert("bridge".to_string(), &[1.0, 1.0])?; // in memory: the file stays as it is
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Safety
    /// As long as the index lives nobody writes to the file or cuts it: no other process, and no other
    /// part of this one. It is the contract of [`memmap2::Mmap::map`], and nothing can enforce it: the
    /// compiler takes bytes that it reads for bytes that stay, and a read behind the new end of a file
    /// that was cut ends the process.
    ///
    /// Harmless is: to read the file; to remove it; to put another one in its place by renaming, as
    /// [`save`](Self::save) does, over this path as well. A file that was damaged **before** it was
    /// opened is harmless, too.
    ///
    /// # Errors
    /// When the file cannot be read, its head is no good, or it is an index of other elements or keys.
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        // SAFETY: as the caller promises.
        let source = || unsafe { map(path.as_ref()) };
        Self::restore(path.as_ref(), false, source).map(|(index, _)| index)
    }

    /// Opens a saved index as [`open`](Self::open), and verifies all of it first: checksums, and that the
    /// graph is [whole](crate::Index::check).
    ///
    /// # Safety
    /// As [`open`](Self::open): what was verified must not change afterwards.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when anything at all is wrong.
    pub unsafe fn open_verified(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        // SAFETY: as the caller promises.
        let source = || unsafe { map(path.as_ref()) };
        Self::restore(path.as_ref(), true, source).map(|(index, _)| index)
    }
}

impl<K: SavedKey, S: Space> Index<K, S> {
    /// Opens a graph with its keys that was [saved alone](Self::save_graph), as [`open`](Index::open)
    /// does. `space` must have the same points: its own order, those that were removed among them. A
    /// few of them are compared with what the graph knows of them.
    ///
    /// # Safety
    /// As [`open`](Index::open).
    ///
    /// # Errors
    /// As [`open`](Index::open), and when the space has another number of points than the graph,
    /// [describes](Space::description) itself otherwise, or one of the points that were looked at is
    /// another.
    pub unsafe fn open_graph(space: S, path: impl AsRef<Path>) -> Result<Self, OpenError> {
        // SAFETY: as the caller promises.
        let source = || unsafe { map(path.as_ref()) };
        Self::restore_graph(space, path.as_ref(), false, source)
    }
}

impl<E: VectorElement> Hnsw<Vectors<E>> {
    /// Maps a saved index, as [`Index::open`] does, without keys.
    ///
    /// # Safety
    /// As [`Index::open`].
    ///
    /// # Errors
    /// As [`Index::open`].
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        // SAFETY: as the caller promises.
        let source = || unsafe { map(path.as_ref()) };
        Self::restore(path.as_ref(), false, source)
    }

    /// Maps a saved index and verifies it, as [`Index::open_verified`] does, without keys.
    ///
    /// # Safety
    /// As [`Index::open`].
    ///
    /// # Errors
    /// As [`Index::open_verified`].
    pub unsafe fn open_verified(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        // SAFETY: as the caller promises.
        let source = || unsafe { map(path.as_ref()) };
        Self::restore(path.as_ref(), true, source)
    }
}

impl<S: Space> Hnsw<S> {
    /// Maps a graph that was [saved alone](Self::save_graph), as [`Index::open_graph`] does, without
    /// keys.
    ///
    /// # Safety
    /// As [`Index::open`].
    ///
    /// # Errors
    /// As [`Index::open_graph`].
    pub unsafe fn open_graph(space: S, path: impl AsRef<Path>) -> Result<Self, OpenError> {
        // SAFETY: as the caller promises.
        let source = || unsafe { map(path.as_ref()) };
        Self::restore_graph(space, path.as_ref(), false, source)
    }
}

/// Maps a file.
///
/// # Safety
/// As long as anything lives that is made of it nobody writes to the file or cuts it.
unsafe fn map(path: &Path) -> Result<(Head, Source), OpenCause> {
    let file = File::open(path)?;
    // SAFETY: as the caller promises.
    let file = unsafe { Unchanging::new(file) };
    Ok(Source::map(file)?)
}
