//! The folder of an index: the names of its files, and the lock that keeps others out.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file::disk::{Disk, Lock};

/// The names of the files.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
}

impl Files {
    pub(super) fn snapshot(&self) -> PathBuf {
        self.folder.join("snapshot")
    }

    /// A snapshot that is not verified yet.
    pub(super) fn new_snapshot(&self) -> PathBuf {
        self.folder.join("snapshot.new")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// A log that is not in use yet.
    pub(super) fn new_log(&self) -> PathBuf {
        self.folder.join("log.new")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }
}

/// A folder that is locked. Its path is absolute and free of symbolic links, so that it does not depend
/// on what the process or others do later.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) files: Files,
    lock: Box<dyn Lock>,
}

impl Folder {
    /// Locks a folder that is there; `None` where another has it.
    pub(super) fn lock(disk: Arc<dyn Disk>, path: &Path) -> io::Result<Option<Self>> {
        let files = Files { folder: disk.resolve(path)? };
        let lock = disk.lock(&files.lock())?;
        Ok(lock.map(|lock| Self { disk, files, lock }))
    }

    /// Whether the path still leads to the folder that was locked: somebody may have moved it, put
    /// another one in its place, or removed the lock.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        self.lock.is_at(&self.files.lock())
    }

    /// The files that are there.
    pub(super) fn list(&self) -> io::Result<Vec<PathBuf>> {
        self.disk.list(&self.files.folder)
    }

    /// Makes the names of the files survive power loss.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.disk.sync_folder(&self.files.folder)
    }

    /// Lets a file that was written beside take the place of another one, whose permissions it gets.
    pub(super) fn replace(&self, new: &Path, old: &Path) -> io::Result<()> {
        match self.disk.permit(new, old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.disk.rename(new, old)?;
        self.sync()
    }

    /// Removes what an interrupted checkpoint left, as far as the disk lets it: it only takes room.
    pub(super) fn tidy(&self) {
        let is_left = |path: &PathBuf| {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            (name.starts_with(".snapshot.") && name.ends_with(".new"))
                || [self.files.new_snapshot(), self.files.new_log()].contains(path)
        };
        for path in self.list().unwrap_or_default().iter().filter(|path| is_left(path)) {
            let _ = self.disk.remove(path);
        }
    }
}
