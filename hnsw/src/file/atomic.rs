//! Replacing a file so that, whatever happens, the old one or the new one is there, whole.

use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::error::SaveError;
use crate::file::disk::{Destination, Disk, Output};

/// Bytes that are written at a time: a huge page, so that a file system that has such pages in its cache
/// keeps the file in them, and a map of it is searched as fast as memory.
const PIECE: usize = 2 << 20;

/// Names that are tried for a new file; each is taken with a chance of one in 2⁶⁴.
const NAMES: usize = 16;

/// Characters of the old name in that of a new file: both fit into the 255 bytes that a name may have.
const PREFIX: usize = 16;

/// Writes a file beside the one that `path` leads to, by what `write` gives to its sink, makes it
/// survive power loss, gives it that one's name, and makes that survive power loss. On an error the file
/// that was there is as it was, unless the last step failed.
pub(crate) fn replace(
    disk: &dyn Disk,
    path: &Path,
    write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> Result<(), SaveError> {
    replace_by(disk, path, random, write)
}

/// The same; `names` makes up what tells the new file from others.
fn replace_by(
    disk: &dyn Disk,
    path: &Path,
    names: impl FnMut() -> u64,
    write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> Result<(), SaveError> {
    let failed = |step| move |error| SaveError::Io { step, path: path.to_owned(), error };
    let to = disk.destination(path).map_err(failed("look up"))?;
    let (Some(name), None) = (to.path.file_name(), to.obstacle()) else {
        let found = to.obstacle().unwrap_or("a folder");
        return Err(SaveError::NotAFile { path: path.to_owned(), found });
    };
    let folder = match to.path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let new = New::create(disk, &to, folder, name, names);
    let (new, file) = new.map_err(failed("create a file beside"))?;
    fill(&*file, write).map_err(|(step, error)| failed(step)(error))?;
    new.rename(&to.path).map_err(failed("rename the new file to"))?;
    disk.sync_folder(folder).map_err(failed("sync the folder of"))
}

/// A file that this call has made, and nobody else: it is removed unless it gets its name.
struct New<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    is_renamed: bool,
}

impl<'a> New<'a> {
    /// Makes a file under the first name that is free. Others may be in use by another process, or left
    /// by one that was killed.
    fn create(
        disk: &'a dyn Disk,
        to: &Destination,
        folder: &Path,
        name: &OsStr,
        mut names: impl FnMut() -> u64,
    ) -> io::Result<(Self, Box<dyn Output>)> {
        let prefix: String = name.to_string_lossy().chars().take(PREFIX).collect();
        let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..NAMES {
            let path = folder.join(format!(".{prefix}.{:016x}.new", names()));
            match disk.create_for(to, &path) {
                Ok(file) => return Ok((Self { disk, path, is_renamed: false }, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
                Err(error) => return Err(error),
            }
        }
        Err(taken)
    }

    fn rename(mut self, to: &Path) -> io::Result<()> {
        self.disk.rename(&self.path, to)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        if !self.is_renamed {
            // As good as it gets: the name says what it is.
            let _ = self.disk.remove(&self.path);
        }
    }
}

fn fill(
    file: &dyn Output,
    write: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> Result<(), (&'static str, io::Error)> {
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

/// A number that no other call has, in this process or another, in all likelihood.
fn random() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    RandomState::new().hash_one((std::process::id(), COUNT.fetch_add(1, Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::disk::Simulated;

    const PATH: &str = "folder/index";

    /// Numbers for names, of which the first two are the same.
    fn numbers() -> impl FnMut() -> u64 {
        let mut numbers = [7, 7, 8].into_iter();
        move || numbers.next().unwrap()
    }

    fn write(sink: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        sink(b"new")
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let others = Path::new("folder/.index.0000000000000007.new");
        let disk = Simulated::default();
        disk.plant(Path::new(PATH), b"old");
        disk.plant(others, b"of another process");
        replace_by(&disk, Path::new(PATH), numbers(), write).unwrap();
        assert_eq!(disk.read(Path::new(PATH)).unwrap(), b"new");
        assert_eq!(disk.read(others).unwrap(), b"of another process");
        assert_eq!(disk.list(Path::new("folder")).unwrap().len(), 2, "leftovers");
    }

    #[test]
    fn whatever_fails_no_file_of_others_is_touched() {
        let others = Path::new("folder/.index.0000000000000007.new");
        let count = {
            let disk = Simulated::default();
            disk.plant(others, b"of another process");
            replace_by(&disk, Path::new(PATH), numbers(), write).unwrap();
            disk.calls().len()
        };
        // The first two calls find the name taken.
        for call in 2..count {
            let disk = Simulated::default();
            disk.plant(Path::new(PATH), b"old");
            disk.plant(others, b"of another process");
            disk.fail(call, false);
            replace_by(&disk, Path::new(PATH), numbers(), write).unwrap_err();
            assert_eq!(disk.read(others).unwrap(), b"of another process", "call {call}");
            let expected: &[u8] = if call == count - 1 { b"new" } else { b"old" };
            assert_eq!(disk.read(Path::new(PATH)).unwrap(), expected, "call {call}");
            assert_eq!(disk.list(Path::new("folder")).unwrap().len(), 2, "leftovers of {call}");
        }
        let disk = Simulated::default();
        disk.plant(others, b"of another process");
        let error = replace_by(&disk, Path::new(PATH), || 7, write).unwrap_err();
        assert!(error.to_string().starts_with("cannot create a file beside"), "{error}");
        assert_eq!(disk.read(others).unwrap(), b"of another process");
    }

    #[test]
    fn a_panic_while_it_is_written_leaves_nothing() {
        let disk = Simulated::default();
        disk.plant(Path::new(PATH), b"old");
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            replace(&disk, Path::new(PATH), |_| panic!("a key that cannot be written"))
        }));
        assert!(panics.is_err());
        assert_eq!(disk.list(Path::new("folder")).unwrap(), [Path::new(PATH)]);
        assert_eq!(disk.read(Path::new(PATH)).unwrap(), b"old");
    }
}
