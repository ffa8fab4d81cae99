//! Making a durable index, opening it, and opening it anew.

use std::path::Path;
use std::sync::Arc;

use super::begin::Beginning;
use super::error::{CreateError, RecoverError};
use super::folder::{Files, Folder};
use super::head::{self, Contents};
use super::index::Durable;
use super::log::Log;
use super::policy::Policy;
use super::replay::{self, Read, Recovery};
use super::snapshot;
use crate::file::disk::{Disk, Os};
use crate::index::{Index, SavedKey};
use crate::vectors::{VectorElement, Vectors};

impl<K: SavedKey, E: VectorElement> Durable<K, E> {
    /// Makes a folder with an index in it: an empty one, or one that was built. The folder may be there
    /// already.
    ///
    /// # Errors
    /// When there is a durable index in the folder, it is in use, or something cannot be written: then
    /// the folder has no index, and one can be made, or, where the very last step failed, it has this
    /// one.
    pub fn create(
        folder: impl AsRef<Path>,
        index: Index<K, Vectors<E>>,
    ) -> Result<Self, CreateError> {
        Self::create_on(Arc::new(Os), folder.as_ref(), index)
    }

    /// Opens the index in a folder: reads the snapshot into memory and does again what the log tells. How
    /// the index acknowledges is not in the folder: see [`relaxed`](Self::relaxed).
    ///
    /// A full disk does not stand in the way: see [`Recovery::is_writable`].
    ///
    /// # Errors
    /// When there is no index in the folder, it is in use, its keys or elements are others, or a file
    /// is damaged or cannot be read. The folder is then as before.
    pub fn open(folder: impl AsRef<Path>) -> Result<(Self, Recovery), RecoverError> {
        Self::open_on(Arc::new(Os), folder.as_ref())
    }

    /// Reads the index in a folder as [`open`](Self::open) does, also while another process has it
    /// open and writes, and whoever may only read the folder. Nothing in the folder is changed or
    /// locked, and what is done to the index that is returned stays in memory.
    ///
    /// The index has what had been done at one moment during the call, whatever the other process does
    /// meanwhile, checkpoints among it: everything that was acknowledged before, and possibly
    /// operations that are about to be. What is done later it does not have; call this again for that.
    /// [`Recovery::last`] says how far it is.
    ///
    /// ```
    /// use nearfield_hnsw::{Durable, Index, Metric, Params, Vectors};
    ///
    /// # let parent = tempfile::tempdir()?;
    /// # let folder = parent.path().join("index");
    /// let empty = Index::<u64, _>::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
    /// let writer = Durable::create(&folder, empty)?;
    /// writer.insert(7, &[1.0, 0.0])?;
    ///
    /// let (reader, seen) = Durable::<u64, f32>::open_read_only(&folder)?; // in any process
    /// assert!(reader.contains(&7));
    ///
    /// writer.insert(8, &[0.0, 1.0])?;
    /// assert!(!reader.contains(&8));
    /// let (reader, now) = Durable::<u64, f32>::open_read_only(&folder)?;
    /// assert!(reader.contains(&8) && now.last > seen.last);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no index in the folder, its keys or elements are others, or a file is damaged or
    /// cannot be read.
    pub fn open_read_only(
        folder: impl AsRef<Path>,
    ) -> Result<(Index<K, Vectors<E>>, Recovery), RecoverError> {
        Self::open_read_only_on(&Os, folder.as_ref())
    }

    pub(super) fn create_on(
        disk: Arc<dyn Disk>,
        path: &Path,
        index: Index<K, Vectors<E>>,
    ) -> Result<Self, CreateError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            |error| CreateError::File { path, error }
        };
        disk.create_folder(path).map_err(at(path))?;
        let folder = Folder::lock(disk, path).map_err(at(path))?;
        let folder = folder.ok_or_else(|| CreateError::Locked { folder: path.into() })?;
        let Folder { disk, files, .. } = &folder;
        let present = folder.list().map_err(at(path))?;
        if present.contains(&files.snapshot()) {
            return Err(CreateError::Exists { path: files.snapshot() });
        }
        // The log comes first: without a snapshot it is that of a creation that was interrupted, and
        // has no records. One with records has lost its snapshot.
        let log = files.log();
        if present.contains(&log) {
            let len = disk.open(&log).and_then(|log| log.len()).map_err(at(&log))?;
            if len > head::LEN as u64 {
                return Err(CreateError::Exists { path: log });
            }
        }
        folder.tidy();
        let contents = Contents::of_vectors::<K, E>(index.space());
        let folder = Arc::new(folder);
        let log = Log::new(Arc::clone(&folder), contents, Beginning::Empty { start: 0 });
        log.make_ready().map_err(CreateError::Log)?;
        snapshot::write(&index, &folder, 0).map_err(CreateError::Snapshot)?;
        Ok(Self::over(index, log))
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        path: &Path,
    ) -> Result<(Self, Recovery), RecoverError> {
        if !replay::is_there(&*disk, path)? {
            return Err(RecoverError::NoIndex { folder: path.into() });
        }
        let folder = Folder::lock(disk, path)
            .map_err(|error| RecoverError::File { path: path.into(), error })?;
        let folder = folder.ok_or_else(|| RecoverError::Locked { folder: path.into() })?;
        let (index, log, recovery) = open_locked(Arc::new(folder))?;
        Ok((Self::over(index, log), recovery))
    }

    pub(super) fn open_read_only_on(
        disk: &dyn Disk,
        path: &Path,
    ) -> Result<(Index<K, Vectors<E>>, Recovery), RecoverError> {
        if !replay::is_there(disk, path)? {
            return Err(RecoverError::NoIndex { folder: path.into() });
        }
        let resolved =
            disk.resolve(path).map_err(|error| RecoverError::File { path: path.into(), error })?;
        let Read { index, recovery, .. } = replay::read_beside(disk, &Files { folder: resolved })?;
        Ok((index, recovery))
    }
}

impl<K: SavedKey, E: VectorElement, P: Policy> Durable<K, E, P> {
    /// Goes back to what is on the disk: reads snapshot and log again, as [`open`](Durable::open) does,
    /// without letting others into the folder meanwhile. What was acknowledged is there.
    ///
    /// This is the way out where the index in memory cannot be trusted or written any more
    /// ([`Unwritable`](crate::Unwritable)), which would stand in the way of a checkpoint too. Where only
    /// the log failed, a [checkpoint](Self::checkpoint) keeps what is in memory.
    ///
    /// # Errors
    /// As [`open`](Durable::open). The index is then as before.
    pub fn reopen(&mut self) -> Result<Recovery, RecoverError> {
        // What was acknowledged without a sync is read back as well, so this may fail.
        let _ = self.flush();
        let (index, log, recovery) = open_locked(self.folder())?;
        self.replace(index, log);
        Ok(recovery)
    }
}

/// An index, the log that it goes on with, and what was found.
type Opened<K, E> = (Index<K, Vectors<E>>, Log, Recovery);

/// Opens the index in a folder that is locked.
fn open_locked<K: SavedKey, E: VectorElement>(
    folder: Arc<Folder>,
) -> Result<Opened<K, E>, RecoverError> {
    let Read { index, found, mut recovery } = replay::read(&*folder.disk, &folder.files)?;
    folder.tidy();
    let contents = Contents::of_vectors::<K, E>(index.space());
    let log = Log::new(folder, contents, Beginning::after(found, recovery.snapshot));
    recovery.is_writable = log.make_ready().is_ok();
    Ok((index, log, recovery))
}
