//! Writes an index as a file of another library, beside its place and then renamed.

use std::path::Path;
use std::{fmt, io};

use nearfield_kernels::Metric;

use super::hnswlib;
use crate::disk::Os;
use crate::index::Index;
use crate::persist::{SaveError, replace};
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
    Save(SaveError),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "hnswlib does not know the metric {metric}"),
            Self::Save(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Metric(_) => None,
            Self::Save(error) => error.source(),
        }
    }
}

/// Writes an index as a file of hnswlib.
pub(super) fn to_hnswlib(index: &Index<u64, Vectors<f32>>, path: &Path) -> Result<(), ExportError> {
    let metric = index.space().metric();
    if !hnswlib::METRICS.contains(&metric) {
        return Err(ExportError::Metric(metric));
    }
    let settled = index.settled().map_err(|error| ExportError::Save(SaveError::Unwritable(error)));
    let _writer = settled?;
    let content = |out: &mut dyn FnMut(&[u8]) -> io::Result<()>| hnswlib::write(index, out);
    replace(&Os, path, |out| pieces(content, out)).map_err(ExportError::Save)
}

/// Hands on what `content` writes in pieces of a good size.
fn pieces(
    content: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(PIECE);
    content(&mut |bytes| {
        if buffer.len() + bytes.len() > PIECE {
            out(&buffer)?;
            buffer.clear();
        }
        buffer.extend_from_slice(bytes);
        Ok(())
    })?;
    out(&buffer)
}
