//! The place of a file that is to be replaced: links followed, and with owner and rights of the old file.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Links that are followed from one name, as on Linux.
const MOST_LINKS: usize = 40;

/// Where a file is to be, and what is there now.
#[derive(Debug)]
pub(crate) struct Destination {
    /// The name that the links lead to.
    pub(crate) path: PathBuf,
    old: Option<Metadata>,
}

impl Destination {
    /// A name that leads to no file yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, old: None }
    }

    /// Follows links from a name in the file system of the machine. A link that leads to no file says
    /// where the file is to be. The place stays the same when the process changes its working folder.
    pub(super) fn find(path: &Path) -> io::Result<Self> {
        let mut path = std::path::absolute(path)?;
        for _ in 0..MOST_LINKS {
            match fs::symlink_metadata(&path) {
                Ok(old) if old.is_symlink() => {
                    let target = fs::read_link(&path)?;
                    path = path.parent().map_or(target.clone(), |folder| folder.join(&target));
                }
                Ok(old) => return Ok(Self { path, old: Some(old) }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::new(path));
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("it leads through more than {MOST_LINKS} symbolic links")))
    }

    /// What is there and is no regular file, so that no file may take its place.
    pub(crate) fn obstacle(&self) -> Option<&'static str> {
        let kind = self.old.as_ref()?.file_type();
        (!kind.is_file()).then(|| if kind.is_dir() { "a folder" } else { special(kind) })
    }

    /// Makes a file in the file system of the machine, that was not there and may take this place: with
    /// the rights of the old one, and its owner and group as far as this process may give them.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        let Some(old) = &self.old else { return options.open(path) };
        let file = owner_only(&mut options).open(path)?;
        let granted = grant(&file, old);
        if granted.is_err() {
            let _ = fs::remove_file(path);
        }
        granted.map(|()| file)
    }
}

/// Nobody else may read the file before it has the rights of the old one.
#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) -> &OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn owner_only(options: &mut OpenOptions) -> &OpenOptions {
    options
}

#[cfg(unix)]
fn grant(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let new = file.metadata()?;
    let mut mode = old.mode() & 0o7777;
    if (new.uid(), new.gid()) != (old.uid(), old.gid())
        && fchown(file, Some(old.uid()), Some(old.gid())).is_err()
    {
        // Without the owner no right to become the owner.
        mode &= 0o777;
        if new.gid() != old.gid() && fchown(file, None, Some(old.gid())).is_err() {
            // Another group may do no more than everybody.
            mode = mode & !0o070 | (mode & 0o007) << 3;
        }
    }
    if new.mode() & 0o7777 == mode {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn grant(_file: &File, _old: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    match kind {
        _ if kind.is_block_device() || kind.is_char_device() => "a device",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "no regular file",
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> &'static str {
    "no regular file"
}
