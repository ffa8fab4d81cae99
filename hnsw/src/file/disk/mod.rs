//! The few things that are asked of a file system, so that tests can put one in its place that fails.
//!
//! | asked | promised |
//! |---|---|
//! | [`Output::write`] | as `write(2)`: some of the bytes may be taken, and power loss may take them back |
//! | [`Output::sync`] | what was written before survives power loss |
//! | [`Disk::rename`] | the name leads to the one file or the other, never to neither |
//! | [`Disk::sync_folder`] | names made, changed or removed before survive power loss |

mod destination;
mod os;
#[cfg(test)]
mod simulated;

use std::fmt::Debug;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

pub(crate) use destination::Destination;
pub(crate) use os::Os;
#[cfg(test)]
pub(crate) use simulated::{Call, Simulated};

/// A file system.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Makes a file that was not there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>>;

    /// Where a file is to be that replaces what `path` leads to.
    fn destination(&self, path: &Path) -> io::Result<Destination> {
        Ok(Destination::new(path.to_owned()))
    }

    /// Makes a file that was not there, and may be given the name of a destination.
    fn create_for(&self, _to: &Destination, path: &Path) -> io::Result<Box<dyn Output>> {
        self.create(path)
    }

    /// Opens a file to be written behind its end.
    fn append(&self, path: &Path) -> io::Result<Box<dyn Output>>;

    /// Opens a file to be read.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input>>;

    /// Gives a file another name, from which it takes the place of any file there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder, unless it is there, and those that it is in; their names survive power loss.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// The files in a folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;

    /// A path to the folder that stays right when the process changes its working folder, or somebody a
    /// symbolic link on the way to it.
    fn resolve(&self, folder: &Path) -> io::Result<PathBuf>;

    /// Gives a file the permissions that another one has.
    fn permit(&self, path: &Path, as_of: &Path) -> io::Result<()>;

    /// Makes the names in a folder survive power loss.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Keeps others from locking the file, which is made if it is not there, until the lock is dropped;
    /// `None` where another has it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
}

/// A file to be written, from any thread.
pub(crate) trait Output: Debug + Send + Sync {
    /// Appends some of the bytes, and returns how many.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes what was written survive power loss.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file behind its first `len` bytes, where the next are then written.
    fn cut(&self, len: u64) -> io::Result<()>;
}

impl dyn Output + '_ {
    /// Appends all of the bytes. On an error some of them may have been.
    pub(crate) fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => bytes = &bytes[taken..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A file to be read.
pub(crate) trait Input: Debug + Read + Seek + Send {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;
}

/// Held until it is dropped.
pub(crate) trait Lock: Debug + Send + Sync {
    /// Whether `path` leads to the file that is locked. Where systems cannot tell, whether it leads to a
    /// file.
    fn is_at(&self, path: &Path) -> io::Result<bool>;
}
