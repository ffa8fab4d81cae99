//! Why a durable index is not made, opened, written or checkpointed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use super::record::VERSION;
use crate::file::{OpenError, SaveError};
use crate::index::{InsertError, Unwritable};
use crate::vectors::VectorError;

/// Why an operation, or a [flush](crate::Durable::flush), was not acknowledged.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// It could not be written to the log: the disk is full, or worse. Nothing has been done, and the
    /// next one may succeed. Make room on the disk, and do it again.
    Write {
        /// The log.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It has been done, searches see it, but the log could not be synced: it may not survive. The log
    /// is closed, until a [checkpoint](crate::Durable::checkpoint) brings all that searches see to the
    /// disk.
    Sync {
        /// The log.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The log is closed since it failed earlier, and what is on disk is not known. Nothing has been
    /// done; searches go on. When the disk works again, a [checkpoint](crate::Durable::checkpoint) writes
    /// what searches see to new files and opens the log again;
    /// [`reopen`](crate::Durable::reopen) goes back to what is on the disk.
    Closed {
        /// The log.
        path: PathBuf,
        /// The failure.
        error: Arc<io::Error>,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, error } => write!(
                f,
                "the log {} could not be written: {error}; nothing was done: try again when the disk \
                 lets it be written",
                path.display()
            ),
            Self::Sync { path, error } => write!(
                f,
                "the log {} could not be synced and is closed: {error}; what was done may not survive: \
                 make a checkpoint when the disk works again",
                path.display()
            ),
            Self::Closed { path, error } => write!(
                f,
                "the log {} is closed since it failed: {error}; nothing was done: make a checkpoint \
                 when the disk works again",
                path.display()
            ),
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { error, .. } => Some(error),
            Self::Sync { error, .. } | Self::Closed { error, .. } => Some(&**error),
        }
    }
}

/// Why an operation on a [`Durable`](crate::Durable) index was not acknowledged.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The index refuses it. Nothing has been done.
    Refused(InsertError<VectorError>),
    /// The log failed; the variants say whether anything has been done.
    Log(LogError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => error.source(),
            Self::Log(error) => error.source(),
        }
    }
}

impl From<InsertError<VectorError>> for WriteError {
    fn from(error: InsertError<VectorError>) -> Self {
        Self::Refused(error)
    }
}

impl From<Unwritable> for WriteError {
    fn from(unwritable: Unwritable) -> Self {
        Self::Refused(unwritable.into())
    }
}

impl From<LogError> for WriteError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

/// What is wrong with a log. The index was not opened, and nothing has been changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum BadLog {
    /// It does not begin as a log does.
    NoLog,
    /// Another version of the format.
    Version {
        /// Which.
        version: u32,
    },
    /// The checksum of its head does not match, or the file is shorter than a head.
    Head,
    /// It is the log of another index.
    Other {
        /// In what they differ.
        what: &'static str,
        /// That of the snapshot.
        expected: String,
        /// That of the log.
        found: String,
    },
    /// Operations between the snapshot and the log are missing.
    Gap {
        /// The last operation in the snapshot.
        snapshot: u64,
        /// The last operation before the log.
        start: u64,
    },
    /// A record is damaged that had been synced, as a later one says.
    Damaged {
        /// Where it begins in the file.
        offset: u64,
        /// Where the later one begins.
        later: u64,
    },
    /// A record with the right checksum tells no operation.
    Operation {
        /// Where it begins in the file.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The index refuses an operation of the log.
    Refused {
        /// Where its record begins in the file.
        offset: u64,
        /// Why.
        error: InsertError<VectorError>,
    },
    /// The log removes a key that is not there.
    NoSuchKey {
        /// Where its record begins in the file.
        offset: u64,
    },
}

