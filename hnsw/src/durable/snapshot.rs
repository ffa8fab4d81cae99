//! Writing a snapshot, and reading it back before it is relied on.

use std::io;

use super::error::SnapshotError;
use super::folder::Folder;
use crate::file::{OpenCause, OpenError};
use crate::index::{Index, SavedKey};
use crate::vectors::{VectorElement, Vectors};

/// Writes a snapshot that contains all up to the record with the number `mark`, reads it back, and lets
/// it take the place of the one before.
pub(super) fn write<K: SavedKey, E: VectorElement>(
    index: &Index<K, Vectors<E>>,
    folder: &Folder,
    mark: u64,
) -> Result<(), SnapshotError> {
    let (new, snapshot) = (folder.files.new_snapshot(), folder.files.snapshot());
    check_place(folder)?;
    index.save_on(&*folder.disk, &new, || mark).map_err(SnapshotError::Save)?;
    let replaced = read_back(index, folder, mark).and_then(|()| {
        check_place(folder)?;
        let failed = |error| SnapshotError::File { path: snapshot.clone(), error };
        folder.replace(&new, &snapshot).map_err(failed)
    });
    if replaced.is_err() {
        // The next opening would remove it otherwise.
        let _ = folder.disk.remove(&new);
    }
    replaced
}

/// Verifies all of a snapshot as an opening would.
fn read_back<K: SavedKey, E: VectorElement>(
    index: &Index<K, Vectors<E>>,
    folder: &Folder,
    mark: u64,
) -> Result<(), SnapshotError> {
    let path = folder.files.new_snapshot();
    let (read, number) =
        Index::<K, Vectors<E>>::load_on(&*folder.disk, &path).map_err(SnapshotError::ReadBack)?;
    if (read.len(), number) == (index.len(), mark) {
        return Ok(());
    }
    let other = io::Error::new(io::ErrorKind::InvalidData, "it is not the index that was written");
    let cause = OpenCause::Io(other);
    Err(SnapshotError::ReadBack(OpenError { path, cause }))
}

fn check_place(folder: &Folder) -> Result<(), SnapshotError> {
    let folder_path = &folder.files.folder;
    match folder.is_in_place() {
        Ok(true) => Ok(()),
        Ok(false) => Err(SnapshotError::Moved { folder: folder_path.clone() }),
        Err(error) => Err(SnapshotError::File { path: folder_path.clone(), error }),
    }
}
