//! Why an index was not saved, or not opened.

use std::path::PathBuf;
use std::{fmt, io};

use crate::file::{Corruption, ReadError};
use crate::id::Id;
use crate::index::Unwritable;
use crate::vectors::{RowsError, VectorError};

/// Why an index was not saved. A file that was there is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum SaveError {
    /// The system refused a step.
    Io {
        /// What was being done.
        step: &'static str,
        /// The file that was to be saved.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// What is at the path is no regular file, and stays what it is.
    NotAFile {
        /// The path that was to be saved to.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// What there is to save is not whole.
    Unwritable(Unwritable),
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { step, path, error } => {
                write!(f, "cannot {step} {}: {error}", path.display())
            }
            Self::NotAFile { path, found } => {
                write!(f, "{} is {found}: save to the name of a file", path.display())
            }
            Self::Unwritable(unwritable) => write!(f, "not saved: {unwritable}"),
        }
    }
}

impl std::error::Error for SaveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // It says what its cause says, which is then in its place.
            Self::Io { error, .. } => error.source(),
            Self::NotAFile { .. } => None,
            Self::Unwritable(unwritable) => unwritable.source(),
        }
    }
}

/// Why a file was not opened as an index.
#[derive(Debug)]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is the matter with it.
    pub cause: OpenCause,
}

/// What is the matter with a file that was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenCause {
    /// The system does not let it be read.
    Io(io::Error),
    /// Its bytes are not, or no longer, a saved index.
    Damaged(Corruption),
    /// It is an index of other elements.
    Element {
        /// The elements that were asked for; empty for points that are kept elsewhere.
        expected: &'static str,
        /// The elements in the file; empty for points that are kept elsewhere.
        found: String,
    },
    /// It is an index with other keys.
    Keys {
        /// The encoding of the keys that were asked for.
        expected: &'static str,
        /// The encoding of those in the file; empty where there are none.
        found: String,
    },
    /// It is the graph of other points than those that it is to be opened with.
    Points {
        /// How many points the file's graph has.
        expected: usize,
        /// How many points were given.
        found: usize,
    },
    /// It is the graph of a space that [describes](crate::space::Space::description) itself otherwise.
    Space {
        /// How the description in the file begins.
        expected: String,
        /// That of the space that was given.
        found: String,
    },
    /// The graph knows another point by this id, or its [fingerprint](crate::space::Space::fingerprint) was
    /// another when the graph was saved.
    OtherPoint {
        /// The point.
        id: Id,
    },
    /// Vectors as the file has them cannot be compared here.
    Vectors(VectorError),
}

impl From<ReadError> for OpenCause {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::Damaged(damage) => Self::Damaged(damage),
        }
    }
}

impl From<io::Error> for OpenCause {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Corruption> for OpenCause {
    fn from(damage: Corruption) -> Self {
        Self::Damaged(damage)
    }
}

impl OpenCause {
    /// What is the matter with the vectors of a file that should be of the elements `expected`.
    pub(super) fn of_rows(error: RowsError, expected: &'static str) -> Self {
        match error {
            RowsError::Element(found) => Self::Element { expected, found },
            RowsError::Read(error) => error.into(),
            RowsError::Vectors(error) => Self::Vectors(error),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.cause)
    }
}

impl fmt::Display for OpenCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Damaged(damage) => damage.fmt(f),
            Self::Element { expected: "", found } => {
                write!(f, "an index with its own vectors of `{found}`: open it without a space")
            }
            Self::Element { expected, found } if found.is_empty() => write!(
                f,
                "a graph whose points are kept elsewhere, not vectors of `{expected}`: open it with \
                 its space, by `load_graph` or `open_graph`"
            ),
            Self::Element { expected, found } => {
                write!(f, "vectors of `{found}`: open it with these elements, not `{expected}`")
            }
            Self::Keys { expected, found } if found.is_empty() => write!(
                f,
                "an index without keys, not with keys in the encoding `{expected}`: open it as `Hnsw`"
            ),
            Self::Keys { expected, found } => write!(
                f,
                "keys in the encoding `{found}`: open it with a type of this encoding, not `{expected}`"
            ),
            Self::Points { expected, found } => write!(
                f,
                "a graph of {expected} points: open it with these points, not with a space of {found}"
            ),
            Self::Space { expected, found } => write!(
                f,
                "a graph of points that are described as `{expected}`: open it with such a space, \
                 not with `{found}`"
            ),
            Self::OtherPoint { id } => write!(
                f,
                "the space has another point {id} than the graph, or gives it another fingerprint \
                 than when the graph was saved: open it with the same points, or build it anew"
            ),
            Self::Vectors(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // It says what its cause says, which is then in its place.
        match &self.cause {
            OpenCause::Io(error) => error.source(),
            OpenCause::Vectors(error) => error.source(),
            _ => None,
        }
    }
}