impl fmt::Display for BadLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLog => f.write_str(
                "it does not begin as a log does; put the log back that belongs to the snapshot",
            ),
            Self::Version { version } => {
                write!(
                    f,
                    "its format has version {version}, this program reads {VERSION}; open it with the \
                     program that wrote it"
                )
            }
            Self::Head => f.write_str(
                "its head is damaged or cut short; put the log back from a copy of the folder",
            ),
            Self::Other { what, expected, found } => {
                write!(f, "its {what} is {found}, that of the snapshot {expected}")
            }
            Self::Gap { snapshot, start } => {
                write!(
                    f,
                    "it begins behind operation {start}, the snapshot ends with {snapshot}: what was \
                     done between is missing; put the snapshot back that belongs to the log"
                )
            }
            Self::Damaged { offset, later } => write!(
                f,
                "the record at byte {offset} is damaged; it had been synced, as that at {later} says"
            ),
            Self::Operation { offset, reason } => {
                write!(f, "the record at byte {offset} tells no operation: {reason}")
            }
            Self::Refused { offset, error } => {
                write!(f, "the operation at byte {offset} is refused: {error}")
            }
            Self::NoSuchKey { offset } => {
                write!(f, "the operation at byte {offset} removes a key that is not there")
            }
        }
    }
}

impl std::error::Error for BadLog {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Why a durable index was not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum CreateError {
    /// There is one in the folder.
    Exists {
        /// The file that says so.
        path: PathBuf,
    },
    /// The folder is in use.
    Locked {
        /// Which.
        folder: PathBuf,
    },
    /// A file or the folder cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The log cannot be written.
    Log(LogError),
    /// The snapshot cannot be written.
    Snapshot(SnapshotError),
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path } => write!(
                f,
                "there is an index already, as {} says: open it, or name another folder",
                path.display()
            ),
            Self::Locked { folder } => locked(f, folder),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Log(error) => error.fmt(f),
            Self::Snapshot(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CreateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } => Some(error),
            Self::Log(error) => error.source(),
            Self::Snapshot(error) => error.source(),
            Self::Exists { .. } | Self::Locked { .. } => None,
        }
    }
}

fn locked(f: &mut fmt::Formatter<'_>, folder: &Path) -> fmt::Result {
    write!(
        f,
        "the index in {} is in use: this process or another has it open; close it there, or read it \
         beside with `Durable::open_read_only`",
        folder.display()
    )
}

/// Why a durable index was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecoverError {
    /// There is none in the folder, or its creation was interrupted.
    NoIndex {
        /// Which.
        folder: PathBuf,
    },
    /// The folder is in use.
    Locked {
        /// Which.
        folder: PathBuf,
    },
    /// A file or the folder cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The snapshot cannot be loaded.
    Snapshot(OpenError),
    /// The log is damaged, or that of another index.
    Log {
        /// The log.
        path: PathBuf,
        /// What is wrong with it.
        error: BadLog,
    },
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIndex { folder } => write!(
                f,
                "there is no index in {}: make one with `Durable::create`",
                folder.display()
            ),
            Self::Locked { folder } => locked(f, folder),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Snapshot(error) => error.fmt(f),
            Self::Log { path, error } => write!(f, "the log {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for RecoverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } => Some(error),
            Self::Snapshot(error) => error.source(),
            Self::Log { error, .. } => Some(error),
            Self::NoIndex { .. } | Self::Locked { .. } => None,
        }
    }
}

/// Why a snapshot was not written. The one before is there, unless only its folder could not be synced.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The folder is not where it was when the index was opened: it was moved, another one is in its
    /// place, or its lock was removed. Nothing has been written.
    Moved {
        /// Where it was.
        folder: PathBuf,
    },
    /// The file cannot be written.
    Save(SaveError),
    /// The file was written, and when it was read again it was no index, or another. The disk or the
    /// memory of the machine is to be doubted, or there is not the memory to read it.
    ReadBack(OpenError),
    /// The file cannot take the place of the one before.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved { folder } => write!(
                f,
                "{} is no longer the folder that was opened: put it back there, with its lock, or \
                 open the index anew where it is",
                folder.display()
            ),
            Self::Save(error) => error.fmt(f),
            Self::ReadBack(error) => write!(
                f,
                "the new snapshot does not read back, and the old one and the log stay: {error}"
            ),
            Self::File { path, error } => {
                write!(f, "the snapshot {} could not be replaced: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Moved { .. } => None,
            Self::Save(error) => error.source(),
            Self::ReadBack(error) => Some(error),
            Self::File { error, .. } => Some(error),
        }
    }
}

/// Why a checkpoint was not made. Nothing is lost.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The snapshot was not written.
    Snapshot(SnapshotError),
    /// The snapshot was written, and the new log was not.
    Log(LogError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Snapshot(error) => error.source(),
            Self::Log(error) => error.source(),
        }
    }
}
