//! Why a file of another library is not read.

use std::path::PathBuf;
use std::{fmt, io};

use super::library::Library;
use crate::id::Id;
use crate::params::ParamsError;
use crate::vectors::VectorError;

/// Why a file of another library was not read, or its bytes were not.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be opened or read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no file of the library; `None` where it is none that is known.
    Unknown(Option<Library>),
    /// It ends too early.
    Cut {
        /// What was being read.
        what: &'static str,
        /// From which byte on.
        at: usize,
        /// How many bytes it takes.
        needed: u64,
        /// How many there are.
        left: usize,
    },
    /// It goes on behind its end.
    Excess {
        /// Where it should end.
        at: usize,
        /// The bytes behind.
        bytes: usize,
    },
    /// A number is none that can stand there.
    Damaged {
        /// Which.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// What the library can write and this crate cannot read.
    Unsupported {
        /// Which property of the file.
        what: &'static str,
        /// What it is.
        found: String,
        /// What is read, or what to do.
        instead: &'static str,
    },
    /// The vectors are not in the file.
    NoVectors,
    /// The vectors have another element type.
    Element {
        /// That of the file.
        file: &'static str,
        /// That which was asked for.
        asked: &'static str,
    },
    /// A list of neighbours leads out of the graph, or to a point that is not on its level.
    Link {
        /// The point whose list it is.
        from: Id,
        /// Where it leads.
        to: Id,
        /// The level of the list.
        level: usize,
    },
    /// The point at which searches begin is not there, or not on the highest level.
    Entry {
        /// Its id.
        id: u64,
        /// The highest level, as the file has it.
        level: i64,
    },
    /// Two points have the same key.
    KeyTwice {
        /// The key.
        key: u64,
        /// The second of the points.
        id: Id,
    },
    /// The lists of some levels have so much more room than those of others that the graph would take
    /// many times the memory of the file.
    Disproportion {
        /// Bytes of the lists as this crate keeps them.
        bytes: u64,
        /// Bytes of the file.
        file: usize,
    },
    /// A parameter of the graph is out of its range.
    Params(ParamsError),
    /// The vectors were refused.
    Vectors(VectorError),
    /// The system refused memory for the links.
    Memory(io::Error),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, error } => write!(f, "{} cannot be read: {error}", path.display()),
            Self::Unknown(Some(library)) => write!(f, "this is no index of {library}"),
            Self::Unknown(None) => f.write_str("this is no index of hnswlib, usearch or faiss"),
            Self::Cut { what, at, needed, left } => {
                write!(
                    f,
                    "the file is cut short or damaged: {what} would take {needed} bytes from byte {at} on, \
                     and {left} are there"
                )
            }
            Self::Excess { at, bytes } => {
                write!(f, "{bytes} bytes follow behind the end of the index at byte {at}")
            }
            Self::Damaged { what, found, expected } => {
                write!(f, "the file is damaged: {what} is {found}; it must be {expected}")
            }
            Self::Unsupported { what, found, instead } => {
                write!(f, "{what} is {found}, which is not read; {instead}")
            }
            Self::NoVectors => {
                f.write_str("the vectors are not in the file; have the library write it with them")
            }
            Self::Element { file, asked } => write!(
                f,
                "the elements are {file}; {asked} was asked for: read it as an index of `Vectors<{file}>`"
            ),
            Self::Link { from, to, level } => {
                write!(
                    f,
                    "the file is damaged: point {from} links to {to} on level {level}, where no such point is"
                )
            }
            Self::Entry { id, level } => {
                write!(
                    f,
                    "the file is damaged: the entry point {id} is not on the highest level, {level}"
                )
            }
            Self::KeyTwice { key, id } => {
                write!(
                    f,
                    "point {id} has the key {key}, which another has; each needs a key of its own"
                )
            }
            Self::Disproportion { bytes, file } => {
                write!(
                    f,
                    "the lists of links would take {bytes} bytes of memory, and the whole file has {file}: \
                     its levels have room for very different numbers of links"
                )
            }
            Self::Params(error) => error.fmt(f),
            Self::Vectors(error) => write!(f, "vectors: {error}"),
            Self::Memory(error) => write!(f, "no memory for the links: {error}"),
        }
    }
}

impl std::error::Error for ImportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } | Self::Memory(error) => Some(error),
            Self::Params(error) => Some(error),
            Self::Vectors(error) => Some(error),
            _ => None,
        }
    }
}

impl From<VectorError> for ImportError {
    fn from(error: VectorError) -> Self {
        Self::Vectors(error)
    }
}

impl ImportError {
    pub(super) fn damaged(
        what: &'static str,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Self {
        Self::Damaged { what, found: found.to_string(), expected: expected.to_string() }
    }

    pub(super) fn unsupported(
        what: &'static str,
        found: impl fmt::Display,
        instead: &'static str,
    ) -> Self {
        Self::Unsupported { what, found: found.to_string(), instead }
    }

    /// What must hold of a number, or else it is damaged.
    pub(super) fn unless(
        holds: bool,
        what: &'static str,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::damaged(what, found, expected)) }
    }
}
