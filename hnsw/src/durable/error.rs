//! Why a durable index is not made, opened, written or checkpointed.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, io};

use super::record::VERSION;
use crate::hnsw::Unwritable;
use crate::insert_error::InsertError;
use crate::persist::{OpenError, SaveError};
use crate::vectors::VectorError;

/// Why an operation, or a [flush](crate::Durable::flush), was not acknowledged.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// It could not be written to the log: the disk is full, or worse. Nothing has been done, and the
    /// next one may succeed.
    Write {
        /// The log.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It has been done, searches see it, but the log could not be synced: it may not survive. The log
    /// is closed.
    Sync {
        /// The log.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The log is closed since it failed earlier, and what is on disk is not known. Nothing has been
    /// done, and nothing will be; searches go on. [Open](crate::Durable::open) the index anew.
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
            Self::Write { path, error } => {
                write!(f, "{} could not be written: {error}", path.display())
            }
            Self::Sync { path, error } => {
                write!(f, "{} could not be synced and is closed: {error}", path.display())
            }
            Self::Closed { path, error } => {
                write!(f, "{} is closed since it failed: {error}", path.display())
            }
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
            Self::NoLog => f.write_str("it does not begin as a log does"),
            Self::Version { version } => {
                write!(f, "its format has version {version}, this program reads {VERSION}")
            }
            Self::Head => f.write_str("its head is damaged"),
            Self::Other { what, expected, found } => {
                write!(f, "its {what} is {found}, that of the snapshot {expected}")
            }
            Self::Gap { snapshot, start } => {
                write!(f, "it begins behind operation {start}, the snapshot ends with {snapshot}")
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
    /// The snapshot cannot be written.
    Save(SaveError),
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path } => write!(f, "there is an index already: {}", path.display()),
            Self::Locked { folder } => write!(f, "{} is in use", folder.display()),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Save(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CreateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } => Some(error),
            Self::Save(error) => error.source(),
            Self::Exists { .. } | Self::Locked { .. } => None,
        }
    }
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
            Self::NoIndex { folder } => write!(f, "there is no index in {}", folder.display()),
            Self::Locked { folder } => write!(f, "{} is in use", folder.display()),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Snapshot(error) => error.fmt(f),
            Self::Log { path, error } => write!(f, "{}: {error}", path.display()),
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

/// Why a checkpoint was not made. Nothing is lost.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The snapshot cannot be written.
    Save(SaveError),
    /// The log cannot be synced, or the new one not be written.
    Log(LogError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Save(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Save(error) => error.source(),
            Self::Log(error) => error.source(),
        }
    }
}
