//! Replacing a file so that, whatever happens, the old one or the new one is there, whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::error::SaveError;
use crate::disk::Disk;

/// Bytes that are written at a time: a huge page, so that a file system that has such pages in its cache
/// keeps the file in them, and a map of it is searched as fast as memory.
const PIECE: usize = 2 << 20;

/// Writes a file beside `path` by what `write` gives to its sink, makes it survive power loss, gives it
/// the name, and makes that survive power loss. On an error the file that was there is as it was, unless
/// the last step failed.
pub(crate) fn replace(
    disk: &dyn Disk,
    path: &Path,
    write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> Result<(), SaveError> {
    let failed = |step, error| SaveError::Io { step, path: path.to_owned(), error };
    let name =
        path.file_name().ok_or_else(|| failed("name", io::ErrorKind::IsADirectory.into()))?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let beside = folder.join(beside(name));
    let replaced = fill(disk, &beside, write).and_then(|()| {
        disk.rename(&beside, path).map_err(|error| ("rename", error))?;
        disk.sync_folder(folder).map_err(|error| ("sync the folder of", error))
    });
    replaced.map_err(|(step, error)| {
        // As good as it gets: the name says what it is.
        let _ = disk.remove(&beside);
        failed(step, error)
    })
}

/// A step, and why it failed.
type Failed = (&'static str, io::Error);

fn fill(
    disk: &dyn Disk,
    path: &Path,
    write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> Result<(), Failed> {
    let file = disk.create(path).map_err(|error| ("create", error))?;
    let mut piece = Vec::with_capacity(PIECE);
    let written = write(&mut |mut bytes| {
        while piece.len() + bytes.len() >= PIECE {
            let (now, later) = bytes.split_at(PIECE - piece.len());
            piece.extend_from_slice(now);
            file.write_all(&piece)?;
            piece.clear();
            bytes = later;
        }
        piece.extend_from_slice(bytes);
        Ok(())
    });
    written.and_then(|()| file.write_all(&piece)).map_err(|error| ("write", error))?;
    file.sync().map_err(|error| ("sync", error))
}

/// A name for a file that is being written, which no other process and no other thread uses.
fn beside(name: &std::ffi::OsStr) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}-{}.new", std::process::id(), COUNT.fetch_add(1, Relaxed)));
    beside.into()
}
