//! How a build is run, and why it can fail.

use std::{fmt, io};

use crate::params::ParamsError;
use crate::threads::Threads;

/// How a build is run. Nothing here changes its result.
///
/// ```
/// use nearfield_hnsw::Build;
///
/// let build = Build::default().threads(4).progress(&|done, total| eprintln!("{done} of {total}"));
/// ```
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct Build<'a> {
    pub(crate) threads: Threads<'a>,
    pub(crate) progress: Option<&'a (dyn Fn(usize, usize) + Sync)>,
}

impl<'a> Build<'a> {
    /// The threads to use: a number, or a pool. Without it, all cores.
    pub fn threads(self, threads: impl Into<Threads<'a>>) -> Self {
        Self { threads: threads.into(), ..self }
    }

    /// Called after every batch with the number of points linked so far and their total, by one of the
    /// threads that link. It may search the index. If it panics, the points are linked all the same, it is
    /// not called again, and the panic goes on once the call is over. Other writers wait meanwhile: a call
    /// that changes, saves or checks the index is refused ([`Unwritable::Reporting`]). It must not wait for
    /// another thread that makes such a call: that thread waits for the batch.
    ///
    /// [`Unwritable::Reporting`]: crate::Unwritable::Reporting
    pub fn progress(self, progress: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }
}

impl fmt::Debug for Build<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Build").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Why an index was not built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A parameter is out of its range.
    Params(ParamsError),
    /// There is not one key for each point.
    Keys {
        /// How many keys came.
        keys: usize,
        /// How many points there are.
        points: usize,
    },
    /// A key comes twice.
    KeyTwice {
        /// Its second place.
        place: usize,
    },
    /// More points than ids.
    TooMany {
        /// How many points there would be.
        points: usize,
    },
    /// The system refused memory for the links.
    Memory(io::Error),
    /// The system refused threads.
    Threads(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Params(error) => error.fmt(f),
            Self::Keys { keys, points } => write!(f, "{keys} keys for {points} points"),
            Self::KeyTwice { place } => write!(f, "the key of point {place} has come before"),
            Self::TooMany { points } => {
                write!(f, "{points} points; an index holds at most {}", crate::id::MAX_POINTS)
            }
            Self::Memory(error) => write!(f, "no memory for the links: {error}"),
            Self::Threads(error) => write!(f, "no threads for the build: {error}"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Params(error) => Some(error),
            Self::Memory(error) => Some(error),
            Self::Threads(error) => Some(error),
            Self::Keys { .. } | Self::KeyTwice { .. } | Self::TooMany { .. } => None,
        }
    }
}

impl From<ParamsError> for BuildError {
    fn from(error: ParamsError) -> Self {
        Self::Params(error)
    }
}
