//! What a saved index is, without opening it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::OpenError;
use crate::file::{Flag, Head, Kind, Source};
use crate::params::Params;

/// The head of a saved index, and its sections.
///
/// ```
/// use nearfield_hnsw::{file::FileInfo, Build, Hnsw, Metric, Params, Vectors};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("points.nearfield");
/// let mut vectors = Vectors::<u8>::new(3, Metric::Cosine)?;
/// vectors.extend(&[1, 2, 3, 4, 5, 6])?;
/// Hnsw::build(vectors, Params::default(), Build::default())?.save(&path)?;
///
/// let info = FileInfo::read(&path)?;
/// assert_eq!((info.element.as_str(), info.dim, info.points), ("u8", 3, 2));
/// info.verify()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct FileInfo {
    /// The metric's [name](crate::Metric::name); empty where the points are kept elsewhere.
    pub metric: String,
    /// The element's name; empty where the points are kept elsewhere.
    pub element: String,
    /// The [encoding](crate::SavedKey::ENCODING) of the keys; empty where there are none.
    pub keys: String,
    /// Elements of a vector.
    pub dim: usize,
    /// How the graph was built.
    pub params: Params,
    /// Points, those that were removed among them.
    pub points: usize,
    /// Points that were removed.
    pub removed: usize,
    /// Where searches begin.
    pub entry: Option<crate::Id>,
    /// The last operation of a log that is in the file.
    pub mark: u64,
    /// How the [description](crate::space::Space::description) of the space begins, where the points are kept
    /// elsewhere and it has one.
    pub space: String,
    /// Whether rows are stored in two halves.
    pub halves: bool,
    /// What the file is made of, in the order of offsets.
    pub sections: Vec<SectionInfo>,
    path: PathBuf,
    source: Mutex<Source>,
}

/// A section of a saved index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SectionInfo {
    /// What it holds.
    pub kind: Kind,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// The checksum that its bytes should have: XXH3-64.
    pub checksum: u64,
}

impl FileInfo {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is no saved index.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let read = || Ok(Source::read(Box::new(File::open(path)?))?);
        let (head, source) = read().map_err(|cause| OpenError { path: path.to_owned(), cause })?;
        Ok(Self::of(path.to_owned(), head, source))
    }

    fn of(path: PathBuf, head: Head, source: Source) -> Self {
        let params = Params {
            m: head.m as usize,
            ef_construction: head.ef_construction as usize,
            seed: head.seed,
            keep_pruned: head.has(Flag::KeepPruned),
        };
        let sections = source.sections().iter().map(|section| SectionInfo {
            kind: section.kind,
            offset: section.offset,
            len: section.len,
            checksum: section.checksum,
        });
        Self {
            dim: head.dim as usize,
            params,
            points: head.points as usize,
            removed: head.removals as usize,
            entry: (head.entry < head.points).then_some(head.entry),
            mark: head.mark,
            halves: head.has(Flag::SplitRows),
            sections: sections.collect(),
            space: head.space.words,
            metric: head.metric,
            element: head.element,
            keys: head.keys,
            path,
            source: Mutex::new(source),
        }
    }

    /// Reads the file and verifies the checksum of every section. That the graph is whole,
    /// [`Index::load`](crate::Index::load) verifies as well.
    ///
    /// # Errors
    /// The first section whose bytes are not what they were, or cannot be read.
    pub fn verify(&self) -> Result<(), OpenError> {
        self.sections.iter().try_for_each(|section| self.verify_section(section.kind))
    }

    /// Reads one section and verifies its checksum.
    ///
    /// # Errors
    /// When its bytes are not what they were, or cannot be read.
    pub fn verify_section(&self, kind: Kind) -> Result<(), OpenError> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let read = source.read_through(kind);
        read.map_err(|error| OpenError { path: self.path.clone(), cause: error.into() })
    }
}
