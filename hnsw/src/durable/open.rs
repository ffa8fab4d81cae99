//! Making a durable index, and opening it again.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{BadLog, CreateError, RecoverError};
use super::head::{self, Contents};
use super::index::Durable;
use super::log::{Log, Place};
use super::operation::Operation;
use super::recover::{self, Cut, ReadError, Record};
use crate::build::Build;
use crate::disk::{Disk, Lock, Os};
use crate::index::Index;
use crate::key::SavedKey;
use crate::vectors::{VectorElement, Vectors};

/// What the opening of a [`Durable`] index found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Operations of the log that were done again.
    pub operations: u64,
    /// Operations of the log that the snapshot contains already, after an interrupted checkpoint.
    pub skipped: u64,
    /// What was cut off the end of the log; after a process or a machine that did not end in order.
    pub cut: Option<Cut>,
}

/// The files of an index.
struct Folder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl Folder {
    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn snapshot(&self) -> PathBuf {
        self.file("snapshot")
    }

    fn place(&self) -> Place {
        Place { disk: Arc::clone(&self.disk), folder: self.path.clone() }
    }

    /// Keeps others out; an error where somebody is in.
    fn lock(&self) -> io::Result<Option<Box<dyn Lock>>> {
        self.disk.lock(&self.file("lock"))
    }

    /// Removes what an interrupted checkpoint left.
    fn tidy(&self, present: &[PathBuf]) -> Result<(), (PathBuf, io::Error)> {
        let is_snapshot = |name: &str| name.starts_with(".snapshot.") && name.ends_with(".new");
        for path in present {
            let name = path.file_name().and_then(OsStr::to_str);
            if name.is_some_and(is_snapshot) || *path == self.place().new_log() {
                self.disk.remove(path).map_err(|error| (path.clone(), error))?;
            }
        }
        Ok(())
    }
}

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

    /// Opens the index in a folder: loads the snapshot and does again what the log tells. How the
    /// index acknowledges is not in the folder: see [`relaxed`](Self::relaxed).
    ///
    /// # Errors
    /// When there is no index in the folder, it is in use, its keys or elements are others, or a file
    /// is damaged or cannot be read or written. The folder is then as before.
    pub fn open(folder: impl AsRef<Path>) -> Result<(Self, Recovery), RecoverError> {
        Self::open_on(Arc::new(Os), folder.as_ref())
    }

    pub(super) fn create_on(
        disk: Arc<dyn Disk>,
        path: &Path,
        index: Index<K, Vectors<E>>,
    ) -> Result<Self, CreateError> {
        let folder = Folder { disk, path: path.into() };
        let Folder { disk, .. } = &folder;
        let at = |path: &Path| {
            let path = path.to_owned();
            |error| CreateError::File { path, error }
        };
        disk.create_folder(path).map_err(at(path))?;
        let lock = folder.lock().map_err(at(&folder.file("lock")))?;
        let lock = lock.ok_or_else(|| CreateError::Locked { folder: path.into() })?;
        let present = disk.list(path).map_err(at(path))?;
        let (snapshot, log) = (folder.snapshot(), folder.place().log());
        if present.contains(&snapshot) {
            return Err(CreateError::Exists { path: snapshot });
        }
        // The log comes first: without a snapshot it is that of a creation that was interrupted, and
        // has no records. One with records has lost its snapshot.
        if present.contains(&log) {
            let len = disk.open(&log).and_then(|log| log.len()).map_err(at(&log))?;
            if len > head::LEN as u64 {
                return Err(CreateError::Exists { path: log });
            }
        }
        folder.tidy(&present).map_err(|(path, error)| CreateError::File { path, error })?;
        let contents = Contents::of_vectors::<K, E>(index.space());
        let writer = Log::create(folder.place(), contents, 0).map_err(at(&log))?;
        index.save_on(&**disk, &snapshot, || 0).map_err(CreateError::Save)?;
        Ok(Self::over(index, writer, folder.disk, snapshot, lock))
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        path: &Path,
    ) -> Result<(Self, Recovery), RecoverError> {
        let folder = Folder { disk, path: path.into() };
        let Folder { disk, .. } = &folder;
        let at = |path: &Path| {
            let path = path.to_owned();
            |error| RecoverError::File { path, error }
        };
        let present = match disk.list(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            present => present.map_err(at(path))?,
        };
        let (snapshot, log) = (folder.snapshot(), folder.place().log());
        if !present.contains(&snapshot) {
            return Err(RecoverError::NoIndex { folder: path.into() });
        }
        let lock = folder.lock().map_err(at(&folder.file("lock")))?;
        let lock = lock.ok_or_else(|| RecoverError::Locked { folder: path.into() })?;
        let (index, mark) = Index::load_on(&**disk, &snapshot).map_err(RecoverError::Snapshot)?;
        let input = disk.open(&log).map_err(at(&log))?;
        let contents = Contents::of_vectors::<K, E>(index.space());
        let mut recovery = Recovery { operations: 0, skipped: 0, cut: None };
        let apply = |record: Record<'_>| replay(&index, mark, &record, &mut recovery);
        let found = match recover::read(input, &contents, mark, apply) {
            Err(ReadError::File(error)) => return Err(RecoverError::File { path: log, error }),
            Err(ReadError::Bad(error)) => return Err(RecoverError::Log { path: log, error }),
            Ok(found) => found,
        };
        recovery.cut = found.cut;
        let present = disk.list(path).map_err(at(path))?;
        folder.tidy(&present).map_err(|(path, error)| RecoverError::File { path, error })?;
        // A checkpoint may have been interrupted before the names of its files were safe.
        disk.sync_folder(path).map_err(at(path))?;
        let writer = if found.sequence < mark {
            // All it had is in the snapshot, whose number the next record must exceed.
            Log::create(folder.place(), contents, mark)
        } else {
            Log::resume(folder.place(), &found)
        };
        let writer = writer.map_err(at(&log))?;
        Ok((Self::over(index, writer, folder.disk, snapshot, lock), recovery))
    }
}

/// Does an operation of the log again, unless the snapshot, which contains those up to `mark`, has it.
fn replay<K: SavedKey, E: VectorElement>(
    index: &Index<K, Vectors<E>>,
    mark: u64,
    record: &Record<'_>,
    recovery: &mut Recovery,
) -> Result<(), BadLog> {
    let Record { offset, sequence, kind, body } = *record;
    let operation = Operation::read(kind, body, index.space().dim())
        .map_err(|error| BadLog::Operation { offset, reason: error.to_string() })?;
    if operation == Operation::Mark {
        return Ok(());
    }
    if sequence <= mark {
        recovery.skipped += 1;
        return Ok(());
    }
    let done = match operation {
        Operation::Mark => Ok(()),
        Operation::Insert(key, vector) => index.insert(key, &vector).map(|_| ()),
        Operation::Upsert(key, vector) => index.upsert(key, &vector).map(|_| ()),
        Operation::Batch(keys, vectors) => index.insert_batch(keys, &vectors, Build::default()),
        Operation::Remove(key) => match index.remove(&key) {
            Ok(true) => Ok(()),
            Ok(false) => return Err(BadLog::NoSuchKey { offset }),
            Err(poisoned) => Err(poisoned.into()),
        },
    };
    done.map_err(|error| BadLog::Refused { offset, error })?;
    recovery.operations += 1;
    Ok(())
}
