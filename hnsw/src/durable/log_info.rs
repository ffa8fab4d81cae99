//! What is in a log, without the index that it is of.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{BadLog, RecoverError};
use super::head::{self, Head};
use super::operation::{BATCH, INSERT, MARK, REMOVE, UPSERT};
use super::recover::{self, Cut, ReadError};
use crate::file::disk::{Disk, Os};

/// The head of a [`Durable`](crate::Durable) index's log, and what its records are. Nothing is changed:
/// the index may be in use.
///
/// ```
/// use nearfield_hnsw::{durable::LogInfo, Durable, Index, Metric, Params, Vectors};
///
/// # let temporary = tempfile::tempdir()?;
/// # let folder = temporary.path().join("index");
/// let empty = Index::<u64, _>::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
/// let index = Durable::create(&folder, empty)?;
/// index.insert(7, &[1.0, 0.0])?;
///
/// let log = LogInfo::read(folder.join("log"))?;
/// assert_eq!((log.keys.as_str(), log.dim, log.inserts), ("u64", 2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogInfo {
    /// The [encoding](crate::SavedKey::ENCODING) of the keys.
    pub keys: String,
    /// The element's name.
    pub element: String,
    /// The metric's [name](crate::Metric::name).
    pub metric: String,
    /// Elements of a vector.
    pub dim: u64,
    /// The number behind which its records begin.
    pub start: u64,
    /// The number of its last good record.
    pub last: u64,
    /// Records of inserts.
    pub inserts: u64,
    /// Records of upserts.
    pub upserts: u64,
    /// Records of removals.
    pub removals: u64,
    /// Records of batches.
    pub batches: u64,
    /// Records that say what is synced.
    pub marks: u64,
    /// Whether it ends with one that says that all is.
    pub is_synced: bool,
    /// What the next opening will cut off its end.
    pub cut: Option<Cut>,
}

impl LogInfo {
    /// Reads a log to its end, and verifies the checksum of every record.
    ///
    /// # Errors
    /// When the file cannot be read, is no log, or a record is damaged that had been synced.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecoverError> {
        let path = path.as_ref();
        Self::read_on(&Os, path).map_err(|error| match error {
            ReadError::File(error) => RecoverError::File { path: path.to_owned(), error },
            ReadError::Bad(error) => RecoverError::Log { path: PathBuf::from(path), error },
        })
    }

    fn read_on(disk: &dyn Disk, path: &Path) -> Result<Self, ReadError> {
        let head = head(disk, path)?;
        let [keys, element, metric] = head.contents.names();
        let mut kinds = [0; 256];
        let found = recover::read(disk.open(path)?, &head.contents, head.start, |record| {
            kinds[usize::from(record.kind)] += 1;
            Ok(())
        })?;
        let count = |kind: u8| kinds[usize::from(kind)];
        Ok(Self {
            keys,
            element,
            metric,
            dim: head.contents.dim(),
            start: head.start,
            last: found.sequence,
            inserts: count(INSERT),
            upserts: count(UPSERT),
            removals: count(REMOVE),
            batches: count(BATCH),
            marks: count(MARK),
            is_synced: found.is_synced,
            cut: found.cut,
        })
    }
}

fn head(disk: &dyn Disk, path: &Path) -> Result<Head, ReadError> {
    let mut bytes = [0; head::LEN];
    match disk.open(path)?.read_exact(&mut bytes) {
        Ok(()) => Ok(Head::read(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(BadLog::Head.into()),
        Err(error) => Err(error.into()),
    }
}
