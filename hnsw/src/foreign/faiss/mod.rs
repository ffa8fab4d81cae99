//! faiss's indexes over a graph of HNSW, read.
//!
//! As [`write_index`] of version 1.15 has it; all numbers little-endian, nothing aligned; an array
//! stands behind its length, a `u64`. An index begins with four letters that name its kind
//! ([`kinds`]), and a header ([`head`]). Around the graph ([`graph`]), behind which its vectors stand
//! ([`storage`]), there may be others ([`layers`]), one in another.
//!
//! [`write_index`]: https://github.com/facebookresearch/faiss/blob/v1.15.1/faiss/impl/index_write.cpp

mod graph;
mod head;
mod kinds;
mod layers;
mod storage;

use nearfield_kernels::Metric;

use super::cursor::Cursor;
use super::error::ImportError;
use super::parsed::Parsed;
use layers::Layers;

/// What the first bytes of a file say.
pub(super) struct Summary {
    pub(super) dim: usize,
    pub(super) points: u64,
    pub(super) metric: Metric,
}

/// What is in a file, of which this is the beginning.
pub(super) fn summary(start: &[u8]) -> Result<Summary, ImportError> {
    let layers = Layers::read(&mut Cursor::new(start))?;
    let head = &layers.head;
    Ok(Summary { dim: head.dim, points: head.points, metric: layers.metric() })
}

/// The parts of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed<'_>, ImportError> {
    let mut cursor = Cursor::new(bytes);
    let layers = Layers::read(&mut cursor)?;
    let parsed = graph::read(&mut cursor, bytes.len(), &layers.head)?;
    let parsed = layers.around(parsed, &mut cursor)?;
    cursor.end()?;
    Ok(parsed)
}
