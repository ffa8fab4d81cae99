//! Saving an index.

use std::path::Path;

use super::atomic::replace;
use super::error::SaveError;
use crate::file::disk::{Disk, Os};
use crate::file::{Description, Flag, Head, Parts};
use crate::index::{Hnsw, Index, SavedKey, Unwritable};
use crate::space::Space;
use crate::vectors::{VectorElement, Vectors};

impl<E: VectorElement> Hnsw<Vectors<E>> {
    /// Writes the index to a file, as [`Index::save`] does, without keys.
    ///
    /// # Errors
    /// As [`Index::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        write(
            self,
            |head, parts| {
                self.space().save(self.graph().len(), head, parts);
                Ok(())
            },
            |parts, head| to_file(path.as_ref(), parts, head),
        )
    }
}

impl<S: Space> Hnsw<S> {
    /// Writes the graph alone to a file, as [`Index::save_graph`] does, without keys.
    ///
    /// # Errors
    /// As [`Index::save`].
    pub fn save_graph(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        let space = Description::of(&self.space().description());
        write(
            self,
            |head, _| {
                head.space = space;
                Ok(())
            },
            |parts, head| to_file(path.as_ref(), parts, head),
        )
    }
}

impl<K: SavedKey, E: VectorElement> Index<K, Vectors<E>> {
    /// Writes the index to a file: vectors, graph, keys, parameters. The same index is the same bytes, on
    /// every machine. Writers wait meanwhile, searches do not.
    ///
    /// The file is written beside `path` and then renamed, so that, whatever happens meanwhile, at `path`
    /// is the old file or the new one, whole; when this returns, the new one survives power loss.
    /// A process that is killed meanwhile leaves a file behind whose name begins with a dot and ends in
    /// `.new`; it is in nobody's way.
    ///
    /// Symbolic links are followed. On Unix the new file has the access rights of the old one, and its owner
    /// and group as far as the process may give them; other names of the old file (hard links) keep the
    /// old bytes.
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
    /// let loaded = Index::<String, Vectors<f32>>::load(&path)?;
    /// assert_eq!(loaded.search(&[2.0, 4.0], Search::new(1))?[0].key, "harbour");
    /// loaded.insert("bridge".to_string(), &[1.0, 1.0])?; // in memory: the file stays as it is
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the system refuses a step, or `path` leads to a folder, a device or the like; what is there is
    /// then as it was. When the index is not [whole](Unwritable).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        self.save_on(&Os, path.as_ref(), || 0)
    }

    /// Saves to any disk, with the number of the last operation of a log, asked for when nothing changes
    /// any more.
    pub(crate) fn save_on(
        &self,
        disk: &dyn Disk,
        path: &Path,
        mark: impl FnOnce() -> u64,
    ) -> Result<(), SaveError> {
        self.write(mark, |parts, head| replace(disk, path, |sink| parts.write(head, sink)))
    }

    /// The bytes that [`save`](Self::save) writes, for those who keep files elsewhere: in a database, in an
    /// object store. [`from_bytes`](Self::from_bytes) reads them.
    ///
    /// # Errors
    /// When the system refuses memory for them, or the index is not [whole](Unwritable).
    pub fn to_bytes(&self) -> Result<Vec<u8>, SaveError> {
        let mut bytes = Vec::new();
        let mut append = |piece: &[u8]| {
            bytes.try_reserve(piece.len())?;
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let refused = |error| SaveError::Io { step: "write to", path: "memory".into(), error };
        self.write(|| 0, |parts, head| parts.write(head, &mut append).map_err(refused))?;
        Ok(bytes)
    }

    fn write(
        &self,
        mark: impl FnOnce() -> u64,
        out: impl FnOnce(&Parts<'_>, &Head) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        write(
            self.by_id(),
            |head, parts| {
                head.mark = mark();
                self.space().save(self.by_id().graph().len(), head, parts);
                self.save_keys(head, parts)
            },
            out,
        )
    }
}

impl<K: SavedKey, S: Space> Index<K, S> {
    /// Writes graph and keys to a file, as [`save`](Index::save) does, and leaves the points where they
    /// are: for a space of the caller's own. [`load_graph`](Self::load_graph) and
    /// [`open_graph`](Self::open_graph) need the same points.
    ///
    /// # Errors
    /// As [`save`](Index::save).
    pub fn save_graph(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        let space = Description::of(&self.space().description());
        write(
            self.by_id(),
            |head, parts| {
                head.space = space;
                self.save_keys(head, parts)
            },
            |parts, head| to_file(path.as_ref(), parts, head),
        )
    }

    fn save_keys(&self, head: &mut Head, parts: &mut Parts<'_>) -> Result<(), Unwritable> {
        self.keys().verify_once().map_err(Unwritable::Damaged)?;
        self.keys().save(self.by_id(), head, parts);
        Ok(())
    }
}

fn to_file(path: &Path, parts: &Parts<'_>, head: &Head) -> Result<(), SaveError> {
    replace(&Os, path, |sink| parts.write(head, sink))
}

/// Gives the parts of an index to `out`, with those beside the graph that `more` adds. Nothing of the index
/// changes, so that it can be changed later even if the code of a key panics here.
fn write<'a, S: Space>(
    index: &'a Hnsw<S>,
    more: impl FnOnce(&mut Head, &mut Parts<'a>) -> Result<(), Unwritable>,
    out: impl FnOnce(&Parts<'a>, &Head) -> Result<(), SaveError>,
) -> Result<(), SaveError> {
    let writer = index.settled().map_err(SaveError::Unwritable)?;
    let mut head = Head {
        ef_construction: index.params().ef_construction as u64,
        seed: index.params().seed,
        next_repaired: writer.next_repaired.into(),
        build_distances: index.build_distances(),
        ..Head::default()
    };
    head.set(Flag::KeepPruned, index.params().keep_pruned);
    let mut parts = Parts::default();
    more(&mut head, &mut parts).map_err(SaveError::Unwritable)?;
    index.graph().save(&mut head, &mut parts);
    index.duplicates().save(&mut parts);
    out(&parts, &head)
}
