//! Writes an index as a file of another library, beside its place and then renamed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fmt, io, process};

use nearfield_kernels::Metric;

use super::hnswlib;
use crate::disk::{Disk, Os};
use crate::index::Index;
use crate::vectors::Vectors;

/// Bytes written at a time.
const PIECE: usize = 1 << 20;

/// Why an index was not written as a file of another library. What was at the path is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// The library does not know the metric.
    Metric(Metric),
    /// The file cannot be written.
    Write {
        /// Where it would have been.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "hnswlib does not know the metric {metric}"),
            Self::Write { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Metric(_) => None,
            Self::Write { error, .. } => Some(error),
        }
    }
}

/// Writes an index that nobody changes meanwhile as a file of hnswlib.
pub(super) fn to_hnswlib(index: &Index<u64, Vectors<f32>>, path: &Path) -> Result<(), ExportError> {
    let metric = index.space().metric();
    if !hnswlib::METRICS.contains(&metric) {
        return Err(ExportError::Metric(metric));
    }
    let written = write(&Os, path, |out| hnswlib::write(index, out));
    written.map_err(|error| ExportError::Write { path: path.to_owned(), error })
}

/// Lets `content` write a file beside `path`, and gives it that name once all is on the disk.
fn write(
    disk: &dyn Disk,
    path: &Path,
    content: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", process::id()));
    let beside = path.with_file_name(beside);
    let file = disk.create(&beside)?;
    let finish = || {
        let mut buffer = Vec::with_capacity(PIECE);
        content(&mut |bytes| {
            if buffer.len() + bytes.len() > PIECE {
                file.write_all(&buffer)?;
                buffer.clear();
            }
            buffer.extend_from_slice(bytes);
            Ok(())
        })?;
        file.write_all(&buffer)?;
        file.sync()?;
        disk.rename(&beside, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        disk.sync_folder(folder.unwrap_or(Path::new(".")))
    };
    finish().inspect_err(|_| {
        // It may have its name already; then there is none beside.
        let _ = disk.remove(&beside);
    })
}
