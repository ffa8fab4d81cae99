//! Reading an index from its folder: the snapshot, then what the log tells.

use std::io;
use std::path::Path;

use super::error::{BadLog, RecoverError};
use super::folder::Files;
use super::head::{self, Contents};
use super::operation::Operation;
use super::recover::{self, Cut, Found, ReadError, Record};
use crate::construct::Build;
use crate::file::disk::Disk;
use crate::index::{Index, SavedKey};
use crate::vectors::{VectorElement, Vectors};

/// How often an index is read that others change meanwhile.
const TRIES: usize = 8;

/// What the opening of a [`Durable`](crate::Durable) index found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The number of the last record whose operation the snapshot contains. It goes up with each
    /// checkpoint before which something was done.
    pub snapshot: u64,
    /// The number of the last operation that was read, in the snapshot or the log. What a later opening
    /// finds has this number or a higher one.
    pub last: u64,
    /// Operations of the log that were done again.
    pub operations: u64,
    /// Operations of the log that the snapshot contains already, after an interrupted checkpoint.
    pub skipped: u64,
    /// What was cut off the end of the log; after a process or a machine that did not end in order.
    /// Beside a process that writes: what follows the last whole record, as one that is being written.
    pub cut: Option<Cut>,
    /// Whether the log was made ready to be written. If not, as on a full disk, the index can be searched,
    /// and what was found in the log may not be on the disk yet; each write and
    /// [flush](crate::Durable::flush) tries again first, and says why it fails.
    pub is_writable: bool,
}

/// An index that was read.
pub(super) struct Read<K: SavedKey, E: VectorElement> {
    pub(super) index: Index<K, Vectors<E>>,
    pub(super) found: Found,
    pub(super) recovery: Recovery,
}

/// Reads an index.
pub(super) fn read<K: SavedKey, E: VectorElement>(
    disk: &dyn Disk,
    files: &Files,
) -> Result<Read<K, E>, RecoverError> {
    let (snapshot, log) = (files.snapshot(), files.log());
    // The log is opened before the snapshot: when another process makes a checkpoint between the two,
    // the snapshot has more than is needed, and nothing is missing between it and the log.
    let input = disk.open(&log);
    let (index, mark) = Index::load_on(disk, &snapshot).map_err(RecoverError::Snapshot)?;
    let input = input.map_err(|error| RecoverError::File { path: log.clone(), error })?;
    let contents = Contents::of_vectors::<K, E>(index.space());
    let mut recovery = Recovery {
        snapshot: mark,
        last: mark,
        operations: 0,
        skipped: 0,
        cut: None,
        is_writable: false,
    };
    let apply = |record: Record<'_>| replay(&index, mark, &record, &mut recovery);
    let found = match recover::read(input, &contents, mark, apply) {
        Err(ReadError::File(error)) => return Err(RecoverError::File { path: log, error }),
        Err(ReadError::Bad(error)) => return Err(RecoverError::Log { path: log, error }),
        Ok(found) => found,
    };
    recovery.cut = found.cut;
    Ok(Read { index, found, recovery })
}

/// Reads an index that another process may write meanwhile; changes nothing.
pub(super) fn read_beside<K: SavedKey, E: VectorElement>(
    disk: &dyn Disk,
    files: &Files,
) -> Result<Read<K, E>, RecoverError> {
    let mut before = None;
    for _ in 1..TRIES {
        let now = stamp(disk, files);
        match read(disk, files) {
            Ok(read) => return Ok(read),
            // What is wrong twice, while nothing changes, was not only changed under the reader's hands.
            Err(error) if before.as_ref() == Some(&now) => return Err(error),
            Err(_) => before = Some(now),
        }
    }
    read(disk, files)
}

/// Tells whether the files have changed: the head and the length of the log, and the head of the
/// snapshot.
fn stamp(disk: &dyn Disk, files: &Files) -> [Option<(u64, Vec<u8>)>; 2] {
    [files.log(), files.snapshot()].map(|path| {
        let mut file = disk.open(&path).ok()?;
        let mut start = vec![0; head::LEN];
        file.read_exact(&mut start).ok()?;
        Some((file.len().ok()?, start))
    })
}

/// Whether there is an index in a folder: a snapshot.
pub(super) fn is_there(disk: &dyn Disk, folder: &Path) -> Result<bool, RecoverError> {
    let files = Files { folder: folder.into() };
    match disk.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(RecoverError::File { path: folder.into(), error }),
        Ok(present) => Ok(present.contains(&files.snapshot())),
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
    // Marks have numbers too. One that is written while a checkpoint is under way is not counted by it, and
    // its number is given again.
    recovery.last = recovery.last.max(sequence);
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
