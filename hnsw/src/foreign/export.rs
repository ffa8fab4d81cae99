//! Writes an index as a file of another library, beside its place and then renamed.

use std::fmt;
use std::path::Path;

use nearfield_kernels::Metric;

use super::hnswlib;
use crate::file::disk::Os;
use crate::file::{SaveError, replace};
use crate::id::Id;
use crate::index::{Hnsw, Unwritable};
use crate::vectors::Vectors;

/// Why an index was not written as a file of another library. What was at the path is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// The library does not know the metric.
    Metric(Metric),
    /// The file cannot be written.
    Save(SaveError),
}

impl From<Unwritable> for ExportError {
    fn from(unwritable: Unwritable) -> Self {
        Self::Save(SaveError::Unwritable(unwritable))
    }
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

/// Writes an index, of which nobody changes anything, as a file of hnswlib; `key` tells its labels.
pub(super) fn to_hnswlib(
    index: &Hnsw<Vectors<f32>>,
    key: impl Fn(Id) -> u64,
    path: &Path,
) -> Result<(), ExportError> {
    let metric = index.space().metric();
    if !hnswlib::METRICS.contains(&metric) {
        return Err(ExportError::Metric(metric));
    }
    replace(&Os, path, |out| hnswlib::write(index, key, out)).map_err(ExportError::Save)
}
