//! Beginning the file of a log: an empty one, the one that is there, or a copy of it.

use std::io;

use super::folder::Folder;
use super::head::{self, Contents, Head};
use super::recover::{self, Found, ReadError};
use crate::file::disk::Output;

/// What is to be done before a log can be written.
#[derive(Debug)]
pub(super) enum Beginning {
    /// An empty one takes the place of any that is there; its records begin behind this number.
    Empty { start: u64 },
    /// The one that was read is gone on with.
    GoOn(Found),
    /// A copy of the one that was read takes its place. It does not say that all of it was synced: a
    /// process before this one may have seen a sync fail, after which a file reads as if it was written,
    /// no later sync writes it, and power loss takes it.
    Copy(Found),
}

/// Why a log was not begun.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// Everything is as it was.
    AsBefore(io::Error),
    /// Which of two logs is found after power loss is not known.
    InDoubt(io::Error),
}

/// A log that can be written.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) file: Box<dyn Output>,
    pub(super) seed: u64,
    /// Its length.
    pub(super) end: u64,
    /// Whether its last record is yet to say that all is synced.
    pub(super) owes_mark: bool,
}

impl Beginning {
    /// How a log that was read is gone on with, when the snapshot ends with the record `snapshot`.
    pub(super) fn after(found: Found, snapshot: u64) -> Self {
        if found.sequence < snapshot {
            // All it had is in the snapshot, whose number the next record must exceed.
            Self::Empty { start: snapshot }
        } else if found.is_synced && found.cut.is_none() {
            Self::GoOn(found)
        } else {
            Self::Copy(found)
        }
    }

    /// The number of the last record.
    pub(super) fn last(&self) -> u64 {
        match self {
            Self::Empty { start } => *start,
            Self::GoOn(found) | Self::Copy(found) => found.sequence,
        }
    }

    pub(super) fn begin(&self, folder: &Folder, contents: Contents) -> Result<Begun, NotBegun> {
        // A checkpoint may have been interrupted before the names of its files were safe.
        folder.sync().map_err(NotBegun::AsBefore)?;
        match self {
            Self::GoOn(found) => {
                let file = folder.disk.append(&folder.files.log()).map_err(NotBegun::AsBefore)?;
                Ok(Begun { file, seed: found.head.seed(), end: found.end, owes_mark: false })
            }
            Self::Empty { start } => replace(folder, &Head::new(contents, *start), None),
            Self::Copy(found) => {
                replace(folder, &Head::new(contents, found.head.start), Some(found))
            }
        }
    }
}

/// Puts a log with this head, and the records of that which is there or none, in its place.
fn replace(folder: &Folder, head: &Head, records: Option<&Found>) -> Result<Begun, NotBegun> {
    if !folder.is_in_place().map_err(NotBegun::AsBefore)? {
        let message =
            format!("{} is no longer the folder that was opened", folder.files.folder.display());
        return Err(NotBegun::AsBefore(io::Error::new(io::ErrorKind::NotFound, message)));
    }
    let new = folder.files.new_log();
    let written = write(folder, head, records).and_then(|(file, end)| {
        // It is not trusted before it has been read again.
        let last = records.map_or(head.start, |found| found.sequence);
        read_back(folder, head, last, end)?;
        Ok((file, end))
    });
    let (file, end) = written.map_err(|error| {
        // The next beginning would remove it otherwise.
        let _ = folder.disk.remove(&new);
        NotBegun::AsBefore(error)
    })?;
    folder.replace(&new, &folder.files.log()).map_err(NotBegun::InDoubt)?;
    Ok(Begun { file, seed: head.seed(), end, owes_mark: records.is_some() })
}

fn write(
    folder: &Folder,
    head: &Head,
    records: Option<&Found>,
) -> io::Result<(Box<dyn Output>, u64)> {
    let new = folder.files.new_log();
    match folder.disk.remove(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = folder.disk.create(&new)?;
    file.write_all(&head.write())?;
    let end = match records {
        None => head::LEN as u64,
        Some(found) => recover::copy(folder.disk.open(&folder.files.log())?, found, head, &*file)?,
    };
    file.sync()?;
    Ok((file, end))
}

/// Reads a log that was written, which should end at `end` with the record `last`.
fn read_back(folder: &Folder, head: &Head, last: u64, end: u64) -> io::Result<()> {
    let input = folder.disk.open(&folder.files.new_log())?;
    let found = match recover::read(input, &head.contents, head.start, |_| Ok(())) {
        Ok(found) => found,
        Err(ReadError::File(error)) => return Err(error),
        Err(ReadError::Bad(bad)) => return Err(otherwise(&bad.to_string())),
    };
    // By their bytes: a head does not say which other names its reader accepts.
    let is_same = found.head.write() == head.write();
    if !is_same || (found.sequence, found.end, found.cut) != (last, end, None) {
        return Err(otherwise("it ends otherwise"));
    }
    Ok(())
}

fn otherwise(what: &str) -> io::Error {
    let message = format!("what was written does not read back: {what}");
    io::Error::new(io::ErrorKind::InvalidData, message)
}
